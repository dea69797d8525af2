"""Both sides read anew and compared document by document: proof that does not rest on what the pipeline remembers.

FreshBooks' documents of the period go through the mapping to see what should stand in QuickBooks; QuickBooks' transactions
of the period are recognised by their markers. What is missing, double, strange or different is named. The ledger's memory
only explains: which documents are held, where one that is missing has gone, and whether somebody has edited one since.
"""

import contextlib
import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from fb_qbo_pipeline.freshbooks.fields import BadRecord
from fb_qbo_pipeline.freshbooks.parsing import parse_payment
from fb_qbo_pipeline.freshbooks.records import Payment
from fb_qbo_pipeline.ledger.exceptions import IGNORED
from fb_qbo_pipeline.ledger.ledger import Ledger, Transaction
from fb_qbo_pipeline.ledger.posted import POSTED, Posted
from fb_qbo_pipeline.ledger.raw import PRESENT
from fb_qbo_pipeline.mapping.documents import Code, Json, Outcome
from fb_qbo_pipeline.money import ZERO, round_half_up
from fb_qbo_pipeline.review.standing import Key, Standing, standing, whereabouts
from fb_qbo_pipeline.review.tieout import KINDS, Line, by_month

__all__ = ["Compared", "Finding", "Reconciliation", "Standing", "compare", "standing", "whereabouts"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not agree: which document, and how."""

    source: str
    source_id: int
    number: str
    date: dt.date
    problem: str


@dataclass(frozen=True, slots=True)
class Compared:
    """One document on both sides: amounts with their signs, `qbo` the QuickBooks transactions ("Invoice 12"), `state` in a word.

    `code`, `reason` and `remedy` are those of the exception that holds it; '' where none does.
    """

    source: str
    source_id: int
    number: str
    party: str
    date: dt.date
    currency: str
    freshbooks: Decimal
    quickbooks: Decimal
    qbo: str
    state: str
    code: str = ""
    reason: str = ""
    remedy: str = ""


@dataclass
class Reconciliation:
    """The tie-out of a period, read from both sides. Held documents explain a gap; `documents` are all that were compared."""

    start: dt.date
    end: dt.date
    lines: list[Line] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    documents: list[Compared] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Whether every document stands in QuickBooks once, with equal amounts, or is held."""
        return not self.findings and all(line.difference == ZERO for line in self.lines)


def compare(
    ledger: Ledger,
    found: Mapping[Key, list[Standing]],
    start: dt.date,
    end: dt.date,
    period: Callable[[dt.date], str] = by_month,
    lost: Mapping[Key, str] = MappingProxyType({}),
) -> Reconciliation:
    """Compare what was staged for the partitions from `start` to `end` with what was found in QuickBooks.

    `lost` tells what became of documents that were not found (`whereabouts`).
    """
    result = Reconciliation(start, end)
    lines: dict[tuple[str, str, str], Line] = {}
    rest = dict(found)
    with ledger.begin() as tx:
        exceptions = {(row["source"], row["source_id"]): row for row in tx.exceptions.unresolved()}
        for source, kind in KINDS.items():
            rows = tx.staging.in_partitions(source, start, end)
            ids = [row["source_id"] for row in rows]
            awaited = _awaited(tx, ids, set(exceptions), end) if source == "invoice" else {}
            posted = tx.posted.by_ids(source, ids)
            for row in rows:
                key = (source, row["source_id"])
                ours = rest.pop(key, [])
                if row["outcome"] not in (Outcome.DOCUMENT, Outcome.HELD) and not any(s.total for s in ours):
                    continue
                if row["outcome"] == Outcome.KEPT:
                    continue
                held = (key in exceptions and _explains(exceptions[key])) or row["outcome"] == Outcome.HELD
                of = (period(row["partition_date"]), kind, row["currency"])
                _add(lines.setdefault(of, Line(*of)), row, ours, held)
                findings = list(_findings(row, ours, held, awaited.get(row["source_id"], ZERO), lost.get(key, "")))
                findings = findings or list(_edited(row, ours, held, posted.get(row["source_id"])))
                result.findings += findings
                result.documents.append(_compared(row, ours, held, exceptions.get(key), findings))
        result.findings += list(_strangers(tx, rest))
    result.lines = [lines[of] for of in sorted(lines)]
    return result


def _explains(exception: Mapping[Any, Any]) -> bool:
    """Whether an exception explains a gap. What a person changed in QuickBooks is in the books, so it differs until it is accepted."""
    return bool(exception["status"] == IGNORED or exception["code"] != Code.CHANGED_IN_QUICKBOOKS)


def _compared(
    row: Mapping[Any, Any], ours: list[Standing], held: bool, exception: Mapping[Any, Any] | None, findings: list[Finding]
) -> Compared:
    in_scope = row["outcome"] in (Outcome.DOCUMENT, Outcome.HELD)
    why = exception or (row["problems"][0] if held and row["problems"] else {})
    return Compared(
        source=row["source"],
        source_id=row["source_id"],
        number=row["label"],
        party=row["party"],
        date=row["document_date"],
        currency=row["currency"],
        freshbooks=round_half_up(row["amount"]) if in_scope else ZERO,
        quickbooks=sum((one.total for one in ours), ZERO),
        qbo=", ".join(f"{one.entity} {one.qbo_id}" for one in ours),
        state="differs" if findings else "held" if held else "agrees",
        code=why.get("code", ""),
        reason=why.get("reason", ""),
        remedy=why.get("remedy", ""),
    )


def _awaited(tx: Transaction, invoices: list[int], held: set[Key], end: dt.date) -> dict[int, Decimal]:
    """By invoice, the payments that QuickBooks does not have yet: held ones, and those dated after `end` that are not posted."""
    payments = [payment for state, payload in tx.raw.payments_of(invoices) if state == PRESENT for payment in _readable(payload)]
    posted = tx.posted.by_ids("payment", [payment.id for payment in payments if payment.date > end])
    sums: defaultdict[int, Decimal] = defaultdict(lambda: ZERO)
    for payment in payments:
        booked = posted.get(payment.id)
        later = payment.date > end and (booked is None or booked.state != POSTED)
        if payment.invoice_id and (later or ("payment", payment.id) in held):
            sums[payment.invoice_id] += round_half_up(payment.amount)
    return sums


def _readable(payload: Json) -> Iterator[Payment]:
    """A payment, or nothing where it cannot be read: it is held itself, and what its invoice differs by is named."""
    with contextlib.suppress(BadRecord):
        yield parse_payment(payload)


def _add(line: Line, row: Mapping[Any, Any], ours: list[Standing], held: bool) -> None:
    in_scope = row["outcome"] in (Outcome.DOCUMENT, Outcome.HELD)
    amount = round_half_up(row["amount"]) if in_scope else ZERO
    booked = sum((transaction.total for transaction in ours), ZERO)
    line.documents += in_scope
    line.freshbooks += amount
    line.posted += sum(1 for transaction in ours if transaction.total or not amount)
    line.quickbooks += booked
    if held:
        line.held_documents += 1
        line.held += amount - booked


def _finding(row: Mapping[Any, Any], problem: str) -> Finding:
    return Finding(row["source"], row["source_id"], row["label"], row["document_date"], problem)


def _findings(row: Mapping[Any, Any], ours: list[Standing], held: bool, awaited: Decimal, lost: str) -> Iterator[Finding]:
    """What does not agree. `awaited`: payments of the invoice that are held or have a later date, and explain its balance."""

    def finding(problem: str) -> Finding:
        return _finding(row, problem)

    expected = row["outcome"] == Outcome.DOCUMENT
    live = [transaction for transaction in ours if transaction.total or row["amount"] == 0]
    if len(live) > 1:
        yield finding(f"stands {len(live)} times in QuickBooks: ids {', '.join(transaction.qbo_id for transaction in live)}")
    if held or not live:
        if expected and not held and not live:
            voided = ", ".join(f"{one.entity} {one.qbo_id} was voided there" for one in ours)
            told = voided or lost
            yield finding("is missing in QuickBooks" + (f": {told}" if told else ""))
        return
    one = live[0]
    if not expected:
        yield finding("stands in QuickBooks although it is not in scope")
        return
    amount = round_half_up(row["amount"])
    if one.total != amount:
        yield finding(f"{amount} {row['currency']} in FreshBooks, {one.total} in QuickBooks")
    if one.balance is not None and row["balance"] is not None and one.balance != row["balance"] + awaited:
        yield finding(f"open balance {row['balance']} in FreshBooks, {one.balance} in QuickBooks")
    if one.date != row["document_date"]:
        yield finding(f"dated {row['document_date']} in FreshBooks, {one.date} in QuickBooks")
    if row["number"] is not None and one.number != row["number"]:
        yield finding(f"numbered {one.number or 'not at all'} in QuickBooks instead of {row['number']}")


def _edited(row: Mapping[Any, Any], ours: list[Standing], held: bool, posted: Posted | None) -> Iterator[Finding]:
    """A document with equal figures that somebody has changed: its customer, an account, a tax code, a text."""
    if held or posted is None or posted.state != POSTED or not posted.content or posted.fingerprint != row["fingerprint"]:
        return
    for one in ours:
        if one.qbo_id == posted.qbo_id and one.sync_token != posted.sync_token and one.content != posted.content:
            yield _finding(row, "was changed in QuickBooks after it was posted: its lines, its texts or who it is with")


def _strangers(tx: Transaction, rest: Mapping[Key, list[Standing]]) -> Iterable[Finding]:
    """Transactions with our marker whose FreshBooks document is not in the period."""
    for (source, source_id), ours in sorted(rest.items()):
        day = tx.raw.dates(source, [source_id]).get(source_id)
        for one in ours:
            if one.total:
                where = f"FreshBooks dates the document {day.isoformat()}" if day is not None else "but not in FreshBooks"
                yield Finding(source, source_id, one.number, one.date, f"stands in QuickBooks ({one.entity} {one.qbo_id}), {where}")
