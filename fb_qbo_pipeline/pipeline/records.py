"""Raw records of the ledger as the records that they are, and the decision about each.

What FreshBooks does not know any more counts as deleted; what cannot be read is a record, too, so that it is held and not lost.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from fb_qbo_pipeline.freshbooks.fields import BadRecord
from fb_qbo_pipeline.freshbooks.parsing import parse_category, parse_client, parse_item
from fb_qbo_pipeline.freshbooks.records import Category, Client, Expense, Invoice, Item, Payment, Unreadable, VisState
from fb_qbo_pipeline.freshbooks.unreadable import salvage
from fb_qbo_pipeline.ledger.ledger import Transaction
from fb_qbo_pipeline.ledger.raw import GONE, PRESENT
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
        record = salvage(source, payload, bad)
    return record if state == PRESENT else replace(record, vis_state=VisState.DELETED)


@dataclass
class Lists:
    """FreshBooks' lists as last read, and those of their members that cannot be read."""

    clients: dict[int, Client] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    categories: dict[int, Category] = field(default_factory=dict)
    unreadable: list[Unreadable] = field(default_factory=list)

    def add(self, resource: str, pairs: Iterable[tuple[str, Json]]) -> None:
        """Add raw records of `resource` (client, item or category) but those that are gone."""
        for state, payload in pairs:
            if state == GONE:
                continue
            try:
                if resource == "client":
                    client = parse_client(payload)
                    self.clients[client.id] = client
                elif resource == "item":
                    self.items.append(parse_item(payload))
                else:
                    category = parse_category(payload)
                    self.categories[category.id] = category
            except BadRecord as bad:
                self.unreadable.append(salvage(resource, payload, bad))

    def known(self, resource: str) -> set[int]:
        """Ids of the clients or categories that are there, whether they can be read or not."""
        readable: Collection[int] = self.clients if resource == "client" else self.categories
        return {*readable, *(one.id for one in self.unreadable if one.resource == resource)}


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
