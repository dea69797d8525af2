"""A wrong clock of this machine loses nothing, and is told."""

import datetime as dt
import email.utils

import pytest
import requests

from fb_qbo_pipeline.pipeline.changes import look_for_changes
from fb_qbo_pipeline.pipeline.check import check
from fb_qbo_pipeline.pipeline.clock import ServiceClock
from fb_qbo_pipeline_tests.pipeline.world import NOW, World, day

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def answer(date: dt.datetime | str) -> requests.Response:
    response = requests.Response()
    response.headers["Date"] = date if isinstance(date, str) else email.utils.format_datetime(date.astimezone(dt.UTC), usegmt=True)
    return response


def cursor(world: World) -> dt.datetime:
    with world.ledger.begin() as tx:
        instant = tx.cursors.instant("freshbooks_changes")
    assert instant is not None
    return instant


@pytest.mark.parametrize("ahead", [2 * HOUR, 10 * DAY, 400 * DAY])
@pytest.mark.parametrize("looks", [1, 60])
def test_what_changes_after_a_look_under_a_clock_that_was_ahead_is_found_by_the_next(world: World, ahead: dt.timedelta, looks: int) -> None:
    world.invoice(on=day(5))
    world.follow()
    world.freshbooks.clock.set(NOW + 3 * DAY)
    invoice = world.invoice(on=day(6))
    with world.runtime() as runtime:
        runtime.clock = lambda: NOW + 3 * DAY + ahead
        for _ in range(looks if ahead > DAY else 1):
            look_for_changes(runtime)
    world.freshbooks.clock.set(NOW + 3 * DAY + HOUR)
    another = world.expense(on=day(7))
    world.follow()
    assert world.document("invoice", invoice)["TotalAmt"] > 0
    assert world.document("expense", another)["TotalAmt"] > 0
    assert cursor(world) == NOW + 3 * DAY + HOUR


def test_a_look_is_dated_by_the_services_where_this_machines_clock_is_off(world: World) -> None:
    world.follow()
    with world.runtime() as runtime:
        runtime.clock = lambda: NOW + HOUR + 5 * DAY
        runtime.service_clock.now = lambda: dt.datetime.now(dt.UTC) + 5 * DAY
        look = look_for_changes(runtime)
    assert look.clock_off is not None
    assert abs(look.clock_off - 5 * DAY) < dt.timedelta(minutes=1)
    assert abs(cursor(world) - NOW - HOUR) < dt.timedelta(minutes=1)
    with world.ledger.begin() as tx:
        assert tx.cursors.get("clock_off_seconds") > 4 * 86400
    world.look()
    with world.ledger.begin() as tx:
        assert tx.cursors.get("clock_off_seconds") == 0


def test_quickbooks_lists_that_were_noted_as_read_in_the_future_are_read_again(world: World) -> None:
    world.look()
    with world.ledger.begin() as tx:
        for name in ("lists_full", "lists_changes", "lists_volatile"):
            tx.cursors.set_instant(name, dt.datetime.now(dt.UTC) + 3 * DAY)
    world.quickbooks.add("Account", Name="Late", FullyQualifiedName="Late", AccountType="Bank", AccountSubType="Checking", Active=True)
    with world.runtime() as runtime:
        runtime.catch_up()
        assert runtime.mirror.company().account("Late") is not None


def test_a_clock_that_is_off_by_minutes_is_told_by_the_preflight(world: World) -> None:
    with world.runtime() as runtime:
        runtime.service_clock.now = lambda: dt.datetime.now(dt.UTC) + dt.timedelta(minutes=20)
        found = {finding.key: finding for finding in check(runtime).findings}
    assert "20 minutes ahead" in found["clock"].message
    with world.runtime() as runtime:
        assert "clock" not in {finding.key for finding in check(runtime).findings}


def test_the_offset_is_that_of_the_answer_that_agrees_best_and_odd_dates_say_nothing() -> None:
    clock = ServiceClock(lambda: NOW)
    assert clock.offset() is None
    for date in ("", "soon", "Fri, 99 Foo 2026 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00"):
        clock.observe(answer(date))
    clock.observe(answer(NOW - DAY))  # from a cache on the way
    clock.observe(answer(NOW - dt.timedelta(seconds=90)))
    assert clock.offset() == dt.timedelta(seconds=90)
    assert clock.off() is None
