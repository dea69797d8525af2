"""Clients with the names that people type, as customers in QuickBooks."""

from typing import Any

import pytest

from fb_qbo_pipeline.assets.describe import staged_metadata
from fb_qbo_pipeline.pipeline.plan import plan
from fb_qbo_pipeline.sandbox.freshbooks.payloads import Line
from fb_qbo_pipeline_tests.pipeline.world import HST, START, TODAY, World, day

ODD = (
    "Studio: North",
    "Quill\tand\nPage",
    "  Blank  Ltd ",
    "株式会社さくら",
    "O'Connor \\ “Sons” & 100% <b>",
    "Party 🎉 Ltd",
    "x" * 300,
    "x" * 299 + "y",
    "Null\x00Byte",
    "@customer/client/1",
    "Zenith (deleted)",
    "Emily Platt",  # an employee of the sandbox's company
    "Straße",
    "STRASSE",
)


def _staged(world: World) -> list[Any]:
    with world.ledger.begin() as tx:
        return list(tx.staging.in_partitions("invoice", START, TODAY))


def test_a_contact_used_instead_of_an_organization_is_told(world: World) -> None:
    world.settings["sales"]["customer"] = "organization"
    world.invoice(client=int(world.freshbooks.add_client("", "Jane", "Doe")["id"]), number="7")
    world.invoice(client=world.client("Acme Ltd"), number="8")
    with world.runtime() as runtime:
        told = {planned.number: planned.reason for planned in plan(runtime, START, TODAY)}
    assert "no organization: the contact was used" in told["7"]
    assert told["8"] == "new"
    world.sync()
    metadata = staged_metadata(_staged(world))
    assert metadata["notes"] == 1
    assert metadata["notes by document"].startswith("7: FreshBooks client")


STRICT = pytest.mark.parametrize("plain_names_only", [False, True], ids=["as they are", "in plain characters"])


@STRICT
def test_odd_names_are_customers_of_their_own_and_are_found_again(world: World, plain_names_only: bool) -> None:
    world.quickbooks.plain_names_only = plain_names_only
    world.settings["sales"]["customer"] = "organization"
    clients = [int(world.freshbooks.add_client(name, "Jane", "Doe", f"{index}@example.com")["id"]) for index, name in enumerate(ODD)]
    invoices = [world.invoice("10.00", client=client) for client in clients]
    counts = world.sync()
    assert world.codes() == []
    assert counts.created["customer"] == len(ODD)
    customers = [world.document("invoice", invoice)["CustomerRef"]["value"] for invoice in invoices]
    assert len(set(customers)) == len(ODD)
    again = [world.invoice("20.00", client=client, on=day(6)) for client in clients]
    assert world.sync(fresh=True).created["customer"] == 0
    assert [world.document("invoice", invoice)["CustomerRef"]["value"] for invoice in again] == customers


@STRICT
def test_odd_product_names_are_items_of_their_own_and_are_found_again(world: World, plain_names_only: bool) -> None:
    world.quickbooks.plain_names_only = plain_names_only
    client = world.client()
    lines = [Line(name, 1, "10.00", (HST,)) for name in ODD]
    invoices = [int(world.freshbooks.add_invoice(client, date=day(5), lines=[one])["id"]) for one in lines]
    world.sync()
    assert world.codes() == []
    items = {world.document("invoice", invoice)["Line"][0]["SalesItemLineDetail"]["ItemRef"]["value"] for invoice in invoices}
    assert len(items) == len(ODD) - 1  # Straße and STRASSE are one name but for case
    again = world.freshbooks.add_invoice(client, date=day(6), lines=lines)["id"]
    assert world.sync(fresh=True).created["item"] == 0
    assert {row["SalesItemLineDetail"]["ItemRef"]["value"] for row in world.document("invoice", again)["Line"][:-1]} == items
