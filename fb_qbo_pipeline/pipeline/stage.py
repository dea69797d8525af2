"""Raw records of a range through the mapping into the staged table; what cannot be posted is held with its reason.

Good rows flow, bad rows are held: a problem of one document never stops another. pandera validates the staged rows once
more as a table (`schemas`); a row that fails there is held as well, with the name of the check. So is a record that cannot
even be read.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from fb_qbo_pipeline.chunks import chunks
from fb_qbo_pipeline.freshbooks.records import Expense, Invoice, Unreadable
from fb_qbo_pipeline.ledger.exceptions import MAPPING
from fb_qbo_pipeline.ledger.ledger import Transaction
from fb_qbo_pipeline.ledger.posted import POSTED
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Code, Entity, Json, Mapped, Outcome, Problem
from fb_qbo_pipeline.mapping.numbers import hold_duplicates, kept_claims
from fb_qbo_pipeline.mapping.rows import document_fingerprint, to_row
from fb_qbo_pipeline.pipeline.intake import list_rows, months, read_dates, read_lists, refresh_list
from fb_qbo_pipeline.pipeline.records import Lists, Record, map_one, parsed, payments_by_invoice
from fb_qbo_pipeline.pipeline.runtime import Runtime
from fb_qbo_pipeline.pipeline.stage_payments import let_wait, map_payments
from fb_qbo_pipeline.posting.settlement import hold_row
from fb_qbo_pipeline.quickbooks.company import Company
from fb_qbo_pipeline.schemas.staged import validate_staged

SOURCES = ("invoice", "payment", "expense")
PIECE = 2_000  # records mapped at a time: a record, its document and its row take some 28 kB


def stage(
    runtime: Runtime, source: str, start: dt.date, end: dt.date, *, opens_exceptions: bool = True, piece_size: int = PIECE
) -> list[Json]:
    """Map the raw records of `source` in the partitions from `start` to `end`, and keep the decisions.

    Returns the staged rows by FreshBooks id, without their documents. Records are mapped `piece_size` at a time, so that memory does
    not grow with the range; the lowest id first, because the oldest of several documents with one number keeps it.

    Preferences and taxes are read anew if they are older than minutes: a closing date that was set since the last sync
    holds documents before they are sent. `opens_exceptions` False: what would be held is staged so, but finance's list of
    exceptions stays as the last sync left it.
    """
    company = runtime.mirror.before_posting()
    # What is dated before the start date belongs to the first partition: payments of early invoices are in scope; an invoice
    # or expense is there because it was moved back, or for its payments.
    since = start if start > runtime.integration.start_date else None
    with runtime.ledger.begin() as tx:
        ids = tx.raw.ids_of_partitions(source, since, end)
        vanished = set(tx.staging.ids_in_partitions(source, start, end)).difference(ids)
    staged: list[Json] = []
    left = set(ids)
    for piece in chunks(ids, piece_size):
        with runtime.ledger.begin() as tx:
            records = parsed(tx, source, tx.raw.by_ids(source, piece))
        lists = _lists(runtime, source, records)
        with runtime.ledger.begin() as tx:
            mapped = _map(runtime, tx, source, records, _context(runtime, tx, company, lists))
            if source == "payment":
                mapped = let_wait(tx, mapped, start, end, runtime.integration.start_date)
            mapped = _standing(tx, source, hold_duplicates(mapped, _taken(tx, mapped, left)))
            rows = [to_row(one, max(one.date, runtime.integration.start_date)) for one in mapped]
            rows = validate_staged(rows, company, runtime.integration)
            tx.staging.upsert(source, rows)
            if opens_exceptions:
                _keep_exceptions(tx, source, rows)
        left.difference_update(piece)
        staged += [{name: value for name, value in row.items() if name != "document"} for row in rows]
    with runtime.ledger.begin() as tx:
        tx.staging.drop(source, vanished)
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


def _context(runtime: Runtime, tx: Transaction, company: Company, lists: Lists) -> Context:
    for resource in ("item", "category"):
        lists.add(resource, tx.raw.all(resource))
    return Context(
        integration=runtime.integration,
        company=company,
        clients=lists.clients,
        items=lists.items,
        categories=lists.categories,
        unreadable=lists.unreadable,
    )


def _map(runtime: Runtime, tx: Transaction, source: str, records: Sequence[Record], context: Context) -> list[Mapped]:
    if source == "payment":
        return map_payments(runtime, tx, records, context)
    payments = payments_by_invoice(tx, [record.id for record in records if isinstance(record, Invoice)])
    return [map_one(record, payments.get(record.id, []), context) for record in records]


def _lists(runtime: Runtime, source: str, records: Sequence[Record]) -> Lists:
    """The clients that the records name; those that have never been read are asked for, as are categories."""
    ids = {client for client in (_client_of(record) for record in records) if client is not None}
    missing = set()
    lists, listed = Lists(), Lists()
    with runtime.ledger.begin() as tx:
        lists.add("client", tx.raw.by_ids("client", ids))
        if source == "invoice" and (unknown := ids - lists.known("client")):
            rows = list(list_rows(runtime, "client", lambda reader: reader.clients_by_id(unknown)))
            tx.raw.upsert("client", rows)
            lists.add("client", ((row.state, row.payload) for row in rows))
        if source == "expense":
            listed.add("category", tx.raw.all("category"))
            missing = {record.category_id for record in records if isinstance(record, Expense)} - listed.known("category")
    if missing:
        refresh_list(runtime, "category")
    return lists


def _client_of(record: Record) -> int | None:
    return None if isinstance(record, Unreadable) else record.client_id


def _standing(tx: Transaction, source: str, mapped: Sequence[Mapped]) -> list[Mapped]:
    """`mapped` without the exceptions of documents that a closed period holds, but that stand in QuickBooks just so."""
    kept = {one.source_id: document_fingerprint(one.document) for one in mapped if one.problems and one.document is not None}
    posted = tx.posted.by_ids(source, kept)
    fine = {i for i, document in posted.items() if document.state == POSTED and document.fingerprint == kept[i]}
    return [replace(one, outcome=Outcome.DOCUMENT, problems=()) if one.source_id in fine else one for one in mapped]


def _taken(tx: Transaction, mapped: Sequence[Mapped], left: Collection[int]) -> dict[tuple[Entity, str], int]:
    """Numbers that other documents hold: the one that stands in QuickBooks first, otherwise the oldest record.

    `left` are the records that this run has yet to stage: what an earlier one has staged of them is no claim any more.
    """
    numbers = [one.document.number for one in mapped if one.document is not None and one.document.number]
    held: dict[tuple[Entity, str], int] = {}
    for entity, number, source_id in tx.staging.numbers(numbers):
        if entity and source_id not in left:
            held.setdefault((Entity(entity), number), source_id)
    return held | kept_claims(tx.posted.numbers(numbers), mapped)


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
