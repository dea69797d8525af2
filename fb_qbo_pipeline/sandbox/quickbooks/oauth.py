"""The authorization server: codes, access tokens that expire, refresh tokens that rotate.

A refresh token is single use where `rotation` is "always": each refresh returns a new one and the old one is
`invalid_grant` from then on, which is what a client that loses an answer, or runs twice, has to survive.
"""

import base64
import binascii
import datetime as dt
import secrets
import threading
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple
from urllib.parse import urlencode

SCOPE = "com.intuit.quickbooks.accounting"
_CODE_LIFETIME = dt.timedelta(minutes=10)
_REFRESH_LIFETIME = dt.timedelta(days=100)
_ROTATION_PERIOD = dt.timedelta(hours=24)

Rotation = Literal["always", "daily", "never"]
Reply = tuple[int, dict[str, str | int]]


class Denied(NamedTuple):
    """Why a request of the API is turned away by the gateway."""

    status: int
    code: str
    name: str
    detail: str | None
    kind: str


class Authority:
    """One OAuth app's grants for one company. `clock` gives the present time, aware."""

    def __init__(
        self,
        realm_id: str,
        *,
        client_id: str = "sandbox-client",
        client_secret: str = "sandbox-secret",  # noqa: S107 - the sandbox's published default
        refresh_token: str = "sandbox-refresh",  # noqa: S107
        rotation: Rotation = "always",
        access_lifetime: int = 3600,
        clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self.realm_id = realm_id
        self.client_id = client_id
        self.rotation = rotation
        self.access_lifetime = access_lifetime
        self.refreshes = 0
        self._client_secret = client_secret
        self._clock = clock
        self._lock = threading.Lock()
        self._codes: dict[str, tuple[str, dt.datetime]] = {}  # code → (redirect_uri, issued)
        self._access: dict[str, dt.datetime] = {}  # token → until
        self._refresh: dict[str, dt.datetime] = {refresh_token: clock()}  # token → issued

    def authorize(self, params: Mapping[str, str]) -> str | None:
        """The URL to which the browser is sent back, with a code or an error; None where the request cannot be trusted."""
        redirect = params.get("redirect_uri", "")
        if params.get("client_id") != self.client_id or not redirect or params.get("response_type") != "code":
            return None
        answer = {"state": params["state"]} if "state" in params else {}
        if SCOPE not in params.get("scope", "").split():
            return _joined(redirect, {**answer, "error": "invalid_scope"})
        code = secrets.token_urlsafe(24)
        with self._lock:
            self._codes[code] = (redirect, self._clock())
        return _joined(redirect, {**answer, "code": code, "realmId": self.realm_id})

    def token(self, form: Mapping[str, str], authorization: str) -> Reply:
        """Status and body of the token endpoint."""
        if not self._knows_client(authorization):
            return 401, {"error": "invalid_client"}
        with self._lock:
            match form.get("grant_type"):
                case "authorization_code":
                    return self._exchange(form)
                case "refresh_token":
                    return self._renew(form.get("refresh_token", ""))
                case None:
                    return 400, {"error": "invalid_request"}
        return 400, {"error": "unsupported_grant_type"}

    def revoke(self, token: str, authorization: str) -> int:
        """Disconnect the app from the company; returns the HTTP status."""
        if not self._knows_client(authorization):
            return 401
        with self._lock:
            if token not in self._access and token not in self._refresh:
                return 400
            self._access.clear()
            self._refresh.clear()
        return 200

    def expire_access_tokens(self) -> None:
        """Let every access token that is out expire now."""
        with self._lock:
            self._access = dict.fromkeys(self._access, self._clock())

    def check(self, authorization: str, realm_id: str) -> Denied | None:
        """None where a request may pass; otherwise why not."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or len(token) < 8:
            return Denied(401, "3200", "AuthenticationFailed", "Malformed bearer token: too short or too long", "AUTHENTICATION")
        until = self._access.get(token)
        if until is None:
            return Denied(401, "3200", "AuthenticationFailed", "Token invalid", "AUTHENTICATION")
        if until <= self._clock():
            return Denied(401, "3200", "AuthenticationFailed", "Token expired", "AUTHENTICATION")
        if realm_id != self.realm_id:
            return Denied(403, "3100", "ApplicationAuthorizationFailed", None, "SERVICE")
        return None

    def _knows_client(self, authorization: str) -> bool:
        scheme, _, encoded = authorization.partition(" ")
        try:
            pair = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return False
        return scheme.lower() == "basic" and secrets.compare_digest(pair, f"{self.client_id}:{self._client_secret}")

    def _exchange(self, form: Mapping[str, str]) -> Reply:
        redirect, issued = self._codes.pop(form.get("code", ""), ("", None))
        if issued is None or issued + _CODE_LIFETIME < self._clock() or form.get("redirect_uri") != redirect:
            return 400, {"error": "invalid_grant"}
        return self._granted(self._new_refresh_token())

    def _renew(self, token: str) -> Reply:
        issued = self._refresh.get(token)
        if issued is None or issued + _REFRESH_LIFETIME < self._clock():
            return 400, {"error": "invalid_grant", "error_description": "Incorrect or invalid refresh token"}
        self.refreshes += 1
        rotates = self.rotation == "always" or (self.rotation == "daily" and self._clock() - issued >= _ROTATION_PERIOD)
        if rotates:
            del self._refresh[token]
            token = self._new_refresh_token()
        return self._granted(token)

    def _new_refresh_token(self) -> str:
        token = f"refresh-{secrets.token_urlsafe(24)}"
        self._refresh[token] = self._clock()
        return token

    def _granted(self, refresh_token: str) -> Reply:
        access = f"access-{secrets.token_urlsafe(32)}"
        self._access[access] = self._clock() + dt.timedelta(seconds=self.access_lifetime)
        return 200, {
            "token_type": "bearer",
            "access_token": access,
            "expires_in": self.access_lifetime,
            "refresh_token": refresh_token,
            "x_refresh_token_expires_in": int(_REFRESH_LIFETIME.total_seconds()),
        }


def _joined(redirect: str, answer: Mapping[str, str]) -> str:
    return f"{redirect}{'&' if '?' in redirect else '?'}{urlencode(answer)}"
