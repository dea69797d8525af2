from typing import Any

import pytest

from fb_qbo_pipeline_tests.sandbox_quickbooks.asgi import Api


def test_a_repeated_request_id_gives_the_first_answer_again(api: Api) -> None:
    body = api.invoice(api.customer(), DocNumber="7")
    first = api.send("POST", "invoice", body, requestid="r1")
    again = api.send("POST", "invoice", {**body, "DocNumber": "8"}, requestid="r1")
    assert again.body == first.body
    assert len(api.company.rows("Invoice")) == 1
    assert api.company.counters.replays == 1


def test_request_ids_may_be_ignored(api: Api) -> None:
    api.company.honours_request_id = False
    body = api.invoice(api.customer())
    for _ in range(2):
        api.write("Invoice", body, requestid="r1")
    assert len(api.company.rows("Invoice")) == 2


def test_a_refusal_is_not_kept_under_its_request_id(api: Api) -> None:
    body = api.invoice(api.customer())
    api.refuse("Invoice", {**body, "Nothing": 1}, requestid="r1")
    assert api.write("Invoice", body, requestid="r1")["Id"] == "1"


@pytest.mark.parametrize(("length", "accepted"), [(50, True), (51, False)])
def test_a_request_id_has_fifty_characters_at_most(api: Api, length: int, accepted: bool) -> None:
    body = {"DisplayName": "A"}
    if accepted:
        api.write("Customer", body, requestid="r" * length)
    else:
        assert api.refuse("Customer", body, requestid="r" * length)["code"] == "2130"


def test_a_body_has_to_be_declared_as_json(api: Api) -> None:
    reply = api.send("POST", "customer", {"DisplayName": "A"}, headers={"Content-Type": "text/plain"})
    assert (reply.status, reply.error["code"]) == (400, "1050")


@pytest.mark.parametrize("path", ["nothing", "Invoice", "invoice/1/pdf", "invoice/1/2"])
def test_an_unknown_resource_is_not_found(api: Api, path: str) -> None:
    reply = api.send("GET", path)
    assert (reply.status, reply.error["code"], reply.json["Fault"]["type"]) == (404, "10000", "SystemFault")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "invoice"), ("POST", "invoice/1"), ("POST", "cdc"), ("GET", "taxservice/taxcode"), ("GET", "reports/Nothing")],
)
def test_an_unknown_method_is_not_supported(api: Api, method: str, path: str) -> None:
    assert api.send(method, path, {} if method == "POST" else None).error["code"] == "500"


def test_reads_writes_and_batches_are_counted(api: Api) -> None:
    counters = api.company.counters
    api.query("select * from Item")
    api.send("GET", "preferences")
    api.send("GET", "companyinfo/9341452000000000")
    api.send("GET", "item/1")
    api.send("GET", "cdc", entities="Item", changedSince="2026-03-10T00:00:00Z")
    api.send("GET", "exchangerate", sourcecurrencycode="USD")
    assert (counters.reads, counters.writes, counters.batches) == (6, 0, 0)
    api.batch({"bId": "1", "operation": "create", "Customer": {"DisplayName": "A"}}, {"bId": "2", "Query": "select * from Item"})
    api.refuse("Customer", {})
    assert (counters.reads, counters.writes, counters.batches) == (7, 2, 1)


def test_every_answer_carries_the_time_in_pacific_time(api: Api) -> None:
    assert api.send("GET", "preferences").json["time"] == "2026-03-10T11:00:00.000-07:00"


def test_amounts_travel_as_numbers_and_not_as_text(api: Api) -> None:
    reply = api.send("POST", "invoice", api.invoice(api.customer()))
    assert b'"TotalAmt": 113.00' in reply.body


def rate(api: Api, **params: str) -> Any:
    return api.send("GET", "exchangerate", **params).json["ExchangeRate"]


def test_an_exchange_rate_is_the_same_every_time_and_can_be_set(api: Api) -> None:
    first = rate(api, sourcecurrencycode="USD", asofdate="2026-02-01")
    assert (first["SourceCurrencyCode"], first["TargetCurrencyCode"], first["AsOfDate"]) == ("USD", "CAD", "2026-02-01")
    assert first["Rate"] == rate(api, sourcecurrencycode="USD", asofdate="2026-02-01")["Rate"]
    assert first["Rate"] != rate(api, sourcecurrencycode="USD", asofdate="2026-02-02")["Rate"]
    api.send("POST", "exchangerate", {"SourceCurrencyCode": "USD", "AsOfDate": "2026-02-01", "Rate": 2})
    assert rate(api, sourcecurrencycode="USD", asofdate="2026-02-01")["Rate"] == 2
    assert rate(api, sourcecurrencycode="CAD")["Rate"] == 1


@pytest.mark.parametrize(
    ("params", "code"), [({"sourcecurrencycode": "XXX"}, "2220"), ({"sourcecurrencycode": "USD", "asofdate": "today"}, "2060")]
)
def test_an_unknown_currency_or_date_has_no_rate(api: Api, params: dict[str, str], code: str) -> None:
    assert api.send("GET", "exchangerate", **params).error["code"] == code


def test_the_trial_balance_can_be_read_as_a_report(api: Api) -> None:
    api.write("Invoice", api.invoice(api.customer()))
    report = api.send("GET", "reports/TrialBalance", end_date="2026-02-28").json
    rows = {row["ColData"][0]["value"]: row["ColData"] for row in report["Rows"]["Row"][:-1] if "ColData" in row}
    assert [cell["value"] for cell in rows["Accounts Receivable (A/R)"][1:]] == ["113.00", ""]
    assert [cell["value"] for cell in rows["Services"][1:]] == ["", "100.00"]
    assert api.send("GET", "reports/TrialBalance", end_date="2026-01-31").json["Rows"]["Row"][0]["Summary"]["ColData"][1]["value"] == "0"
