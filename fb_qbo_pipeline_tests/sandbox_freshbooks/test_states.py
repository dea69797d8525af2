import datetime as dt
from decimal import Decimal

import pytest

from fb_qbo_pipeline.sandbox.freshbooks.states import SETTABLE, payment_status, v3_status

TODAY = dt.date(2026, 3, 16)
D = Decimal


@pytest.mark.parametrize(
    ("amount", "paid", "auto_bill", "status"),
    [
        ("10", "0", False, "unpaid"),
        ("10", "4", False, "partial"),
        ("10", "10", False, "paid"),
        ("10", "11", False, "paid"),
        ("10", "10", True, "auto-paid"),
        ("0", "0", False, "unpaid"),
    ],
)
def test_payment_status_follows_what_was_paid(amount: str, paid: str, auto_bill: bool, status: str) -> None:
    assert payment_status(D(amount), D(paid), auto_bill=auto_bill) == status


@pytest.mark.parametrize(
    ("state", "payment", "due", "shown"),
    [
        ("draft", "unpaid", "2026-01-01", "draft"),
        ("created", "unpaid", "2026-01-01", "created"),
        ("sent", "unpaid", "2026-03-16", "sent"),
        ("viewed", "unpaid", "2026-03-17", "viewed"),
        ("sent", "unpaid", "2026-03-15", "overdue"),
        ("sent", "partial", "2026-03-16", "partial"),
        ("viewed", "partial", "2026-03-15", "overdue"),
        ("sent", "paid", "2026-01-01", "paid"),
        ("sent", "auto-paid", "2026-01-01", "autopaid"),
        ("disputed", "unpaid", "2026-01-01", "disputed"),
        ("pending", "unpaid", "2026-01-01", "pending"),
        ("failed", "unpaid", "2026-01-01", "failed"),
        ("deposit_paid", "partial", "2026-04-01", "deposit_paid"),
    ],
)
def test_overdue_hides_partial_and_paid_wins_over_the_date(state: str, payment: str, due: str, shown: str) -> None:
    invoice = {**SETTABLE[state], "payment_status": payment, "due_date": due}
    assert v3_status(invoice, TODAY) == shown
