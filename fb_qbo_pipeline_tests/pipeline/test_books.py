"""The books after a sync, against those that an accountant would have kept from FreshBooks' records alone."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from fb_qbo_pipeline.sandbox.freshbooks.payloads import Line
from fb_qbo_pipeline.sandbox.quickbooks.lists import ItemSeed
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline.sandbox.sample import build_sample
from fb_qbo_pipeline_tests.pipeline.agreement import assert_agrees, chart_of, kept
from fb_qbo_pipeline_tests.pipeline.oracle import Books, Json
from fb_qbo_pipeline_tests.pipeline.world import TODAY, World, day, line

FIRST = TODAY - dt.timedelta(days=52)  # most of the sample's special documents are younger


def _changed(settings: Json, changes: Json) -> Json:
    """`settings` with those of some sections changed."""
    return settings | {section: settings[section] | values for section, values in changes.items()}


def _synced(make_world: Callable[..., World], country: str, **changes: Any) -> tuple[World, Books]:
    """The sample company of a country, synced, and the books that it has to come to."""
    sample = build_sample(country, TODAY)
    company = QuickBooks(sample.quickbooks_country)
    for name in ("Sticker sheet", "PHOTO-DAY"):  # some products have an income account of their own
        company.add_item(ItemSeed(name, income="Sales of Product Income"))
    settings = _changed(sample.integration, changes) | {"start_date": FIRST}
    world = make_world(settings=settings, freshbooks=sample.freshbooks, quickbooks=company)
    chart = chart_of(company)
    world.sync(FIRST, TODAY)
    return world, kept(world, chart)


@pytest.mark.parametrize(
    ("country", "changes"),
    [
        ("ca", {"payments": {"credit_account": "Customer Credits"}}),
        ("uk", {"sales": {"post_as": "sales_receipt"}}),
        ("us", {}),
    ],
)
def test_the_books_are_those_that_follow_from_freshbooks_records_alone(
    make_world: Callable[..., World], country: str, changes: Json
) -> None:
    assert_agrees(*_synced(make_world, country, **changes))


def test_the_books_follow_what_is_edited_deleted_and_moved(world: World) -> None:
    fb, chart = world.freshbooks, chart_of(world.quickbooks)
    invoices = [world.invoice(f"{amount}.99", on=day(number)) for number, amount in enumerate((100, 200, 300, 400, 500), start=3)]
    payments = [world.payment(invoice, "50.00", on=day(12), method="PayPal") for invoice in invoices]
    expenses = [world.expense(on=day(number)) for number in (4, 5)]
    world.sync()
    compound = Line("Sticker sheet", "3.5", "19.99", (("GST", "5"), ("QST", "9.975")), compounded=True)
    fb.edit_invoice(invoices[0], lines=[compound, line("10.00", ()), line("-3.33")], discount_value="7.5")
    fb.edit_invoice(invoices[1], date=day(18).isoformat())
    fb.delete("invoice", invoices[2])
    fb.delete("payment", payments[2])
    fb.archive("invoice", invoices[3])
    fb.delete("payment", payments[3])
    fb.edit_payment(payments[4], amount="60.00", type="Check")
    fb.delete("expense", expenses[0])
    fb.edit_expense(expenses[1], amount="226.00", taxes=(("HST", "26.00", "13"),))
    world.sync()
    assert_agrees(world, kept(world, chart))
