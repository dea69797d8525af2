"""The person's part of an authorization: the browser is sent to the service, and what it comes back with is awaited.

There are two ways back, and both are watched: the redirect address on this machine, and the terminal, where the address can
be pasted. FreshBooks takes only https redirect addresses, which this machine cannot serve, and a browser may run elsewhere.
"""

import contextlib
import os
import queue
import secrets
import sys
import threading
import time
import webbrowser
from collections.abc import Callable
from urllib.parse import urlsplit

import click

from fb_qbo_pipeline.errors import Unreachable
from fb_qbo_pipeline.oauth import Callback, CallbackServer, OAuthApp, authorize_url, parse_callback
from fb_qbo_pipeline.oauth.callback import StateMismatch
from fb_qbo_pipeline.oauth.endpoint import label

BROWSER_SECONDS = 300.0  # an authorization code of FreshBooks lives five minutes
_LOOK_SECONDS = 0.2  # how long one way back is waited for before the other is looked at
_LOOPBACK = frozenset({"localhost", "127.0.0.1"})

OpenBrowser = Callable[[str], object]
_Lines = queue.SimpleQueue[str]


def ask_in_browser(
    app: OAuthApp,
    *,
    verifier: str = "",
    open_browser: OpenBrowser = webbrowser.open,
    typed: int | None = None,
    timeout: float = BROWSER_SECONDS,
) -> Callback:
    """Send a person to the service and wait for the answer, whose code is redeemed with `verifier` where there is one.

    `typed` is the file descriptor on which the address may be pasted (`terminal()`), `timeout` how long there is, in seconds.
    Raises Unreachable where no answer came in time, PipelineError where the access was denied or the port is in use.
    """
    state = secrets.token_urlsafe(24)
    address = authorize_url(app, state, app.redirect_uri, verifier)
    where = urlsplit(app.redirect_uri)
    pasted: _Lines = queue.SimpleQueue()
    with contextlib.ExitStack() as opened:
        server: CallbackServer | None = None
        if where.hostname in _LOOPBACK and where.port:
            server = opened.enter_context(CallbackServer(state, port=where.port, path=where.path or "/"))
        _tell(app, address, comes_back=server is not None and where.scheme == "http")
        if typed is not None:
            threading.Thread(target=_read_lines, args=(typed, pasted), name="pasted address", daemon=True).start()
        with contextlib.suppress(webbrowser.Error):  # the address is on the screen
            open_browser(address)
        return _answer(server, pasted, state, timeout)


def terminal() -> int | None:
    """The file descriptor of standard input, if there is one."""
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):
        return None


def print_only(_address: str) -> bool:
    """Open no browser: the address is on the screen."""
    return False


def _tell(app: OAuthApp, address: str, *, comes_back: bool) -> None:
    if comes_back:
        then = "Should the browser end on a page that does not load, paste that page's address here and press Enter."
    else:
        then = (
            f"The browser will end on {app.redirect_uri}, which does not load: paste the whole address from its address bar here "
            "and press Enter. If the browser runs on this machine, changing https to http in the address bar does as well."
        )
    click.echo(f"Sign in to {label(app)}, as an administrator of the company, at\n\n  {address}\n\n{then}", err=True)


def _answer(server: CallbackServer | None, pasted: _Lines, state: str, timeout: float) -> Callback:
    """The first answer from either side. A pasted text that is no answer to this attempt is told so, and waiting goes on."""
    deadline = time.monotonic() + timeout
    while (left := deadline - time.monotonic()) > 0:
        if server is not None:
            with contextlib.suppress(Unreachable):  # nothing yet
                return server.wait(min(left, _LOOK_SECONDS))
        try:
            line = pasted.get(block=server is None, timeout=left)
            if line:
                return parse_callback(line, state)
        except queue.Empty:
            continue
        except StateMismatch as error:
            click.echo(f"{error.message}; paste the whole address on which the browser ended", err=True)
    raise Unreachable(f"no answer from the browser within {timeout:.0f} seconds", "connect again, and finish in the browser")


def _read_lines(descriptor: int, lines: _Lines) -> None:
    """What is typed, line by line, until the end of the input.

    Read past Python's own buffer: a thread that waits inside it would keep the program from ending.
    """
    rest = b""
    with contextlib.suppress(OSError):  # no terminal any more: the browser answers
        while chunk := os.read(descriptor, 4096):
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                lines.put(line.decode(errors="replace").strip())
