"""What stands in QuickBooks that the ledger does not know, seen before anything is created beside it.

A ledger can be lost or restored from an old backup, and a person or another tool may have typed a document already. The memo
cannot be asked for, so the transactions from the start date on are read once for each type and compared; from then on the
change feed tells what others have added or changed, once for each process that posts. Reads are metered: one page for a
thousand transactions, and one read an hour at most. What others do in the minutes in which documents are being posted is
not seen here, but by `fb-qbo reconcile`, which asks QuickBooks itself; a number used twice QuickBooks refuses anyway.
"""

import datetime as dt
import logging
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from fb_qbo_pipeline.chunks import chunks
from fb_qbo_pipeline.http import utc_now
from fb_qbo_pipeline.ledger.found import Found
from fb_qbo_pipeline.ledger.ledger import Ledger, Transaction
from fb_qbo_pipeline.ledger.posted import GONE_BY_HAND, POSTED, VOIDED, VOIDED_BY_HAND, Posted
from fb_qbo_pipeline.mapping.documents import Json
from fb_qbo_pipeline.posting import feed
from fb_qbo_pipeline.posting.feed import AHEAD, Ask
from fb_qbo_pipeline.posting.verify import MARKER, content, is_void, money
from fb_qbo_pipeline.quickbooks.query import Select, compare
from fb_qbo_pipeline.quickbooks.reader import Changes, QuickBooksReader
from fb_qbo_pipeline.settings.models import Integration

log = logging.getLogger(__name__)

ENTITIES = {"invoice": ("Invoice", "SalesReceipt"), "payment": ("Payment",), "expense": ("Bill", "VendorCredit")}
_CURSOR = "books"
_PROCESS = uuid.uuid4().hex  # what this process has seen, a restored backup has not
_OVERLAP = dt.timedelta(minutes=2)  # clocks differ, and a write may become visible late
_AGAIN_AFTER = dt.timedelta(hours=1)
_FEED_REACHES = dt.timedelta(days=29)  # back; QuickBooks' change data capture knows 30 days
_AT_ONCE = 500  # transactions compared in one database transaction
_FEED_HOLDS = 250  # of our own writes: an answer of the feed holds 1,000 objects, and a payment is told with its invoice and customer


class Books:
    """Keeps `Transaction.found` and the drift of posted documents true to QuickBooks."""

    def __init__(
        self,
        ledger: Ledger,
        reader: QuickBooksReader,
        integration: Integration,
        *,
        clock: Callable[[], dt.datetime] = utc_now,
        process: str = _PROCESS,
    ) -> None:
        self._ledger = ledger
        self._reader = reader
        self._account = integration.freshbooks.account_id
        self._first = integration.start_date
        self._clock = clock
        self._process = process

    def know(self, earliest: Mapping[str, dt.date]) -> bool:
        """See that all transactions of these entities dated from a day on have been read once; whether any had to be."""
        state = self._state()
        swept = {name: dt.date.fromisoformat(day) for name, day in state.get("from", {}).items()}
        due = {
            name: min(day, self._first, swept.get(name, day)) for name, day in earliest.items() if name not in swept or day < swept[name]
        }
        if due:
            self._sweep(due, state)
        return bool(due)

    def catch_up(self) -> None:
        """Take over what others have changed, unless this process has done so within the hour."""
        state = self._state()
        if not state.get("from"):
            return
        now = self._clock()
        if state["by"] == self._process and now - dt.datetime.fromisoformat(state["at"]) < _AGAIN_AFTER:
            return
        feed.catch_up(self._reader, (self,), self._clock)

    def ask(self) -> Ask | None:
        """What the change feed is to be asked; None where it cannot help: nothing has been read yet, or too long ago."""
        state = self._state()
        if not state.get("from"):
            return None
        since = dt.datetime.fromisoformat(state["since"])
        return Ask(sorted(state["from"]), since) if -AHEAD < self._clock() - since < _FEED_REACHES else None

    def take(self, changes: Changes | None, asked_at: dt.datetime) -> None:
        """Take over what the change feed has told; without it, or where it holds not all, the transactions are read again."""
        state = self._state()
        known: dict[str, str] = state.get("from", {})
        if not known:
            return
        if changes is None or not changes.complete:
            self._sweep({name: dt.date.fromisoformat(day) for name, day in known.items()}, state)
            return
        for entity in known:
            self.observe(entity, changes.by_entity.get(entity, ()))
        self._save(state | {"at": asked_at.isoformat(), "by": self._process, "since": (asked_at - _OVERLAP).isoformat(), "own": 0})

    def advance(self, latest: dt.datetime | None, written: int) -> None:
        """Note that `written` documents were posted, up to `latest` on QuickBooks' own clock.

        The feed tells our own writes, too, which costs nothing until they are so many that it cannot hold them all. Only then
        it is asked from `latest` on; what a person has changed meanwhile is found when both services are compared.
        """
        state = self._state()
        if latest is None or not state.get("from"):
            return
        own = int(state.get("own", 0)) + written
        if own > _FEED_HOLDS and latest > dt.datetime.fromisoformat(state["since"]):
            self._save(state | {"since": latest.isoformat(), "own": 0})
        else:
            self._save(state | {"own": own})

    def _sweep(self, entities: Mapping[str, dt.date], state: Json) -> None:
        started = self._clock()
        for entity, first in entities.items():
            with self._ledger.begin() as tx:
                tx.found.clear(entity)
            read = 0
            for rows in chunks(self._reader.rows(Select(entity, (compare("TxnDate", ">=", first),))), _AT_ONCE):
                self.observe(entity, rows)
                read += len(rows)
            log.info("read %d %s transactions of QuickBooks from %s on", read, entity, first)
        known = dict(state.get("from", {})) | {name: day.isoformat() for name, day in entities.items()}
        # What was swept before keeps its own mark: the feed has to reach back to the older one.
        since = min([started - _OVERLAP, *([dt.datetime.fromisoformat(state["since"])] if set(known) - set(entities) else [])])
        self._save({"from": known, "since": since.isoformat(), "at": started.isoformat(), "by": self._process})

    def observe(self, entity: str, rows: Sequence[Json]) -> None:
        """Take over transactions as QuickBooks shows them now: what a person has changed in ours, and what is not ours."""
        if not rows:
            return
        with self._ledger.begin() as tx:
            known = tx.posted.by_qbo_ids(entity, [str(row.get("Id")) for row in rows])
            under_way = {(entry.source, entry.source_id) for entry in tx.outbox.unfinished()}
            news: list[Found] = []
            gone: list[str] = []
            for row in rows:
                posted = known.get(str(row.get("Id")))
                if posted is None:
                    found = found_in(entity, row, self._account)
                    if found is None:
                        gone.append(str(row.get("Id")))
                    else:
                        news.append(found)
                elif (posted.source, posted.source_id) not in under_way:
                    self._compare(tx, posted, row)
            # Who is held because a document of ours stands twice looks again where one of the two goes, or comes.
            days = tx.found.days_of_ours(entity, gone) | self._doubled(tx, news)
            tx.touched.note({max(day, self._first) for day in days}, "stands twice in QuickBooks, or did")
            tx.found.drop(entity, [*gone, *known])
            tx.found.merge(news)

    def _doubled(self, tx: Transaction, news: Sequence[Found]) -> set[dt.date]:
        """The dates of transactions with our marker whose records the ledger has posted as others."""
        ours: defaultdict[str, list[int]] = defaultdict(list)
        for one in news:
            if one.source is not None and one.source_id is not None and one.total:
                ours[one.source].append(one.source_id)
        return {posted.document_date for source, ids in ours.items() for posted in tx.posted.by_ids(source, ids).values() if posted.stands}

    def see(self, entities: Sequence[str], since: dt.datetime, first: dt.date) -> None:
        """Look, after transactions of these types were created, what else has come meanwhile: another deployment may have posted, too.

        `since`: when that began; `first`: the earliest date of what was created.
        """
        changes = feed.asked(self._reader, Ask(sorted(entities), since - _OVERLAP))
        for entity in entities:
            if changes is not None and changes.complete:
                self.observe(entity, changes.by_entity.get(entity, ()))
            else:
                for rows in chunks(self._reader.rows(Select(entity, (compare("TxnDate", ">=", first),))), _AT_ONCE):
                    self.observe(entity, rows)

    def _compare(self, tx: Transaction, posted: Posted, row: Json) -> None:
        drift = drift_of(posted, row)
        if drift is None:
            return
        if drift != posted.drift:
            log.info("%s %s in QuickBooks: %s", posted.entity, posted.qbo_id, drift or "as it was posted again")
            tx.touched.note([max(posted.document_date, self._first)], "changed in QuickBooks")
        total = money(row, "TotalAmt") if drift and "TotalAmt" in row else None
        tx.posted.observed(posted, str(row.get("SyncToken", posted.sync_token)), drift, total)

    def _state(self) -> Json:
        with self._ledger.begin() as tx:
            state: Json = tx.cursors.get(_CURSOR) or {}
        return state

    def _save(self, state: Json) -> None:
        with self._ledger.begin() as tx:
            tx.cursors.set(_CURSOR, state)


def found_in(entity: str, row: Json, account: str) -> Found | None:
    """A transaction that the ledger did not post; None where it was deleted or belongs to another FreshBooks account."""
    if row.get("status") == "Deleted":
        return None
    marker = MARKER.search(str(row.get("PrivateNote") or ""))
    if marker is not None and marker["account"] != account:
        return None
    links = {
        str(linked.get("TxnId"))
        for line in row.get("Line") or []
        for linked in line.get("LinkedTxn") or []
        if entity == "Payment" and linked.get("TxnType") == "Invoice"
    }
    return Found(
        entity=entity,
        qbo_id=str(row["Id"]),
        document_date=dt.date.fromisoformat(str(row["TxnDate"])[:10]),
        total=money(row, "TotalAmt"),
        number=str(row["DocNumber"]) if row.get("DocNumber") else None,
        source=marker["source"] if marker else None,
        source_id=int(marker["id"]) if marker else None,
        invoices=tuple(sorted(links)),
        payload=row if marker else None,
    )


def drift_of(posted: Posted, row: Json) -> str | None:
    """What a person has changed in a posted document, empty where nothing; None where this says nothing about it.

    A feed may be older than our own last write: then its token is not newer, and a difference means nothing.
    """
    if posted.state != POSTED:
        return None
    if row.get("status") == "Deleted":
        return GONE_BY_HAND
    if content(row) == posted.content:
        return ""
    if not _newer(str(row.get("SyncToken", "")), posted.sync_token):
        return None
    if is_void(row):
        return VOIDED_BY_HAND
    pairs: dict[str, tuple[object, object]] = {
        "total": (money(row, "TotalAmt"), posted.total),
        "date": (str(row.get("TxnDate"))[:10], posted.document_date.isoformat()),
        "number": (row.get("DocNumber") or "none", posted.number or "none"),
    }
    changed = [f"{name} {found} instead of {was}" for name, (found, was) in pairs.items() if found != was]
    return f"it was changed: {'; '.join(changed) or 'its lines, its texts or who it is with'}"


def as_posted(found: Found, currency: str) -> Posted:
    """A document of ours that the ledger does not know, as if it did; what it was made from stays unknown."""
    assert found.payload is not None
    assert found.source is not None
    assert found.source_id is not None
    payload = found.payload
    return Posted(
        source=found.source,
        source_id=found.source_id,
        entity=found.entity,
        qbo_id=found.qbo_id,
        sync_token=str(payload.get("SyncToken", "0")),
        number=found.number,
        document_date=found.document_date,
        currency=str((payload.get("CurrencyRef") or {}).get("value") or currency),
        total=found.total,
        tax=money(payload, "TxnTaxDetail", "TotalTax"),
        state=VOIDED if is_void(payload) else POSTED,
        fingerprint="",
        content=content(payload),
        adopted=True,
    )


def changed_at(row: Json) -> dt.datetime | None:
    """When QuickBooks says that a transaction was last changed."""
    try:
        instant = dt.datetime.fromisoformat(str((row.get("MetaData") or {}).get("LastUpdatedTime")))
    except ValueError:
        return None
    return instant if instant.tzinfo is not None else None


def _newer(token: str, than: str) -> bool:
    if token.isdigit() and than.isdigit():
        return int(token) > int(than)
    return token != than
