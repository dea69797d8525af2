"""Both sandboxes as real HTTP servers on this machine, each in a thread of its own.

The product is then run as it is run against the real services: the same client code, sockets and environment variables.
The two ASGI applications are arguments, so that this module knows neither of them.
"""

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import uvicorn

HOST = "127.0.0.1"
CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"  # noqa: S105  nothing is protected by it
REFRESH_TOKEN = "sandbox-refresh"  # noqa: S105
START_SECONDS = 10.0
STOP_SECONDS = 2

Application = Callable[..., Any]  # an ASGI application


class _Served:
    """One application on one port. The port is bound on creation, so its address is known before anything runs."""

    def __init__(self, application: Application, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named, so that asyncio sets TCP_NODELAY
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((HOST, port))
        except OSError:
            self._socket.close()
            raise
        self.url = f"http://{HOST}:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            application,
            lifespan="off",
            ws="none",
            loop="asyncio",
            log_config=None,
            log_level=logging.ERROR,
            access_log=False,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name=f"sandbox {self.url}", daemon=True
        )

    def start(self) -> None:
        """Returns once connections are accepted; raises RuntimeError where that takes too long."""
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError(f"the sandbox at {self.url} did not start")
            time.sleep(0.005)

    def stop(self) -> None:
        """Lets running requests end, then closes. Safe without a start."""
        if self._thread.ident is None:
            self._socket.close()
            return
        self._server.should_exit = True
        self._thread.join(STOP_SECONDS + 3)


class SandboxServer:
    """A context manager: inside it both sandboxes answer. Port 0 takes a free one; OSError where a given one is taken."""

    def __init__(self, freshbooks: Application, quickbooks: Application, *, freshbooks_port: int = 0, quickbooks_port: int = 0) -> None:
        with contextlib.ExitStack() as opened:
            first = _Served(freshbooks, freshbooks_port)
            opened.callback(first.stop)
            self._served = (first, _Served(quickbooks, quickbooks_port))
            opened.pop_all()
        self.freshbooks_url, self.quickbooks_url = (served.url for served in self._served)
        self.refresh_token = REFRESH_TOKEN

    def __enter__(self) -> "SandboxServer":
        try:
            for served in self._served:
                served.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop both, gracefully; may be repeated."""
        for served in self._served:
            served.stop()

    def environment(self, *, requests_per_minute: int = 500, batches_per_minute: int = 40, concurrency: int = 8) -> dict[str, str]:
        """The environment variables that point the product at the two sandboxes.

        The limits are QuickBooks' own unless given: the sandbox itself does not meter unless told to.
        Refresh tokens are not environment: hand `refresh_token` to `fb-qbo connect … --refresh-token`, for both services.
        """
        return {
            "FRESHBOOKS_CLIENT_ID": CLIENT_ID,
            "FRESHBOOKS_CLIENT_SECRET": CLIENT_SECRET,
            "FRESHBOOKS_API_URL": self.freshbooks_url,
            "FRESHBOOKS_AUTH_URL": self.freshbooks_url,
            "QUICKBOOKS_CLIENT_ID": CLIENT_ID,
            "QUICKBOOKS_CLIENT_SECRET": CLIENT_SECRET,
            "QUICKBOOKS_API_URL": self.quickbooks_url,
            "QUICKBOOKS_TOKEN_URL": f"{self.quickbooks_url}/oauth2/v1/tokens/bearer",
            "QUICKBOOKS_AUTHORIZE_URL": f"{self.quickbooks_url}/connect/oauth2",
            "QUICKBOOKS_REQUESTS_PER_MINUTE": str(requests_per_minute),
            "QUICKBOOKS_BATCHES_PER_MINUTE": str(batches_per_minute),
            "QUICKBOOKS_CONCURRENCY": str(concurrency),
        }


def serve(
    freshbooks: Application,
    quickbooks: Application,
    *,
    freshbooks_port: int = 0,
    quickbooks_port: int = 0,
    announce: Callable[[SandboxServer], None],
    until: threading.Event | None = None,
) -> None:
    """Run both sandboxes until Ctrl-C, or until `until` is set. `announce` is called once, when both answer."""
    end = until or threading.Event()
    with SandboxServer(freshbooks, quickbooks, freshbooks_port=freshbooks_port, quickbooks_port=quickbooks_port) as server:
        announce(server)
        with contextlib.suppress(KeyboardInterrupt):
            while not end.wait(1.0):  # a wait without an end would not be interrupted by Ctrl-C everywhere
                pass
