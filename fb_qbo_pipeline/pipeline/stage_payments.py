"""Payments into decisions: each with its invoice, the other payments of that one, and what became of it.

An invoice that has not been read yet is asked for. One of a day that no run has synced lets its payment wait.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import replace

from fb_qbo_pipeline.freshbooks.records import Invoice, Payment, Unreadable
from fb_qbo_pipeline.ledger.ledger import Transaction
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Mapped, Outcome
from fb_qbo_pipeline.mapping.payments import map_payment, overpaid
from fb_qbo_pipeline.mapping.unreadable import map_unreadable
from fb_qbo_pipeline.pipeline.intake import document_rows, note_touched, one_row
from fb_qbo_pipeline.pipeline.records import Record, map_one, parsed, payments_by_invoice
from fb_qbo_pipeline.pipeline.runtime import Runtime


def map_payments(runtime: Runtime, tx: Transaction, payments: Sequence[Record], context: Context) -> list[Mapped]:
    """The decisions about `payments`, in their order."""
    paid = _paid_invoices(tx, payments)
    ids = set(paid.values())
    invoices = {invoice.id: invoice for invoice in parsed(tx, "invoice", tx.raw.by_ids("invoice", ids))}
    invoices |= _fetch_invoices(runtime, tx, ids - invoices.keys())
    siblings = payments_by_invoice(tx, ids)
    staged = tx.staging.by_ids("invoice", ids)
    sales: dict[int, Mapped] = {}
    for one in invoices.values():
        sale = map_one(one, siblings.get(one.id, []), context)
        row = staged.get(one.id)
        if row is not None and row["outcome"] == Outcome.HELD and sale.outcome is Outcome.DOCUMENT:
            sale = replace(sale, outcome=Outcome.HELD)  # held for what only the table shows: a duplicate number, a failed check
        sales[one.id] = sale
    mapped = []
    for payment in payments:
        assert isinstance(payment, Payment | Unreadable)
        key = paid.get(payment.id, 0)
        if isinstance(payment, Payment):
            invoice = invoices.get(key)
            readable = invoice if isinstance(invoice, Invoice) else None
            mapped.append(map_payment(payment, readable, siblings.get(key, []), sales.get(key), context))
        else:
            assert payment.date is not None, "a kept record has a day"
            mapped.append(map_unreadable(payment, payment.date, context, sales.get(key)))
    return mapped


def _paid_invoices(tx: Transaction, payments: Sequence[Record]) -> dict[int, int]:
    """The invoice of each payment, by the payment's id: its own, or the one that it overpaid."""
    credits = {one.credit_id for one in payments if isinstance(one, Payment) and one.invoice_id is None and one.credit_id is not None}
    others = [one for one in parsed(tx, "payment", tx.raw.payments_beyond_invoices(credits)) if isinstance(one, Payment)]
    found: dict[int, int] = {}
    for one in payments:
        assert isinstance(one, Payment | Unreadable)
        cause = overpaid(one, others) if isinstance(one, Payment) else None
        invoice_id = cause.invoice_id if cause is not None else one.invoice_id
        if invoice_id is not None:
            found[one.id] = invoice_id
    return found


def _fetch_invoices(runtime: Runtime, tx: Transaction, ids: Collection[int]) -> dict[int, Record]:
    """Invoices of payments that have not been read yet: older than the range, or than the start date.

    Lists hide deleted invoices, so what is missing there is asked for one by one.
    """
    if not ids:
        return {}
    rows = list(document_rows(runtime, "invoice", lambda reader: reader.invoices_by_id(ids), runtime.today))
    for missing in sorted(set(ids) - {row.source_id for row in rows}):
        one = one_row(runtime, tx, "invoice", missing)
        if one is not None:
            rows.append(one)
    changes = tx.raw.upsert("invoice", rows)
    note_touched(runtime, tx, "invoice", changes, "read for its payments")  # the next look will find them unchanged
    return {record.id: record for record in parsed(tx, "invoice", tx.raw.by_ids("invoice", ids))}


def let_wait(tx: Transaction, mapped: Sequence[Mapped], start: dt.date, end: dt.date, first: dt.date) -> list[Mapped]:
    """`mapped` with those payments waiting whose invoice is of a day that this run does not sync, and that no run has synced.

    Nothing is wrong with them, so there is no exception: the run that posts the invoice wakes its payments.
    """
    needed = {one.document.requires_invoice for one in mapped if one.document is not None and one.document.requires_invoice is not None}
    posted = tx.posted.by_ids("invoice", needed)
    held = {row["source_id"] for row in tx.exceptions.unresolved() if row["source"] == "invoice"} if needed - posted.keys() else set()
    dates = tx.raw.dates("invoice", needed - posted.keys() - held)
    result = []
    for one in mapped:
        day = dates.get(one.document.requires_invoice or 0) if one.document is not None and one.outcome is Outcome.DOCUMENT else None
        if day is not None and not start <= max(day, first) <= end:
            reason = f"its invoice {one.label} of {day.isoformat()} has not been synced yet: it follows with that day"
            one = replace(one, outcome=Outcome.WAITING, reason=reason)
        result.append(one)
    return result
