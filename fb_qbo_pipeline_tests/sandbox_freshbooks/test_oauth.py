from typing import Any

import pytest

from fb_qbo_pipeline.sandbox.freshbooks.oauth import ACCESS_TOKEN_SECONDS, CODE_SECONDS, OAuthRefusal, TokenServer
from fb_qbo_pipeline_tests.sandbox_freshbooks.asgi import grant_form


class Seconds:
    """A settable Unix clock."""

    def __init__(self) -> None:
        self.value = 1_700_000_000.0

    def __call__(self) -> float:
        return self.value


def refused(tokens: TokenServer, form: dict[str, str]) -> tuple[int, str]:
    with pytest.raises(OAuthRefusal) as caught:
        tokens.grant(form)
    return caught.value.status, caught.value.body["error"]


def test_a_refresh_token_works_once_and_its_successor_works_next() -> None:
    tokens = TokenServer()
    first = tokens.grant(grant_form("sandbox-refresh"))
    assert refused(tokens, grant_form("sandbox-refresh")) == (400, "invalid_grant")
    second = tokens.grant(grant_form(first["refresh_token"]))
    assert len({"sandbox-refresh", first["refresh_token"], second["refresh_token"]}) == 3


def test_an_access_token_ends_at_created_at_plus_expires_in() -> None:
    clock = Seconds()
    tokens = TokenServer(now=clock)
    pair = tokens.grant(grant_form("sandbox-refresh"))
    header = f"Bearer {pair['access_token']}"
    assert (pair["created_at"], pair["expires_in"]) == (1_700_000_000, ACCESS_TOKEN_SECONDS)
    clock.value += ACCESS_TOKEN_SECONDS - 1
    assert tokens.accepts(header)
    clock.value += 1
    assert not tokens.accepts(header)


def test_the_former_access_token_outlives_a_refresh_but_not_a_revocation() -> None:
    tokens = TokenServer()
    pair = tokens.grant(grant_form("sandbox-refresh"))
    tokens.grant(grant_form(pair["refresh_token"]))
    assert tokens.accepts(f"Bearer {pair['access_token']}")
    tokens.revoke(pair["access_token"])
    assert not tokens.accepts(f"Bearer {pair['access_token']}")


def test_expired_access_tokens_leave_the_refresh_token_alive() -> None:
    tokens = TokenServer()
    pair = tokens.grant(grant_form("sandbox-refresh"))
    tokens.expire_access_tokens()
    assert not tokens.accepts(f"Bearer {pair['access_token']}")
    assert tokens.accepts(f"Bearer {tokens.grant(grant_form(pair['refresh_token']))['access_token']}")


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"client_secret": "wrong"}, (401, "invalid_client")),
        ({"client_id": "wrong"}, (401, "invalid_client")),
        ({"redirect_uri": ""}, (400, "invalid_request")),
        ({"grant_type": "client_credentials"}, (400, "unsupported_grant_type")),
        ({"refresh_token": "unknown"}, (400, "invalid_grant")),
    ],
)
def test_a_bad_token_request_is_refused_and_uses_nothing_up(changes: dict[str, str], answer: tuple[int, str]) -> None:
    tokens = TokenServer()
    assert refused(tokens, grant_form("sandbox-refresh") | changes) == answer
    assert tokens.grant(grant_form("sandbox-refresh"))["token_type"] == "Bearer"


def code_form(code: str, **changes: str) -> dict[str, Any]:
    return grant_form("", grant_type="authorization_code", code=code, **changes)


def test_a_code_works_once_for_its_own_redirect_uri_within_five_minutes() -> None:
    clock = Seconds()
    tokens = TokenServer(now=clock)
    uri = "https://localhost/callback"
    code = tokens.issue_code(uri)
    assert tokens.grant(code_form(code))["access_token"]
    assert refused(tokens, code_form(code)) == (400, "invalid_grant")
    assert refused(tokens, code_form(tokens.issue_code(uri), redirect_uri="https://elsewhere/")) == (400, "invalid_grant")
    late = tokens.issue_code(uri)
    clock.value += CODE_SECONDS
    assert refused(tokens, code_form(late)) == (400, "invalid_grant")
