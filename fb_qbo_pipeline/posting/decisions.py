"""The decisions about a range of partitions: what is staged there, against what stands in QuickBooks. Reads, never writes there."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import RowMapping

from fb_qbo_pipeline.ledger.exceptions import IGNORED
from fb_qbo_pipeline.ledger.found import Found
from fb_qbo_pipeline.ledger.ledger import Ledger, Transaction
from fb_qbo_pipeline.ledger.posted import DELETED, Posted
from fb_qbo_pipeline.mapping.documents import Outcome
from fb_qbo_pipeline.posting.books import ENTITIES, Books, as_posted
from fb_qbo_pipeline.posting.plan import GONE_BY_HAND, Action, Step, decide
from fb_qbo_pipeline.settings.models import Integration


def decide_range(
    ledger: Ledger, books: Books, integration: Integration, source: str, start: dt.date, end: dt.date, closed_until: dt.date | None
) -> list[Step]:
    """The steps for everything staged of `source` in the partitions from `start` to `end`, oldest first.

    `closed_until` is QuickBooks' closing date, None where the books are open.
    Where something would be written or held, QuickBooks' books are looked at first, and what is found there is taken into account.
    """
    steps = plan_rows(ledger, integration, source, start, end, closed_until)
    looked = books.know(_earliest(steps, source, integration))
    if any(step.action not in (Action.UNCHANGED, Action.NOTHING) for step in steps):
        books.catch_up()
        looked = True
    return plan_rows(ledger, integration, source, start, end, closed_until) if looked else steps


def plan_rows(
    ledger: Ledger, integration: Integration, source: str, start: dt.date, end: dt.date, closed_until: dt.date | None
) -> list[Step]:
    """The steps that follow from the ledger alone."""
    with ledger.begin() as tx:
        rows = tx.staging.in_partitions(source, start, end)
        posted = _standing(tx, source, rows)
        twins = _twins(tx, [row for row in rows if row["outcome"] == Outcome.DOCUMENT and row["source_id"] not in posted])
        ignored = {e["source_id"] for e in tx.exceptions.unresolved() if e["source"] == source and e["status"] == IGNORED}
    steps = []
    for row in rows:
        source_id = row["source_id"]
        if source_id in ignored:
            steps.append(Step(Action.NOTHING, row, posted.get(source_id), reason="ignored by a person", ignored=True))
        else:
            steps.append(decide(row, posted.get(source_id), integration.on_delete, twin=twins.get(source_id), closed_until=closed_until))
    return steps


def _earliest(steps: Collection[Step], source: str, integration: Integration) -> dict[str, dt.date]:
    """The first day of what might be created, by QuickBooks' types; what is deleted in FreshBooks may stand there as well."""
    found: dict[str, dt.date] = {}
    for step in steps:
        if step.posted is not None or step.row["outcome"] not in (Outcome.DOCUMENT, Outcome.DELETED):
            continue
        entity = step.row["entity"] or (ENTITIES[source][-1] if _receipts(source, integration) else ENTITIES[source][0])
        found[entity] = min(found.get(entity, step.row["document_date"]), step.row["document_date"])
    return found


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
