"""Secrets in use are removed wherever they are quoted, by whomever: the values are known."""

import base64
import json
import logging
import subprocess
import sys
import time
import timeit
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fb_qbo_pipeline import redaction
from fb_qbo_pipeline.oauth import OAuthApp, TokenPair
from fb_qbo_pipeline.redaction import HIDDEN, MOST_TOKENS, guard_process, redact, remember, remember_token
from fb_qbo_pipeline.settings.environment import SECRETS, Environment, without_secrets

ODD = 'p@ss/w"ö rd+&=%{}'


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    """Every test begins with no secret known."""
    redaction.forget_all()
    yield
    redaction.forget_all()


@given(st.text(min_size=8, max_size=40).filter(lambda value: value.strip() == value), st.text(max_size=10))
def test_a_known_value_is_removed_in_every_spelling(value: str, around: str) -> None:
    redaction.forget_all()
    remember(value)
    try:
        spellings = [value, quote_plus(value), quote(value, safe=""), json.dumps(value)[1:-1], repr(value)[1:-1]]
    except UnicodeEncodeError:  # half a surrogate pair
        spellings = [value]
    for spelling in spellings:
        hidden = redact(f"{around} {spelling} {around}")
        assert spelling not in hidden.replace(HIDDEN, "")
        assert HIDDEN in hidden


def test_an_apps_secret_is_known_in_its_basic_form_too() -> None:
    OAuthApp("quickbooks", "the-id", ODD, "https://t/", "https://a/")
    basic = base64.b64encode(f"the-id:{ODD}".encode()).decode()
    text = redact(f"sent {basic}, {ODD}, {quote(ODD)} and {json.dumps(ODD)}")
    assert text == f'sent {HIDDEN}, {HIDDEN}, {HIDDEN} and "{HIDDEN}"'


def test_tokens_are_known_from_the_moment_they_are_here_and_forgotten_when_many_others_came() -> None:
    TokenPair("access-value-1", "refresh-value-1")
    assert redact("access-value-1 refresh-value-1") == f"{HIDDEN} {HIDDEN}"
    for number in range(MOST_TOKENS):
        remember_token(f"another-token-{number}")
    assert redact("access-value-1") == "access-value-1"
    assert redact(f"another-token-{MOST_TOKENS - 1}") == HIDDEN


def test_a_short_word_is_not_hidden_everywhere() -> None:
    remember("books", "", None)
    assert redact("the books agree") == "the books agree"


VARIABLES = {
    "FB_QBO_DATABASE_URL": f"postgresql://books:{quote(ODD, safe='')}@db/books",
    "FB_QBO_SECRET_KEY": "a long text that is the key",
    "FRESHBOOKS_CLIENT_SECRET": "freshbooks-client-secret",
    "QUICKBOOKS_CLIENT_SECRET": "quickbooks-client-secret",
    "FB_QBO_ALERT_WEBHOOK": "https://hooks.example/services/T0/B0/hook-secret",
    "FB_QBO_SMTP": "smtps://robot:mail%2Fpassword@mail.example",
    "FB_QBO_ALERT_EMAIL": "books@example.com",
}


def test_every_secret_of_the_environment_is_known_once_it_is_read() -> None:
    environment = Environment.read(VARIABLES)
    text = f"{ODD} mail/password T0/B0/hook-secret {VARIABLES} {environment.token_key().decode()}"
    hidden = redact(text)
    for secret in (ODD, "password", "hook-secret", "client-secret", "a long text", environment.token_key().decode(), "p%40ss"):
        assert secret not in hidden, secret
    assert "books@example.com" in hidden


@pytest.mark.parametrize(
    "address", ["https://hooks.example/services/T0/B0/hook-secret", "https://chat.example/v1/messages?key=k&token=hook-secret"]
)
def test_what_lets_somebody_post_to_a_webhook_is_known(address: str) -> None:
    Environment.read({"FB_QBO_ALERT_WEBHOOK": address})
    assert redact(f"POST {address} failed: hook-secret, no messages") == f"POST {HIDDEN} failed: {HIDDEN}, no messages"


def test_a_process_without_secrets_has_none_and_can_be_read() -> None:
    left = without_secrets(VARIABLES | {"PATH": "/bin", "FB_QBO_HOME": "/home"})
    assert not set(left) & set(SECRETS)
    assert left["PATH"] == "/bin"
    assert left["FB_QBO_DATABASE_URL"] == VARIABLES["FB_QBO_DATABASE_URL"]
    assert Environment.read(left).smtp is None


def test_every_log_record_and_traceback_of_the_process_is_without_them(caplog: pytest.LogCaptureFixture) -> None:
    remember("value-of-a-secret")
    guard_process()
    guard_process()
    try:
        logging.getLogger("somebody.elses").warning("sent %s: %d", "value-of-a-secret", 1)
        try:
            raise ValueError("value-of-a-secret")
        except ValueError:
            logging.getLogger("somebody.elses").exception("failed")
    finally:
        redaction.release_process()
    assert "value-of-a-secret" not in caplog.text
    assert f"sent {HIDDEN}: 1" in caplog.text
    assert f"ValueError: {HIDDEN}" in caplog.text
    assert "Traceback" in caplog.text


PROGRAM = """
import logging, sys, threading
from fb_qbo_pipeline.redaction import guard_process, remember
guard_process(); remember("value-of-a-secret")
thread = threading.Thread(target=lambda: 1 / len("value-of-a-secret"[:0]) or None, name="value-of-a-secret"); thread.start(); thread.join()
logging.getLogger("x").warning("%d", "value-of-a-secret")
raise RuntimeError("value-of-a-secret")
"""


def test_what_nobody_caught_is_printed_without_them() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert f"RuntimeError: {HIDDEN}" in ended.stderr
    assert "ZeroDivisionError" in ended.stderr
    # the line of the program that is quoted holds it literally, as no program of ours does
    assert "value-of-a-secret" not in ended.stderr.split("RuntimeError")[-1]


def test_lines_of_a_log_are_ours(tmp_path: Path) -> None:
    record = logging.LogRecord("x", logging.INFO, "x", 1, "customer %s", ("a\n2026-01-01 ERROR forged\x1b[2J\u202e",), None)
    redaction.RedactingFilter().filter(record)
    assert record.getMessage() == "customer a 2026-01-01 ERROR forged\ufffd[2J\ufffd"


def test_redacting_an_audit_row_stays_cheap() -> None:
    """Thirty documents with nothing to hide, and twenty known values: some 50 µs; a pattern a value would take milliseconds."""
    for number in range(16):
        remember_token(f"{number}-eyJhbGciOi-{'x' * 60}-{number}")
    remember("client-secret-one", "client-secret-two", "the-database-password", "https://hooks.example/T0/B0/x")
    document = {"DocNumber": "FB1001", "Line": [{"Amount": 100.00, "Description": "Design of a page"}] * 4, "CustomerRef": {"value": "17"}}
    row = json.dumps({"BatchItemRequest": [{"bId": str(number), "Invoice": document} for number in range(30)]})
    assert redact(row) == row
    started = time.perf_counter()
    spent = min(timeit.repeat(lambda: redact(row), number=20, repeat=5)) / 20
    assert spent < 0.001, f"{spent * 1e6:.0f} µs for {len(row)} characters"
    assert time.perf_counter() - started < 5
