"""Both ways back from the browser: the redirect address on this machine, and what is pasted into the terminal."""

import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from fb_qbo_pipeline.cli.browser import ask_in_browser, print_only
from fb_qbo_pipeline.errors import PipelineError, Unreachable
from fb_qbo_pipeline.oauth import Callback, OAuthApp


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def app(redirect_uri: str, service: str = "quickbooks") -> OAuthApp:
    return OAuthApp(service, "id", "secret", "https://token.example", "https://sign-in.example/", redirect_uri=redirect_uri)


def query_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


class Terminal:
    """A terminal on whose other end the test types."""

    def __init__(self) -> None:
        self.read_end, self._write_end = os.pipe()

    def type(self, text: str) -> None:
        os.write(self._write_end, text.encode())

    def close(self) -> None:
        if self._write_end >= 0:
            os.close(self._write_end)
        self._write_end = -1


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    terminal = Terminal()
    yield terminal
    terminal.close()


@pytest.fixture
def visit() -> Iterator[Callable[[str], Any]]:
    """Visits an address as a browser does, while the caller goes on."""
    with ThreadPoolExecutor(1) as pool, requests.Session() as session:
        session.trust_env = False
        yield lambda address: pool.submit(session.get, address, timeout=5)


def test_the_browser_comes_back_to_this_machine(visit: Callable[[str], Any], capsys: pytest.CaptureFixture[str]) -> None:
    redirect = f"http://localhost:{free_port()}/callback"

    def sign_in(address: str) -> None:
        visit(f"{redirect}?code=abc&realmId=12&state={query_of(address)['state']}")

    callback = ask_in_browser(app(redirect), open_browser=sign_in, timeout=5)
    assert (callback.code, callback.extra) == ("abc", {"realmId": "12"})
    written = capsys.readouterr()
    assert written.out == ""
    assert "Sign in to QuickBooks" in written.err
    assert "https://sign-in.example/?client_id=id" in written.err


def test_an_address_may_be_pasted_while_the_port_is_watched(terminal: Terminal) -> None:
    redirect = f"https://localhost:{free_port()}/callback"

    def sign_in(address: str) -> None:
        terminal.type(f"\n  {redirect}?code=abc&state={query_of(address)['state']}  \n")

    assert ask_in_browser(app(redirect, "freshbooks"), open_browser=sign_in, typed=terminal.read_end, timeout=5).code == "abc"


def test_a_redirect_address_elsewhere_is_answered_by_pasting_alone(terminal: Terminal) -> None:
    redirect = "https://books.example.com/callback"

    def sign_in(address: str) -> None:
        terminal.type(f"{redirect}?code=abc&state={query_of(address)['state']}\n")

    assert ask_in_browser(app(redirect), open_browser=sign_in, typed=terminal.read_end, timeout=5).code == "abc"


def test_a_person_who_cannot_use_the_port_is_told_what_to_paste(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Unreachable):
        ask_in_browser(app("https://books.example.com/callback", "freshbooks"), open_browser=print_only, timeout=0.01)
    assert "paste the whole address from its address bar" in capsys.readouterr().err


def test_what_is_pasted_wrongly_is_told_so_and_can_be_pasted_again(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    redirect = f"http://localhost:{free_port()}/callback"

    def sign_in(address: str) -> None:
        terminal.type(f"hello\n{redirect}?code=old&state=of-another-attempt\n{redirect}?code=abc&state={query_of(address)['state']}\n")

    assert ask_in_browser(app(redirect), open_browser=sign_in, typed=terminal.read_end, timeout=5).code == "abc"
    assert capsys.readouterr().err.count("does not belong to this attempt") == 2


def test_a_denied_access_ends_the_waiting(visit: Callable[[str], Any]) -> None:
    redirect = f"http://localhost:{free_port()}/callback"

    def decline(address: str) -> None:
        visit(f"{redirect}?error=access_denied&state={query_of(address)['state']}")

    with pytest.raises(PipelineError, match="access was denied in the browser"):
        ask_in_browser(app(redirect), open_browser=decline, timeout=5)


def test_a_forged_answer_is_not_believed(visit: Callable[[str], Any]) -> None:
    redirect = f"http://localhost:{free_port()}/callback"

    def attack(_address: str) -> None:
        visit(f"{redirect}?code=evil&state=forged")

    with pytest.raises(Unreachable, match="no answer from the browser within"):
        ask_in_browser(app(redirect), open_browser=attack, timeout=0.2)


@pytest.mark.parametrize("redirect", ["http://localhost:{port}/callback", "https://books.example.com/callback"])
def test_waiting_ends_after_the_given_time(redirect: str) -> None:
    with pytest.raises(Unreachable, match="no answer from the browser within") as caught:
        ask_in_browser(app(redirect.format(port=free_port())), open_browser=print_only, timeout=0.05)
    assert caught.value.exit_status == 1


def test_every_attempt_has_a_state_of_its_own() -> None:
    states: list[str] = []
    for _ in range(2):
        with pytest.raises(Unreachable):
            ask_in_browser(
                app("https://books.example.com/"), open_browser=lambda address: states.append(query_of(address)["state"]), timeout=0.01
            )
    assert len(set(states)) == 2
    assert min(map(len, states)) >= 32


def test_the_end_of_the_input_leaves_the_browser(terminal: Terminal, visit: Callable[[str], Any]) -> None:
    redirect = f"http://localhost:{free_port()}/callback"
    terminal.close()

    def sign_in(address: str) -> None:
        visit(f"{redirect}?code=abc&state={query_of(address)['state']}")

    callback: Callback = ask_in_browser(app(redirect), open_browser=sign_in, typed=terminal.read_end, timeout=5)
    assert callback.code == "abc"
