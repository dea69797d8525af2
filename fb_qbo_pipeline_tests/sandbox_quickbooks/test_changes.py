import datetime as dt
from typing import Any

import pytest

from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline_tests.sandbox_quickbooks.asgi import NOW, Api, Clock, update


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def moving(clock: Clock) -> Api:
    return Api(QuickBooks(clock=clock))


def captured(api: Api, entities: str, since: dt.datetime) -> Any:
    reply = api.send("GET", "cdc", entities=entities, changedSince=since.isoformat())
    assert reply.status == 200, reply.body
    return reply.json["CDCResponse"][0]["QueryResponse"]


def test_what_changed_since_a_moment_is_listed_by_entity_in_order(moving: Api, clock: Clock) -> None:
    customer = moving.customer()
    old = moving.write("Invoice", moving.invoice(customer))
    clock.now += dt.timedelta(minutes=1)
    new = moving.write("Invoice", moving.invoice(customer))
    since = clock.now
    payments, invoices = captured(moving, "Payment,Invoice", since)
    assert payments == {}
    assert ([row["Id"] for row in invoices["Invoice"]], invoices["maxResults"]) == ([new["Id"]], 1)
    moving.write("Invoice", update(old, PrivateNote="x"))
    assert len(captured(moving, "Invoice", since)[0]["Invoice"]) == 2


def test_a_deleted_transaction_is_a_stub(moving: Api) -> None:
    invoice = moving.write("Invoice", moving.invoice(moving.customer()))
    moving.write("Invoice", {"Id": invoice["Id"], "SyncToken": "0"}, operation="delete")
    (answer,) = captured(moving, "Invoice", NOW)
    stub = answer["Invoice"][0]
    assert (stub["Id"], stub["status"], "TotalAmt" in stub) == (invoice["Id"], "Deleted", False)


def test_an_inactive_member_is_whole(moving: Api) -> None:
    item = moving.ref("Item", "Rounding")["value"]
    moving.company.deactivate("Item", item)
    rows = captured(moving, "Item", NOW)[0]["Item"]
    assert next(row for row in rows if row["Id"] == item)["Active"] is False


def test_a_payment_changes_its_invoice_too(moving: Api, clock: Clock) -> None:
    customer = moving.customer()
    invoice = moving.write("Invoice", moving.invoice(customer))
    clock.now += dt.timedelta(minutes=1)
    moving.write("Payment", moving.payment(customer, "5.00", (invoice["Id"], "5.00")))
    assert captured(moving, "Invoice", clock.now)[0]["Invoice"][0]["Balance"] == 108


@pytest.mark.parametrize(
    ("entities", "since", "code"),
    [
        ("", NOW.isoformat(), "2020"),
        ("TaxCode", NOW.isoformat(), "2000"),
        ("Nothing", NOW.isoformat(), "2000"),
        ("Invoice", "yesterday", "2060"),
        ("Invoice", (NOW - dt.timedelta(days=31)).isoformat(), "2070"),
    ],
)
def test_a_request_outside_the_rules_is_refused(moving: Api, entities: str, since: str, code: str) -> None:
    assert moving.send("GET", "cdc", entities=entities, changedSince=since).error["code"] == code
