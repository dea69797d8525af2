import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from fb_qbo_pipeline.freshbooks.fields import BadRecord
from fb_qbo_pipeline.freshbooks.records import Unreadable, VisState
from fb_qbo_pipeline.freshbooks.unreadable import salvage

BAD = BadRecord("invoice", "7", "discount_value", "is not a number")
GOOD: dict[str, Any] = {
    "invoiceid": "7",
    "create_date": "2026-03-05",
    "amount": {"amount": "113.00", "code": "cad"},
    "invoice_number": " 42 ",
    "organization": "Acme",
    "v3_status": "deposit-paid",
    "vis_state": 2,
}


def test_everything_that_can_be_read_is_told() -> None:
    assert salvage("invoice", GOOD, BAD) == Unreadable(
        "invoice",
        7,
        "discount_value is not a number",
        dt.date(2026, 3, 5),
        Decimal("113.00"),
        "CAD",
        "42",
        "Acme",
        "deposit_paid",
        None,
        VisState.ARCHIVED,
    )


@pytest.mark.parametrize(
    ("spoilt", "name", "value"),
    [
        ({"create_date": "soon"}, "date", None),
        ({"create_date": None}, "date", None),
        ({"amount": {"amount": "much", "code": "CAD"}}, "amount", None),
        ({"amount": None}, "currency", ""),
        ({"v3_status": None}, "status", ""),
        ({"vis_state": 9}, "vis_state", VisState.ACTIVE),
    ],
)
def test_a_field_that_cannot_be_read_costs_the_others_nothing(spoilt: dict[str, Any], name: str, value: object) -> None:
    record = salvage("invoice", GOOD | spoilt, BAD)
    assert record is not None
    assert (getattr(record, name), record.id, record.number) == (value, 7, "42")


def test_a_payment_keeps_its_invoice_and_an_expense_its_vendor() -> None:
    payment = salvage("payment", {"logid": 9, "date": "2026-03-10", "invoiceid": 7, "amount": None}, BAD)
    expense = salvage("expense", {"id": 5, "vendor": "Bakery"}, BAD)
    assert payment is not None
    assert expense is not None
    assert (payment.id, payment.invoice_id, payment.date) == (9, 7, dt.date(2026, 3, 10))
    assert (expense.id, expense.party, expense.invoice_id) == (5, "Bakery", None)


@pytest.mark.parametrize("payload", [{"id": None}, {"id": "x", "invoiceid": ""}, {}])
def test_without_an_id_nothing_can_be_noted(payload: dict[str, Any]) -> None:
    assert salvage("invoice", payload, BAD) is None
