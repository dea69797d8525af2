"""Raw records of a range through the mapping into the staged table; what cannot be posted is held with its reason.

Good rows flow, bad rows are held: a problem of one document never stops another. pandera validates the staged rows once
more as a table (`schemas`); a row that fails there is held as well, with the name of the check.
"""

import datetime as dt
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fb_qbo_pipeline.freshbooks.fields import BadRecord
from fb_qbo_pipeline.freshbooks.parsing import parse_category, parse_client, parse_expense, parse_invoice, parse_item, parse_payment
from fb_qbo_pipeline.freshbooks.records import Client, Expense, Invoice, Payment, VisState
from fb_qbo_pipeline.ledger.exceptions import MAPPING
from fb_qbo_pipeline.ledger.ledger import Transaction
from fb_qbo_pipeline.ledger.posted import POSTED
from fb_qbo_pipeline.ledger.raw import PRESENT
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Code, Entity, Json, Mapped, Outcome, Problem
from fb_qbo_pipeline.mapping.expenses import map_expense
from fb_qbo_pipeline.mapping.invoices import map_invoice
from fb_qbo_pipeline.mapping.numbers import hold_duplicates
from fb_qbo_pipeline.mapping.payments import map_payment
from fb_qbo_pipeline.mapping.rows import document_fingerprint, to_row
from fb_qbo_pipeline.pipeline.intake import months, raw_row, read_dates, read_lists, refresh_list
from fb_qbo_pipeline.pipeline.runtime import Runtime
from fb_qbo_pipeline.posting.settlement import hold_row
from fb_qbo_pipeline.schemas.staged import validate_staged

log = logging.getLogger(__name__)

SOURCES = ("invoice", "payment", "expense")


@dataclass
class Staged:
    """What staging decided: rows by outcome, and the held ones by code."""

    rows: list[Json] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)


def stage(runtime: Runtime, source: str, start: dt.date, end: dt.date) -> Staged:
    """Map the raw records of `source` in the partitions from `start` to `end`, and keep the decisions."""
    company = runtime.mirror.company()
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
        mapped = _standing(tx, source, hold_duplicates(mapped, _taken(tx, mapped)))
        rows = [to_row(one, max(one.date, runtime.integration.start_date)) for one in mapped]
        rows = validate_staged(rows, company, runtime.integration)
        tx.staging.replace(source, start, end, rows)
        _keep_exceptions(tx, source, rows)
    staged = Staged(rows)
    for row in rows:
        staged.outcomes[row["outcome"]] += 1
        staged.codes.update(problem["code"] for problem in row["problems"][:1])
    return staged


def restage(runtime: Runtime, start: dt.date, end: dt.date) -> Iterator[tuple[dt.date, dt.date]]:
    """Read and map the days from `start` to `end` anew without posting them; each month, once it is staged."""
    read_lists(runtime)
    for first, last in months(start, end):
        for source in SOURCES:
            read_dates(runtime, source, first, last, posts=False)
        for source in SOURCES:
            stage(runtime, source, first, last)
        yield first, last


def _records(tx: Transaction, source: str, start: dt.date, end: dt.date, first: dt.date) -> list[tuple[str, Json]]:
    """State and payload of a range. What is dated before the start date belongs to the first partition.

    Payments of early invoices are in scope; an invoice or expense is there because it was moved back, or for its payments.
    """
    found = list(tx.raw.in_dates(source, start, end))
    if start <= first:
        found = list(tx.raw.before(source, start)) + found
    return found


def _parsed(
    pairs: Iterable[tuple[str, Json]], parse: Callable[[Json], "Invoice | Payment | Expense"]
) -> list["Invoice | Payment | Expense"]:
    """Records, with what FreshBooks does not know any more counted as deleted."""
    records = []
    for state, payload in pairs:
        record = parse(payload)
        records.append(record if state == PRESENT else replace(record, vis_state=VisState.DELETED))
    return records


def _invoices(pairs: Iterable[tuple[str, Json]]) -> list[Invoice]:
    return [record for record in _parsed(pairs, parse_invoice) if isinstance(record, Invoice)]


def _payments(pairs: Iterable[tuple[str, Json]]) -> list[Payment]:
    return [record for record in _parsed(pairs, parse_payment) if isinstance(record, Payment)]


def _map(runtime: Runtime, tx: Transaction, source: str, records: Sequence[tuple[str, Json]], context: Context) -> list[Mapped]:
    if source == "expense":
        return [map_expense(record, context) for record in _parsed(records, parse_expense) if isinstance(record, Expense)]
    if source == "invoice":
        invoices = _invoices(records)
        payments = _payments_by_invoice(tx, [invoice.id for invoice in invoices])
        return [map_invoice(invoice, payments.get(invoice.id, []), context) for invoice in invoices]
    return _map_payments(runtime, tx, _payments(records), context)


def _map_payments(runtime: Runtime, tx: Transaction, payments: Sequence[Payment], context: Context) -> list[Mapped]:
    ids = {payment.invoice_id for payment in payments if payment.invoice_id is not None}
    invoices = {invoice.id: invoice for invoice in _invoices(tx.raw.by_ids("invoice", ids))}
    invoices |= _fetch_invoices(runtime, tx, ids - invoices.keys())
    siblings = _payments_by_invoice(tx, ids)
    staged = tx.staging.by_ids("invoice", ids)
    sales: dict[int, Mapped] = {}
    for invoice in invoices.values():
        sale = map_invoice(invoice, siblings.get(invoice.id, []), context)
        row = staged.get(invoice.id)
        if row is not None and row["outcome"] == Outcome.HELD and sale.outcome is Outcome.DOCUMENT:
            sale = replace(sale, outcome=Outcome.HELD)  # held for what only the table shows: a duplicate number, a failed check
        sales[invoice.id] = sale
    mapped = []
    for payment in payments:
        key = payment.invoice_id or 0
        mapped.append(map_payment(payment, invoices.get(key), siblings.get(key, []), sales.get(key), context))
    return mapped


def _payments_by_invoice(tx: Transaction, invoice_ids: Collection[int]) -> dict[int, list[Payment]]:
    found: dict[int, list[Payment]] = {}
    for payment in _payments(tx.raw.payments_of(invoice_ids)):
        if payment.vis_state is not VisState.DELETED and payment.invoice_id is not None:
            found.setdefault(payment.invoice_id, []).append(payment)
    return found


def _fetch_invoices(runtime: Runtime, tx: Transaction, ids: Collection[int]) -> Mapping[int, Invoice]:
    """Invoices of payments that have not been read yet: older than the range, or than the start date.

    Lists hide deleted invoices, so what is missing there is asked for one by one.
    """
    records = list(runtime.reader.invoices_by_id(ids)) if ids else []
    for missing in sorted(set(ids) - {invoice.id for invoice, _payload in records}):
        one = _readable_invoice(runtime, missing)
        if one is not None:
            records.append(one)
    for invoice, payload in records:
        tx.raw.upsert("invoice", [raw_row(invoice, payload)])
    return {invoice.id: invoice for invoice, _payload in records}


def _readable_invoice(runtime: Runtime, invoice_id: int) -> tuple[Invoice, Json] | None:
    try:
        return runtime.reader.invoice(invoice_id)
    except BadRecord as bad:  # its payment waits for it, and says so
        log.warning("%s", bad.message)
        return None


def _clients(runtime: Runtime, source: str, records: Sequence[tuple[str, Json]]) -> dict[int, Client]:
    """The clients that the records name; those that have never been read are asked for."""
    key = {"invoice": "customerid", "payment": "clientid", "expense": "clientid"}[source]
    ids = {int(payload[key]) for _state, payload in records if payload.get(key)}
    with runtime.ledger.begin() as tx:
        known = {c.id: c for c in (parse_client(payload) for _state, payload in tx.raw.by_ids("client", ids))}
        if source == "invoice" and ids - known.keys():
            for client, payload in runtime.reader.clients_by_id(ids - known.keys()):
                tx.raw.upsert("client", [raw_row(client, payload)])
                known[client.id] = client
        if source == "expense":
            listed = {int(c["categoryid"]) for _state, c in tx.raw.all("category")}
            missing = {int(p["categoryid"]) for _state, p in records if p.get("categoryid")} - listed
    if source == "expense" and missing:
        refresh_list(runtime, "category")
    return known


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
