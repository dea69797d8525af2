import json
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from fb_qbo_pipeline.sandbox.freshbooks.faults import Fault, throttled
from fb_qbo_pipeline.sandbox.freshbooks.payloads import Line
from fb_qbo_pipeline.sandbox.freshbooks.resources import RESOURCES
from fb_qbo_pipeline_tests.sandbox_freshbooks.asgi import Api, call, grant_form

LINES = (Line("Design", 1, "100.00", ("HST",)),)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def post_token(api: Api, form: dict[str, str], content_type: str = FORM["Content-Type"]) -> tuple[int, dict[str, object]]:
    body = json.dumps(form) if "json" in content_type else urlencode(form)
    answer = call(api.app, "POST", "/auth/oauth/token", headers={"Content-Type": content_type}, body=body)
    return answer.status, answer.json


def code_form(api: Api) -> dict[str, str]:
    uri = "https://localhost/callback"
    return grant_form("", grant_type="authorization_code", code=api.tokens.issue_code(uri), redirect_uri=uri)


# Sign-in


def test_authorization_redirects_with_a_code_and_the_state_and_the_code_becomes_tokens(api: Api) -> None:
    uri = "https://localhost:8000/callback"
    query = {"client_id": "sandbox-client", "response_type": "code", "redirect_uri": uri, "state": "x y&z"}
    answer = call(api.app, "GET", "/oauth/authorize/", query)
    target = urlsplit(answer.headers["location"])
    given = parse_qs(target.query)
    assert (answer.status, f"{target.scheme}://{target.netloc}{target.path}", given["state"]) == (302, uri, ["x y&z"])
    form = grant_form("", grant_type="authorization_code", code=given["code"][0], redirect_uri=uri)
    status, pair = post_token(api, form)
    assert (status, pair["token_type"], pair["expires_in"]) == (200, "Bearer", 43200)


def test_an_unknown_client_gets_a_page_that_is_not_json(api: Api) -> None:
    answer = call(api.app, "GET", "/oauth/authorize/", {"client_id": "who", "redirect_uri": "https://localhost/"})
    assert (answer.status, answer.headers["content-type"].split(";")[0]) == (500, "text/html")


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "application/json"])
def test_token_requests_may_be_forms_or_json(api: Api, content_type: str) -> None:
    assert post_token(api, code_form(api), content_type)[0] == 200
    assert post_token(api, grant_form("sandbox-refresh"), content_type)[1]["error"] == "invalid_grant"  # the fixture has used it


def test_a_revoked_token_is_refused_at_once(api: Api) -> None:
    answer = call(api.app, "POST", "/auth/oauth/revoke", headers=FORM, body=urlencode({"token": api.bearer}))
    assert (answer.status, answer.json) == (200, {})
    assert api.get("taxes/taxes").status == 401


def test_a_lost_answer_has_rotated_the_refresh_token_all_the_same(api: Api) -> None:
    form = grant_form(api.tokens.grant(code_form(api))["refresh_token"])
    api.behaviour.faults.add(Fault(status=502, path="/auth/oauth/token", after=True))
    assert call(api.app, "POST", "/auth/oauth/token", headers=FORM, body=urlencode(form)).status == 502
    assert post_token(api, form)[1]["error"] == "invalid_grant"


def test_me_lists_a_membership_without_account_before_the_own_one(api: Api) -> None:
    answer = call(api.app, "GET", "/auth/api/v1/users/me", headers={"Authorization": f"Bearer {api.bearer}"})
    accounts = [membership["business"]["account_id"] for membership in answer.json["response"]["business_memberships"]]
    assert accounts == [None, "ABC123"]


@pytest.mark.parametrize("path", ["/auth/api/v1/users/me", "/accounting/account/ABC123/taxes/taxes", "/projects/business/1/projects"])
def test_a_bad_bearer_gets_the_gateways_401_everywhere(api: Api, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {api.bearer}"}):
        answer = call(api.app, "GET", path, headers=headers)
        assert (answer.status, answer.json["error"]) == (401, "unauthenticated")


# Reading


@pytest.mark.parametrize("resource", RESOURCES.values(), ids=RESOURCES)
def test_every_resource_lists_under_its_plural_and_reads_under_its_singular_with_twin_ids(api: Api, client_id: int, resource) -> None:  # type: ignore[no-untyped-def]
    invoice = api.account.add_invoice(client_id, lines=LINES)
    api.account.add_payment(invoice["id"], "10")
    api.account.add_expense("10", api.account.view("category")[0]["id"])
    api.account.add_item("Logo")
    result = api.get(resource.path).result
    (row,) = result[resource.plural]
    assert {key: result[key] for key in ("page", "pages", "per_page", "total")} == {"page": 1, "pages": 1, "per_page": 15, "total": 1}
    assert row["id"] == row[resource.id_key]
    assert api.get(f"{resource.path}/{row['id']}").result == {resource.name: row}


def test_lines_come_only_when_included_in_lists_and_single_records(api: Api, client_id: int) -> None:
    invoice = api.account.add_invoice(client_id, lines=LINES)["id"]
    include = {"include[]": "lines"}
    for path in ("invoices/invoices", f"invoices/invoices/{invoice}"):
        bare, full = (api.get(path, params).result for params in ({}, {"include[]": "nonsense"}))
        assert bare == full
        assert "lines" not in json.dumps(bare)
        assert '"taxAmount1": "13"' in json.dumps(api.get(path, include).result)


def test_an_expense_includes_its_category_on_request(api: Api) -> None:
    expense = api.account.add_expense("10", api.account.view("category")[0]["id"])["id"]
    assert "category" not in api.get(f"expenses/expenses/{expense}").result["expense"]
    assert api.get(f"expenses/expenses/{expense}", {"include[]": "category"}).result["expense"]["category"]["category"] == "Advertising"


def test_a_deleted_record_is_hidden_from_lists_and_read_by_id(api: Api, client_id: int) -> None:
    invoice = api.account.add_invoice(client_id, lines=LINES)["id"]
    api.account.delete("invoice", invoice)
    assert api.rows("invoices/invoices") == []
    assert [row["id"] for row in api.rows("invoices/invoices", {"search[vis_state]": "1"})] == [invoice]
    assert api.get(f"invoices/invoices/{invoice}").result["invoice"]["vis_state"] == 1


def test_in_list_filters_are_repeated_keys_with_brackets(api: Api, client_id: int) -> None:
    ids = [api.account.add_invoice(client_id, lines=LINES)["id"] for _ in range(3)]
    rows = api.rows("invoices/invoices", [("search[invoiceids][]", ids[0]), ("search[invoiceids][]", ids[2])])
    assert [row["id"] for row in rows] == [ids[2], ids[0]]


def test_the_system_record_tells_the_base_currency(api: Api) -> None:
    assert api.get("systems/systems/ABC123").result["system"]["currency_code"] == "CAD"
    assert api.get("systems/systems/nobody").status == 404


# Refusals


def test_errors_have_the_classic_shape_or_the_newer_one_by_version_header(api: Api) -> None:
    classic = api.get("invoices/invoices/1")
    assert (classic.status, classic.errno) == (404, 1012)
    newer = api.get("invoices/invoices/1", X_API_VERSION="2023-02-20")
    assert (newer.status, newer.json["details"][0]["reason"]) == (404, "1012")


@pytest.mark.parametrize(
    ("params", "errno"), [({"page": "x"}, 1014), ({"search[date_min]": "soon"}, 1023), ({"search[customerid]": "x"}, 1024)]
)
def test_bad_list_requests_are_refused(api: Api, params: dict[str, str], errno: int) -> None:
    answer = api.get("invoices/invoices", params)
    assert (answer.status, answer.errno) == (422, errno)


def test_another_account_and_an_unknown_resource_are_not_found(api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.bearer}"}
    for path in ("/accounting/account/OTHER/invoices/invoices", "/accounting/account/ABC123/invoices/nonsense", "/nowhere"):
        assert call(api.app, "GET", path, headers=headers).status == 404


@pytest.mark.parametrize("status", [200, 403])
def test_a_gated_resource_is_refused_in_the_body_with_either_status(api: Api, status: int) -> None:
    api.behaviour.gated, api.behaviour.gated_status = {"item"}, status
    answer = api.get("items/items")
    assert (answer.status, answer.errno) == (status, 12001)


def test_a_missing_scope_is_named(api: Api) -> None:
    api.behaviour.missing_scopes = {"user:invoices:read"}
    answer = api.get("invoices/invoices")
    assert answer.status == 403
    assert "Required: user:invoices:read" in answer.json["response"]["errors"][0]["message"]
    assert api.get("users/clients").status == 200


# Switches and faults


def test_unreadable_rows_are_counted_but_not_shown(api: Api) -> None:
    api.behaviour.unreadable = {"client"}
    result = api.get("users/clients").result
    assert (result["clients"], result["total"]) == ([], 1)


def test_a_filter_can_be_deaf_and_max_inclusive(api: Api, client_id: int) -> None:
    api.account.add_invoice(client_id, lines=LINES, date="2026-01-10")
    assert api.rows("invoices/invoices", {"search[date_max]": "2026-01-10"}) == []
    api.behaviour.max_inclusive = True
    assert len(api.rows("invoices/invoices", {"search[date_max]": "2026-01-10"})) == 1
    assert api.rows("invoices/invoices", {"search[updated_min]": "2999-01-01"}) == []
    api.behaviour.ignored_filters = {"updated_min"}
    assert len(api.rows("invoices/invoices", {"search[updated_min]": "2999-01-01"})) == 1


def test_throttling_and_outages_end_after_their_count(api: Api) -> None:
    api.behaviour.faults.add(throttled(retry_after=1))
    api.behaviour.faults.add(Fault(status=502))
    api.behaviour.faults.add(Fault(status=200, body="cut"))
    answers = [api.get("taxes/taxes") for _ in range(4)]
    assert [answer.status for answer in answers] == [429, 502, 200, 200]
    assert answers[0].headers["retry-after"] == "1"
    assert answers[1].text.startswith("<html>")
    with pytest.raises(json.JSONDecodeError):
        _ = answers[2].json
    assert answers[3].result["total"] == 1


def test_a_fault_without_status_only_delays(api: Api) -> None:
    api.behaviour.faults.add(Fault(status=None, delay=0.01))
    assert api.get("taxes/taxes").status == 200


def test_reads_are_counted_and_remembered_as_they_came(api: Api) -> None:
    api.get("taxes/taxes", {"search[updated_min]": "2026-01-01"})
    api.get("invoices/invoices/1")
    post_token(api, grant_form("wrong"))
    assert (api.traffic.reads, api.traffic.token_requests) == (2, 1)
    assert api.traffic.requests[0] == "GET /accounting/account/ABC123/taxes/taxes?search%5Bupdated_min%5D=2026-01-01"


# Changing vis_state


def test_putting_vis_state_deletes_archives_and_restores_and_drops_the_rest(api: Api, client_id: int) -> None:
    invoice = api.account.add_invoice(client_id, lines=LINES, number="1")["id"]
    for state in (1, 2, 0):
        answer = api.put(f"invoices/invoices/{invoice}", {"invoice": {"vis_state": state, "invoice_number": "ignored"}})
        assert (answer.status, answer.result["invoice"]["vis_state"]) == (200, state)
    assert api.account.get("invoice", invoice)["invoice_number"] == "1"


@pytest.mark.parametrize(
    ("content", "status", "errno"),
    [("{bad", 400, 1005), ({"invoice": {"notes": "x"}}, 422, 1004), ({"invoice": {"vis_state": "1"}}, 422, 1004), ([], 422, 1004)],
)
def test_other_changes_are_refused(api: Api, client_id: int, content: object, status: int, errno: int) -> None:
    invoice = api.account.add_invoice(client_id, lines=LINES)["id"]
    answer = api.put(f"invoices/invoices/{invoice}", content)
    assert (answer.status, answer.errno) == (status, errno)
