"""The database goes away in the middle of a sync: nothing is sent that it does not know of, and the next sync finishes."""

import contextlib

import pytest

from fb_qbo_pipeline.errors import Unreachable
from fb_qbo_pipeline_tests.pipeline.outages import at_request, end_sessions
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
