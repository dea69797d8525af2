"""Raw records of a range through the mapping into the staged table; what cannot be posted is held with its reason.

Good rows flow, bad rows are held: a problem of one document never stops another. pandera validates the staged rows once
more as a table (`schemas`); a row that fails there is held as well, with the name of the check. So is a record that cannot
even be read.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from fb_qbo_pipeline.freshbooks.fields import BadRecord
from fb_qbo_pipeline.freshbooks.parsing import parse_category, parse_client, parse_item
from fb_qbo_pipeline.freshbooks.records import Client, Expense, Invoice, Payment, Unreadable, VisState
from fb_qbo_pipeline.freshbooks.unreadable import salvage
from fb_qbo_pipeline.ledger.exceptions import MAPPING
from fb_qbo_pipeline.ledger.ledger import Transaction
from fb_qbo_pipeline.ledger.posted import POSTED
from fb_qbo_pipeline.ledger.raw import PRESENT
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Code, Entity, Json, Mapped, Outcome, Problem
from fb_qbo_pipeline.mapping.expenses import map_expense
from fb_qbo_pipeline.mapping.invoices import map_invoice
from fb_qbo_pipeline.mapping.numbers import hold_duplicates
from fb_qbo_pipeline.mapping.payments import map_payment, overpaid
from fb_qbo_pipeline.mapping.rows import document_fingerprint, to_row
from fb_qbo_pipeline.mapping.unreadable import map_unreadable
from fb_qbo_pipeline.pipeline.intake import (
    PARSERS,
    document_rows,
    months,
    note_touched,
    one_row,
    raw_row,
    read_dates,
    read_lists,
    refresh_list,
)
from fb_qbo_pipeline.pipeline.runtime import Runtime
from fb_qbo_pipeline.posting.settlement import hold_row
from fb_qbo_pipeline.schemas.staged import validate_staged

Record = Invoice | Payment | Expense | Unreadable

SOURCES = ("invoice", "payment", "expense")


@dataclass
class Staged:
    """What staging decided: rows by outcome, and the held ones by code."""

    rows: list[Json] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)


def stage(runtime: Runtime, source: str, start: dt.date, end: dt.date, *, opens_exceptions: bool = True) -> Staged:
    """Map the raw records of `source` in the partitions from `start` to `end`, and keep the decisions.

    Preferences and taxes are read anew if they are older than minutes: a closing date that was set since the last sync
    holds documents before they are sent. `opens_exceptions` False: what would be held is staged so, but finance's list of
    exceptions stays as the last sync left it.
    """
    company = runtime.mirror.before_posting()
    with runtime.ledger.begin() as tx:
        records = _records(tx, source, start, end, runtime.integration.start_date)
    clients = _clients(runtime, source, records)
    with runtime.ledger.begin() as tx:
        context = Context(
            integration=runtime.integration,
            company=company,
            clients=clients,
            items=[parse_item(payload) for _state, payload in tx.raw.all("item")],
            categories={c.id: c for c in (parse_category(payload) for _state, payload in tx.raw.all("category"))},
        )
        mapped = _map(runtime, tx, source, records, context)
        if source == "payment":
            mapped = _waiting(tx, mapped, start, end, runtime.integration.start_date)
        mapped = _standing(tx, source, hold_duplicates(mapped, _taken(tx, mapped)))
        rows = [to_row(one, max(one.date, runtime.integration.start_date)) for one in mapped]
        rows = validate_staged(rows, company, runtime.integration)
        tx.staging.replace(source, start, end, rows)
        if opens_exceptions:
            _keep_exceptions(tx, source, rows)
    staged = Staged(rows)
    for row in rows:
        staged.outcomes[row["outcome"]] += 1
        staged.codes.update(problem["code"] for problem in row["problems"][:1])
    return staged


def restage(runtime: Runtime, start: dt.date, end: dt.date) -> Iterator[tuple[dt.date, dt.date]]:
    """Read and map the days from `start` to `end` anew without posting them; each month, once it is staged.

    For those who only look: nothing is written to QuickBooks, and no exception is opened or closed.
    """
    read_lists(runtime)
    for first, last in months(start, end):
        for source in SOURCES:
            read_dates(runtime, source, first, last, posts=False)
        for source in SOURCES:
            stage(runtime, source, first, last, opens_exceptions=False)
        yield first, last


def _records(tx: Transaction, source: str, start: dt.date, end: dt.date, first: dt.date) -> list[Record]:
    """The records of a range. What is dated before the start date belongs to the first partition.

    Payments of early invoices are in scope; an invoice or expense is there because it was moved back, or for its payments.
    """
    found = list(tx.raw.in_dates(source, start, end))
    if start <= first:
        found = list(tx.raw.before(source, start)) + found
    return _parsed(tx, source, found)


def _parsed(tx: Transaction, source: str, pairs: Iterable[tuple[str, Json]]) -> list[Record]:
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


def _map(runtime: Runtime, tx: Transaction, source: str, records: Sequence[Record], context: Context) -> list[Mapped]:
    if source == "payment":
        return _map_payments(runtime, tx, records, context)
    payments = _payments_by_invoice(tx, [record.id for record in records if isinstance(record, Invoice)])
    return [_map_one(record, payments.get(record.id, []), context) for record in records]


def _map_one(record: Record, payments: Sequence[Payment], context: Context) -> Mapped:
    """The decision about an invoice or expense."""
    if isinstance(record, Invoice):
        return map_invoice(record, payments, context)
    if isinstance(record, Expense):
        return map_expense(record, context)
    assert isinstance(record, Unreadable), "payments are mapped with their invoices"
    assert record.date is not None, "a kept record has a day"
    return map_unreadable(record, record.date, context)


def _map_payments(runtime: Runtime, tx: Transaction, payments: Sequence[Record], context: Context) -> list[Mapped]:
    paid = _paid_invoices(tx, payments)
    ids = set(paid.values())
    invoices = {invoice.id: invoice for invoice in _parsed(tx, "invoice", tx.raw.by_ids("invoice", ids))}
    invoices |= _fetch_invoices(runtime, tx, ids - invoices.keys())
    siblings = _payments_by_invoice(tx, ids)
    staged = tx.staging.by_ids("invoice", ids)
    sales: dict[int, Mapped] = {}
    for one in invoices.values():
        sale = _map_one(one, siblings.get(one.id, []), context)
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
    others = [one for one in _parsed(tx, "payment", tx.raw.payments_beyond_invoices(credits)) if isinstance(one, Payment)]
    found: dict[int, int] = {}
    for one in payments:
        assert isinstance(one, Payment | Unreadable)
        cause = overpaid(one, others) if isinstance(one, Payment) else None
        invoice_id = cause.invoice_id if cause is not None else one.invoice_id
        if invoice_id is not None:
            found[one.id] = invoice_id
    return found


def _payments_by_invoice(tx: Transaction, invoice_ids: Collection[int]) -> dict[int, list[Payment]]:
    found: dict[int, list[Payment]] = {}
    for payment in _parsed(tx, "payment", tx.raw.payments_of(invoice_ids)):
        if isinstance(payment, Payment) and payment.vis_state is not VisState.DELETED and payment.invoice_id is not None:
            found.setdefault(payment.invoice_id, []).append(payment)
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
    return {record.id: record for record in _parsed(tx, "invoice", tx.raw.by_ids("invoice", ids))}


def _waiting(tx: Transaction, mapped: Sequence[Mapped], start: dt.date, end: dt.date, first: dt.date) -> list[Mapped]:
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


def _clients(runtime: Runtime, source: str, records: Sequence[Record]) -> dict[int, Client]:
    """The clients that the records name; those that have never been read are asked for."""
    ids = {client for client in (_client_of(record) for record in records) if client is not None}
    missing = set()
    with runtime.ledger.begin() as tx:
        known = {c.id: c for c in (parse_client(payload) for _state, payload in tx.raw.by_ids("client", ids))}
        if source == "invoice" and ids - known.keys():
            for client, payload in runtime.reader.clients_by_id(ids - known.keys()):
                tx.raw.upsert("client", [raw_row(client, payload)])
                known[client.id] = client
        if source == "expense":
            listed = {parse_category(payload).id for _state, payload in tx.raw.all("category")}
            missing = {record.category_id for record in records if isinstance(record, Expense)} - listed
    if missing:
        refresh_list(runtime, "category")
    return known


def _client_of(record: Record) -> int | None:
    return None if isinstance(record, Unreadable) else record.client_id


def _standing(tx: Transaction, source: str, mapped: Sequence[Mapped]) -> list[Mapped]:
    """`mapped` without the exceptions of documents that a closed period holds, but that stand in QuickBooks just so."""
    kept = {one.source_id: document_fingerprint(one.document) for one in mapped if one.problems and one.document is not None}
    posted = tx.posted.by_ids(source, kept)
    fine = {i for i, document in posted.items() if document.state == POSTED and document.fingerprint == kept[i]}
    return [replace(one, outcome=Outcome.DOCUMENT, problems=()) if one.source_id in fine else one for one in mapped]


def _taken(tx: Transaction, mapped: Sequence[Mapped]) -> dict[tuple[Entity, str], int]:
    """Numbers that other documents hold: the one that stands in QuickBooks first, otherwise the oldest record."""
    numbers = [one.document.number for one in mapped if one.document is not None and one.document.number]
    batch = {one.source_id for one in mapped}  # what is being staged now has no earlier claim
    held = {key: source_id for key, source_id in tx.staging.numbers(numbers).items() if source_id not in batch}
    held |= tx.posted.numbers(numbers)
    return {(Entity(entity), number): source_id for (entity, number), source_id in held.items() if entity}


def _keep_exceptions(tx: Transaction, source: str, rows: Sequence[Json]) -> None:
    fine = []
    for row in rows:
        if row["problems"]:
            problems = [Problem(Code(p["code"]), p["reason"], p["remedy"]) for p in row["problems"]]
            first = replace(problems[0], reason=" Also: ".join(problem.reason for problem in problems))
            hold_row(tx, row, first, MAPPING)
        else:
            fine.append(row["source_id"])
    tx.exceptions.resolve(source, fine, MAPPING)
