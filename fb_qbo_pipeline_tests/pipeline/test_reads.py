"""Reads are metered: by Intuit in QuickBooks, and in FreshBooks they are what an hourly sync waits for."""

import datetime as dt
import itertools
from collections import Counter

from fb_qbo_pipeline.pipeline.changes import look_for_changes
from fb_qbo_pipeline.pipeline.steps import run_steps
from fb_qbo_pipeline.posting.counts import Counts
from fb_qbo_pipeline_tests.pipeline.world import START, TODAY, World, day

FRESHBOOKS, QUICKBOOKS = ("freshbooks", "read"), ("quickbooks", "read")


def first_sync(world: World) -> Counter[tuple[str, str]]:
    """What a sync of all days asks of both sides, by service and kind."""
    with world.runtime() as runtime:
        run_steps(runtime, START, TODAY, Counts())
        return runtime.audit.counts


def hourly_sync(world: World) -> Counter[tuple[str, str]]:
    """What a look and a run of the days that it has touched ask."""
    with world.runtime() as runtime:
        runtime.catch_up()
        look_for_changes(runtime)
        if days := world.touched():
            run_steps(runtime, min(days), max(days), Counts())
        return runtime.audit.counts


def add_invoices(world: World, count: int) -> None:
    clients = [world.client(f"Client{number} Ltd") for number in range(min(count, 5))]
    for number in range(count):
        world.invoice(f"{100 + number}.00", client=clients[number % len(clients)], on=day(1 + number % 20))


def test_an_hourly_sync_with_nothing_new_makes_eight_reads_of_freshbooks_and_one_of_quickbooks(world: World) -> None:
    world.payment(world.invoice(), "113.00")
    world.expense()
    world.follow()
    asked = hourly_sync(world)
    assert asked[FRESHBOOKS] <= 8
    assert asked[QUICKBOOKS] <= 1
    assert set(asked) == {FRESHBOOKS, QUICKBOOKS}


def test_the_first_sync_makes_at_most_ten_reads_of_quickbooks(world: World) -> None:
    add_invoices(world, 31)
    asked = first_sync(world)
    assert world.count() == {"Invoice": 31}
    assert asked[QUICKBOOKS] <= 10


def test_the_reads_of_quickbooks_do_not_grow_with_the_new_documents(world: World) -> None:
    world.expense()
    world.invoice()
    world.follow()
    add_invoices(world, 1)
    of_one = hourly_sync(world)[QUICKBOOKS]
    add_invoices(world, 150)
    of_many = hourly_sync(world)[QUICKBOOKS]
    assert world.count()["Invoice"] == 152
    assert of_many == of_one <= 10


def test_after_more_documents_than_the_change_feed_holds_a_look_makes_one_read_more_and_sees_what_was_deleted(world: World) -> None:
    begun, ticks = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5), itertools.count()
    world.quickbooks.clock = lambda: begun + dt.timedelta(seconds=0.03) * next(ticks)  # some thirty documents a second at most
    client = world.client()
    invoices = [world.invoice("10.00", client=client, on=day(1 + number % 20)) for number in range(520)]
    for invoice in invoices:
        world.payment(invoice, "11.30", on=day(20))
    world.follow()
    gone = world.document("invoice", invoices[7])["Id"]
    assert next(ticks) < 9_000, "before the present"
    world.quickbooks.clock = lambda: dt.datetime.now(dt.UTC)
    world.quickbooks.remove("Invoice", gone)
    with world.ledger.begin() as tx:  # the lists were asked for before the documents were posted
        tx.cursors.set_instant("lists_changes", begun)
    asked = hourly_look(world)
    assert asked[QUICKBOOKS] == 2
    assert world.touched() == [day(8)]


def hourly_look(world: World) -> Counter[tuple[str, str]]:
    """What a look alone asks."""
    with world.runtime() as runtime:
        runtime.catch_up()
        look_for_changes(runtime)
        return runtime.audit.counts
