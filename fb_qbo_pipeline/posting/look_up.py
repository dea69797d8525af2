"""Whether a write with an unknown outcome was carried out: a question to QuickBooks' books, not to its memory of requests.

Queries may lag behind what was just created; a transaction that is read by its id does not. So a payment, which has no number
that QuickBooks would refuse a second time, is also looked for among what its invoices are linked to.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from fb_qbo_pipeline.json_text import load_json
from fb_qbo_pipeline.ledger.outbox import Entry
from fb_qbo_pipeline.mapping.documents import Json
from fb_qbo_pipeline.posting.answers import marker_in, oddity
from fb_qbo_pipeline.posting.verify import has_marker, is_void, stands
from fb_qbo_pipeline.quickbooks.query import Select, compare
from fb_qbo_pipeline.quickbooks.reader import QuickBooksReader


def transactions_between(reader: QuickBooksReader, entity: str, start: str, end: str) -> list[Json]:
    """All transactions of one type dated from `start` to `end` (ISO dates, both included). The memo cannot be asked for."""
    return reader.query(Select(entity, (compare("TxnDate", ">=", start), compare("TxnDate", "<=", end))))


def find_carried_out(reader: QuickBooksReader, entries: Sequence[Entry]) -> dict[int, Json]:
    """The transactions of those entries that were carried out, by entry id.

    Creations are found by their marker among the transactions of their dates, one query for each type, and payments
    also from their invoices; changes, voids and deletions by reading the transaction itself. A deletion that was carried
    out is an empty object. One that stands but cannot be read (`answers.oddity`) is given as well: nobody knows yet.
    """
    found: dict[int, Json] = {}
    creations: defaultdict[str, list[tuple[Entry, Json]]] = defaultdict(list)
    for entry in entries:
        body = load_json(entry.body)
        if entry.operation == "create":
            creations[entry.entity].append((entry, body))
        else:
            entity = reader.read(entry.entity, str(body["Id"]))
            if (entity and oddity(entity)) or carried_out(entry, body, entity):
                found[entry.id] = entity or {}
    for name, pairs in creations.items():
        dates = [str(body["TxnDate"]) for _, body in pairs]
        listed = transactions_between(reader, name, min(dates), max(dates))
        for entry, body in pairs:
            marker = marker_in(body)
            matches = [transaction for transaction in listed if has_marker(transaction, marker)]
            if not matches and name == "Payment":
                matches = [payment for payment in _linked_payments(reader, body, listed) if has_marker(payment, marker)]
            if matches:
                found[entry.id] = min(matches, key=_age)
    return found


def carried_out(entry: Entry, body: Json, entity: Json | None) -> bool:
    """Whether a transaction, as it stands in QuickBooks (None: it does not), is what a change, void or deletion asked for."""
    if entry.operation == "delete":
        return entity is None
    if entity is None:
        return False
    return is_void(entity) if entry.operation == "void" else stands(body, entity, repaired=bool(entry.intent.get("repair")))


def _linked_payments(reader: QuickBooksReader, body: Json, listed: Sequence[Json]) -> list[Json]:
    """The payments that the invoices of a payment are linked to, apart from those that a query has shown."""
    known = {str(payment.get("Id")) for payment in listed}
    invoices = [reader.read("Invoice", invoice) for invoice in sorted(_linked(body.get("Line"), "Invoice"))]
    ids = {found for invoice in invoices if invoice for found in _linked([invoice], "Payment")} - known
    return [payment for found in sorted(ids) if (payment := reader.read("Payment", found))]


def _linked(holders: Any, kind: str) -> set[str]:
    """The ids of linked transactions of a kind; what is no link is passed over."""
    listed = [holder.get("LinkedTxn") for holder in holders or [] if isinstance(holder, dict)]
    links = [link for links in listed if isinstance(links, list) for link in links if isinstance(link, dict)]
    return {str(link["TxnId"]) for link in links if link.get("TxnType") == kind and "TxnId" in link}


def _age(transaction: Json) -> Any:
    identifier = str(transaction.get("Id"))
    return (len(identifier), identifier)
