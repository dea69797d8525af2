"""Transactions that stand in QuickBooks and that the ledger did not post."""

import datetime as dt
from decimal import Decimal

from fb_qbo_pipeline.ledger.found import Found
from fb_qbo_pipeline.ledger.ledger import Ledger

DAY = dt.date(2026, 3, 5)


def test_of_several_transactions_with_one_marker_the_oldest_that_is_not_void_counts(ledger: Ledger) -> None:
    amounts = {"7": "0.00", "20": "113.00", "100": "113.00"}
    documents = [Found("Invoice", qbo_id, DAY, Decimal(amount), source="invoice", source_id=1) for qbo_id, amount in amounts.items()]
    with ledger.begin() as tx:
        tx.found.merge([*documents, Found("Invoice", "9", DAY, Decimal(0), source="invoice", source_id=2)])
        found = tx.found.of_records("invoice", [1, 2])
    assert {source_id: one.qbo_id for source_id, one in found.items()} == {1: "20", 2: "9"}
