"""The mapping of everything in memory: the same decisions as a sync's, and no trace of them."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from fb_qbo_pipeline.ledger.exceptions import IGNORED
from fb_qbo_pipeline.ledger.tables import raw_record, staged_document, touched_date
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.pipeline.rehearsal import Rehearsal, months, rehearse
from fb_qbo_pipeline_tests.pipeline.world import TODAY, World, day

Held = set[tuple[str, int, str]]  # source, FreshBooks id, code
DAYS = st.dates(dt.date(2019, 1, 1), dt.date(2031, 12, 31))


@given(DAYS, st.integers(0, 1000))
def test_months_cover_every_day_once_and_none_crosses_a_month_s_end(start: dt.date, length: int) -> None:
    end = start + dt.timedelta(days=length)
    found = months(start, end)
    days = [first + dt.timedelta(days=n) for first, last in found for n in range((last - first).days + 1)]
    assert days == [start + dt.timedelta(days=n) for n in range(length + 1)]
    assert all((first.year, first.month) == (last.year, last.month) for first, last in found)


def test_a_start_in_the_future_has_no_months() -> None:
    assert months(dt.date(2026, 3, 2), dt.date(2026, 3, 1)) == []


def rehearsed(world: World, tick: Callable[[str, int, int], None] = lambda _what, _done, _all: None) -> Rehearsal:
    with world.runtime() as runtime:
        reader = runtime.reader
        runtime.mirror.refresh()
        context = Context(
            integration=runtime.integration,
            company=runtime.mirror.company(),
            clients={client.id: client for client, _ in reader.clients()},
            items=[item for item, _ in reader.items()],
            categories={category.id: category for category, _ in reader.categories()},
        )
        return rehearse(runtime, context, tick)


def would_hold(world: World) -> Held:
    return {(row["source"], row["source_id"], row["problems"][0]["code"]) for row in rehearsed(world).held}


def holds(world: World) -> Held:
    return {(row["source"], row["source_id"], row["code"]) for row in world.held()}


def untidy(world: World) -> None:
    """Documents of every kind, good ones and bad ones, over several months."""
    january = dt.date(2026, 1, 15)
    levy = (("Eco Levy", "2"),)
    world.payment(world.invoice(on=january), "113.00", on=day(4))  # before the start: out of scope, and so is its payment
    early = world.invoice("300.00", on=day(6))
    world.payment(early, "13.00", on=january)  # paid before the start date, yet in scope
    world.payment(world.invoice(taxes=levy, on=day(2)), "50.00", on=day(18))
    world.invoice(number="77", on=day(3))
    world.payment(world.invoice(number="77", on=day(8)), "113.00", on=day(9))
    world.payment(world.invoice("80.00", on=day(9)), "40.00", on=day(11), from_credit=True, method="Credit")
    deleted = world.invoice(on=day(10))
    world.payment(deleted, "113.00", on=day(12))
    world.freshbooks.delete("invoice", deleted)
    world.invoice(on=day(11), status="draft")
    world.invoice(on=TODAY + dt.timedelta(days=3), taxes=levy)  # tomorrow's problem
    world.expense()
    unmapped = world.freshbooks.add_category("Yachts")["id"]
    world.freshbooks.add_expense("10.00", unmapped, day(13), vendor="Marina")


EXPECTED = {
    "unmapped_tax": ["invoice"],
    "waiting_for_invoice": ["payment", "payment"],
    "duplicate_number": ["invoice"],
    "credit_without_account": ["payment"],
    "unmapped_category": ["expense"],
}


def sources_by_code(held: Held) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for source, _, code in sorted(held):
        found.setdefault(code, []).append(source)
    return found


def test_it_would_hold_what_a_sync_then_holds(world: World) -> None:
    untidy(world)
    expected = would_hold(world)
    assert sources_by_code(expected) == EXPECTED
    world.follow()
    assert holds(world) == expected
    assert would_hold(world) == expected  # and again, with the others standing in QuickBooks


@pytest.mark.parametrize(
    "changed",
    [
        {"post_as": "sales_receipt"},
        {"statuses": ["paid"]},
        {"products": {"create": False, "default_product": "Services"}},
        {"taxes": {"HST": "HST ON"}},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_it_agrees_with_a_sync_under_other_settings(changed: dict[str, Any], world: World) -> None:
    world.settings["sales"] |= changed
    untidy(world)
    expected = would_hold(world)
    world.follow()
    assert holds(world) == expected


@pytest.mark.parametrize("section", ["payments", "expenses"])
def test_a_workflow_that_is_off_is_neither_read_nor_held(section: str, world: World) -> None:
    untidy(world)
    del world.settings[section]
    assert section.removesuffix("s") not in {source for source, _, _ in would_hold(world)}


def test_sales_may_be_off(world: World) -> None:
    untidy(world)
    del world.settings["sales"], world.settings["payments"]
    assert sources_by_code(would_hold(world)) == {"unmapped_category": ["expense"]}


def test_a_payment_of_an_older_invoice_that_was_deleted_is_out_of_scope(world: World) -> None:
    old = world.invoice(on=dt.date(2026, 1, 5))
    world.payment(old, "113.00", on=day(4))
    world.freshbooks.delete("invoice", old)
    assert would_hold(world) == set()


def test_documents_in_scope_are_counted(world: World) -> None:
    world.payment(world.invoice(), "113.00")
    world.expense()
    world.invoice(taxes=(("Eco Levy", "2"),))
    world.invoice(status="draft")
    assert rehearsed(world).documents == 4


def test_nothing_is_written_to_quickbooks_or_the_ledger(world: World) -> None:
    untidy(world)
    rehearsed(world)
    assert world.quickbooks.counters.writes == 0
    with world.engine.connect() as connection:
        counts = [connection.execute(select(func.count()).select_from(t)).scalar() for t in (raw_record, staged_document, touched_date)]
    assert counts == [0, 0, 0]
    assert world.held() == []


def test_a_change_that_was_rehearsed_still_reaches_the_next_sync(world: World) -> None:
    invoice = world.invoice()
    world.follow()
    world.freshbooks.edit_invoice(invoice, number="1000-B")
    rehearsed(world)
    world.follow()
    assert world.document("invoice", invoice)["DocNumber"] == "FB1000-B"


def test_what_a_person_ignores_is_not_reported(world: World) -> None:
    world.invoice(taxes=(("Eco Levy", "2"),))
    world.follow()
    with world.ledger.begin() as tx:
        tx.exceptions.set_status(world.held()[0]["id"], IGNORED, "typed by hand")
    assert would_hold(world) == set()


def test_what_stands_unchanged_in_a_closed_period_is_not_reported(world: World) -> None:
    invoice = world.invoice(on=day(5))
    world.payment(invoice, "113.00", on=day(6))
    world.follow()
    world.quickbooks.close_date = day(10)
    assert would_hold(world) == set()
    world.freshbooks.edit_invoice(invoice, number="1000-B")
    assert would_hold(world) == {("invoice", invoice, "closed_period")}


def test_a_number_that_stands_in_quickbooks_keeps_its_document(world: World) -> None:
    newer = world.invoice(number="77", on=day(9))
    world.follow()
    older = world.invoice(number="77", on=day(2))
    assert would_hold(world) == {("invoice", older, "duplicate_number")}
    assert newer != older


def test_progress_names_each_month(world: World) -> None:
    world.settings["start_date"] = dt.date(2026, 1, 20)
    heard: list[tuple[str, int, int]] = []
    rehearsed(world, lambda what, done, total: heard.append((what, done, total)))
    assert heard == [("payments", 0, 3), ("January 2026", 0, 3), ("February 2026", 1, 3), ("March 2026", 2, 3)]
