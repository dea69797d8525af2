"""Dates that wait for a run."""

import datetime as dt

from fb_qbo_pipeline.ledger.ledger import Ledger

DAYS = [dt.date(2026, 3, n) for n in (5, 6, 9)]


def test_dates_wait_until_they_are_released(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        assert tx.touched.note([DAYS[2], *DAYS], "a reason") == 3
        assert [touched.date for touched in tx.touched.waiting()] == DAYS
        tx.touched.release(DAYS[0], DAYS[1], tx.touched.newest_batch())
        assert [touched.date for touched in tx.touched.waiting()] == DAYS[2:]


def test_a_change_that_arrives_during_a_run_is_not_released_by_it(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.touched.note(DAYS, "a reason")
        batch = tx.touched.newest_batch()
    with ledger.begin() as tx:
        tx.touched.note(DAYS[:1], "changed while the run was under way")
        tx.touched.release(DAYS[0], DAYS[2], batch)
        assert [(touched.date, touched.reason) for touched in tx.touched.waiting()] == [(DAYS[0], "changed while the run was under way")]


def test_noting_nothing_makes_no_batch(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        assert tx.touched.note([], "a reason") == 0
        assert tx.touched.newest_batch() == 0


def test_days_that_a_run_began_with_and_did_not_end_well_are_known_once(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.touched.begin(DAYS[0], DAYS[1])
        tx.touched.begin(DAYS[1], DAYS[1])
        tx.touched.release(DAYS[1], DAYS[1], 0)
        assert tx.touched.waiting() == []
    with ledger.begin() as tx:
        assert tx.touched.abandoned() == DAYS[:2]
        assert tx.touched.abandoned() == []


def test_days_of_a_run_that_ended_well_are_not_abandoned(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.touched.begin(DAYS[1], DAYS[2])
        tx.touched.release(DAYS[0], DAYS[2], 0)
        assert tx.touched.abandoned() == []
