"""The two addresses of an OAuth2 application: where a person allows access, and where codes and refresh tokens become tokens.

Pure of state: what the answers mean is decided here, who may ask and when is decided by the authorizer.
"""

import datetime as dt
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from fb_qbo_pipeline.errors import ConfigurationError, ConnectionRequired, RemoteRefusal, Unreachable
from fb_qbo_pipeline.http import (
    CONNECT_SECONDS,
    TRANSPORT_ERRORS,
    Attempt,
    Backoff,
    NoAuth,
    Recorder,
    describe,
    loads,
    never_sent,
    new_session,
    retry_after,
    utc_now,
)
from fb_qbo_pipeline.oauth.pkce import challenge_of
from fb_qbo_pipeline.redaction import redact, redact_url, remember_app, remember_token

_log = logging.getLogger(__name__)

EXPIRY_MARGIN = dt.timedelta(seconds=60)
TOKEN_READ_SECONDS = 30.0
TOKEN_TRIES = 5
_BACKOFF = Backoff(base=1.0)
_LONGEST_LIFETIME = 10.0 * 365 * 86400  # seconds; keeps a nonsensical expires_in within what a datetime can hold

_LONGEST_ERROR = 200

Clock = Callable[[], dt.datetime]
Sleep = Callable[[float], None]


def unrecorded(_attempt: Attempt) -> None:
    """Keeps no record."""


class AuthStyle(StrEnum):
    """How a token request names the application."""

    FORM = "form"  # FreshBooks: id, secret and redirect address as form fields, on a refresh too
    BASIC = "basic"  # QuickBooks: id and secret as HTTP Basic credentials


@dataclass(frozen=True)
class OAuthApp:
    """An application registered with one of the services ("freshbooks" or "quickbooks")."""

    service: str
    client_id: str
    client_secret: str = field(repr=False)
    token_url: str
    authorize_url: str
    scope: str = ""
    auth_style: AuthStyle = AuthStyle.FORM
    redirect_uri: str = ""

    def __post_init__(self) -> None:
        """Its secret is in use, so nobody may quote it."""
        remember_app(self.client_id, self.client_secret)


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An access token and the refresh token that came with it.

    `access_expires_at` (UTC) is None where it is unknown: the token is then used until it is rejected. An empty
    `access_token` means that there is only a refresh token, as after `fb-qbo connect --refresh-token`.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    access_expires_at: dt.datetime | None = None

    def __post_init__(self) -> None:
        """Every token that is read, decrypted or received comes by here: nobody may quote it."""
        remember_token(self.access_token, self.refresh_token)


class InvalidGrant(Exception):
    """The token endpoint does not accept the refresh token or code. `answer_lost`: an earlier try may have used it up."""

    def __init__(self, answer_lost: bool) -> None:
        super().__init__()
        self.answer_lost = answer_lost


def authorize_url(app: OAuthApp, state: str, redirect_uri: str, verifier: str = "") -> str:
    """The address at which a person allows `app` to use their account; `state` comes back with the answer.

    With a `verifier` only who has it can redeem the code (`oauth.pkce`).
    """
    query = {"client_id": app.client_id, "response_type": "code", "redirect_uri": redirect_uri, "state": state}
    if app.scope:
        query["scope"] = app.scope
    if verifier:
        query |= challenge_of(verifier)
    separator = "&" if "?" in app.authorize_url else "?"
    return app.authorize_url + separator + urlencode(query, quote_via=quote)


def exchange_code(
    app: OAuthApp,
    code: str,
    redirect_uri: str,
    *,
    verifier: str = "",
    session: requests.Session | None = None,
    clock: Clock = utc_now,
    recorder: Recorder = unrecorded,
) -> TokenPair:
    """Trade an authorization code for tokens. `redirect_uri` and `verifier` must be those of the authorize address.

    Tried once: a code works once, and QuickBooks may withdraw the tokens of a code that is sent twice.
    """
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    if verifier:
        form["code_verifier"] = verifier
    try:
        return request_tokens(app, form, session=session or new_session(), clock=clock, sleep=time.sleep, tries=1, recorder=recorder)
    except InvalidGrant:
        raise ConnectionRequired(
            f"{label(app)} did not accept the authorization code: it has expired or was used already", f"run: fb-qbo connect {app.service}"
        ) from None
    except RemoteRefusal as error:
        if not verifier:
            raise
        remedy = f"{error.remedy}; should {label(app)} not know PKCE any more: fb-qbo connect {app.service} --no-pkce"
        raise RemoteRefusal(error.message, remedy) from None


def label(app: OAuthApp) -> str:
    """The service's name as people write it."""
    return {"freshbooks": "FreshBooks", "quickbooks": "QuickBooks"}.get(app.service, app.service)


def request_tokens(
    app: OAuthApp,
    form: dict[str, str],
    *,
    session: requests.Session,
    clock: Clock,
    sleep: Sleep,
    tries: int,
    recorder: Recorder = unrecorded,
) -> TokenPair:
    """POST to the token endpoint until it answers definitely, at most `tries` times; `recorder` hears of each.

    Repeating a refresh is safe: either the first one did not arrive, or it did and the second is refused (InvalidGrant).
    The recorder must not fail: what it interrupts are tokens that nobody has stored yet.
    """
    remember_token(*(form.get(name, "") for name in ("code", "code_verifier", "refresh_token")))
    fields = dict(form)
    auth: AuthBase
    if app.auth_style is AuthStyle.BASIC:
        auth = HTTPBasicAuth(app.client_id, app.client_secret)
    else:
        auth = NoAuth()
        fields |= {"client_id": app.client_id, "client_secret": app.client_secret}
        if app.redirect_uri:
            fields.setdefault("redirect_uri", app.redirect_uri)
    answer_lost = False
    reason = ""
    for attempt in range(1, tries + 1):
        asked_at, started = clock(), time.monotonic()
        wait: float | None = None
        try:
            response = session.post(
                app.token_url,
                data=fields,
                auth=auth,
                headers={"Accept": "application/json"},
                timeout=(CONNECT_SECONDS, TOKEN_READ_SECONDS),
                allow_redirects=False,
            )
        except TRANSPORT_ERRORS as error:
            answer_lost = answer_lost or not never_sent(error)
            reason = describe(error)
            recorder(Attempt(app.service, "POST", redact_url(app.token_url), None, time.monotonic() - started, 0, reason))
        else:
            body = _json_object(response)
            said = redact(str(body.get("error") or ""))[:_LONGEST_ERROR]
            seconds, size = time.monotonic() - started, len(response.content)
            recorder(Attempt(app.service, "POST", redact_url(app.token_url), response.status_code, seconds, size, said))
            if response.status_code == 200 and isinstance(body.get("access_token"), str) and body["access_token"]:
                return _pair(body, asked_at, form.get("refresh_token", ""))
            if response.status_code not in (200, 408, 429) and response.status_code < 500:
                raise _refusal(app, response.status_code, body, answer_lost)
            answer_lost = answer_lost or response.status_code != 429
            reason = f"status {response.status_code}" + (" without tokens" if response.status_code == 200 else "")
            wait = retry_after(response.headers, clock())
        _log.warning("%s token endpoint, try %d of %d: %s", label(app), attempt, tries, reason)
        if attempt < tries:
            sleep(_BACKOFF.delay(attempt, wait))
    raise Unreachable(
        f"{label(app)} gave no tokens after {tries} tries at {urlsplit(app.token_url).hostname}: {reason}",
        "check the network and the service's status page, then run again",
    )


def _json_object(response: requests.Response) -> dict[str, Any]:
    try:
        body = loads(response.content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _refusal(app: OAuthApp, status: int, body: dict[str, Any], answer_lost: bool) -> Exception:
    code = str(body.get("error") or "")
    if code == "invalid_grant":
        return InvalidGrant(answer_lost)
    if code in {"invalid_client", "unauthorized_client"} or (status == 401 and not code):
        prefix = app.service.upper()
        return ConfigurationError(
            f"{label(app)} does not know the OAuth application ({code or f'status {status}'})",
            f"set {prefix}_CLIENT_ID and {prefix}_CLIENT_SECRET to the values of the app's page in the {label(app)} developer portal",
        )
    words = redact(str(body.get("error_description") or ""))[:200]
    return RemoteRefusal(
        f"{label(app)} refused the token request: {code or f'status {status}'}{f' ({words})' if words else ''}",
        f"compare the app's redirect address and scopes with the developer portal, then run: fb-qbo connect {app.service}",
    )


def _pair(body: dict[str, Any], asked_at: dt.datetime, refresh_token: str) -> TokenPair:
    """The tokens of an answer; `refresh_token` stays where the answer brings none.

    FreshBooks says when the token was made: the expiry counts from then, because a refresh has been seen to return the
    original `created_at`. QuickBooks does not: it counts from the request. An expiry that would have passed on arrival,
    or within the margin, is no help (every call would refresh): the token is then used until it is rejected.
    """
    expires_at: dt.datetime | None = None
    lifetime = _seconds(body.get("expires_in"))
    if lifetime is not None:
        created = _seconds(body.get("created_at"))
        start = asked_at.timestamp() if created is None else min(created, asked_at.timestamp())
        expires_at = dt.datetime.fromtimestamp(start + min(lifetime, _LONGEST_LIFETIME), dt.UTC)
        if expires_at - EXPIRY_MARGIN <= asked_at:
            expires_at = None
    new = body.get("refresh_token")
    return TokenPair(body["access_token"], new if isinstance(new, str) and new else refresh_token, expires_at)


def _seconds(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if 0 < number < float("inf") else None
