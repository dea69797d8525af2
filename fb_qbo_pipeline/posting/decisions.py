"""The decisions about a range of partitions: what is staged there, against what stands in QuickBooks. Reads, never writes there."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping

from fb_qbo_pipeline.chunks import chunks
from fb_qbo_pipeline.ledger.decisions import POST
from fb_qbo_pipeline.ledger.exceptions import IGNORED
from fb_qbo_pipeline.ledger.found import Found
from fb_qbo_pipeline.ledger.ledger import Ledger, Transaction
from fb_qbo_pipeline.ledger.posted import DELETED, GONE_BY_HAND, Posted
from fb_qbo_pipeline.mapping.documents import Outcome
from fb_qbo_pipeline.posting.books import ENTITIES, Books, as_posted
from fb_qbo_pipeline.posting.plan import Action, Step, decide
from fb_qbo_pipeline.settings.models import Integration

PIECE = 2_000  # documents decided about at a time: a row with its document takes some 15 kB


@dataclass(frozen=True)
class Decisions:
    """The steps for everything staged in a range, some at a time, oldest first. `due`: how many of them write something."""

    due: int
    pieces: Iterator[list[Step]]


def decide_range(
    ledger: Ledger,
    books: Books,
    integration: Integration,
    source: str,
    start: dt.date,
    end: dt.date,
    closed_until: dt.date | None,
    *,
    piece_size: int = PIECE,
) -> Decisions:
    """Decide about everything staged of `source` in the partitions from `start` to `end`, `piece_size` documents at a time.

    `closed_until` is QuickBooks' closing date, None where the books are open.
    Where something would be written or held, QuickBooks' books are looked at first, and what is found there is taken into account.
    """
    with ledger.begin() as tx:
        ids = tx.staging.ids_in_partitions(source, start, end)

    def decided() -> Iterator[list[Step]]:
        for piece in chunks(ids, piece_size):
            yield plan_rows(ledger, source, piece, closed_until)

    earliest: dict[str, dt.date] = {}
    due = news = 0
    for steps in decided():
        _note_earliest(earliest, steps, source, integration)
        due += sum(step.writes for step in steps)
        news += sum(step.action not in (Action.UNCHANGED, Action.NOTHING) for step in steps)
    books.know(earliest)
    if news:
        books.catch_up()
    return Decisions(due, decided())


def plan_rows(ledger: Ledger, source: str, ids: Collection[int], closed_until: dt.date | None) -> list[Step]:
    """The steps for these staged records that follow from the ledger alone, oldest first."""
    with ledger.begin() as tx:
        rows = list(tx.staging.by_ids(source, ids).values())
        posted = _standing(tx, source, rows)
        doubles = tx.found.doubles(source, {source_id: one.qbo_id for source_id, one in posted.items() if one.stands and one.fingerprint})
        wanted = tx.decisions.fingerprints(POST, source, [row["source_id"] for row in rows])
        new = [row for row in rows if row["outcome"] == Outcome.DOCUMENT and row["source_id"] not in posted]
        twins = _twins(tx, [row for row in new if (row["source_id"], row["fingerprint"]) not in wanted])
        held = {e["source_id"]: e for e in tx.exceptions.unresolved() if e["source"] == source}
    steps = []
    for row in rows:
        stands, exception = posted.get(row["source_id"]), held.get(row["source_id"])
        if exception is not None and exception["status"] == IGNORED:
            steps.append(Step(Action.NOTHING, row, stands, reason="ignored by a person", ignored=True))
        else:
            twin = twins.get(row["source_id"])
            double = doubles.get(row["source_id"])
            steps.append(decide(row, stands, twin=twin, double=double, held=exception, closed_until=closed_until))
    return steps


def _note_earliest(earliest: dict[str, dt.date], steps: Collection[Step], source: str, integration: Integration) -> None:
    """Note the first day of what might be created, by QuickBooks' types; what is deleted in FreshBooks may stand there as well."""
    for step in steps:
        if step.posted is not None or step.row["outcome"] not in (Outcome.DOCUMENT, Outcome.DELETED):
            continue
        entity = step.row["entity"] or (ENTITIES[source][-1] if _receipts(source, integration) else ENTITIES[source][0])
        earliest[entity] = min(earliest.get(entity, step.row["document_date"]), step.row["document_date"])


def _receipts(source: str, integration: Integration) -> bool:
    return source == "invoice" and integration.sales is not None and integration.sales.post_as == "sales_receipt"


def _standing(tx: Transaction, source: str, rows: Collection[RowMapping]) -> dict[int, Posted]:
    """What stands in QuickBooks, by source id: as the ledger knows it, or else as it was found there."""
    ids = [row["source_id"] for row in rows]
    posted = tx.posted.by_ids(source, ids)
    currencies = {row["source_id"]: row["currency"] for row in rows}
    for source_id, found in tx.found.of_records(source, ids).items():
        known = posted.get(source_id)
        if known is None or known.state == DELETED or known.drift == GONE_BY_HAND:
            posted[source_id] = as_posted(found, currencies[source_id])
    return posted


def _twins(tx: Transaction, rows: Collection[RowMapping]) -> dict[int, Found]:
    """Transactions that a person or another tool has made of the same records, as it seems, by source id."""
    by_entity: defaultdict[str, list[RowMapping]] = defaultdict(list)
    for row in rows:
        by_entity[row["entity"]].append(row)
    twins: dict[int, Found] = {}
    for entity, group in by_entity.items():
        if entity == "Payment":
            twins |= _payment_twins(tx, group)
            continue
        numbers = {row["number"].lower(): row for row in group if row["number"]}
        for found in tx.found.with_numbers(entity, list(numbers)):
            row = numbers[str(found.number).lower()]
            if row["total"] == found.total:
                twins[row["source_id"]] = found
    return twins


def _payment_twins(tx: Transaction, rows: Collection[Mapping[Any, Any]]) -> dict[int, Found]:
    needed = [row["requires_invoice"] for row in rows if row["requires_invoice"] is not None]
    invoices = {source_id: posted.qbo_id for source_id, posted in tx.posted.by_ids("invoice", needed).items()}
    twins: dict[int, Found] = {}
    for found in tx.found.payments_of(list(invoices.values())):
        for row in rows:
            same = row["document_date"] == found.document_date and row["total"] == found.total
            if same and invoices.get(row["requires_invoice"]) in found.invoices and row["source_id"] not in twins:
                twins[row["source_id"]] = found
                break
    return twins
