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


def test_a_range_holds_what_was_staged_last_without_the_documents(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.staging.upsert("invoice", [_row(1), _row(2), _row(3, LATER)])
        tx.staging.upsert("invoice", [_row(2, amount=Decimal("2.005"))])
        tx.staging.drop("invoice", {1})
        rows = tx.staging.in_partitions("invoice", DAY, LATER)
        assert [(row["source_id"], row["amount"]) for row in rows] == [(2, Decimal("2.005")), (3, Decimal("1.005"))]
        assert "document" not in rows[0]
        assert tx.staging.ids_in_partitions("invoice", DAY, LATER) == [2, 3]


def test_documents_are_read_for_those_that_have_one(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.staging.upsert("invoice", [_row(1, outcome="document", document={"body": {"Line": []}}), _row(2)])
        assert list(tx.staging.documents("invoice", DAY, DAY)) == [(1, {"body": {"Line": []}})]


def test_a_record_that_moved_is_staged_once(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.staging.upsert("invoice", [_row(1)])
        tx.staging.upsert("invoice", [_row(1, LATER)])
        assert [row["partition_date"] for row in tx.staging.in_partitions("invoice", DAY, LATER)] == [LATER]


def test_the_claims_to_a_number_come_oldest_record_first(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        rows = [_row(n, entity="Invoice", number=number, outcome="document") for n, number in ((4, "FB1"), (3, "fb1"), (5, "FB2"))]
        tx.staging.upsert("invoice", rows)
        assert tx.staging.numbers(["Fb1", "FB2"]) == [("Invoice", "fb1", 3), ("Invoice", "fb1", 4), ("Invoice", "fb2", 5)]
        assert tx.staging.numbers([]) == []
