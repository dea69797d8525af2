import io
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fb_qbo_pipeline.redaction import HIDDEN, RedactingFilter, redact, redact_headers, redact_url

SECRET = "s3cr3t-Value_0.123456"


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {SECRET}",
        f"authorization: basic {SECRET}==",
        f"{{'Authorization': 'Bearer {SECRET}'}}",
        f"Authorization: {SECRET}",
        f"sent bearer {SECRET} to the host",
        f'{{"access_token": "{SECRET}", "expires_in": 3600}}',
        f'{{"refresh_token":"{SECRET}"}}',
        f"{{'client_secret': '{SECRET}'}}",
        rf'{{"body": "{{\"refresh_token\": \"{SECRET}\"}}"}}',
        f'{{"id_token": "{SECRET}',
        f"grant_type=refresh_token&refresh_token={SECRET}&client_secret={SECRET}",
        f"code={SECRET}&grant_type=authorization_code",
        f"http://localhost:8976/callback?state={SECRET}&code={SECRET}&realmId=934145",
        f"postgresql+psycopg2://pipeline:{SECRET}@db/books",
        f'{{"SyncToken": "0", "Token": "{SECRET}"}}',
        f"CLIENT_SECRET = {SECRET}",
        "token eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4.eyJzdWIiOiIxMjM0NTY3ODkwIn0.s3cr3t-Value_0",
    ],
)
def test_a_secret_does_not_survive(text):
    redacted = redact(text)
    assert "s3cr3t" not in redacted
    assert HIDDEN in redacted


@pytest.mark.parametrize(
    "text",
    [
        '{"amount": {"amount": "41.94", "code": "CAD"}}',
        '{"Error": [{"code": "6240", "Message": "Duplicate Name Exists Error"}]}',
        "https://api.freshbooks.com/accounting/account/ABC123/invoices/invoices?search%5Bdate_min%5D=2025-01-01&page=2",
        "the stored refresh token is not accepted any more",
    ],
)
def test_what_is_no_secret_stays_as_it_is(text):
    assert redact(text) == text


def test_the_text_around_a_secret_stays():
    assert redact(f'{{"access_token": "{SECRET}", "expires_in": 3600}}') == f'{{"access_token": "{HIDDEN}", "expires_in": 3600}}'
    assert redact_url(f"https://h/cb?code={SECRET}&realmId=12") == f"https://h/cb?code={HIDDEN}&realmId=12"


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="\"'\\&#,;}) "), min_size=6))
def test_any_token_value_is_hidden_in_json_and_in_forms(value):
    assert redact(f'{{"refresh_token": "{value}", "x": 1}}') == f'{{"refresh_token": "{HIDDEN}", "x": 1}}'
    assert redact(f"a=1&refresh_token={value}&b=2") == f"a=1&refresh_token={HIDDEN}&b=2"


def test_headers_that_carry_credentials_are_hidden_and_others_kept():
    headers = {"Authorization": f"Bearer {SECRET}", "Set-Cookie": "sid=1", "intuit_tid": "1-5f", "Location": f"https://h/?code={SECRET}"}
    assert redact_headers(headers) == {
        "Authorization": HIDDEN,
        "Set-Cookie": HIDDEN,
        "intuit_tid": "1-5f",
        "Location": f"https://h/?code={HIDDEN}",
    }


def test_the_logging_filter_redacts_arguments_and_tracebacks():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactingFilter())
    logger = logging.Logger("under-test")
    logger.addHandler(handler)
    try:
        raise ValueError(f"refresh_token={SECRET}")
    except ValueError:
        logger.exception("sent %s", f"Bearer {SECRET}")
    assert "Traceback" in stream.getvalue()
    assert SECRET not in stream.getvalue()
