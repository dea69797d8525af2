import socket
import threading
from collections.abc import Iterator

import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from fb_qbo_pipeline.sandbox.server import SandboxServer, serve


def application(name: str) -> Starlette:
    async def hello(_: Request) -> PlainTextResponse:
        return PlainTextResponse(name)

    return Starlette(routes=[Route("/", hello)])


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer(application("books"), application("online")) as running:
        yield running


def test_both_applications_answer_on_ports_of_this_machine(server: SandboxServer) -> None:
    assert requests.get(server.freshbooks_url, timeout=5).text == "books"
    assert requests.get(server.quickbooks_url, timeout=5).text == "online"
    assert server.freshbooks_url.startswith("http://127.0.0.1:")


def test_the_environment_points_every_url_at_the_sandboxes(server: SandboxServer) -> None:
    environment = server.environment(requests_per_minute=9000)
    assert environment["FRESHBOOKS_API_URL"] == environment["FRESHBOOKS_AUTH_URL"] == server.freshbooks_url
    assert environment["QUICKBOOKS_TOKEN_URL"] == f"{server.quickbooks_url}/oauth2/v1/tokens/bearer"
    assert environment["QUICKBOOKS_AUTHORIZE_URL"] == f"{server.quickbooks_url}/connect/oauth2"
    assert environment["QUICKBOOKS_REQUESTS_PER_MINUTE"] == "9000"
    assert server.refresh_token == "sandbox-refresh"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_given_ports_are_used_and_free_again_afterwards() -> None:
    first, second = free_port(), free_port()
    for _ in range(2):
        with SandboxServer(application("a"), application("b"), freshbooks_port=first, quickbooks_port=second) as server:
            assert server.freshbooks_url == f"http://127.0.0.1:{first}"
            with requests.Session() as session:  # a kept-alive connection does not hold up the stop
                session.get(server.quickbooks_url, timeout=5)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{first}", timeout=5)


def test_a_taken_port_is_an_error_and_leaves_nothing_open(server: SandboxServer) -> None:
    taken = int(server.freshbooks_url.rpartition(":")[2])
    port = free_port()
    with pytest.raises(OSError, match="use"):
        SandboxServer(application("a"), application("b"), freshbooks_port=port, quickbooks_port=taken)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))


def test_serving_announces_once_and_ends_when_told() -> None:
    end, texts = threading.Event(), []

    def announce(server: SandboxServer) -> None:
        texts.append(requests.get(server.freshbooks_url, timeout=5).text)
        end.set()

    serve(application("books"), application("online"), announce=announce, until=end)
    assert texts == ["books"]


def test_ctrl_c_ends_serving_without_a_traceback() -> None:
    class Interrupted(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            raise KeyboardInterrupt

    stopped: list[SandboxServer] = []
    serve(application("books"), application("online"), announce=stopped.append, until=Interrupted())
    with pytest.raises(requests.ConnectionError):
        requests.get(stopped[0].freshbooks_url, timeout=5)
