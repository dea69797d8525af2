"""The loopback end of an authorization: one answer is waited for, among whatever else connects."""

import contextlib
import socket
import threading
import time
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


def connected(server):
    link = socket.create_connection(("127.0.0.1", server.port), timeout=5)
    link.settimeout(10)
    return link


def test_connections_that_say_nothing_or_speak_slowly_do_not_keep_the_browser_waiting(browser):
    with CallbackServer("s1") as server, ThreadPoolExecutor() as pool, contextlib.ExitStack() as links:
        waiting = pool.submit(server.wait, 10)
        for number in range(60):  # more than are held at once
            link = links.enter_context(connected(server))
            if number % 2:
                link.sendall(b"GET /callback?code=evil&state=s1 HTTP/1.1\r\nHost: loc")  # and no end
        started = time.monotonic()
        assert visit(server, browser, "code=abc&state=s1").status_code == 200
        assert waiting.result(timeout=5).code == "abc"
    assert time.monotonic() - started < 1


def test_a_connection_that_drips_is_ended(monkeypatch):
    monkeypatch.setattr("fb_qbo_pipeline.oauth.callback.CONNECTION_SECONDS", 0.5)
    with CallbackServer("s1") as server, connected(server) as link:
        started = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - started < 5:
                link.sendall(b"G")
                time.sleep(0.05)
        assert time.monotonic() - started < 4


@pytest.mark.parametrize(
    ("request_line", "host", "status"),
    [
        ("GET /callback?code=evil&state=s1 HTTP/1.1", "evil.example", 403),
        ("GET /callback?code=evil&state=s1 HTTP/1.1", "localhost:1", 403),
        ("GET /callback?code=evil&state=s1 HTTP/1.1", "", 403),
        ("POST /callback?code=evil&state=s1 HTTP/1.1", "localhost:PORT", 501),
        ("HEAD /callback?code=evil&state=s1 HTTP/1.1", "localhost:PORT", 501),
        ("GET /callback/x?code=evil&state=s1 HTTP/1.1", "localhost:PORT", 404),
        ("GET /callback?code=" + "x" * 20_000 + "&state=s1 HTTP/1.1", "localhost:PORT", 414),
        ("GET /callback?code=abc&state=s1 HTTP/1.1", "localhost:PORT", 200),
    ],
)
def test_only_a_get_of_the_right_path_under_the_right_name_is_read(request_line, host, status):
    with CallbackServer("s1") as server:
        with connected(server) as link:
            link.sendall(f"{request_line}\r\nHost: {host.replace('PORT', str(server.port))}\r\n\r\n".encode())
            assert int(link.recv(65_536).split()[1]) == status
        if status == 200:
            assert server.wait(5).code == "abc"
        else:
            with pytest.raises(Unreachable):
                server.wait(0.05)


def test_a_request_that_is_none_is_not_printed(capfd):
    with CallbackServer("s1") as server, connected(server) as link:
        link.sendall(b"GET /callback?code=secret-code \xff\xfe nonsense here\r\n\r\n")
        link.recv(65_536)
    assert capfd.readouterr() == ("", "")


def test_the_first_answer_counts_and_its_page_tells_nobody_the_address(browser):
    with CallbackServer("s1") as server:
        page = visit(server, browser, "code=abc&state=s1")
        visit(server, browser, "error=access_denied&state=s1")
        assert server.wait(5).code == "abc"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
