"""Documents held back: one unresolved row a document, opened, brought up to date, ignored, closed."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

from fb_qbo_pipeline.ledger.exceptions import IGNORED, MAPPING, OPEN, POSTING, Held
from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.ledger.posted import Posted
from fb_qbo_pipeline.ledger.raw import PRESENT, RawRow

DAY = dt.date(2026, 3, 5)
HELD = Held("invoice", 1, "0001", "Acme Ltd", DAY, Decimal("113.00"), "CAD", "unmapped_tax", "a reason", "a remedy", MAPPING)


def test_a_document_has_one_unresolved_exception_that_keeps_its_age(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.exceptions.hold(HELD)
        since = tx.exceptions.unresolved()[0]["since"]
    with ledger.begin() as tx:
        tx.exceptions.hold(replace(HELD, code="refused", amount=Decimal("120.005")))
        (row,) = tx.exceptions.unresolved()
    assert (row["code"], row["amount"], row["since"]) == ("refused", Decimal("120.005"), since)


def test_a_resolved_exception_may_open_anew(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.exceptions.hold(HELD)
        tx.exceptions.resolve("invoice", [1])
        assert tx.exceptions.unresolved() == []
        tx.exceptions.hold(HELD)
        assert tx.exceptions.count_open() == 1


def test_what_is_tried_again_is_about_no_content_any_more(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.exceptions.hold(replace(HELD, fingerprint="content"))
        tx.exceptions.hold(replace(HELD, source_id=2, fingerprint="content"))
        first, second = tx.exceptions.unresolved()
        tx.exceptions.try_again([first["id"]])
        assert {row["id"]: row["fingerprint"] for row in tx.exceptions.unresolved()} == {first["id"]: "", second["id"]: "content"}


def test_mapping_does_not_close_what_posting_found(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.exceptions.hold(replace(HELD, stage=POSTING))
        tx.exceptions.resolve("invoice", [1], MAPPING)
        assert tx.exceptions.count_open() == 1
        tx.exceptions.resolve("invoice", [1])
        assert tx.exceptions.count_open() == 0


def test_what_is_ignored_stays_ignored_until_a_person_says_otherwise(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.exceptions.hold(HELD)
        number = tx.exceptions.unresolved()[0]["id"]
        ignored = tx.exceptions.set_status(number, IGNORED, "entered by hand")
        assert ignored is not None
        assert ignored["ignore_reason"] == "entered by hand"
        tx.exceptions.hold(HELD)
        tx.exceptions.resolve("invoice", [1])
        assert [row["status"] for row in tx.exceptions.unresolved()] == [IGNORED]
        assert tx.exceptions.count_open() == 0
        tx.exceptions.set_status(number, OPEN)
        tx.exceptions.resolve("invoice", [1])
        assert tx.exceptions.unresolved() == []
        assert tx.exceptions.set_status(number, IGNORED, "too late") is None


def test_exceptions_are_listed_by_document_date(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        for source_id, day in ((1, 9), (2, 5), (3, 20)):
            tx.exceptions.hold(replace(HELD, source_id=source_id, document_date=DAY.replace(day=day)))
        assert [row["source_id"] for row in tx.exceptions.unresolved()] == [2, 1, 3]
        assert [row["source_id"] for row in tx.exceptions.unresolved(DAY, DAY.replace(day=10))] == [2, 1]


def test_payments_that_wait_are_found_once_their_invoice_stands(ledger: Ledger) -> None:
    later = DAY.replace(day=12)
    waiting = replace(HELD, source="payment", source_id=5, code="waiting_for_invoice")
    posted = Posted("invoice", 1, "Invoice", "130", "0", "FB1", DAY, "CAD", Decimal("113.00"), Decimal("13.00"), "posted", "f")
    with ledger.begin() as tx:
        tx.raw.upsert("payment", [RawRow(5, later, PRESENT, {"id": 5}, invoice_id=1)])
        tx.exceptions.hold(waiting)
        assert tx.exceptions.dates_of_payments_waiting_for(DAY, DAY) == set()
        tx.posted.save([posted])
        assert tx.exceptions.dates_of_payments_waiting_for(DAY, DAY) == {later}
        assert tx.exceptions.dates_of_payments_waiting_for(later, later) == set()


def test_refused_invoices_are_found_by_the_dates_of_their_payments(ledger: Ledger) -> None:
    later = DAY.replace(day=12)
    with ledger.begin() as tx:
        tx.raw.upsert("payment", [RawRow(5, later, PRESENT, {"id": 5}, invoice_id=1)])
        tx.exceptions.hold(HELD)
        assert tx.exceptions.dates_of_refused_invoices_paid_in(later, later) == set()
        tx.exceptions.hold(replace(HELD, stage=POSTING))
        assert tx.exceptions.dates_of_refused_invoices_paid_in(later, later) == {DAY}
        assert tx.exceptions.dates_of_refused_invoices_paid_in(DAY, DAY) == set()
