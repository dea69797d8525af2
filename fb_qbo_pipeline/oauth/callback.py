"""The loopback end of an authorization: the browser comes back to this machine with a code.

FreshBooks takes only https redirect addresses, and a loopback server has no certificate that a browser trusts: there the
person changes https to http in the address bar, or pastes the address, which `parse_callback` reads just the same.
Nothing of a request is logged, because its address holds the code.

Whatever connects meanwhile (a browser ahead of need, a program that says nothing, one that drips) is answered in a thread of its
own, ended after some seconds, and hung up on when too many are there: the one that is waited for is never kept waiting.
"""

import contextlib
import hmac
import socket
import socketserver
import threading
import time
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from fb_qbo_pipeline.errors import PipelineError, Unreachable

CONNECTION_SECONDS = 5.0  # browsers open connections ahead of need and send nothing on them
MOST_CONNECTIONS = 20
_LONGEST_PATH = 8192  # characters; Intuit's codes have at most 512
_TICK_SECONDS = 0.2
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",  # the address holds the code
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<body style="font-family: sans-serif; max-width: 32em; margin: 4em auto"><h1>{title}</h1><p>{text}</p></body></html>"""


@dataclass(frozen=True, slots=True)
class Callback:
    """A granted authorization: the code, and what else came with it, such as QuickBooks' `realmId`."""

    code: str = field(repr=False)
    extra: dict[str, str]


class StateMismatch(PipelineError):
    """The answer belongs to another attempt, or was forged."""


def parse_callback(address: str, state: str) -> Callback:
    """Read the address to which the browser was sent (whole, or from its path on).

    Raises StateMismatch where `state` is not the one that was sent, PipelineError where the service sent an error
    (`access_denied`: the person said no) or no code.
    """
    query = {name: values[0] for name, values in parse_qs(urlsplit(address.strip()).query).items()}
    if not hmac.compare_digest(query.pop("state", "").encode(), state.encode()):
        raise StateMismatch(
            "the browser's answer does not belong to this attempt to connect", "start again, and use the newest browser tab only"
        )
    error = query.pop("error", "")
    if error == "access_denied":
        raise PipelineError("access was denied in the browser", "connect again, and allow the access")
    if error:
        # Only the standard's error names are shown: the description is free text from outside.
        name = error if error.replace("_", "").isalnum() and len(error) <= 40 else "unknown error"
        raise PipelineError(
            f"the service refused the authorization: {name}",
            "check the app's scopes and redirect address, then connect again; with --no-pkce where the service names the code challenge",
        )
    code = query.pop("code", "")
    if not code:
        raise PipelineError("the browser came back without an authorization code", "connect again")
    return Callback(code, query)


class _Server(ThreadingHTTPServer):
    """Answers each connection in a thread, none for long, and only so many: the oldest gives way to the newest."""

    request_queue_size = 64

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._since: dict[socket.socket, float] = {}
        self._guard = threading.Lock()
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Without asking a name server who we are, as HTTPServer does."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[0], self.server_address[1]  # type: ignore[assignment]  # AF_INET

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            while len(self._since) >= MOST_CONNECTIONS:
                _hang_up(self._since, next(iter(self._since)))
            self._since[request] = time.monotonic()
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._since.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        with self._guard:
            late = time.monotonic() - CONNECTION_SECONDS
            for request in [request for request, since in self._since.items() if since < late]:
                _hang_up(self._since, request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: a traceback may quote the address."""


def _hang_up(since: dict[socket.socket, float], request: socket.socket) -> None:
    """Its thread then reads the end, and closes it."""
    del since[request]
    with contextlib.suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)


class CallbackServer:
    """Waits on this machine's loopback interface for one answer of the browser; the first one counts.

    >>> with CallbackServer(state="…", port=8976) as server:  # doctest: +SKIP
    ...     callback = server.wait(timeout=300)
    """

    def __init__(self, state: str, *, host: str = "127.0.0.1", port: int = 0, path: str = "/callback") -> None:
        self._state = state
        self._path = path
        self._outcome: Callback | PipelineError | None = None
        self._answered = threading.Event()
        self._guard = threading.Lock()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            timeout = CONNECTION_SECONDS
            server_version, sys_version = "fb-qbo", ""

            def do_GET(self) -> None:
                owner._answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Log nothing: addresses hold the code."""

        try:
            self._server = _Server((host, port), Handler)
        except OSError as error:
            raise PipelineError(
                f"cannot listen on {host}:{port} for the browser's answer: {error.strerror}", "close what uses the port, or choose another"
            ) from error
        self._names = {f"{name}:{self.port}" for name in ("localhost", host)}
        self._serving = threading.Thread(target=self._server.serve_forever, args=(_TICK_SECONDS,), name="browser's answer", daemon=True)
        self._serving.start()

    @property
    def port(self) -> int:
        """The port that is listened on, also where 0 (any free one) was asked for."""
        return self._server.server_port

    @property
    def redirect_uri(self) -> str:
        """The address to register with the service and to send as `redirect_uri`."""
        return f"http://localhost:{self.port}{self._path}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._serving.join()
        self._server.socket.close()  # the threads of connections that are still open end by themselves

    def wait(self, timeout: float) -> Callback:
        """The browser's answer. Raises PipelineError where access was denied, Unreachable after `timeout` seconds without one.

        An answer with a foreign `state` is told so in the browser and otherwise ignored.
        """
        if not self._answered.wait(timeout):
            raise Unreachable(f"no answer from the browser within {timeout:.0f} seconds", "connect again, and finish in the browser")
        assert self._outcome is not None
        if isinstance(self._outcome, PipelineError):
            raise self._outcome
        return self._outcome

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        if len(request.path) > _LONGEST_PATH:
            _send(request, 414, "Too long", "This is no answer of the service.")
        elif request.headers.get_all("Host", []) not in [[name] for name in self._names]:
            _send(request, 403, "Not here", "This page is opened on the machine that connects only.")
        elif urlsplit(request.path).path != self._path:
            _send(request, 404, "Not found", "Nothing is here.")
        else:
            self._read(request)

    def _read(self, request: BaseHTTPRequestHandler) -> None:
        try:
            outcome: Callback | PipelineError = parse_callback(request.path, self._state)
            page = (200, "Connected", "You can close this tab and go back to the terminal.")
        except StateMismatch as error:
            _send(request, 400, "Not this attempt", f"{error.message}: {error.remedy}.")
            return
        except PipelineError as error:
            outcome, page = error, (200, "Not connected", f"{error.message}: {error.remedy}.")
        try:
            _send(request, *page)
        finally:  # a browser that has gone has answered all the same
            with self._guard:
                self._outcome = self._outcome or outcome
            self._answered.set()


def _send(request: BaseHTTPRequestHandler, status: int, title: str, text: str) -> None:
    page = _PAGE.format(title=escape(title), text=escape(text)).encode()
    request.send_response(status)
    for name, value in (_HEADERS | {"Content-Length": str(len(page))}).items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(page)
