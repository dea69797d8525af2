"""The database goes away in the middle of a sync: nothing is sent that it does not know of, and the next sync finishes."""

import contextlib

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from fb_qbo_pipeline.errors import Unreachable
from fb_qbo_pipeline.ledger.outages import outages_in_words
from fb_qbo_pipeline_tests.pipeline.outages import at_request, end_sessions, full_disk
from fb_qbo_pipeline_tests.pipeline.world import World, day


def test_who_loses_the_posting_lock_sends_nothing_more(world: World) -> None:
    """Other connections still work: only the session that keeps other syncs out has ended."""
    world.invoice()
    at_request(world, "/customer", lambda: end_sessions(world.engine, holders_only=True))
    with pytest.raises(Unreachable, match="was lost"):
        world.sync()
    assert (world.count(), world.unfinished()) == ({}, 0)
    world.sync()
    assert world.count() == {"Invoice": 1}


@pytest.mark.parametrize("path", ["/customer", "/batch"])
def test_a_sync_that_lost_its_lock_and_the_one_that_took_it_post_each_document_once(world: World, path: str) -> None:
    client = world.client()
    invoices = [world.invoice("100.00", on=day(2 + number % 15), client=client) for number in range(40)]

    def another_syncs() -> None:
        end_sessions(world.engine, holders_only=True)
        world.sync()

    at_request(world, path, another_syncs, answered=True)
    with contextlib.suppress(Unreachable):  # where it had something left to send
        world.sync()
    assert world.count() == {"Invoice": len(invoices)}
    assert len(world.quickbooks.rows("Customer")) == 1
    assert world.sync().unchanged == len(invoices)


@pytest.mark.parametrize("honours_request_id", [True, False])
@pytest.mark.parametrize(
    ("path", "answered"),
    [
        ("/accounting/account/ABC123/payments", True),  # while records are read and staged
        ("/payment", False),  # between an intent and its answer
        ("/payment", True),  # between an answer and its settlement
    ],
)
def test_a_server_that_restarts_costs_no_document_and_doubles_none(
    world: World, path: str, answered: bool, honours_request_id: bool
) -> None:
    world.quickbooks.honours_request_id = honours_request_id
    invoice = world.invoice()
    payment = world.payment(invoice, "113.00")
    at_request(world, path, lambda: end_sessions(world.engine), answered=answered)
    with contextlib.suppress(Unreachable), outages_in_words():
        world.sync()
    world.sync()
    assert world.count() == {"Invoice": 1, "Payment": 1}
    assert world.document("payment", payment)["TotalAmt"] == world.document("invoice", invoice)["TotalAmt"]
    assert world.unfinished() == 0


@pytest.mark.parametrize(("table", "sent"), [("staged_document", 0), ("outbox", 0), ("posted_document", 40)])
def test_a_full_disk_lets_nothing_be_sent_that_cannot_be_noted(world: World, table: str, sent: int) -> None:
    client = world.client()
    for number in range(40):
        world.invoice("100.00", on=day(2 + number % 15), client=client)
    with full_disk(world.engine, table), pytest.raises(Unreachable, match="the database's disk is full"), outages_in_words():
        world.sync()
    assert world.count().get("Invoice", 0) == sent
    world.sync()
    assert world.count() == {"Invoice": 40}
    assert (world.held(), world.unfinished()) == ([], 0)


def test_what_is_no_outage_stays_what_it_is(world: World) -> None:
    with pytest.raises(ProgrammingError), outages_in_words(), world.engine.begin() as connection:
        connection.execute(text("SELECT nothing FROM nowhere"))
