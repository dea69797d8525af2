import datetime as dt
from decimal import Decimal

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from fb_qbo_pipeline.http import Backoff, BearerAuth, FakeTransport, NoAuth, Reply, describe, loads, never_sent, new_session, retry_after

NOW = dt.datetime(2025, 3, 1, 12, 0, tzinfo=dt.UTC)


def test_json_numbers_are_read_as_decimals_and_never_as_floats():
    assert loads(b'{"amount": 0.1, "count": 3}') == {"amount": Decimal("0.1"), "count": 3}
    assert isinstance(loads("[1.10]")[0], Decimal)


def test_what_the_database_cannot_store_is_read_as_the_replacement_character():
    assert loads(r'{"name": "a\u0000b", "k\ud83d": ["\ud83c\udf89", "\uDC00", 1.5]}') == {
        "name": "a\ufffdb",
        "k\ufffd": ["\U0001f389", "\ufffd", Decimal("1.5")],
    }


@pytest.mark.parametrize("body", [b"<html>", b'{"cut": ', b"\xff\xfe", b""])
def test_what_is_not_json_raises_a_value_error(body):
    with pytest.raises(ValueError, match=r"."):
        loads(body)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("59", 59.0),
        ("0.5", 0.5),
        ("Sat, 01 Mar 2025 12:00:30 GMT", 30.0),
        ("Sat, 01 Mar 2025 11:00:00 GMT", 0.0),
        ("-3", 0.0),
        ("", None),
        ("soon", None),
        ("NaN", None),
        ("sNaN", None),
        ("Infinity", 3600.0),
        ("-Infinity", 0.0),
        ("1e999999", 3600.0),
        ("9" * 400, 3600.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600.0),
        ("Fri, 31 Dec 0000 99:99:99 +9999", None),
        ("12; 13, \\x00", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value, seconds):
    assert retry_after({"Retry-After": value}, NOW) == seconds


def test_a_missing_retry_after_asks_for_nothing():
    assert retry_after({}, NOW) is None


@given(st.integers(1, 40))
def test_the_wait_doubles_with_jitter_up_to_the_cap(attempt):
    full = min(60.0, 2.0 * 2.0 ** (attempt - 1))
    assert full / 2 <= Backoff(base=2.0, cap=60.0).delay(attempt) <= full


def test_the_wait_that_the_server_asks_for_wins_within_reason():
    assert Backoff().delay(1, asked=17.0) == 17.0
    assert Backoff(longest_asked=120.0).delay(1, asked=86400.0) == 120.0
    assert Backoff(base=4.0, uniform=lambda _low, high: high).delay(1, asked=0.0) == 4.0


def test_credentials_of_the_users_netrc_do_not_replace_ours():
    transport = FakeTransport([Reply(), Reply()])
    session = transport.session()
    session.get("https://api.example.com/", auth=BearerAuth("abc"))
    session.get("https://api.example.com/", auth=NoAuth())
    assert transport.requests[0].headers["Authorization"] == "Bearer abc"
    assert "Authorization" not in transport.requests[1].headers


def test_a_refused_connection_is_told_from_a_lost_answer_without_quoting_the_address():
    with pytest.raises(requests.ConnectionError) as caught:
        new_session().get("http://127.0.0.1:9/?code=secret", timeout=1)
    assert never_sent(caught.value)
    assert describe(caught.value) == "the connection could not be opened"
    assert not never_sent(requests.ReadTimeout())
    assert describe(requests.ReadTimeout("https://h/?code=secret")) == "no answer in time"


def test_the_stand_in_gives_its_replies_in_order_and_fails_on_one_request_too_many():
    transport = FakeTransport([Reply(200, {"amount": Decimal("1.10")}), requests.ReadTimeout()])
    session = transport.session()
    assert session.get("https://x/").text == '{"amount": 1.10}'
    with pytest.raises(requests.ReadTimeout):
        session.get("https://x/")
    with pytest.raises(AssertionError, match="unexpected request"):
        session.get("https://x/")
