"""What an answer may cost: so many bytes, so many seconds, and no further address.

A server that is broken, hostile or not the one that was meant (a proxy, a page of a hotel's network) can send without end, a
byte a second, or a small body that unpacks to gigabytes. requests bounds the silence between two bytes only. Here the whole
answer is bounded: whatever does not fit ends as a `requests` error, which the clients take for a lost answer.
"""

import http.client
import io
import time
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

LARGEST_ANSWER = 100 * 2**20  # bytes, unpacked; a page of 1,000 transactions has 3 to 50 million
WHOLE = 2.0  # an answer as a whole may take so many times as long as the silence before its first byte
_CHUNK = 2**16


class UnusableAnswer(requests.RequestException):
    """Something was answered that cannot be taken as it is. Its text is in words and quotes nothing of the answer."""


class _Timed(io.RawIOBase):
    """What a socket receives, until a deadline. A silence is bounded by the socket's own timeout."""

    def __init__(self, raw: Any, sock: Any) -> None:
        super().__init__()
        self._raw, self._sock = raw, sock
        silence = sock.gettimeout()
        self._deadline = None if silence is None else time.monotonic() + silence * WHOLE
        self._silence = silence

    def readable(self) -> bool:
        """Like the socket's own reader."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Receive what there is. Raises TimeoutError after the deadline, as after a silence."""
        if self._deadline is not None:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            if left < self._silence:
                self._sock.settimeout(left)
        received: int | None = self._raw.readinto(buffer)
        return received

    def close(self) -> None:
        """Close the socket's reader as well: the socket counts who still reads."""
        if not self.closed:
            self._raw.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        reader: Any = self.fp
        self.fp = io.BufferedReader(_Timed(reader.detach(), sock))


class _TimedConnection(HTTPConnection):
    response_class = _TimedResponse


class _TimedTlsConnection(HTTPSConnection):
    response_class = _TimedResponse


class _TimedPool(HTTPConnectionPool):
    ConnectionCls = _TimedConnection


class _TimedTlsPool(HTTPSConnectionPool):
    ConnectionCls = _TimedTlsConnection


class BoundedAdapter(HTTPAdapter):
    """Requests over connections whose answers have a deadline, through a proxy of the environment as well."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """As the base class does, with our connections."""
        super().init_poolmanager(*args, **options)
        _with_deadlines(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        """As the base class does, with our connections."""
        return _with_deadlines(super().proxy_manager_for(*args, **options))


def _with_deadlines(manager: Any) -> Any:
    manager.pool_classes_by_scheme = {"http": _TimedPool, "https": _TimedTlsPool}
    return manager


class BoundedSession(requests.Session):
    """A session that follows no redirect, never reads ~/.netrc, and takes no answer larger than `largest` bytes.

    Neither API documents a redirect, and a followed one would carry the token, or the company's data, to another address.
    Proxies and certificates named by the environment (HTTPS_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE) are used: a company's network
    may have no other way out.
    """

    def __init__(self, auth: Any, largest: int = LARGEST_ANSWER) -> None:
        super().__init__()
        self.auth = auth  # of requests without one of their own; without any, requests would look into ~/.netrc
        self._largest = largest

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002 - the signature is requests'
        """None: no redirect is followed, whatever the caller asked for."""
        return None

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send `request` and read its answer within the bounds. Raises UnusableAnswer where it is beyond them."""
        try:
            response = super().send(request, **(options | {"stream": True}))
        except requests.exceptions.InvalidHeader as error:  # of the answer: the request's own were checked before
            raise UnusableAnswer("an answer with contradictory headers", request=request) from error
        size, parts = 0, []
        try:
            for part in response.iter_content(_CHUNK):
                size += len(part)
                if size > self._largest:
                    raise UnusableAnswer(f"the answer is larger than {self._largest // 2**20} MB", request=request)
                parts.append(part)
        finally:
            response.close()
        response._content = b"".join(parts)  # where requests itself keeps a body that was read
        return response
