"""One request to QuickBooks and what became of it; no decision about repeating it.

An attempt ends in one of three ways: an answer, a fault, or nothing that could be read. The one repetition made here is
after a 401: the gateway has turned the request away before anything was done, so it is sent again with a new token
and the same request id. What stops the whole company (no access, no such company) is raised; everything else is a value.
"""

import datetime as dt
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol
from urllib.parse import quote

import requests

from fb_qbo_pipeline.errors import ConfigurationError, ConnectionRequired
from fb_qbo_pipeline.http import (
    CONNECT_SECONDS,
    READ_SECONDS,
    RENEWALS,
    TRANSPORT_ERRORS,
    BearerAuth,
    Json,
    describe,
    never_sent,
    new_session,
    retry_after,
    utc_now,
)
from fb_qbo_pipeline.quickbooks.faults import Fault, Reaction, classify, read_answer
from fb_qbo_pipeline.quickbooks.limits import Kind, Limiter
from fb_qbo_pipeline.redaction import redact, redact_url

log = logging.getLogger(__name__)

MINOR_VERSION = 75  # the lowest that is supported since 2025-08-01; requests without it are treated as it
WRITE_SECONDS = 130.0  # QuickBooks itself gives up after 120 s: leaving earlier would lose answers that are on their way
THROTTLE_SECONDS = 60.0  # Intuit's guidance after a 429, which normally comes without Retry-After
_READ_KEPT = 4000  # characters of a read's answer in the audit; a page of 1,000 rows would bury it
_FAULT_KEPT = 8000  # characters of a fault that is no answer to a batch; patterns are run over it


class Authorizer(Protocol):
    """Where access tokens come from. Both methods raise ConnectionRequired where a person has to connect again."""

    def access_token(self) -> str:
        """A token that should work."""
        ...

    def renew(self, rejected: str) -> str:
        """Another token, because QuickBooks answered 401 to `rejected`."""
        ...


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait for a connection, for a read's answer and for a write's answer."""

    connect: float = CONNECT_SECONDS
    read: float = READ_SECONDS
    write: float = WRITE_SECONDS


@dataclass(frozen=True, slots=True)
class Call:
    """A request: `path` is below the company's address, `body` the exact text that is sent (and sent again)."""

    kind: Literal["read", "write"]
    method: Literal["GET", "POST"]
    path: str
    entity: str
    operation: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: str | None = field(default=None, repr=False)
    request_id: str | None = None
    slot: Kind = "request"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One attempt, for the audit and for counting. `status` is None and `error` says why where no answer came.

    `url` has no secrets; `sent` and `received` hold the company's data. Of a read's answer the beginning is kept.
    `intuit_tid` is what Intuit's support asks for.
    """

    kind: Literal["read", "write"]
    method: str
    url: str = field(repr=False)
    entity: str
    operation: str
    request_id: str | None
    status: int | None
    seconds: float
    size: int
    sent: str | None = field(repr=False)
    received: str | None = field(repr=False)
    intuit_tid: str | None
    error: str = ""


Recorder = Callable[[Exchange], None]


@dataclass(frozen=True, slots=True)
class Answered:
    """A readable answer without a fault."""

    payload: Json = field(repr=False)


@dataclass(frozen=True, slots=True)
class Faulted:
    """QuickBooks, or something on the way to it, said no or something unreadable."""

    fault: Fault
    reaction: Reaction


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer. `not_sent`: the connection could not even be opened, so QuickBooks knows nothing of the request."""

    reason: str
    not_sent: bool


Reply = Answered | Faulted | Lost


class Transport:
    """Sends requests to one company. Safe to use from several threads."""

    def __init__(
        self,
        base_url: str,
        realm_id: str,
        authorizer: Authorizer,
        *,
        limiter: Limiter,
        session: requests.Session | None = None,
        recorder: Recorder | None = None,
        timeouts: Timeouts | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        if not base_url.startswith(("http://", "https://")):
            raise ConfigurationError("QUICKBOOKS_API_URL is no web address", "set it to https://… or leave it unset")
        self.realm_id = realm_id
        self.limiter = limiter
        self._root = f"{base_url.rstrip('/')}/v3/company/{quote(realm_id, safe='')}/"
        self._authorizer = authorizer
        self._session = session or new_session()
        self._recorder = recorder
        self._timeouts = timeouts or Timeouts()
        self._clock = clock
        self._now = now

    def send(self, call: Call) -> Reply:
        """Send `call`, and again with a new token after a 401, at most `RENEWALS` times. A throttled answer pauses the company's limiter.

        Raises ConnectionRequired where the app has no access to the company, ConfigurationError where there is no such
        company; neither request was carried out. What the recorder raises is passed on, since an unrecorded write must stop.
        """
        token = self._authorizer.access_token()
        reply = self._attempt(call, token)
        for _ in range(RENEWALS):
            if not isinstance(reply, Faulted) or reply.reaction is not Reaction.RENEW_TOKEN:
                break
            token = self._authorizer.renew(token)
            reply = self._attempt(call, token)
        if isinstance(reply, Faulted):
            self._stop_without_access(reply)
        return reply

    def _attempt(self, call: Call, token: str) -> Reply:
        with self.limiter.slot(call.slot):
            started = self._clock()
            try:
                response = self._request(call, token)
            except TRANSPORT_ERRORS as error:
                reason = describe(error)
                self._record(call, self._root + call.path, self._clock() - started, error=reason)
                return Lost(reason, never_sent(error))
            seconds = self._clock() - started
        text = response.content.decode("utf-8-sig", errors="replace")
        answer = read_answer(response.status_code, text)
        kept = redact(text[:_FAULT_KEPT]) if isinstance(answer, Fault) else text
        self._record(call, response.url, seconds, response=response, received=kept if call.kind == "write" else kept[:_READ_KEPT])
        if not isinstance(answer, Fault):
            return Answered(answer)
        reaction = classify(answer)
        if reaction is Reaction.THROTTLED:
            asked = retry_after(response.headers, self._now())
            self.limiter.pause(asked or THROTTLE_SECONDS)  # none, or one of no length, says nothing
            log.warning("QuickBooks throttles company %s; its requests pause", self.realm_id)
        return Faulted(answer, reaction)

    def _request(self, call: Call, token: str) -> requests.Response:
        params = {**call.params, "minorversion": str(MINOR_VERSION)}
        if call.request_id is not None:
            params["requestid"] = call.request_id
        headers = {"Accept": "application/json"}
        if call.body is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
        return self._session.request(
            call.method,
            self._root + call.path,
            params=params,
            data=None if call.body is None else call.body.encode(),
            headers=headers,
            auth=BearerAuth(token),
            timeout=(self._timeouts.connect, self._timeouts.write if call.kind == "write" else self._timeouts.read),
            allow_redirects=False,  # a redirected POST would be repeated as a GET, without its body
        )

    def _record(
        self,
        call: Call,
        url: str,
        seconds: float,
        *,
        response: requests.Response | None = None,
        received: str | None = None,
        error: str = "",
    ) -> None:
        if self._recorder is None:
            return
        self._recorder(
            Exchange(
                kind=call.kind,
                method=call.method,
                url=redact_url(url),
                entity=call.entity,
                operation=call.operation,
                request_id=call.request_id,
                status=None if response is None else response.status_code,
                seconds=seconds,
                size=0 if response is None else len(response.content),
                sent=call.body,
                received=received,
                intuit_tid=None if response is None else response.headers.get("intuit_tid"),
                error=error,
            )
        )

    def _stop_without_access(self, reply: Faulted) -> None:
        if reply.reaction is Reaction.RENEW_TOKEN:
            raise ConnectionRequired(
                f"QuickBooks does not accept a renewed token for company {self.realm_id}: {reply.fault.summary}",
                "run `fb-qbo connect quickbooks`",
            )
        if reply.reaction is Reaction.RECONNECT:
            raise ConnectionRequired(
                f"this app has no access to QuickBooks company {self.realm_id}: {reply.fault.summary}",
                "run `fb-qbo connect quickbooks` as an administrator of that company; "
                "check that quickbooks.realm_id is its id and that QUICKBOOKS_API_URL fits the app's keys (development or production)",
            )
        if reply.reaction is Reaction.WRONG_COMPANY:
            raise ConfigurationError(
                f"QuickBooks knows no company {self.realm_id} at this address: {reply.fault.summary}",
                "correct quickbooks.realm_id in the integration file, or QUICKBOOKS_API_URL",
            )
