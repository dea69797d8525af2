"""One document's story out of the ledger: what FreshBooks said, what was decided, what was sent, what stands."""

import contextlib
import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection, cast, func, or_, select
from sqlalchemy.types import Text

from fb_qbo_pipeline.json_text import load_json
from fb_qbo_pipeline.ledger.exceptions import IGNORED, OPEN, RESOLVED
from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.ledger.posted import DELETED, GONE_BY_HAND, POSTED, VOIDED, VOIDED_BY_HAND
from fb_qbo_pipeline.ledger.tables import audit, company_list, exception, outbox, posted_document, raw_record, staged_document
from fb_qbo_pipeline.mapping.documents import Outcome
from fb_qbo_pipeline.review.remedies import again

Row = dict[str, Any]

_SUGGESTED = 3


class State(NamedTuple):
    """How a document is, in a sentence, and what to do where something is to be done."""

    words: str
    remedy: str = ""


@dataclass(frozen=True)
class Story:
    """Everything the ledger knows of a document; rows are those of its tables. `categories` and `codes` are names by id."""

    record: Row | None
    staged: Row
    posted: Row | None
    exceptions: list[Row]
    writes: list[Row]
    requests: list[Row]
    categories: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)

    @property
    def exception(self) -> Row | None:
        """The unresolved exception about it."""
        return next((row for row in self.exceptions if row["status"] != RESOLVED), None)

    @property
    def state(self) -> State:
        """What matters first: whether it stands in QuickBooks as it should, and if not, why."""
        return _state(self.staged, self.posted, self.exception)

    @property
    def transaction(self) -> Row | None:
        """The transaction as QuickBooks answered the last write that was carried out; None where that is not known."""
        if self.posted is None:
            return None
        received = {call["request_id"]: call["received"] for call in self.requests if call["received"]}
        for write in reversed(self.writes):
            found = _find(received.get(write["request_id"]), write["entity"], str(self.posted["qbo_id"]))
            if found is not None:
                return found
        return None

    def to_json(self) -> Row:
        """Plain JSON; instants and dates become text when printed."""
        return {
            "state": self.state.words,
            "freshbooks": self.record["payload"] if self.record else None,
            "mapping": {name: value for name, value in self.staged.items() if name != "integration"},
            "quickbooks": self.posted,
            "transaction": self.transaction,
            "exceptions": self.exceptions,
            "writes": self.writes,
            "requests": self.requests,
        }


def _state(staged: Row, posted: Row | None, unresolved: Row | None) -> State:
    stands = posted is not None and posted["state"] == POSTED
    drift = str(posted["drift"]) if posted is not None else ""
    remedy = str(unresolved["remedy"]) if unresolved is not None and unresolved["status"] == OPEN else ""
    if unresolved is not None and unresolved["status"] == IGNORED:
        why = f"IGNORED by a person ({unresolved['ignore_reason']})"
        return State(f"{why}: {_by_hand(drift) or ('an earlier version stands in QuickBooks' if stands else 'not in QuickBooks')}")
    if drift in (GONE_BY_HAND, VOIDED_BY_HAND) and unresolved is not None:
        return State(_by_hand(drift), again(unresolved["id"]))
    if drift:
        return State(_by_hand(drift), remedy or "the next sync makes it an exception: fb-qbo exceptions")
    if unresolved is not None:
        where = "an earlier version stands in QuickBooks" if stands else "not in QuickBooks"
        return State(f"HELD, {where}: {unresolved['code']}: {unresolved['reason']}", remedy)
    if stands:
        return State("in QuickBooks, as QuickBooks last answered; fb-qbo reconcile asks it anew")
    return State(_absent(staged, posted))


def _by_hand(drift: str) -> str:
    if not drift:
        return ""
    if drift == GONE_BY_HAND:
        return "DELETED in QuickBooks by hand"
    if drift == VOIDED_BY_HAND:
        return "VOIDED in QuickBooks by hand"
    return f"CHANGED in QuickBooks by hand: {drift.removeprefix('it was changed: ')}"


def _absent(staged: Row, posted: Row | None) -> str:
    told = {VOIDED: "voided in QuickBooks", DELETED: "taken out of QuickBooks"}.get(posted["state"] if posted is not None else "", "")
    why = {
        Outcome.OUT_OF_SCOPE.value: "out of scope",
        Outcome.DELETED.value: "deleted in FreshBooks",
        Outcome.WAITING.value: "waits",
        Outcome.HELD.value: "would be held",
        Outcome.KEPT.value: "kept as it is",
    }.get(staged["outcome"], "the next sync of its day posts it")
    reason = f"{why}: {staged['reason']}" if staged["reason"] else why
    return f"{told or 'not in QuickBooks'}; {reason}"


def _find(received: str | None, entity: str, qbo_id: str) -> Row | None:
    """The transaction with this id in an answer, which is its own or that of a batch."""
    answer: Any = None
    with contextlib.suppress(ValueError):
        answer = load_json(received or "")
    if not isinstance(answer, dict):
        return None
    for part in (answer, *(answer.get("BatchItemResponse") or ())):
        found = part.get(entity) if isinstance(part, dict) else None
        if isinstance(found, dict) and str(found.get("Id")) == qbo_id and "TotalAmt" in found:
            return found
    return None


def stories(ledger: Ledger, number: str, prefixes: Collection[str] = ()) -> list[Story]:
    """The documents with this FreshBooks number, QuickBooks number or FreshBooks id; mostly one and its payments.

    `prefixes`: what the settings put before a number, so that a document that never came to QuickBooks is found by that, too.
    """
    columns = staged_document.c
    bare = [number.lower(), *(number.lower().removeprefix(prefix.lower()) for prefix in prefixes)]
    wanted = or_(func.lower(columns.label).in_(bare), func.lower(columns.number) == number.lower(), cast(columns.source_id, Text).in_(bare))
    with ledger.begin() as tx:
        statement = select(staged_document).where(columns.integration == ledger.integration, wanted)
        rows = [dict(row) for row in tx.connection.execute(statement.order_by(columns.source, columns.source_id)).mappings()]
        categories, codes = _names(tx.connection, ledger.integration) if rows else ({}, {})
        return [_story(tx.connection, ledger.integration, row, categories, codes) for row in rows]


def _story(connection: Connection, integration: str, row: Row, categories: Mapping[str, str], codes: Mapping[str, str]) -> Story:
    def of(table: Any, source: str = "source") -> list[Row]:
        c = table.c
        mine = select(table).where(c.integration == integration, c[source] == row["source"], c.source_id == row["source_id"])
        return [dict(found) for found in connection.execute(mine).mappings()]

    writes = sorted(of(outbox), key=lambda write: write["id"])
    ids = [write["request_id"] for write in writes]
    calls = select(audit).where(audit.c.integration == integration, audit.c.request_id.in_(ids)).order_by(audit.c.id)
    requests = [dict(call) for call in connection.execute(calls).mappings()]
    record, posted = of(raw_record, "resource"), of(posted_document)
    return Story(record[0] if record else None, row, posted[0] if posted else None, of(exception), writes, requests, categories, codes)


def _names(connection: Connection, integration: str) -> tuple[dict[str, str], dict[str, str]]:
    """Names by id: FreshBooks' expense categories, and QuickBooks' tax codes."""
    raw, mirrored = raw_record.c, company_list.c
    categories = select(raw.source_id, raw.payload).where(raw.integration == integration, raw.resource == "category")
    codes = select(mirrored.qbo_id, mirrored.payload).where(mirrored.integration == integration, mirrored.entity == "TaxCode")
    return (
        {str(key): str(payload.get("category") or "") for key, payload in connection.execute(categories)},
        {str(key): str(payload.get("Name") or "") for key, payload in connection.execute(codes)},
    )


def similar(ledger: Ledger, number: str) -> list[str]:
    """Numbers that a person may have meant instead of one that is not there, the nearest first."""
    columns = staged_document.c
    with ledger.begin() as tx:
        rows = tx.connection.execute(select(columns.label, columns.number).where(columns.integration == ledger.integration))
        known = {str(name).lower(): str(name) for row in rows for name in row if name}
    return [known[name] for name in difflib.get_close_matches(number.lower(), list(known), _SUGGESTED)]
