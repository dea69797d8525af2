"""Rows of the staged table: the fingerprints that ledgers hold of documents posted by earlier versions."""

import datetime as dt
from decimal import Decimal

import pytest

from fb_qbo_pipeline.mapping.documents import Mapped
from fb_qbo_pipeline.mapping.expenses import map_expense
from fb_qbo_pipeline.mapping.invoices import map_invoice
from fb_qbo_pipeline.mapping.payments import map_payment
from fb_qbo_pipeline.mapping.rows import document_fingerprint
from fb_qbo_pipeline_tests.mapping.builders import DAY, GST, HST, QST, context, expense, expense_tax, invoice, line, payment

WHERE = context(sales={"rounding_limit": "0.05"})
# Two combinations of taxes, a discount, a rounding difference, a quantity with too many decimals, a line of text, an accent.
SALE = invoice(
    line("100.00", HST, description="Poster, été"),
    line("33.33", GST, QST, name="Consulting", quantity="0.333333", price="100.00"),
    line("0", name="", description="Thank you"),
    amount="136.22",
    due_date=DAY + dt.timedelta(days=30),
    discount_percent=Decimal("10"),
    discount_total=Decimal("-13.33"),
)
SOLD = map_invoice(SALE, [], WHERE)
PART = payment("50.00")


@pytest.mark.parametrize(
    ("mapped", "fingerprint"),
    [
        pytest.param(SOLD, "7dc7460a70f5ee2f9adca01962e2b95b", id="invoice"),
        pytest.param(map_payment(PART, SALE, [PART], SOLD, WHERE), "466c6b4f43d0ddb69ca33ce61c48ffae", id="payment"),
        pytest.param(map_expense(expense("113.00", expense_tax("HST", "13.00")), WHERE), "7571fa936f945d20942492f3a17de0df", id="expense"),
    ],
)
def test_a_document_keeps_its_fingerprint_from_version_to_version(mapped: Mapped, fingerprint: str) -> None:
    """Another one would update every document of every customer."""
    assert mapped.document is not None, mapped.problems
    assert document_fingerprint(mapped.document) == fingerprint
