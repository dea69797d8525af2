import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from fb_qbo_pipeline.freshbooks.fields import BadRecord
from fb_qbo_pipeline.freshbooks.records import Unreadable, VisState
from fb_qbo_pipeline.freshbooks.unreadable import salvage, stand_in_id

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


NO_IDS = [{"id": None}, {"id": "x", "invoiceid": ""}, {}, {"id": 2**63}, {"id": -4}, {"id": [7]}, {"id": True}, None, "row", [1], 7]


@pytest.mark.parametrize("payload", NO_IDS)
def test_without_a_usable_id_it_stands_under_a_number_of_its_own_below_zero(payload: Any) -> None:
    number = salvage("invoice", payload, BAD).id
    assert -(2**63) <= number < 0
    assert salvage("invoice", payload, BAD).id == number
    assert len({salvage("invoice", other, BAD).id for other in NO_IDS}) == len(NO_IDS)


def test_the_number_of_a_record_without_an_id_follows_from_its_content_and_not_from_its_spelling_or_time() -> None:
    row = {"id": None, "updated": "2026-03-01 10:00:00", "amount": {"amount": Decimal("1E+2")}, "qty": 2}
    later = {"qty": Decimal("2.0"), "amount": {"amount": 100}, "updated": "2026-03-02 10:00:00", "id": None}
    assert stand_in_id(row) == stand_in_id(later)
    assert stand_in_id(row) != stand_in_id(row | {"qty": 3})


def test_an_id_is_found_under_its_second_key_where_the_first_cannot_be_read() -> None:
    assert salvage("expense", {"id": "x", "expenseid": 5}, BAD).id == 5
