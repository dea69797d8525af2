"""Our transactions as they stand in QuickBooks now, recognised by their markers; and what became of those that are not found."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from fb_qbo_pipeline.chunks import chunks
from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.ledger.posted import POSTED, Posted
from fb_qbo_pipeline.mapping.documents import Entity, Json
from fb_qbo_pipeline.money import ZERO
from fb_qbo_pipeline.posting.look_up import transactions_between
from fb_qbo_pipeline.posting.verify import MARKER, content, is_void, money
from fb_qbo_pipeline.quickbooks.query import Select, in_groups, is_in
from fb_qbo_pipeline.quickbooks.reader import QuickBooksReader
from fb_qbo_pipeline.review.tieout import KINDS
from fb_qbo_pipeline.settings.models import Integration

Key = tuple[str, int]  # source, FreshBooks id

Observe = Callable[[str, Sequence[Json]], None]
"""Called with (QuickBooks' type, transactions of it as QuickBooks shows them now)."""

_AT_ONCE = 500  # transactions observed together
_READ_BY_ID = 100  # of what the lists do not show: each is a metered read


def _unobserved(_entity: str, _rows: Sequence[Json]) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One of our transactions as it stands in QuickBooks. Voided ones count as nothing."""

    entity: str
    qbo_id: str
    number: str
    date: dt.date
    currency: str
    total: Decimal
    balance: Decimal | None
    content: str = ""
    sync_token: str = ""


class Fate(StrEnum):
    """What became of a document that was posted and is not found."""

    DELETED = "deleted"
    MOVED = "moved"  # it has another date
    UNMARKED = "unmarked"  # nobody can tell any more whose it is


class Lost(NamedTuple):
    """What became of a document in QuickBooks, for the program and in words."""

    fate: Fate
    words: str


def entities(integration: Integration) -> list[str]:
    """The QuickBooks transaction types that the settings can produce; sales may be of either type from before a change."""
    names: list[Entity] = []
    if integration.sales is not None:
        names += [Entity.INVOICE, Entity.SALES_RECEIPT]
    if integration.payments is not None:
        names.append(Entity.PAYMENT)
    if integration.expenses is not None:
        names += [Entity.BILL, Entity.VENDOR_CREDIT]
    return [name.value for name in names]


def standing(
    reader: QuickBooksReader, integration: Integration, start: dt.date, end: dt.date, observe: Observe = _unobserved
) -> dict[Key, list[Standing]]:
    """Our transactions in QuickBooks dated from `start` to `end`, by FreshBooks document, recognised by their markers.

    `observe` hears of every transaction that was read, ours or not.
    """
    found: defaultdict[Key, list[Standing]] = defaultdict(list)
    for entity in entities(integration):
        # payments from before the start date belong to the first partition
        early = entity == Entity.PAYMENT.value and start <= integration.start_date
        since = "1970-01-01" if early else start.isoformat()
        for group in chunks(transactions_between(reader, entity, since, end.isoformat()), _AT_ONCE):
            observe(entity, group)
            for transaction in group:
                key = marked(transaction, integration.freshbooks.account_id)
                if key is not None:
                    found[key].append(_standing(entity, transaction))
    return dict(found)


def marked(transaction: Json, account_id: str) -> Key | None:
    """Which FreshBooks document a transaction was made from; None for what is not ours."""
    match = MARKER.search(str(transaction.get("PrivateNote") or ""))
    if match is None or match["account"] != account_id:
        return None
    return match["source"], int(match["id"])


def _standing(entity: str, transaction: Json) -> Standing:
    sign = -1 if entity == Entity.VENDOR_CREDIT.value else 1
    void = is_void(transaction)
    return Standing(
        entity=entity,
        qbo_id=str(transaction["Id"]),
        number=str(transaction.get("DocNumber") or ""),
        date=dt.date.fromisoformat(str(transaction["TxnDate"])[:10]),
        currency=str((transaction.get("CurrencyRef") or {}).get("value") or ""),
        total=ZERO if void else sign * money(transaction, "TotalAmt"),
        balance=money(transaction, "Balance") if entity == Entity.INVOICE.value and not void else None,
        content=content(transaction),
        sync_token=str(transaction.get("SyncToken") or ""),
    )


def whereabouts(
    reader: QuickBooksReader,
    ledger: Ledger,
    found: dict[Key, list[Standing]],
    start: dt.date,
    end: dt.date,
    observe: Observe = _unobserved,
) -> dict[Key, Lost]:
    """What became, in QuickBooks, of documents that were posted and are not found in the period: read there by their ids.

    Lists may be some seconds behind, so what they do not show is read by itself before it counts as deleted; what stands there as
    it should is added to `found`. `observe` hears of everything that was read, and of deleted ones as the change feed tells them.
    """
    lost: defaultdict[str, dict[str, Posted]] = defaultdict(dict)
    with ledger.begin() as tx:
        for source in KINDS:
            ids = [row["source_id"] for row in tx.staging.in_partitions(source, start, end) if not found.get((source, row["source_id"]))]
            for posted in tx.posted.by_ids(source, ids).values():
                if posted.state == POSTED:
                    lost[posted.entity][posted.qbo_id] = posted
    told: dict[Key, Lost] = {}
    for entity, by_id in lost.items():
        rows = {str(row["Id"]): row for group in in_groups(by_id) for row in reader.query(Select(entity, (is_in("Id", group),)))}
        for qbo_id in [qbo_id for qbo_id in by_id if qbo_id not in rows][:_READ_BY_ID]:
            if (row := reader.read(entity, qbo_id)) is not None:
                rows[qbo_id] = row
        deleted: list[Json] = [{"Id": qbo_id, "status": "Deleted"} for qbo_id in list(by_id.keys() - rows.keys())[:_READ_BY_ID]]
        observe(entity, [*rows.values(), *deleted])
        for qbo_id, posted in by_id.items():
            key = (posted.source, posted.source_id)
            where = _where(rows.get(qbo_id), start, end)
            if where is None:
                found[key] = [_standing(entity, rows[qbo_id])]
            else:
                fate, how = where
                told[key] = Lost(fate, f"{entity} {qbo_id} {how}")
    return told


def _where(row: Json | None, start: dt.date, end: dt.date) -> tuple[Fate, str] | None:
    """Why a transaction was not found among those of the period; None where it belongs there."""
    if row is None:
        return Fate.DELETED, "was deleted there"
    if MARKER.search(str(row.get("PrivateNote") or "")) is None:
        return Fate.UNMARKED, "has lost its marker: the memo was changed there"
    day = str(row.get("TxnDate"))[:10]
    return None if start.isoformat() <= day <= end.isoformat() else (Fate.MOVED, f"is dated {day} there")
