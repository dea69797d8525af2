"""Settings of sales that QuickBooks has to accept as they are sent: seen on the documents that stand there."""

from decimal import Decimal
from typing import Any

import pytest

from fb_qbo_pipeline.sandbox.freshbooks.payloads import Line
from fb_qbo_pipeline_tests.pipeline.world import HST, World, day

INVENTORY = {
    "match_by": "sku",
    "create": True,
    "type": "inventory",
    "income_account": "Sales of Product Income",
    "expense_account": "Cost of Goods Sold",
    "asset_account": "Inventory Asset",
}


@pytest.mark.parametrize("tracking", ["line", "transaction"])
def test_class_location_card_payment_and_quickbooks_numbers_stand_on_the_invoice(world: World, tracking: Any) -> None:
    world.quickbooks.class_tracking, world.quickbooks.online_payments, world.quickbooks.custom_numbers = tracking, True, False
    options = {"class": "Retail", "location": "Montreal", "allow_credit_card": True, "auto_number": True, "number_prefix": ""}
    world.settings["sales"] |= options
    invoice = world.invoice("100.00", number="A-17", discount_value="10")
    world.sync()
    assert world.codes() == []
    posted = world.document("invoice", invoice)
    assert posted["DocNumber"].isdecimal()
    assert "FreshBooks invoice A-17" in posted["PrivateNote"]
    assert posted["AllowOnlineCreditCardPayment"] is True
    assert posted["DepartmentRef"]["name"] == "Montreal"
    lines = [row["SalesItemLineDetail"] for row in posted["Line"] if "SalesItemLineDetail" in row]
    classed = lines if tracking == "line" else [posted]
    assert [row["ClassRef"]["name"] for row in classed] == ["Retail"] * len(classed)
    assert len(lines) == 2  # the discount's line, too


def test_inventory_items_are_made_with_their_accounts_and_found_by_sku(world: World) -> None:
    world.settings["sales"]["products"] = INVENTORY
    world.freshbooks.add_item("Mug", "9.95", "MUG-11", description="Printed")
    client = world.client()
    for number in (4, 5):
        world.freshbooks.add_invoice(client, lines=[Line("mug", 2, "9.95", (HST,)), Line("Poster")], date=day(number))
        world.sync(fresh=True)
    assert world.codes() == []
    made = {row["Name"]: row for row in world.quickbooks.rows("Item") if row["Type"] == "Inventory"}
    assert set(made) == {"Mug", "Poster"}
    assert (made["Mug"]["Sku"], made["Mug"]["Description"]) == ("MUG-11", "Printed")
    assert made["Mug"]["AssetAccountRef"]["name"] == "Inventory Asset"
    assert world.balances()["Sales of Product Income"] == Decimal("-39.80")
