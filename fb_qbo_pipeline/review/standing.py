"""Our transactions as they stand in QuickBooks now, recognised by their markers; and what became of those that are not found."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.ledger.posted import POSTED
from fb_qbo_pipeline.mapping.documents import Entity, Json
from fb_qbo_pipeline.money import ZERO
from fb_qbo_pipeline.posting.look_up import transactions_between
from fb_qbo_pipeline.posting.verify import MARKER, content, is_void, money
from fb_qbo_pipeline.quickbooks.query import Select, in_groups, is_in
from fb_qbo_pipeline.quickbooks.reader import QuickBooksReader
from fb_qbo_pipeline.review.tieout import KINDS
from fb_qbo_pipeline.settings.models import Integration

Key = tuple[str, int]  # source, FreshBooks id


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


def standing(reader: QuickBooksReader, integration: Integration, start: dt.date, end: dt.date) -> dict[Key, list[Standing]]:
    """Our transactions in QuickBooks dated from `start` to `end`, by FreshBooks document, recognised by their markers."""
    found: defaultdict[Key, list[Standing]] = defaultdict(list)
    for entity in entities(integration):
        # payments from before the start date belong to the first partition
        early = entity == Entity.PAYMENT.value and start <= integration.start_date
        since = "1970-01-01" if early else start.isoformat()
        for transaction in transactions_between(reader, entity, since, end.isoformat()):
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
    reader: QuickBooksReader, ledger: Ledger, found: Mapping[Key, list[Standing]], start: dt.date, end: dt.date
) -> dict[Key, Lost]:
    """What became, in QuickBooks, of documents that were posted and are not found in the period: read there by their ids."""
    lost: defaultdict[str, dict[str, Key]] = defaultdict(dict)
    with ledger.begin() as tx:
        for source in KINDS:
            ids = [row["source_id"] for row in tx.staging.in_partitions(source, start, end) if not found.get((source, row["source_id"]))]
            for posted in tx.posted.by_ids(source, ids).values():
                if posted.state == POSTED:
                    lost[posted.entity][posted.qbo_id] = (source, posted.source_id)
    told = {key: Lost(Fate.DELETED, f"{entity} {qbo_id} was deleted there") for entity, ids in lost.items() for qbo_id, key in ids.items()}
    for entity, by_id in lost.items():
        for group in in_groups(by_id):
            for row in reader.query(Select(entity, (is_in("Id", group),))):
                qbo_id, day = str(row["Id"]), str(row.get("TxnDate"))[:10]
                marked = MARKER.search(str(row.get("PrivateNote") or "")) is not None
                fate, how = (
                    (Fate.MOVED, f"is dated {day} there") if marked else (Fate.UNMARKED, "has lost its marker: the memo was changed there")
                )
                told[by_id[qbo_id]] = Lost(fate, f"{entity} {qbo_id} {how}")
    return told
