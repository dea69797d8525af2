import asyncio
import base64
import datetime as dt
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from fb_qbo_pipeline.sandbox.quickbooks.oauth import SCOPE, Authority
from fb_qbo_pipeline_tests.sandbox_quickbooks.asgi import Api, Clock, Json, Reply, call

BACK = "http://localhost:8765/callback"
BASIC = "Basic " + base64.b64encode(b"sandbox-client:sandbox-secret").decode()


def refresh(authority: Authority, token: str) -> tuple[int, Json]:
    return authority.token({"grant_type": "refresh_token", "refresh_token": token}, BASIC)


def authorize(api: Api, **changes: str) -> Reply:
    params = {"client_id": "sandbox-client", "response_type": "code", "scope": SCOPE, "redirect_uri": BACK, "state": "s", **changes}
    return asyncio.run(call(api.app, "GET", "/connect/oauth2", urlencode(params), {}, b""))


def sent_back(reply: Reply) -> Json:
    assert reply.status == 302
    assert reply.headers["location"].startswith(BACK + "?")
    return {name: values[0] for name, values in parse_qs(urlsplit(reply.headers["location"]).query).items()}


def test_the_authorize_page_sends_back_a_code_with_state_and_realm(api: Api) -> None:
    answer = sent_back(authorize(api))
    assert (answer["state"], answer["realmId"]) == ("s", api.company.realm_id)
    tokens = api.tokens(grant_type="authorization_code", code=answer["code"], redirect_uri=BACK)
    assert tokens.status == 200
    assert tokens.json["token_type"] == "bearer"
    assert tokens.json["expires_in"] == 3600
    api.token = tokens.json["access_token"]
    assert api.send("GET", "preferences").status == 200


def test_a_code_is_used_once_and_with_its_own_redirect(api: Api) -> None:
    code = sent_back(authorize(api))["code"]
    assert api.tokens(grant_type="authorization_code", code=code, redirect_uri="http://other").json == {"error": "invalid_grant"}
    code = sent_back(authorize(api))["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    assert [api.tokens(**form).status for _ in range(2)] == [200, 400]


def test_a_request_without_the_accounting_scope_is_sent_back_with_an_error(api: Api) -> None:
    assert sent_back(authorize(api, scope="openid"))["error"] == "invalid_scope"


@pytest.mark.parametrize("changes", [{"client_id": "other"}, {"redirect_uri": ""}, {"response_type": "token"}])
def test_a_request_that_can_not_be_trusted_is_not_sent_back(api: Api, changes: dict[str, str]) -> None:
    assert authorize(api, **changes).status == 400


def test_a_refresh_token_works_once_where_tokens_rotate(api: Api) -> None:
    stale = api.tokens(refresh_token="sandbox-refresh")  # the client has used it to connect
    assert (stale.status, stale.json["error"]) == (400, "invalid_grant")


def test_each_refresh_returns_the_next_refresh_token() -> None:
    authority = Authority("1")
    tokens = ["sandbox-refresh"]
    for _ in range(3):
        tokens.append(str(refresh(authority, tokens[-1])[1]["refresh_token"]))
    assert len(set(tokens)) == 4
    assert [refresh(authority, token)[0] for token in tokens] == [400, 400, 400, 200]


@pytest.mark.parametrize(("rotation", "hours", "changes"), [("never", 100, False), ("daily", 1, False), ("daily", 24, True)])
def test_rotation_may_be_daily_or_never(rotation: Any, hours: int, changes: bool) -> None:
    clock = Clock()
    authority = Authority("1", rotation=rotation, clock=clock)
    clock.now += dt.timedelta(hours=hours)
    status, body = refresh(authority, "sandbox-refresh")
    assert (status, body["refresh_token"] != "sandbox-refresh") == (200, changes)


def test_a_refresh_token_dies_after_a_hundred_days() -> None:
    clock = Clock()
    authority = Authority("1", clock=clock)
    clock.now += dt.timedelta(days=101)
    assert refresh(authority, "sandbox-refresh")[0] == 400


@pytest.mark.parametrize(
    ("form", "secret", "status", "error"),
    [
        ({}, "wrong", 401, "invalid_client"),
        ({"grant_type": "password"}, "sandbox-secret", 400, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "sandbox-secret", 400, "invalid_grant"),
        ({"grant_type": "authorization_code"}, "sandbox-secret", 400, "invalid_grant"),
    ],
)
def test_a_token_request_that_is_wrong_is_refused(api: Api, form: dict[str, str], secret: str, status: int, error: str) -> None:
    reply = api.tokens(secret, **form)
    assert (reply.status, reply.json["error"]) == (status, error)


def test_a_token_request_without_a_grant_type_is_malformed() -> None:
    assert Authority("1").token({}, BASIC) == (400, {"error": "invalid_request"})


@pytest.mark.parametrize("authorization", ["", "Basic ???", "Bearer x", "Basic /w=="])
def test_a_client_that_does_not_say_who_it_is_is_unknown(authorization: str) -> None:
    assert Authority("1").token({}, authorization)[0] == 401


def test_access_tokens_expire_on_time() -> None:
    clock = Clock()
    authority = Authority("1", clock=clock)
    token = refresh(authority, "sandbox-refresh")[1]["access_token"]
    assert authority.check(f"Bearer {token}", "1") is None
    clock.now += dt.timedelta(seconds=3600)
    denied = authority.check(f"Bearer {token}", "1")
    assert denied is not None
    assert denied.detail == "Token expired"


def test_revoking_a_token_disconnects_the_app(api: Api) -> None:
    path, headers = "/v2/oauth2/tokens/revoke", {"Authorization": BASIC}
    body = b'{"token": "%s"}' % api.token.encode()
    assert asyncio.run(call(api.app, "POST", path, "", {}, body)).status == 401
    assert asyncio.run(call(api.app, "POST", path, "", headers, body)).status == 200
    assert api.send("GET", "preferences").status == 401
    assert asyncio.run(call(api.app, "POST", path, "", headers, body)).status == 400
