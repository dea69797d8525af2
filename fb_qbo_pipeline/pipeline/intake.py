"""FreshBooks into the ledger, by document date: a partition is a function of what FreshBooks says now.

Deleted records are asked for as well, since the ordinary lists hide them; what was there before and is in neither list is
asked for by id: it was moved to another date, or FreshBooks does not know it any more. A record that cannot be read is kept
as well: staging finds so and holds it, and the day on which somebody corrects it is a change like any other. One without a
usable id cannot be asked for: it is gone once its day, or where that cannot be read either its whole list, does not show it.
"""

import datetime as dt
import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from fb_qbo_pipeline.freshbooks.fields import BadRecord
from fb_qbo_pipeline.freshbooks.parsing import parse_expense, parse_invoice, parse_payment
from fb_qbo_pipeline.freshbooks.reader import FreshBooksReader
from fb_qbo_pipeline.freshbooks.records import Category, Client, Expense, Invoice, Item, Payment, VisState
from fb_qbo_pipeline.freshbooks.resources import EXPENSES, INVOICES, PAYMENTS
from fb_qbo_pipeline.freshbooks.unreadable import salvage
from fb_qbo_pipeline.http import Json
from fb_qbo_pipeline.ledger.ledger import Transaction
from fb_qbo_pipeline.ledger.raw import DELETED, PRESENT, UNREADABLE, Change, RawRow
from fb_qbo_pipeline.pipeline.runtime import Runtime

log = logging.getLogger(__name__)

Dated = Invoice | Payment | Expense
Listed = Client | Item | Category
LISTS = ("client", "item", "category")
DOCUMENTS = ("invoice", "payment", "expense")
PARSERS: dict[str, Callable[[Json], Dated]] = {"invoice": parse_invoice, "payment": parse_payment, "expense": parse_expense}
_RESOURCES = {"invoice": INVOICES, "payment": PAYMENTS, "expense": EXPENSES}


@dataclass(frozen=True, slots=True)
class Intake:
    """What reading a range found: records present and deleted, and how many of them were new or different."""

    present: int
    deleted: int
    changed: int


def raw_row(record: Dated | Listed, payload: Json) -> RawRow:
    """The row of a record."""
    state = DELETED if record.vis_state is VisState.DELETED else PRESENT
    if isinstance(record, Invoice | Payment | Expense):
        return RawRow(record.id, record.date, state, payload, record.invoice_id if isinstance(record, Payment) else None)
    return RawRow(record.id, None, state, payload)


def unreadable_row(resource: str, payload: Json, bad: BadRecord) -> RawRow:
    """The row of a record that was refused with `bad`, without a date where that is unreadable."""
    record = salvage(resource, payload, bad)
    state = DELETED if record.vis_state is VisState.DELETED else PRESENT
    return RawRow(record.id, record.date, state, payload, record.invoice_id)


def document_rows(
    runtime: Runtime, resource: str, read: Callable[[FreshBooksReader], Iterable[tuple[Dated, Json]]], day: dt.date
) -> Iterator[RawRow]:
    """The rows of what `read` reads, and after them those of the records that could not be read.

    One whose date is unreadable keeps the date under which it is known; a new one is given `day`.
    """
    unreadable: dict[int, RawRow] = {}

    def keep(bad: BadRecord, payload: Json) -> None:
        log.warning("%s", bad.message)
        row = unreadable_row(resource, payload, bad)
        unreadable[row.source_id] = row

    for record, payload in read(FreshBooksReader(runtime.reader.client, keep)):
        yield raw_row(record, payload)
    if unreadable:
        with runtime.ledger.begin() as tx:
            known = tx.raw.dates(resource, unreadable)
        for row in unreadable.values():
            yield row if row.date is not None else replace(row, date=known.get(row.source_id) or day)


def months(start: dt.date, end: dt.date) -> list[tuple[dt.date, dt.date]]:
    """The calendar months from `start` to `end`, both included, the first and the last cut to them."""
    found = []
    while start <= end:
        following = (start.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
        found.append((start, min(following - dt.timedelta(days=1), end)))
        start = following
    return found


def read_dates(runtime: Runtime, resource: str, start: dt.date, end: dt.date, *, posts: bool = True) -> Intake:
    """Bring the raw records of `resource` dated from `start` to `end` up to date with FreshBooks.

    Payments dated before the integration start belong to the first partition: reading that one reads them, too.
    `posts`: the caller goes on to post these dates. Otherwise what has changed in them is noted as touched, because the next
    look finds it unchanged and would never sync it.
    """
    first = resource == "payment" and start <= runtime.integration.start_date
    seen: set[int] = set()
    counts = {PRESENT: 0, DELETED: 0}

    def rows() -> Iterator[RawRow]:
        earliest = None if first else start
        for row in document_rows(runtime, resource, lambda reader: _lists(reader, resource, earliest, end), start):
            if row.date is not None and not (earliest or row.date) <= row.date <= end:
                continue  # unreadable records come unfiltered: this one belongs to another day
            seen.add(row.source_id)
            counts[row.state] += 1
            yield row

    with runtime.ledger.begin() as tx:
        changes = tx.raw.upsert(resource, rows())
        missing = tx.raw.ids_in_dates(resource, start, end) - seen
        changes += _missing(runtime, tx, resource, missing)
        changes += _corrected(tx, resource, missing, dated=True)
        if posts:
            # What is new here wakes nothing elsewhere; a payment that stands elsewhere and waits for a new invoice is woken by posting.
            edited = [c for c in changes if not c.new or not _within(c, start, end)]
            note_touched(runtime, tx, resource, edited, "edited, or moved to another date", besides=(start, end))
        else:
            note_touched(runtime, tx, resource, changes, "read without being posted")
    return Intake(counts[PRESENT], counts[DELETED], len(changes))


def _within(change: Change, start: dt.date, end: dt.date) -> bool:
    return all(day is None or start <= day <= end for day in (change.was, change.now))


def _lists(reader: FreshBooksReader, resource: str, start: dt.date | None, end: dt.date | None) -> Iterator[tuple[Dated, Json]]:
    for deleted in (False, True):
        if resource == "invoice":
            yield from reader.invoices(start, end, deleted=deleted)
        elif resource == "payment":
            yield from reader.payments(start, end, deleted=deleted)
        else:
            yield from reader.expenses(start, end, deleted=deleted)


def one_row(runtime: Runtime, tx: Transaction, resource: str, record_id: int) -> RawRow | None:
    """The row of one record as FreshBooks has it now, readable or not; None where FreshBooks does not know it."""
    payload = runtime.reader.client.read(_RESOURCES[resource], record_id)
    if payload is None:
        return None
    try:
        return raw_row(PARSERS[resource](payload), payload)
    except BadRecord as bad:
        log.warning("%s", bad.message)
        row = unreadable_row(resource, payload, bad)
        if row.date is not None:
            return row
        return replace(row, date=tx.raw.dates(resource, [record_id]).get(record_id) or runtime.today)


def _missing(runtime: Runtime, tx: Transaction, resource: str, ids: Iterable[int]) -> list[Change]:
    """What became of records that the lists do not show any more."""
    changes: list[Change] = []
    gone: list[int] = []
    for record_id in sorted(one for one in ids if one > 0):
        found = one_row(runtime, tx, resource, record_id)
        if found is None:
            gone.append(record_id)
        else:
            changes += tx.raw.upsert(resource, [found])
    if gone:
        log.info("FreshBooks does not know %d %s records any more", len(gone), resource)
        tx.raw.mark_gone(resource, gone)
    return changes


def _corrected(tx: Transaction, resource: str, missing: Collection[int], *, dated: bool) -> list[Change]:
    """Note those of the `missing` that had no usable id as gone. `dated`: only those whose day could be read."""
    gone = [
        Change(source_id, day, None, None, False)
        for source_id, (day, payload) in tx.raw.without_id(resource).items()
        if source_id in missing and (not dated or _tells_its_day(resource, payload))
    ]
    tx.raw.mark_gone(resource, [change.source_id for change in gone])
    return gone


def _tells_its_day(resource: str, payload: Json) -> bool:
    return unreadable_row(resource, payload, BadRecord(resource, "", "id", "is missing")).date is not None


def read_without_id(runtime: Runtime, resource: str, *, whole: bool) -> None:
    """Look again for the records that have no usable id, and note the days of those that are gone: they were corrected.

    Where there is none, nothing is read. `whole`: for those whose day cannot be read either, the list is read as a whole.
    """
    with runtime.ledger.begin() as tx:
        known = tx.raw.without_id(resource)
    days = {day for day, payload in known.values() if day is not None and _tells_its_day(resource, payload)}
    for day in sorted(days):
        read_dates(runtime, resource, day, day, posts=False)
    undated = {source_id for source_id, (_day, payload) in known.items() if not _tells_its_day(resource, payload)}
    if undated and whole:
        with runtime.ledger.begin() as tx:
            rows = list(document_rows(runtime, resource, lambda reader: _lists(reader, resource, None, None), runtime.today))
            changes = tx.raw.upsert(resource, rows)
            changes += _corrected(tx, resource, undated - {row.source_id for row in rows}, dated=False)
            note_touched(runtime, tx, resource, changes, "read without being posted")


def note_touched(
    runtime: Runtime, tx: Transaction, resource: str, changes: list[Change], reason: str, besides: tuple[dt.date, dt.date] | None = None
) -> int:
    """Note the partitions that changes touch, but those in `besides`: a record's old and new date, and those of what depends on it.

    A payment wakes its invoice (status, balance, a receipt's deposit account) and the invoice's later payments (it decides how
    much of the invoice they find open); an invoice wakes its payments (scope, links).
    """
    days = {day for change in changes for day in (change.was, change.now) if day is not None}
    if resource == "payment":
        invoices = {change.invoice_id for change in changes if change.invoice_id is not None}
        earliest = min(days, default=None)
        days |= {day for day in tx.raw.payment_dates(invoices) if earliest is not None and day > earliest}
        days |= {day for day in tx.raw.dates("invoice", invoices).values() if day is not None}
    if resource == "invoice":
        days |= tx.raw.payment_dates({change.source_id for change in changes})
    touched = partitions(runtime, days)
    if besides is not None:
        touched = {day for day in touched if not besides[0] <= day <= besides[1]}
    return tx.touched.note(touched, reason)


def partitions(runtime: Runtime, days: Iterable[dt.date]) -> set[dt.date]:
    """The partitions of document dates: earlier ones belong to the first, future ones to none yet."""
    first = runtime.integration.start_date
    return {max(day, first) for day in days if day <= runtime.today}


def read_lists(runtime: Runtime) -> None:
    """Read FreshBooks' clients, products and categories where they have never been read.

    With sales receipts, all payments as well: a receipt's deposit account follows from its payments, whenever they were made.
    """
    with runtime.ledger.begin() as tx:
        lists, payments = tx.cursors.get("freshbooks_lists"), tx.cursors.get("freshbooks_payments")
    if not lists:
        for resource in LISTS:
            refresh_list(runtime, resource)
        with runtime.ledger.begin() as tx:
            tx.cursors.set("freshbooks_lists", True)
    if receipts(runtime) and not payments:
        with runtime.ledger.begin() as tx:
            tx.raw.upsert("payment", document_rows(runtime, "payment", FreshBooksReader.payments, runtime.today))
            tx.cursors.set("freshbooks_payments", True)


def receipts(runtime: Runtime) -> bool:
    """Whether invoices become sales receipts."""
    sales = runtime.integration.sales
    return sales is not None and sales.post_as == "sales_receipt"


def list_rows(runtime: Runtime, resource: str, read: Callable[[FreshBooksReader], Iterable[tuple[Listed, Json]]]) -> Iterator[RawRow]:
    """The rows of a list's records that `read` reads, and after them those of the records that could not be read."""
    unreadable: dict[int, RawRow] = {}

    def keep(bad: BadRecord, payload: Json) -> None:
        log.warning("%s", bad.message)
        row = unreadable_row(resource, payload, bad)
        unreadable[row.source_id] = replace(row, state=UNREADABLE, date=None, invoice_id=None)

    for record, payload in read(FreshBooksReader(runtime.reader.client, keep)):
        yield raw_row(record, payload)
    yield from unreadable.values()


def refresh_list(runtime: Runtime, resource: str, updated_since: dt.datetime | None = None) -> list[Change]:
    """Read a list of FreshBooks, or what changed in it; what is new or different."""

    def read(reader: FreshBooksReader) -> Iterator[tuple[Listed, Json]]:
        if resource == "client":
            yield from reader.clients(updated_since)
        elif resource == "item":
            yield from reader.items(updated_since)
        else:
            yield from reader.categories()

    seen: set[int] = set()

    def rows() -> Iterator[RawRow]:
        for row in list_rows(runtime, resource, read):
            seen.add(row.source_id)
            yield row

    with runtime.ledger.begin() as tx:
        changes = tx.raw.upsert(resource, rows())
        if updated_since is None or resource == "category":
            changes += _corrected(tx, resource, tx.raw.without_id(resource).keys() - seen, dated=False)
        return changes
