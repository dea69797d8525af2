from typing import Any

import pytest

from fb_qbo_pipeline.sandbox.quickbooks.faults import Fault, FaultPlan
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline_tests.sandbox_quickbooks.asgi import Api, Clock, Json


def creates(api: Api, count: int) -> list[Json]:
    customer = api.customer()
    return [{"bId": f"b{n}", "operation": "create", "Invoice": api.invoice(customer, DocNumber=f"FB{n}")} for n in range(count)]


def answers(reply: Any) -> Any:
    assert reply.status == 200, reply.body
    return reply.json["BatchItemResponse"]


def test_items_are_answered_in_order_each_for_itself(api: Api) -> None:
    good, bad = creates(api, 2)
    bad["Invoice"]["DocNumber"] = "FB0"
    third = {"bId": "q", "Query": "select count(*) from Invoice"}
    created, refused, queried = answers(api.batch(good, bad, third))
    assert (created["bId"], created["Invoice"]["DocNumber"]) == ("b0", "FB0")
    assert (refused["bId"], refused["Fault"]["Error"][0]["code"], refused["Fault"]["type"]) == ("b1", "6140", "ValidationFault")
    assert queried["QueryResponse"] == {"totalCount": 1}


def test_items_can_update_void_and_delete(api: Api) -> None:
    customer = api.customer()
    first, second = (api.write("Invoice", api.invoice(customer)) for _ in range(2))
    payment = api.write("Payment", api.payment(customer, "5.00"))
    note, void, gone = answers(
        api.batch(
            {"bId": "1", "operation": "update", "optionsData": "void", "Payment": {"Id": payment["Id"], "SyncToken": "0", "sparse": True}},
            {"bId": "2", "operation": "void", "Invoice": {"Id": first["Id"], "SyncToken": "0"}},
            {"bId": "3", "operation": "delete", "Invoice": {"Id": second["Id"], "SyncToken": "0"}},
        )
    )
    assert note["Payment"]["TotalAmt"] == 0
    assert void["Invoice"]["PrivateNote"] == "Voided"
    assert gone["Invoice"] == {"domain": "QBO", "status": "Deleted", "Id": second["Id"]}


def test_an_item_may_allow_a_duplicate_number(api: Api) -> None:
    items = [{**item, "optionsData": "allowduplicatedocnum"} for item in creates(api, 2)]
    for item in items:
        item["Invoice"]["DocNumber"] = "same"
    assert all("Invoice" in answer for answer in answers(api.batch(*items)))


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ({"operation": "create", "Invoices": {}}, "2010"),
        ({"operation": "create"}, "2600"),
        ({"operation": "create", "Invoice": {}, "Bill": {}}, "2600"),
        ({"operation": "merge", "Account": {}}, "2170"),
        ({"Invoice": {}}, "2170"),
        ({"operation": "create", "Invoice": {"Nothing": 1}}, "2010"),
        ({"Query": "select"}, "4000"),
    ],
)
def test_an_item_that_makes_no_sense_is_refused_alone(api: Api, item: Json, code: str) -> None:
    (answer,) = answers(api.batch({"bId": "x", **item}))
    assert answer["Fault"]["Error"][0]["code"] == code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "2020"),
        ({"BatchItemRequest": [], "x": 1}, "2010"),
        ({"BatchItemRequest": [{"operation": "create"}]}, "2020"),
        ({"BatchItemRequest": [{"bId": "1"}, {"bId": "1"}]}, "2600"),
        ({"BatchItemRequest": [{"bId": "x" * 51}]}, "2130"),
        ({"BatchItemRequest": [{"bId": str(n)} for n in range(31)]}, "1040"),
    ],
)
def test_a_batch_outside_the_rules_is_refused_whole(api: Api, body: Json, code: str) -> None:
    reply = api.send("POST", "batch", body)
    assert (reply.status, reply.error["code"]) == (400, code)


@pytest.mark.parametrize(
    ("request_id", "item_id", "code"), [("r" * 37, "b", "2130"), ("r" * 36, "b" * 11, "2130"), ("r" * 36, "b" * 10, None)]
)
def test_ids_are_shorter_in_a_batch_with_a_request_id(api: Api, request_id: str, item_id: str, code: str | None) -> None:
    reply = api.batch({"bId": item_id, "Query": "select * from Item"}, request_id=request_id)
    assert reply.status == (400 if code else 200)
    assert code is None or reply.error["code"] == code


def test_the_same_request_id_and_items_are_answered_again_without_work(api: Api) -> None:
    items = creates(api, 3)
    first = answers(api.batch(*items, request_id="r1"))
    assert answers(api.batch(*items, request_id="r1")) == first
    assert len(api.company.rows("Invoice")) == 3
    assert api.company.counters.replays == 1


def test_the_same_request_id_with_other_items_is_another_request(api: Api) -> None:
    items = creates(api, 3)
    api.batch(*items[:2], request_id="r1")
    again = answers(api.batch(*items, request_id="r1"))
    codes = [answer["Fault"]["Error"][0]["code"] if "Fault" in answer else None for answer in again]
    assert codes == ["6140", "6140", None]


def test_request_ids_of_batches_may_be_ignored(api: Api) -> None:
    api.company.honours_request_id = api.company.warn_duplicate_numbers = False
    items = creates(api, 2)
    for _ in range(2):
        api.batch(*items, request_id="r1")
    assert len(api.company.rows("Invoice")) == 4


def test_a_batch_that_breaks_half_way_is_finished_when_it_is_sent_again() -> None:
    api = Api(QuickBooks(clock=Clock()), plan=FaultPlan([Fault(when="middle", items=2, status=504, path="/batch")]))
    items = creates(api, 5)
    assert api.batch(*items, request_id="r1").status == 504
    assert len(api.company.rows("Invoice")) == 2
    assert ["Fault" in answer for answer in answers(api.batch(*items, request_id="r1"))] == [False] * 5
    assert len(api.company.rows("Invoice")) == 5


def test_a_throttled_item_is_done_when_it_is_sent_again() -> None:
    api = Api(QuickBooks(clock=Clock()), plan=FaultPlan([Fault(when="item", skip=1)]))
    items = creates(api, 3)
    codes = [answer["Fault"]["Error"][0]["code"] if "Fault" in answer else None for answer in answers(api.batch(*items, request_id="r1"))]
    assert codes == [None, "3001", None]
    assert all("Invoice" in answer for answer in answers(api.batch(*items, request_id="r1")))
    assert len(api.company.rows("Invoice")) == 3
