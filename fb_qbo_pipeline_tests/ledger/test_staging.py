"""What mapping decided about each record of a range."""

import datetime as dt
from decimal import Decimal
from typing import Any

from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.mapping.documents import Mapped, Outcome, Source
from fb_qbo_pipeline.mapping.rows import to_row

DAY, LATER = dt.date(2026, 3, 5), dt.date(2026, 3, 9)


def _row(source_id: int, partition: dt.date = DAY, **other: Any) -> dict[str, Any]:
    mapped = Mapped(Source.INVOICE, source_id, Outcome.DELETED, partition, Decimal("1.005"), "CAD", f"{source_id:04}", "Acme")
    return to_row(mapped, partition) | other


def test_a_range_holds_what_was_staged_last_and_nothing_else(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.staging.replace("invoice", DAY, DAY, [_row(1), _row(2)])
        tx.staging.replace("invoice", LATER, LATER, [_row(3, LATER)])
        tx.staging.replace("invoice", DAY, DAY, [_row(2)])
        assert [row["source_id"] for row in tx.staging.in_partitions("invoice", DAY, LATER)] == [2, 3]
        assert tx.staging.in_partitions("invoice", DAY, DAY)[0]["amount"] == Decimal("1.005")


def test_a_record_that_moved_is_staged_once(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.staging.replace("invoice", DAY, DAY, [_row(1)])
        tx.staging.replace("invoice", LATER, LATER, [_row(1, LATER)])
        tx.staging.replace("invoice", DAY, DAY, [])
        assert [row["partition_date"] for row in tx.staging.in_partitions("invoice", DAY, LATER)] == [LATER]


def test_a_number_belongs_to_the_oldest_record(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        rows = [_row(n, entity="Invoice", number=number, outcome="document") for n, number in ((4, "FB1"), (3, "fb1"), (5, "FB2"))]
        tx.staging.replace("invoice", DAY, DAY, rows)
        assert tx.staging.numbers(["Fb1", "FB2"]) == {("Invoice", "fb1"): 3, ("Invoice", "fb2"): 5}
        assert tx.staging.numbers([]) == {}
