"""HTTP pieces that both clients share: JSON with Decimals, credentials, waiting times, and a stand-in server.

Each client keeps its own retry loop, because what may be repeated differs (reads always, writes never blindly).
Credentials are `requests` auth objects, not headers: without one, requests would put an entry of the user's ~/.netrc
in their place.
"""

import datetime as dt
import email.utils
import io
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import requests
import simplejson
from requests.adapters import BaseAdapter
from requests.auth import AuthBase
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import NameResolutionError, NewConnectionError, ReadTimeoutError

from fb_qbo_pipeline.http_answers import BoundedAdapter, BoundedSession, UnusableAnswer

Json = dict[str, Any]

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
LONGEST_WAIT = 3600.0  # seconds that a Retry-After is believed for
DEEPEST = 64  # objects and lists within each other; either service's records have less than ten
RENEWALS = 2  # of the access token, for one request: another process, or a slow edge, may spoil the first new one

# Failures in which an answer may have been lost. Other errors of requests (a malformed address…) are mistakes, not outages.
TRANSPORT_ERRORS: tuple[type[requests.RequestException], ...] = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
    UnusableAnswer,
)

_ESCAPED = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")  # how JSON writes them
_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")


def utc_now() -> dt.datetime:
    """The present instant, in UTC."""
    return dt.datetime.now(dt.UTC)


def loads(body: bytes | str) -> Any:
    """JSON with every number that has a fraction as Decimal. Raises ValueError on anything that is not JSON.

    A NUL or half a surrogate pair, which JSON can write and Postgres cannot store, is read as U+FFFD. What lies deeper than
    `DEEPEST` is refused as well: whoever walks through it later would run out of stack.
    """
    text = body.decode("utf-8") if isinstance(body, bytes) else body
    try:
        value = simplejson.loads(text, use_decimal=True)
    except RecursionError:
        raise ValueError("JSON that is nested without end") from None
    except (ValueError, ArithmeticError):  # perhaps only one odd number: that costs its record, and not the whole answer
        value = simplejson.loads(text, parse_float=_number, parse_int=_number, parse_constant=str)
    _require_shallow(value)
    return _storable(value) if _ESCAPED.search(text) else value


def _number(text: str) -> Any:
    """A number of JSON; as text where nothing can hold it (1e99999999999999999999, or more digits than Python takes)."""
    try:
        return int(text) if text.lstrip("-").isdecimal() else Decimal(text)
    except (ValueError, ArithmeticError):
        return text


def _require_shallow(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return
    raise ValueError(f"JSON that is nested more than {DEEPEST} deep")


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return _NOT_STORABLE.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, dict):
        return {_storable(key): _storable(inner) for key, inner in value.items()}
    return [_storable(inner) for inner in value] if isinstance(value, list) else value


def describe(error: requests.RequestException) -> str:
    """A transport failure in words. The library's own text is left out: it quotes the address with its query."""
    if isinstance(error, UnusableAnswer):
        return str(error)
    refused = _refused(error)
    if refused is not None:
        return "the host name is unknown" if isinstance(refused, NameResolutionError) else "the connection could not be opened"
    if error.args and isinstance(error.args[0], ReadTimeoutError):  # in the middle of a body
        return "no answer in time"
    for kind, words in (
        (requests.ConnectTimeout, "the connection timed out"),
        (requests.ReadTimeout, "no answer in time"),
        (requests.exceptions.SSLError, "the TLS connection failed (certificate or interception by a proxy)"),
        (requests.exceptions.ProxyError, "the proxy refused the connection"),
        (requests.exceptions.ChunkedEncodingError, "the answer was cut off"),
        (requests.exceptions.ContentDecodingError, "the answer could not be decoded"),
        (requests.ConnectionError, "the connection failed"),
    ):
        if isinstance(error, kind):
            return words
    return type(error).__name__


def never_sent(error: requests.RequestException) -> bool:
    """Whether certainly no byte of the request reached the other side, because no connection was made."""
    return isinstance(error, requests.ConnectTimeout) or _refused(error) is not None


def _refused(error: requests.RequestException) -> Exception | None:
    """urllib3's reason where a connection could not be opened, otherwise None."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return reason if isinstance(reason, (NewConnectionError, NameResolutionError)) else None


def retry_after(headers: Mapping[str, str], now: dt.datetime) -> float | None:
    """Seconds that a `Retry-After` header asks for (a number, or an HTTP date compared with `now`); None without a usable one.

    Never less than 0, never more than `LONGEST_WAIT`: the header is the other side's, and the wait is ours.
    """
    value = headers.get("Retry-After", "").strip()
    seconds = _as_number(value)
    if seconds is None:
        seconds = _until(value, now)
    return None if seconds is None else min(max(0.0, seconds), LONGEST_WAIT)


def _as_number(value: str) -> float | None:
    try:
        number = Decimal(value)
    except ArithmeticError:
        return None
    return None if number.is_nan() else float(number)


def _until(value: str, now: dt.datetime) -> float | None:
    try:
        until = email.utils.parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):  # whatever the library meets in a text that is no date
        return None
    return (until.replace(tzinfo=until.tzinfo or dt.UTC) - now).total_seconds()


@dataclass(frozen=True)
class Backoff:
    """How long to wait before the next try: what the server asks for, otherwise doubling with jitter. In seconds."""

    base: float = 0.5
    cap: float = 60.0
    longest_asked: float = 120.0
    uniform: Callable[[float, float], float] = field(default=random.uniform, repr=False)

    def delay(self, attempt: int, asked: float | None = None) -> float:
        """The wait after failed try number `attempt` (the first is 1); `asked` is the server's Retry-After.

        Half of the doubled wait is jitter, so that several processes do not return at the same instant.
        """
        if asked:
            return min(asked, self.longest_asked)
        return min(self.cap, self.base * 2.0 ** (attempt - 1)) * self.uniform(0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One HTTP attempt, for the audit and for counting. `url` is redacted; `status` None where no answer came."""

    service: str
    method: str
    url: str
    status: int | None
    seconds: float
    size: int
    error: str = ""


Recorder = Callable[[Attempt], None]


class BearerAuth(AuthBase):
    """Sends an access token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header to `request`."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class NoAuth(AuthBase):
    """Sends no credentials, not even those of ~/.netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Leave `request` as it is."""
        return request


def new_session(connections: int = 16) -> requests.Session:
    """A session whose answers are bounded, without retries of its own (the clients decide what may be repeated).

    It keeps `connections` open a host.
    """
    session = BoundedSession(NoAuth())
    adapter = BoundedAdapter(pool_maxsize=connections, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


@dataclass(frozen=True)
class Reply:
    """What a stand-in server answers. A `body` that is no text or bytes is sent as JSON."""

    status: int = 200
    body: object = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        """The body as bytes."""
        if isinstance(self.body, bytes):
            return self.body
        if isinstance(self.body, str):
            return self.body.encode()
        return simplejson.dumps(self.body, use_decimal=True).encode()


Answerer = Callable[[requests.PreparedRequest], Reply | Exception]


class FakeTransport(BaseAdapter):
    """A stand-in for the network, to be mounted on a session: `session.mount("https://", FakeTransport(answer))`.

    `answers` is a function of the request, or replies in order (an exception among them is raised). `requests` holds what was sent.
    """

    def __init__(self, answers: Answerer | Sequence[Reply | Exception]) -> None:
        super().__init__()
        self._answer = answers if callable(answers) else self._in_order(list(answers))
        self.requests: list[requests.PreparedRequest] = []

    @staticmethod
    def _in_order(replies: list[Reply | Exception]) -> Answerer:
        def answer(request: requests.PreparedRequest) -> Reply | Exception:
            if not replies:
                raise AssertionError(f"unexpected request: {request.method} {request.url}")
            return replies.pop(0)

        return answer

    def send(self, request: requests.PreparedRequest, *_args: Any, **_options: Any) -> requests.Response:
        """Answer `request` without a network."""
        self.requests.append(request)
        reply = self._answer(request)
        if isinstance(reply, Exception):
            raise reply
        response = requests.Response()
        response.status_code = reply.status
        response.headers = CaseInsensitiveDict(reply.headers)
        response.raw = io.BytesIO(reply.content())
        response.request = request
        response.url = request.url or ""
        response.encoding = "utf-8"
        return response

    def close(self) -> None:
        """Nothing is held open."""

    def session(self) -> requests.Session:
        """A new session in which this transport takes the place of the network."""
        session = BoundedSession(NoAuth())
        session.mount("https://", self)
        session.mount("http://", self)
        return session
