"""FreshBooks records as last read, and the dates that their changes touch."""

import datetime as dt

from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.ledger.raw import DELETED, GONE, PRESENT, Change, RawRow

DAY, LATER = dt.date(2026, 3, 5), dt.date(2026, 3, 9)


def _row(source_id: int = 1, date: dt.date | None = DAY, state: str = PRESENT, **payload: object) -> RawRow:
    return RawRow(source_id, date, state, {"id": source_id, **payload})


def test_a_new_record_is_a_change(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        assert tx.raw.upsert("invoice", [_row()]) == [Change(1, None, DAY, None, True)]


def test_the_same_record_again_is_none(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.raw.upsert("invoice", [_row(a=1, b=2)])
        assert tx.raw.upsert("invoice", [RawRow(1, DAY, PRESENT, {"b": 2, "a": 1, "id": 1})]) == []


def test_a_moved_record_tells_where_it_was(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.raw.upsert("invoice", [_row()])
        assert tx.raw.upsert("invoice", [_row(date=LATER)]) == [Change(1, DAY, LATER, None, False)]
        assert tx.raw.ids_of_partitions("invoice", DAY, DAY) == []


def test_a_deletion_and_a_restoration_are_changes(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.raw.upsert("invoice", [_row()])
        assert len(tx.raw.upsert("invoice", [_row(state=DELETED)])) == 1
        assert len(tx.raw.upsert("invoice", [_row()])) == 1


def test_a_record_listed_twice_counts_once_as_it_was_listed_last(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        assert len(tx.raw.upsert("invoice", [_row(a=1), _row(a=2)])) == 1
        assert [payload["a"] for _state, payload in tx.raw.by_ids("invoice", [1])] == [2]


def test_more_records_than_one_statement_takes_are_all_kept(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        assert len(tx.raw.upsert("invoice", (_row(n) for n in range(1, 1203)))) == 1202
        assert tx.raw.counts_by_day("invoice", DAY, DAY) == {(DAY, PRESENT): 1202}


def test_a_record_that_is_gone_is_kept_and_not_missed_again(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.raw.upsert("invoice", [_row()])
        tx.raw.mark_gone("invoice", [1])
        assert [state for state, _payload in tx.raw.by_ids("invoice", tx.raw.ids_of_partitions("invoice", None, DAY))] == [GONE]
        assert tx.raw.ids_in_dates("invoice", DAY, DAY) == set()


def test_payments_are_found_by_their_invoices(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.raw.upsert("payment", [RawRow(5, LATER, PRESENT, {"id": 5}, invoice_id=1), RawRow(6, DAY, PRESENT, {"id": 6}, invoice_id=2)])
        assert [payload["id"] for _state, payload in tx.raw.payments_of([1])] == [5]
        assert tx.raw.payment_dates([1, 2]) == {DAY, LATER}
        assert tx.raw.payment_dates([]) == set()
