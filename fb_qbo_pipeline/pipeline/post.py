"""Staged documents of a range into QuickBooks, under the company's posting lock, and what that wakes elsewhere."""

import datetime as dt

from fb_qbo_pipeline.ledger.exceptions import MAPPING, OPEN
from fb_qbo_pipeline.ledger.ledger import PostingTurn, Transaction
from fb_qbo_pipeline.mapping.documents import Code, Source
from fb_qbo_pipeline.mapping.numbers import document_number
from fb_qbo_pipeline.pipeline.intake import partitions
from fb_qbo_pipeline.pipeline.runtime import Runtime
from fb_qbo_pipeline.posting.counts import Counts
from fb_qbo_pipeline.posting.poster import Poster, Progress
from fb_qbo_pipeline.posting.writer import Writer

ASSET_OF = {"invoice": "posted_sales", "payment": "posted_payments", "expense": "posted_bills"}


def post(runtime: Runtime, source: str, start: dt.date, end: dt.date, progress: Progress | None = None) -> Counts:
    """Post what is staged of `source` in the partitions from `start` to `end`, and keep a report of it."""
    with runtime.ledger.posting_lock() as turn:
        counts = _poster(runtime, turn, progress).post(source, start, end)
        with runtime.ledger.begin() as tx:
            if source == Source.INVOICE.value:
                woken = tx.exceptions.dates_of_payments_waiting_for(start, end) | tx.staging.dates_waiting_for_invoices(start, end)
                waiting = partitions(runtime, woken)
                elsewhere = {day for day in waiting if not start <= day <= end}
                tx.touched.note(elsewhere, "its invoice stands in QuickBooks now")
                if counts.updated or counts.voided:
                    tx.touched.note(partitions(runtime, _free_again(runtime, tx)), "its number may be free now")
            if source == Source.PAYMENT.value and (counts.updated or counts.voided):
                # QuickBooks refuses an invoice below what is applied to it, and a payment beyond what is open: where one has to
                # give way to the other, and went second, the refused one is tried again.
                refused = tx.exceptions.dates_of_refused_invoices_paid_in(start, end)
                refused |= tx.exceptions.dates_of_refused_payments_beside(start, end)
                tx.touched.note(partitions(runtime, refused), "its payments have changed in QuickBooks")
            tx.report(
                {
                    "run_id": runtime.run_id,
                    "asset": ASSET_OF[source],
                    "partition_start": start,
                    "partition_end": end,
                    "counts": counts.to_json(),
                }
            )
    return counts


def _free_again(runtime: Runtime, tx: Transaction) -> set[dt.date]:
    """Dates of invoices that are held because of a number which none of our documents has in QuickBooks any more."""
    sales = runtime.integration.sales
    rows = [row for row in tx.exceptions.unresolved() if row["code"] == Code.DUPLICATE_NUMBER and row["stage"] == MAPPING]
    held = {document_number(sales.number_prefix, row["number"]).lower(): row for row in rows if row["status"] == OPEN} if sales else {}
    taken = {number for _entity, number in tx.posted.numbers(held)}
    return {row["document_date"] for number, row in held.items() if number not in taken}


def _poster(runtime: Runtime, turn: PostingTurn, progress: Progress | None) -> Poster:
    clock, sleep = runtime.waiting.clock, runtime.waiting.sleep
    concurrency = runtime.environment.quickbooks_concurrency
    writer = Writer(runtime.quickbooks, turn, run_id=runtime.run_id, concurrency=concurrency, clock=clock, sleep=sleep)
    return Poster(
        runtime.quickbooks,
        runtime.ledger,
        turn,
        runtime.mirror,
        runtime.books,
        runtime.integration,
        writer,
        run_id=runtime.run_id,
        progress=progress,
        sleep=sleep,
    )
