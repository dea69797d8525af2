"""A server that is broken or hostile costs so many bytes and so many seconds, and gets no credentials that are not meant for it."""

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from fb_qbo_pipeline.http import TRANSPORT_ERRORS, NoAuth, describe, loads, never_sent, new_session
from fb_qbo_pipeline.http_answers import BoundedSession

Send = Callable[[bytes], None]


@contextmanager
def serving(answer: Callable[[Send], None]) -> Iterator[tuple[str, list[bytes]]]:
    """A server that reads a request's head and answers by `answer`; its address, and the heads."""
    heads: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, suppress(OSError):
                    heads.append(connection.recv(65536))
                    answer(connection.sendall)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/", heads
        finally:
            listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def head(*lines: str) -> bytes:
    return "\r\n".join(["HTTP/1.1 200 OK", *lines, "", ""]).encode()


def dripping(beginning: bytes, drop: bytes) -> Callable[[Send], None]:
    def answer(send: Send) -> None:
        send(beginning)
        for _ in range(200):
            send(drop)
            time.sleep(0.05)

    return answer


@pytest.mark.parametrize(
    ("beginning", "drop"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\n", b"X"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (head("Content-Length: 1000"), b"x"),
        (head("Transfer-Encoding: chunked"), b"1\r\nx\r\n"),
        (head("Connection: close"), b"x"),
    ],
    ids=["status line", "header", "interim answers", "body", "chunks", "until it closes"],
)
def test_an_answer_that_drips_is_given_up_after_twice_the_silence_that_is_borne(beginning: bytes, drop: bytes) -> None:
    with serving(dripping(beginning, drop)) as (address, _), new_session() as session:
        started = time.monotonic()
        with pytest.raises(TRANSPORT_ERRORS) as caught:
            session.get(address, timeout=(1, 0.3))
        assert time.monotonic() - started < 2
        assert not never_sent(caught.value)


@pytest.mark.parametrize("packed", [True, False])
def test_an_answer_that_is_too_large_is_refused_before_it_is_in_memory(packed: bool) -> None:
    body = b"[" + b" " * 50_000_000 + b"]"
    sent = gzip.compress(body, 9) if packed else body
    lines = ["Content-Encoding: gzip"] if packed else []
    with serving(lambda send: send(head(f"Content-Length: {len(sent)}", *lines) + sent)) as (address, _):
        session = BoundedSession(NoAuth(), largest=2**20)
        with session, pytest.raises(TRANSPORT_ERRORS) as caught:
            session.get(address, timeout=5)
    assert describe(caught.value) == "the answer is larger than 1 MB"


def test_an_endless_body_is_cut_off_by_its_size() -> None:
    def endless(send: Send) -> None:
        send(head("Connection: close"))
        for _ in range(10_000):
            send(b" " * 2**16)

    with serving(endless) as (address, _), BoundedSession(NoAuth(), largest=2**22) as session, pytest.raises(TRANSPORT_ERRORS):
        session.get(address, timeout=5)


@pytest.mark.parametrize(
    "raw",
    [
        head("Content-Length: 2", "Content-Encoding: gzip") + b"{}",
        head("Transfer-Encoding: chunked") + b"zz\r\n{}",
        head(*[f"X-{n}: {n}" for n in range(500)]) + b"{}",
        head("X: " + "y" * 200_000) + b"{}",
        head("Content-Length: 3") + b"{}",
        b"HTTP/1.1 OK\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"",
    ],
)
def test_an_answer_that_is_no_http_is_taken_for_a_lost_one(raw: bytes) -> None:
    with serving(lambda send: send(raw)) as (address, _), new_session() as session, pytest.raises(TRANSPORT_ERRORS) as caught:
        session.get(address, timeout=1)
    assert describe(caught.value).startswith(("the ", "an ", "no "))
    assert not never_sent(caught.value)


@pytest.mark.parametrize("length", ["-1", "two", "2, 2"])
def test_a_length_that_says_nothing_is_passed_over(length: str) -> None:
    raw = head(f"Content-Length: {length}", "Connection: close") + b"{}"
    with serving(lambda send: send(raw)) as (address, _), new_session() as session:
        assert session.get(address, timeout=1).text == "{}"


def test_two_lengths_that_differ_are_taken_for_a_lost_answer() -> None:
    raw = head("Content-Length: 2", "Content-Length: 5") + b"{}"
    with serving(lambda send: send(raw)) as (address, _), new_session() as session, pytest.raises(TRANSPORT_ERRORS) as caught:
        session.post(address, data="x", timeout=1)
    assert describe(caught.value) == "an answer with contradictory headers"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed_even_where_the_caller_does_not_forbid_it(status: int) -> None:
    with serving(lambda send: send(head("Content-Length: 0"))) as (elsewhere, asked):
        moved = f"HTTP/1.1 {status} Moved\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n".encode()
        with serving(lambda send: send(moved)) as (address, _), new_session() as session:
            assert session.get(address, timeout=1).status_code == status
        assert asked == []


def test_the_users_netrc_is_never_read_but_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("default login someone password netrc-secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with serving(lambda send: send(head("Content-Length: 2") + b"{}")) as (proxy, heads):
        monkeypatch.setenv("HTTP_PROXY", proxy)
        for name in ("NO_PROXY", "no_proxy", "http_proxy"):
            monkeypatch.delenv(name, raising=False)
        with new_session() as session:
            assert session.get("http://api.example.com/list", timeout=1).text == "{}"
    assert heads[0].startswith(b"GET http://api.example.com/list ")
    assert b"uthorization" not in heads[0]


def test_an_answer_that_comes_in_time_is_whole_and_its_connection_is_used_again() -> None:
    body = b"[" + b"1," * 300_000 + b"1]"

    def answer(send: Send) -> None:
        send(head(f"Content-Length: {len(body)}", "Connection: close") + body)

    with serving(answer) as (address, _), new_session() as session:
        response = session.get(address, timeout=2)
        assert response.content == body
        assert len(loads(response.content)) == 300_001


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[" * 200 + "]" * 200, '{"a":' * 65 + "1" + "}" * 65])
def test_json_that_is_nested_beyond_all_bounds_is_no_json(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        loads(text)
