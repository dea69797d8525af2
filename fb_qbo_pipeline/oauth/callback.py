"""The loopback end of an authorization: the browser comes back to this machine with a code.

FreshBooks takes only https redirect addresses, and a loopback server has no certificate that a browser trusts: there the
person changes https to http in the address bar, or pastes the address, which `parse_callback` reads just the same.
Nothing of a request is logged, because its address holds the code.
"""

import hmac
import time
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from fb_qbo_pipeline.errors import PipelineError, Unreachable

_CONNECTION_SECONDS = 2.0  # browsers open connections ahead of need and send nothing on them
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
            f"the service refused the authorization: {name}", "check the app's scopes and redirect address, then connect again"
        )
    code = query.pop("code", "")
    if not code:
        raise PipelineError("the browser came back without an authorization code", "connect again")
    return Callback(code, query)


class CallbackServer:
    """Waits on this machine's loopback interface for one answer of the browser.

    >>> with CallbackServer(state="…", port=8976) as server:  # doctest: +SKIP
    ...     callback = server.wait(timeout=300)
    """

    def __init__(self, state: str, *, host: str = "127.0.0.1", port: int = 0, path: str = "/callback") -> None:
        self._state = state
        self._path = path
        self._outcome: Callback | PipelineError | None = None
        owner = self

        class Handler(BaseHTTPRequestHandler):
            timeout = _CONNECTION_SECONDS

            def do_GET(self) -> None:
                owner._answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Log nothing: addresses hold the code."""

        try:
            self._server = HTTPServer((host, port), Handler)
        except OSError as error:
            raise PipelineError(
                f"cannot listen on {host}:{port} for the browser's answer: {error.strerror}", "close what uses the port, or choose another"
            ) from error

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
        self._server.server_close()

    def wait(self, timeout: float) -> Callback:
        """The browser's answer. Raises PipelineError where access was denied, Unreachable after `timeout` seconds without one.

        An answer with a foreign `state` is told so in the browser and otherwise ignored.
        """
        deadline = time.monotonic() + timeout
        while self._outcome is None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Unreachable(f"no answer from the browser within {timeout:.0f} seconds", "connect again, and finish in the browser")
            self._server.timeout = left
            self._server.handle_request()
        if isinstance(self._outcome, PipelineError):
            raise self._outcome
        return self._outcome

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        if urlsplit(request.path).path != self._path:
            _send(request, 404, "Not found", "Nothing is here.")
            return
        try:
            self._outcome = parse_callback(request.path, self._state)
        except StateMismatch as error:
            _send(request, 400, "Not this attempt", f"{error.message}: {error.remedy}.")
        except PipelineError as error:
            self._outcome = error
            _send(request, 200, "Not connected", f"{error.message}: {error.remedy}.")
        else:
            _send(request, 200, "Connected", "You can close this tab and go back to the terminal.")


def _send(request: BaseHTTPRequestHandler, status: int, title: str, text: str) -> None:
    page = _PAGE.format(title=escape(title), text=escape(text)).encode()
    request.send_response(status)
    request.send_header("Content-Type", "text/html; charset=utf-8")
    request.send_header("Content-Length", str(len(page)))
    request.send_header("Cache-Control", "no-store")
    request.end_headers()
    request.wfile.write(page)
