import asyncio
import time
from typing import Any

import pytest

from fb_qbo_pipeline.sandbox.quickbooks.faults import Fault, FaultPlan, Latency, Limits
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline_tests.sandbox_quickbooks.asgi import Api, Clock, Json


def sandbox(**options: Any) -> Api:
    return Api(QuickBooks(clock=Clock()), **options)


@pytest.mark.parametrize(
    ("token", "detail"),
    [("short", "Malformed bearer token: too short or too long"), ("access-unknown", "Token invalid"), ("expired", "Token expired")],
)
def test_a_bad_token_is_turned_away_by_the_gateway_in_its_own_dialect(api: Api, token: str, detail: str) -> None:
    if token == "expired":
        api.oauth.expire_access_tokens()
    else:
        api.token = token
    reply = api.send("GET", "preferences")
    error = reply.json["fault"]["error"][0]
    assert (reply.status, error["code"], error["detail"]) == (401, "3200", detail)
    assert reply.json["fault"]["type"] == "AUTHENTICATION"
    assert reply.json["queryResponse"] is None


def test_another_realm_is_forbidden(api: Api) -> None:
    reply = api.send("GET", "preferences", realm="123")
    assert (reply.status, reply.json["fault"]["error"][0]["code"], reply.json["fault"]["type"]) == (403, "3100", "SERVICE")


def test_every_answer_has_a_transaction_id(api: Api) -> None:
    ids = {api.send("GET", path).headers["intuit_tid"] for path in ("preferences", "nothing")}
    assert len(ids) == 2


def test_json_comes_only_when_it_is_asked_for(api: Api) -> None:
    reply = api.send("GET", "preferences", headers={"Accept": "*/*"})
    assert reply.headers["content-type"].startswith("application/xml")


def test_nothing_is_done_when_a_fault_strikes_before_the_commit() -> None:
    api = sandbox(plan=FaultPlan([Fault(status=503, path="/customer")]))
    assert api.send("POST", "customer", {"DisplayName": "A"}, requestid="r1").status == 503
    assert api.company.counters.writes == 0
    assert api.write("Customer", {"DisplayName": "A"}, requestid="r1")["Id"] == "2"


@pytest.mark.parametrize("dialect", ["html", "empty", "cut", "xml", "gateway", "json"])
def test_the_work_is_done_when_the_answer_is_lost_and_a_replay_finds_it(dialect: Any) -> None:
    api = sandbox(plan=FaultPlan([Fault(when="after", dialect=dialect, path="/customer")]))
    reply = api.send("POST", "customer", {"DisplayName": "A"}, requestid="r1")
    assert reply.status == 502
    assert api.company.named("Customer", "A")["Id"] == "2"
    assert api.write("Customer", {"DisplayName": "A"}, requestid="r1")["Id"] == "2"


def test_a_connection_may_break_after_the_commit() -> None:
    api = sandbox(plan=FaultPlan([Fault(when="after", drop_connection=True, path="/customer")]))
    reply = api.send("POST", "customer", {"DisplayName": "A"})
    assert int(reply.headers["content-length"]) > len(reply.body) == 0
    assert len(api.company.rows("Customer")) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_token_endpoint_can_fail_too(when: Any) -> None:
    plan = FaultPlan([Fault(when=when, path="/oauth2/v1/tokens", skip=1)])
    company = QuickBooks(clock=Clock())
    api = Api(company, plan=plan)
    assert api.tokens(refresh_token="any").status == 502


def test_more_requests_than_allowed_are_throttled_in_xml() -> None:
    api = sandbox(limits=Limits(requests_per_minute=2))
    statuses = [api.send("GET", "preferences").status for _ in range(3)]
    assert statuses == [200, 200, 429]
    reply = api.send("GET", "preferences")
    assert reply.headers["content-type"].startswith("application/xml")
    assert b'<Error code="3001">' in reply.body
    assert (api.company.counters.throttled, api.company.counters.reads) == (2, 2)


def test_more_requests_at_once_than_allowed_are_throttled() -> None:
    api = sandbox(limits=Limits(concurrency=2), latency=Latency(per_request=0.02))
    replies = api.together(api.request("GET", "preferences") for _ in range(3))
    assert sorted(reply.status for reply in replies) == [200, 200, 429]
    assert api.send("GET", "preferences").status == 200


def test_batches_are_throttled_apart() -> None:
    api = sandbox(limits=Limits(batches_per_minute=1))
    item = {"bId": "1", "Query": "select * from Item"}
    assert [api.batch(item).status for _ in range(2)] == [200, 429]
    assert api.send("GET", "preferences").status == 200


def customers(api: Api, *names: str) -> list[Any]:
    return [api.request("POST", "customer", {"DisplayName": name}) for name in names]


def test_names_are_written_one_at_a_time() -> None:
    api = sandbox(latency=Latency(per_request=0.02))
    replies = api.together(customers(api, "A", "B"))
    assert [reply.status for reply in replies] == [200, 400]
    assert "You can only add or edit one name at a time" in replies[1].error["Detail"]
    api.company.one_name_at_a_time = False
    assert [reply.status for reply in api.together(customers(api, "B", "C"))] == [200, 200]


def test_a_batch_with_names_counts_as_a_name_write() -> None:
    api = sandbox(latency=Latency(per_request=0.02))
    item: Json = {"BatchItemRequest": [{"bId": "1", "operation": "create", "Vendor": {"DisplayName": "V"}}]}
    replies = api.together([*customers(api, "A"), api.request("POST", "batch", item)])
    assert "one name at a time" in replies[1].error["Detail"]


def test_transactions_may_overlap() -> None:
    api = sandbox(latency=Latency(per_request=0.01))
    body = api.invoice(api.customer())
    replies = api.together(api.request("POST", "invoice", body) for _ in range(5))
    assert [reply.status for reply in replies] == [200] * 5


def test_a_batch_takes_time_for_each_item() -> None:
    api = sandbox(latency=Latency(per_batch_item=0.02))
    items = [{"bId": str(n), "Query": "select * from Term"} for n in range(3)]
    started = time.perf_counter()
    api.batch(*items)
    assert time.perf_counter() - started >= 0.06


def test_a_create_is_cheap_and_a_query_over_thousands_of_rows_is_quick(api: Api) -> None:
    body = api.invoice(api.customer(), *[api.line(f"{n}.00") for n in range(1, 6)])
    started = time.process_time()

    async def post() -> None:
        for number in range(300):
            reply = await api.request("POST", "invoice", {**body, "DocNumber": f"FB{number}"})
            assert reply.status == 200

    asyncio.run(post())
    assert time.process_time() - started < 3  # about 1 ms each, with room for a busy machine
    started = time.process_time()
    assert api.query("select * from Invoice where DocNumber = 'FB299'")["maxResults"] == 1
    assert time.process_time() - started < 0.2
