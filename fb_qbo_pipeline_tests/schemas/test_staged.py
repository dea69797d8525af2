"""The last look at intended documents before anything is posted: whatever is wrong with one holds that one alone."""

import copy
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from fb_qbo_pipeline.mapping.documents import Outcome
from fb_qbo_pipeline.mapping.expenses import map_expense
from fb_qbo_pipeline.mapping.invoices import map_invoice
from fb_qbo_pipeline.mapping.payments import map_payment
from fb_qbo_pipeline.mapping.rows import to_row
from fb_qbo_pipeline.quickbooks.company import Company
from fb_qbo_pipeline.schemas.staged import validate_staged
from fb_qbo_pipeline_tests.mapping.builders import (
    DAY,
    HST,
    D,
    company,
    context,
    expense,
    expense_tax,
    integration,
    invoice,
    line,
    payment,
    tax,
)

Row = dict[str, Any]
GENERIC = {"customer": "generic", "generic_customer": "FreshBooks Sales"}


def staged(number: int = 1001, **settings: Any) -> Row:
    """The row of an invoice of 100.00 and 13 % on it, with a line of text."""
    one = invoice(line("100.00", HST), line("0.00", name="", description="Thank you"), amount="113.00", id=number, number=str(number))
    return to_row(map_invoice(one, [], context(**settings)), DAY)


def validated(*rows: Row, books: Company | None = None) -> list[Row]:
    return validate_staged(rows, books or company(), integration())


def test_what_the_mapping_makes_passes_in_every_regime() -> None:
    sale = map_invoice(invoice(line("100.00"), number="7"), [], context())
    us = company("US")
    states = context(sales={"taxes": {"State": "California"}}, books=us)
    american = [
        map_invoice(invoice(line("100.00", tax("State", "7.25")), line("5.00"), amount="112.25", currency="USD"), [], states),
        map_expense(expense("50.00", currency="USD"), states),
    ]
    off = company(uses_sales_tax=False)
    untaxed = [map_invoice(invoice(line("100.00")), [], context(books=off)), map_expense(expense("50.00"), context(books=off))]
    canadian = [
        sale,
        map_payment(payment(), invoice(line("100.00"), number="7"), [payment()], sale, context()),
        map_expense(expense("113.00", expense_tax("HST", "13.00"), id=988), context()),
        map_expense(expense("-113.00", expense_tax("HST", "-13.00"), id=989), context()),
    ]
    for books, mapped in ((company(), canadian), (us, american), (off, untaxed)):
        rows = [to_row(one, DAY) for one in mapped]
        assert {row["outcome"] for row in rows} == {Outcome.DOCUMENT.value}
        assert validated(*rows, books=books) == rows


def _spoil(change: Callable[[Row], None]) -> Row:
    row = copy.deepcopy(staged())
    change(row)
    return row


def _first_line(row: Row) -> Row:
    found: Row = row["document"]["body"]["Line"][0]["SalesItemLineDetail"]
    return found


@pytest.mark.parametrize(
    ("change", "code", "reason"),
    [
        (lambda row: row.update(total=D("113.01")), "total_mismatch", "total is freshbooks amount"),
        (lambda row: row["document"]["body"]["Line"][0].update(Amount=D("99.99")), "total_mismatch", "lines and tax make the total"),
        (lambda row: row.update(number="x" * 22), "total_mismatch", "number of 21 characters"),
        (lambda row: row.update(amount=113.0), "total_mismatch", "exact number"),
        (lambda row: row.update(currency="cad"), "total_mismatch", "currency of three letters"),
        (lambda row: _first_line(row).update(TaxCodeRef={"value": "8"}), "inactive_reference", "known tax codes"),
        (lambda row: _first_line(row).update(TaxCodeRef={"value": "TAX"}), "inactive_reference", "known tax codes"),
        (lambda row: _first_line(row).pop("TaxCodeRef"), "unmapped_tax", "a tax code on every line"),
        (
            lambda row: row["document"]["body"].update(DepositToAccountRef={"value": "10"}),
            "inactive_reference",
            "known accounts",
        ),
        (
            lambda row: row["document"]["body"].update(CustomerRef={"value": "@customer/generic"}),
            "total_mismatch",
            "customer mode",
        ),
    ],
)
def test_a_document_that_fails_a_check_is_held_with_its_name_and_the_others_go_on(
    change: Callable[[Row], None], code: str, reason: str
) -> None:
    fine = staged(1002)
    rows = validated(_spoil(change), fine)
    assert [row["outcome"] for row in rows] == ["held", "document"]
    problem = rows[0]["problems"][0]
    assert problem["code"] == code
    assert reason in problem["reason"]
    assert problem["remedy"]
    assert rows[1] == fine


def test_the_customer_mode_of_the_settings_counts() -> None:
    row = staged(sales=GENERIC)
    settings = integration(sales=GENERIC)
    assert validate_staged([row], company(), settings) == [row]
    assert validate_staged([staged()], company(), settings)[0]["outcome"] == "held"


def test_rows_without_a_document_are_left_as_they_are() -> None:
    held = to_row(map_invoice(invoice(line("10.00", tax("Eco", "2"))), [], context()), DAY)
    old = to_row(map_invoice(invoice(line("10.00"), date=dt.date(2020, 1, 1)), [], context()), DAY)
    assert validated(held, old) == [held, old]
    assert validated() == []
