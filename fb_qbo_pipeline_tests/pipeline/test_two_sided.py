"""The scheduled comparison of both services finds what the change feed has not told, keeps it, and costs few reads."""

import datetime as dt
from decimal import Decimal

import pytest

from fb_qbo_pipeline.ledger.differences import Difference
from fb_qbo_pipeline.pipeline import two_sided
from fb_qbo_pipeline.pipeline.two_sided import Comparison, compare_services
from fb_qbo_pipeline.sandbox.quickbooks import operations
from fb_qbo_pipeline_tests.pipeline.world import START, TODAY, World, day

D = Decimal


def _compare(world: World) -> Comparison:
    with world.runtime() as runtime:
        return compare_services(runtime)


def _kept(world: World) -> list[Difference]:
    with world.ledger.begin() as tx:
        return tx.differences.present(START, TODAY)


def _deaf(world: World) -> None:
    """Let the change feed forget what was deleted."""
    world.quickbooks.deleted.clear()


def test_where_nothing_differs_it_says_so_and_nothing_has_to_run(world: World) -> None:
    world.payment(world.invoice(), "50.00")
    world.expense()
    world.follow()
    comparison = _compare(world)
    assert (comparison.agrees, comparison.whole, comparison.documents) == (True, True, 3)
    assert world.touched() == []


def test_a_deletion_that_the_change_feed_never_told_is_found_held_and_made_again(world: World) -> None:
    expense = world.expense()
    world.follow()
    world.quickbooks.remove("Bill", world.document("expense", expense)["Id"])
    _deaf(world)
    world.follow()
    assert world.codes() == [], "the feed has not told"
    comparison = _compare(world)
    assert not comparison.agrees
    (found,) = comparison.differences
    assert (found.source, found.source_id, found.amount, found.party) == ("expense", expense, D("56.50"), "Serano Bakery")
    assert "was deleted there" in found.problem
    assert world.touched() == [day(7)]
    world.follow()
    assert world.codes() == ["changed_in_quickbooks"]


def test_a_document_that_stands_twice_is_kept_as_a_difference_until_it_is_compared_again(world: World) -> None:
    expense = world.expense()
    world.follow()
    row = world.document("expense", expense)
    body = {name: row[name] for name in ("VendorRef", "Line", "TxnDate", "PrivateNote")} | {"DocNumber": "twice"}
    double = operations.write(world.quickbooks, "Bill", body)
    assert "stands 2 times" in _compare(world).differences[0].problem
    world.follow()
    assert [one.source_id for one in _kept(world)] == [expense]
    world.quickbooks.remove("Bill", double["Id"])
    assert _compare(world).agrees
    assert _kept(world) == []


def test_once_a_month_everything_is_compared_and_otherwise_the_last_months(world: World) -> None:
    world.settings["start_date"] = dt.date(2025, 11, 10)
    world.invoice(on=dt.date(2025, 11, 20))
    world.sync(dt.date(2025, 11, 10), TODAY)
    assert [(c.start, c.end, c.whole) for c in (_compare(world), _compare(world))] == [
        (dt.date(2025, 11, 10), TODAY, True),
        (dt.date(2026, 1, 1), TODAY, False),
    ]
    world.freshbooks.clock.set(dt.datetime(2026, 4, 1, 15, tzinfo=dt.UTC))
    assert _compare(world).whole


def test_what_the_lists_do_not_show_yet_is_read_by_itself_and_not_taken_for_deleted(world: World) -> None:
    expense = world.expense()
    world.follow()
    world.show_late(3600)
    comparison = _compare(world)
    assert comparison.agrees, comparison.differences
    with world.ledger.begin() as tx:
        assert tx.posted.by_ids("expense", [expense])[expense].drift == ""


def test_months_are_compared_together_as_long_as_their_documents_fit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.settings["start_date"] = dt.date(2026, 1, 10)
    for month in (1, 2, 3):
        world.invoice(on=dt.date(2026, month, 15))
    world.sync(dt.date(2026, 1, 10), TODAY)
    whole = _reads(world)
    with world.ledger.begin() as tx:
        tx.cursors.set("compared", None)
    monkeypatch.setattr(two_sided, "MOST_DOCUMENTS", 1)
    assert _reads(world) > whole


def _reads(world: World) -> int:
    with world.runtime() as runtime:
        assert compare_services(runtime).agrees
        return sum(runtime.audit.counts.values())
