"""Raw records of the ledger as the records that they are, and the decision about each.

What FreshBooks does not know any more counts as deleted; what cannot be read is a record, too, so that it is held and not lost.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from fb_qbo_pipeline.freshbooks.fields import BadRecord
from fb_qbo_pipeline.freshbooks.records import Expense, Invoice, Payment, Unreadable, VisState
from fb_qbo_pipeline.freshbooks.unreadable import salvage
from fb_qbo_pipeline.ledger.ledger import Transaction
from fb_qbo_pipeline.ledger.raw import PRESENT
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Json, Mapped
from fb_qbo_pipeline.mapping.expenses import map_expense
from fb_qbo_pipeline.mapping.invoices import map_invoice
from fb_qbo_pipeline.mapping.unreadable import map_unreadable
from fb_qbo_pipeline.pipeline.intake import PARSERS

Record = Invoice | Payment | Expense | Unreadable


def parsed(tx: Transaction, source: str, pairs: Iterable[tuple[str, Json]]) -> list[Record]:
    """Records, with what FreshBooks does not know any more counted as deleted; unreadable ones with the day they are kept under."""
    records = [_read(source, state, payload) for state, payload in pairs]
    days = tx.raw.dates(source, [r.id for r in records if isinstance(r, Unreadable) and r.date is None])
    return [replace(r, date=days[r.id]) if isinstance(r, Unreadable) and r.id in days else r for r in records]


def _read(source: str, state: str, payload: Json) -> Record:
    record: Record
    try:
        record = PARSERS[source](payload)
    except BadRecord as bad:
        salvaged = salvage(source, payload, bad)
        assert salvaged is not None, "a record without an id is not kept"
        record = salvaged
    return record if state == PRESENT else replace(record, vis_state=VisState.DELETED)


def payments_by_invoice(tx: Transaction, invoice_ids: Collection[int]) -> dict[int, list[Payment]]:
    """The payments of these invoices that are not deleted, by invoice."""
    found: dict[int, list[Payment]] = {}
    for payment in parsed(tx, "payment", tx.raw.payments_of(invoice_ids)):
        if isinstance(payment, Payment) and payment.vis_state is not VisState.DELETED and payment.invoice_id is not None:
            found.setdefault(payment.invoice_id, []).append(payment)
    return found


def map_one(record: Record, payments: Sequence[Payment], context: Context) -> Mapped:
    """The decision about an invoice or expense."""
    if isinstance(record, Invoice):
        return map_invoice(record, payments, context)
    if isinstance(record, Expense):
        return map_expense(record, context)
    assert isinstance(record, Unreadable), "payments are mapped with their invoices"
    assert record.date is not None, "a kept record has a day"
    return map_unreadable(record, record.date, context)
