"""FreshBooks' sign-in: authorization codes, and refresh tokens that work once.

A refresh answers with a new refresh token and kills the old one; using an old one again is `invalid_grant`, after which only a
person can reconnect. `created_at + expires_in` is when the access token ends. Whether a refresh ends the former access token
is not documented: here it does not.
"""

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Mapping

from fb_qbo_pipeline.sandbox.freshbooks.resources import Json

ACCESS_TOKEN_SECONDS = 43_200
CODE_SECONDS = 300


class OAuthRefusal(Exception):
    """A refused token request: HTTP status, OAuth's error code, and words for it."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.body: Json = {"error": error, "error_description": description}


class TokenServer:
    """The tokens of one OAuth app, in memory. `now` gives Unix seconds; it need not be the account's clock."""

    def __init__(
        self,
        client_id: str = "sandbox-client",
        client_secret: str = "sandbox-secret",  # noqa: S107  a sandbox has no secrets
        refresh_token: str = "sandbox-refresh",  # noqa: S107
        *,
        scope: str = "user:profile:read",
        now: Callable[[], float] = time.time,
    ) -> None:
        self.client_id = client_id
        self.scope = scope
        self._client_secret = client_secret
        self._now = now
        self._refresh_tokens = {refresh_token}
        self._access_tokens: dict[str, float] = {}  # token → when it ends
        self._codes: dict[str, tuple[str, float, str]] = {}  # code → (redirect_uri, when it ends, PKCE's S256 challenge or '')
        self._lock = threading.Lock()

    def accepts(self, authorization: str) -> bool:
        """Whether an Authorization header holds an access token that has not ended."""
        scheme, _, token = authorization.partition(" ")
        with self._lock:
            return scheme.lower() == "bearer" and self._access_tokens.get(token, 0) > self._now()

    def issue_code(self, redirect_uri: str, challenge: str = "") -> str:
        """An authorization code for one use within five minutes, at the same redirect_uri and by who can answer `challenge`."""
        code = secrets.token_hex(16)
        with self._lock:
            self._codes[code] = (redirect_uri, self._now() + CODE_SECONDS, challenge)
        return code

    def expire_access_tokens(self) -> None:
        """Every access token ends now; refresh tokens stay."""
        with self._lock:
            self._access_tokens.clear()

    def revoke(self, token: str) -> None:
        """A token, access or refresh, is dead at once; an unknown one is no error."""
        with self._lock:
            self._access_tokens.pop(token, None)
            self._refresh_tokens.discard(token)

    def grant(self, form: Mapping[str, str]) -> Json:
        """Answer a token request; raises OAuthRefusal. Both grants need the client's id and secret and the redirect_uri."""
        if form.get("client_id") != self.client_id or form.get("client_secret") != self._client_secret:
            raise OAuthRefusal(401, "invalid_client", "Client authentication failed.")
        if not form.get("redirect_uri"):
            raise OAuthRefusal(400, "invalid_request", "Missing required parameter: redirect_uri.")
        with self._lock:
            if form.get("grant_type") == "refresh_token":
                self._use_refresh_token(form.get("refresh_token", ""))
            elif form.get("grant_type") == "authorization_code":
                self._use_code(form.get("code", ""), form["redirect_uri"], form.get("code_verifier", ""))
            else:
                raise OAuthRefusal(400, "unsupported_grant_type", "The authorization grant type is not supported.")
            return self._new_pair()

    def _use_refresh_token(self, token: str) -> None:
        if token not in self._refresh_tokens:
            raise OAuthRefusal(400, "invalid_grant", "The refresh token is invalid, expired, revoked or was used before.")
        self._refresh_tokens.remove(token)

    def _use_code(self, code: str, redirect_uri: str, verifier: str) -> None:
        issued_for, ends, challenge = self._codes.pop(code, ("", 0.0, ""))
        if challenge and challenge != base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode():
            raise OAuthRefusal(400, "invalid_grant", "The code verifier does not match the code challenge.")
        if issued_for != redirect_uri or ends <= self._now():
            raise OAuthRefusal(400, "invalid_grant", "The authorization code is invalid, expired or was issued for another redirect URI.")

    def _new_pair(self) -> Json:
        access, refresh, created = secrets.token_urlsafe(48), secrets.token_hex(32), int(self._now())
        self._access_tokens[access] = created + ACCESS_TOKEN_SECONDS
        self._refresh_tokens.add(refresh)
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": ACCESS_TOKEN_SECONDS,
            "refresh_token": refresh,
            "scope": self.scope,
            "created_at": created,
            "direct_buy_tokens": {},
        }
