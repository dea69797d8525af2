"""Both sides read anew and compared document by document: proof that does not rest on what the pipeline remembers.

FreshBooks' documents of the period go through the mapping to see what should stand in QuickBooks; QuickBooks' transactions
of the period are recognised by their markers. What is missing, double, strange or different is named. The ledger's memory
only explains: which documents are held, where one that is missing has gone, and whether somebody has edited one since.
"""

import contextlib
import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from fb_qbo_pipeline.freshbooks.fields import BadRecord
from fb_qbo_pipeline.freshbooks.parsing import parse_payment
from fb_qbo_pipeline.freshbooks.records import Payment
from fb_qbo_pipeline.ledger.exceptions import IGNORED
from fb_qbo_pipeline.ledger.ledger import Ledger, Transaction
from fb_qbo_pipeline.ledger.posted import POSTED
from fb_qbo_pipeline.ledger.raw import PRESENT
from fb_qbo_pipeline.mapping.documents import Code, Json, Outcome
from fb_qbo_pipeline.money import ZERO, round_half_up
from fb_qbo_pipeline.review import remedies
from fb_qbo_pipeline.review.remedies import Case
from fb_qbo_pipeline.review.standing import Key, Lost, Standing, standing, whereabouts
from fb_qbo_pipeline.review.tieout import KINDS, Line, by_month, totals
from fb_qbo_pipeline.review.words import Amount

__all__ = ["Compared", "Finding", "Reconciliation", "Standing", "compare", "standing", "whereabouts"]

NEW = "new"  # the status of an exception that the next sync is going to list


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not agree: which document, how, and what to do about it."""

    source: str
    source_id: int
    number: str
    date: dt.date
    problem: str
    remedy: str = ""
    party: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """One document on both sides: amounts with their signs, `qbo` the QuickBooks transactions ("Invoice 12"), `state` in a word.

    `code`, `reason`, `remedy` and `status` are those of the exception about it, '' where there is none; an exception that no
    sync has listed yet has the status `new`. `held`: the exception explains what QuickBooks lacks. `qbo_number`: QuickBooks'
    document numbers, `transactions` its types and ids.
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
    status: str = ""
    held: bool = False
    qbo_number: str = ""
    transactions: tuple[tuple[str, str], ...] = ()


@dataclass
class Reconciliation:
    """The tie-out of a period, read from both sides. Held documents explain a gap; `documents` are all that were compared.

    `as_of`: when both sides were read. `web`: QuickBooks' pages for people, '' where there are none (a sandbox).
    """

    start: dt.date
    end: dt.date
    lines: list[Line] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    documents: list[Compared] = field(default_factory=list)
    as_of: dt.datetime | None = None
    web: str = ""

    @property
    def agrees(self) -> bool:
        """Whether every document stands in QuickBooks once, with equal amounts, or is held."""
        return not self.findings and all(line.difference == ZERO for line in self.lines)

    @property
    def held(self) -> list[Compared]:
        """The documents that are held: each has an exception, open or ignored."""
        return [one for one in self.documents if one.held]

    @property
    def totals(self) -> list[Line]:
        """The lines added up over the periods, by kind and currency: sales and the payments of them are no common sum."""
        found = []
        for kind in dict.fromkeys(KINDS.values()):
            of_kind = totals(line for line in self.lines if line.kind == kind)
            found += [replace(total, kind=kind) for total in of_kind]
        return found


def compare(
    ledger: Ledger,
    found: Mapping[Key, list[Standing]],
    start: dt.date,
    end: dt.date,
    period: Callable[[dt.date], str] = by_month,
    lost: Mapping[Key, Lost] = MappingProxyType({}),
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
                case = Case(
                    row=row,
                    ours=ours,
                    held=(key in exceptions and _explains(exceptions[key])) or row["outcome"] == Outcome.HELD,
                    awaited=awaited.get(row["source_id"], ZERO),
                    lost=lost.get(key),
                    exception=exceptions.get(key),
                    posted=posted.get(row["source_id"]),
                    voided=[one for one in ours if not one.total] if row["amount"] else [],
                )
                of = (period(row["partition_date"]), kind, row["currency"])
                _add(lines.setdefault(of, Line(*of)), case)
                findings = list(_findings(case)) or list(_edited(case))
                result.findings += findings
                result.documents.append(_compared(case, findings))
        result.findings += list(_strangers(tx, rest))
    result.lines = [lines[of] for of in sorted(lines)]
    return result


def _explains(exception: Mapping[Any, Any]) -> bool:
    """Whether an exception explains a gap. What a person changed in QuickBooks is in the books, so it differs until it is accepted."""
    return bool(exception["status"] == IGNORED or exception["code"] != Code.CHANGED_IN_QUICKBOOKS)


def _compared(case: Case, findings: list[Finding]) -> Compared:
    row, ours, held, exception = case.row, case.ours, case.held, case.exception
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
        status=exception["status"] if exception else NEW if held else "",
        held=held,
        qbo_number=", ".join(one.number for one in ours if one.number),
        transactions=tuple((one.entity, one.qbo_id) for one in ours),
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


def _add(line: Line, case: Case) -> None:
    row = case.row
    in_scope = row["outcome"] in (Outcome.DOCUMENT, Outcome.HELD)
    amount = round_half_up(row["amount"]) if in_scope else ZERO
    booked = sum((transaction.total for transaction in case.ours), ZERO)
    line.documents += in_scope
    line.freshbooks += amount
    line.posted += sum(1 for transaction in case.ours if transaction.total or not amount)
    line.quickbooks += booked
    if case.held:
        line.held_documents += 1
        line.held += amount - booked
        line.held_money += round_half_up(row["amount"])
        line.held_booked += booked


def _finding(case: Case, problem: str, remedy: str) -> Finding:
    row = case.row
    return Finding(row["source"], row["source_id"], row["label"], row["document_date"], problem, remedy, row["party"])


def _findings(case: Case) -> Iterator[Finding]:
    """What does not agree."""
    row = case.row
    expected = row["outcome"] == Outcome.DOCUMENT
    live = [transaction for transaction in case.ours if transaction.total or row["amount"] == 0]
    if len(live) > 1:
        problem = f"stands {len(live)} times in QuickBooks: ids {', '.join(transaction.qbo_id for transaction in live)}"
        yield _finding(case, problem, remedies.double(case, live))
    if case.held or not live:
        if expected and not case.held and not live:
            voided = ", ".join(f"{one.entity} {one.qbo_id} was voided there" for one in case.ours)
            told = voided or (case.lost.words if case.lost is not None else "")
            yield _finding(case, "is missing in QuickBooks" + (f": {told}" if told else ""), remedies.missing(case))
        return
    if not expected:
        yield _finding(case, "stands in QuickBooks although it is not in scope", remedies.left_over(case))
        return
    yield from _unequal(case, live[0])


def _unequal(case: Case, one: Standing) -> Iterator[Finding]:
    """How a document that stands differs from FreshBooks'."""
    row, amount = case.row, round_half_up(case.row["amount"])
    if one.total != amount:
        problem = f"{Amount(amount, row['currency'])} in FreshBooks, {one.total:,} in QuickBooks"
        yield _finding(case, problem, remedies.changed(case, "change the amount in FreshBooks"))
    follows = one.total - amount  # what is open by the amount alone
    if one.balance is not None and row["balance"] is not None and one.balance - follows != row["balance"] + case.awaited:
        problem = f"open balance {row['balance']:,} in FreshBooks, {one.balance:,} in QuickBooks"
        yield _finding(case, problem, remedies.other_balance(case))
    if one.date != row["document_date"]:
        problem = f"dated {row['document_date']} in FreshBooks, {one.date} in QuickBooks"
        yield _finding(case, problem, remedies.changed(case, "change the date in FreshBooks"))
    if row["number"] is not None and one.number != row["number"]:
        problem = f"numbered {one.number or 'not at all'} in QuickBooks instead of {row['number']}"
        yield _finding(case, problem, remedies.changed(case, "change the number in FreshBooks"))


def _edited(case: Case) -> Iterator[Finding]:
    """A document with equal figures that somebody has changed: its customer, an account, a tax code, a text."""
    row, posted = case.row, case.posted
    if case.held or posted is None or posted.state != POSTED or not posted.content or posted.fingerprint != row["fingerprint"]:
        return
    for one in case.ours:
        if one.qbo_id == posted.qbo_id and one.sync_token != posted.sync_token and one.content != posted.content:
            problem = "was changed in QuickBooks after it was posted: its lines, its texts or who it is with"
            yield _finding(case, problem, remedies.edited(case))


def _strangers(tx: Transaction, rest: Mapping[Key, list[Standing]]) -> Iterable[Finding]:
    """Transactions with our marker whose FreshBooks document is not in the period."""
    for (source, source_id), ours in sorted(rest.items()):
        day = tx.raw.dates(source, [source_id]).get(source_id)
        for one in ours:
            if one.total:
                where = f"FreshBooks dates the document {day.isoformat()}" if day is not None else "but not in FreshBooks"
                problem = f"stands in QuickBooks ({one.entity} {one.qbo_id}), {where}"
                yield Finding(source, source_id, one.number, one.date, problem, remedies.stranger(one, day))
