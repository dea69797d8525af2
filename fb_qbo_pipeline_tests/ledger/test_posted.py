"""What stands in QuickBooks, and which QuickBooks record each FreshBooks thing became."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.ledger.posted import VOIDED, Link, Posted

DAY = dt.date(2026, 3, 5)
POSTED = Posted("invoice", 1, "Invoice", "130", "0", "FB1", DAY, "CAD", Decimal("113.00"), Decimal("13.00"), "posted", "f", "c")


def test_a_document_is_kept_as_it_was_saved_last(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.posted.save([POSTED])
        tx.posted.save([replace(POSTED, sync_token="1", total=Decimal("120.10"))])
        assert tx.posted.by_ids("invoice", [1, 2]) == {1: replace(POSTED, sync_token="1", total=Decimal("120.10"))}
        assert tx.posted.by_ids("invoice", []) == {}
        assert tx.posted.by_ids("payment", [1]) == {}


def test_numbers_are_compared_without_case_and_freed_by_a_void(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.posted.save([POSTED])
        assert tx.posted.numbers(["fb1"]) == {("Invoice", "fb1"): 1}
        tx.posted.save([replace(POSTED, state=VOIDED)])
        assert tx.posted.numbers(["FB1"]) == {}


def test_a_newer_link_replaces_the_older_one(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.links.save(Link("Customer", "client/7", "58", "Acme", created=True))
        tx.links.save(Link("Customer", "client/7", "59", "Acme Ltd", created=False))
        tx.links.save(Link("Vendor", "client/7", "60", "Acme", created=True))
        assert tx.links.all("Customer") == {"client/7": Link("Customer", "client/7", "59", "Acme Ltd", created=False)}
