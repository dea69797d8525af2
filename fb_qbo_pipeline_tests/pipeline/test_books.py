"""The books after a sync, against those that an accountant would have kept from FreshBooks' records alone."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from fb_qbo_pipeline.sandbox.quickbooks.lists import ItemSeed
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline.sandbox.sample import build_sample
from fb_qbo_pipeline_tests.pipeline.oracle import Accountant, Books, Chart, Json, plain
from fb_qbo_pipeline_tests.pipeline.world import TODAY, World

FIRST = TODAY - dt.timedelta(days=62)  # most of the sample's special documents are younger


def _chart(company: QuickBooks) -> Chart:
    """QuickBooks' lists as they are before anything is synced."""

    def rates(side: str) -> dict[str, list[tuple[str, Decimal]]]:
        ids = {code["Name"]: [one["TaxRateRef"]["value"] for one in code[side]["TaxRateDetail"]] for code in company.rows("TaxCode")}
        rows = company.tables["TaxRate"]
        return {name: [(rows[rate]["Name"], rows[rate]["RateValue"]) for rate in found] for name, found in ids.items()}

    income = {plain(item["Name"]): item["IncomeAccountRef"]["name"] for item in company.rows("Item") if "IncomeAccountRef" in item}
    return Chart(income, rates("SalesTaxRateList"), rates("PurchaseTaxRateList"), company.country_code == "US")


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
    chart = _chart(company)
    world.sync(FIRST, TODAY)
    records = {name: sample.freshbooks.view(name) for name in ("invoice", "payment", "expense", "item", "category")}
    return world, Accountant(records, settings, chart).keep()


def _posted(world: World) -> dict[int, Decimal]:
    """Each invoice's open balance in QuickBooks by its FreshBooks id."""
    return {int(row["PrivateNote"].split("/")[2].split(" ")[0]): row["Balance"] for row in world.quickbooks.rows("Invoice")}


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
    world, books = _synced(make_world, country, **changes)
    assert world.balances() == {account: amount for account, amount in sorted(books.balances.items()) if amount}
    assert _posted(world) == books.open_invoices
    assert {(row["source"], row["source_id"]): row["code"] for row in world.held()} == books.held
