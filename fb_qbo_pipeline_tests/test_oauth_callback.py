import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from fb_qbo_pipeline.errors import PipelineError, Unreachable
from fb_qbo_pipeline.oauth import CallbackServer, parse_callback
from fb_qbo_pipeline.oauth.callback import StateMismatch


@pytest.fixture
def browser():
    with requests.Session() as session:
        session.trust_env = False
        yield session


def visit(server, browser, query, path="/callback"):
    return browser.get(f"http://127.0.0.1:{server.port}{path}?{query}", timeout=5)


def test_a_code_is_read_with_what_else_came_along():
    callback = parse_callback("https://localhost:8976/callback?code=abc%2F1&state=s1&realmId=9341452000000000", "s1")
    assert (callback.code, callback.extra) == ("abc/1", {"realmId": "9341452000000000"})
    assert "abc" not in repr(callback)


@pytest.mark.parametrize("query", ["code=abc&state=other", "code=abc", "error=access_denied&state=other"])
def test_an_answer_with_a_foreign_state_is_not_believed(query):
    with pytest.raises(StateMismatch):
        parse_callback(f"/callback?{query}", "s1")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("error=access_denied", "access was denied"),
        ("error=invalid_scope", "refused the authorization: invalid_scope"),
        ("error=%3Cscript%3E", "unknown error"),
        ("realmId=1", "without an authorization code"),
    ],
)
def test_an_answer_without_a_code_says_why(query, words):
    with pytest.raises(PipelineError, match=words):
        parse_callback(f"/callback?{query}&state=s1", "s1")


def test_the_server_waits_for_the_right_answer_and_thanks_the_person(browser):
    with CallbackServer("s1") as server, ThreadPoolExecutor() as pool:
        assert server.redirect_uri == f"http://localhost:{server.port}/callback"
        waiting = pool.submit(server.wait, 10)
        assert visit(server, browser, "", path="/favicon.ico").status_code == 404
        forged = visit(server, browser, "code=evil&state=forged")
        assert (forged.status_code, "evil" in forged.text) == (400, False)
        page = visit(server, browser, "code=abc&state=s1&realmId=12")
        assert (page.status_code, "Connected" in page.text) == (200, True)
        callback = waiting.result(timeout=5)
    assert (callback.code, callback.extra) == ("abc", {"realmId": "12"})


def test_a_denial_is_told_in_the_browser_and_to_the_caller(browser):
    with CallbackServer("s1") as server, ThreadPoolExecutor() as pool:
        waiting = pool.submit(server.wait, 10)
        assert "denied" in visit(server, browser, "error=access_denied&state=s1").text
        with pytest.raises(PipelineError, match="access was denied"):
            waiting.result(timeout=5)


def test_waiting_ends_after_the_given_time():
    with CallbackServer("s1") as server, pytest.raises(Unreachable, match="no answer from the browser"):
        server.wait(timeout=0.05)


def test_nothing_of_a_request_is_printed(browser, capfd):
    with CallbackServer("s1") as server:
        waiting = threading.Thread(target=server.wait, args=(10,))
        waiting.start()
        visit(server, browser, "code=secret-code&state=s1")
        waiting.join(timeout=5)
    assert "secret-code" not in "".join(capfd.readouterr())


def test_a_port_in_use_is_said_so():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(PipelineError, match="cannot listen"):
            CallbackServer("s1", port=taken.getsockname()[1])
