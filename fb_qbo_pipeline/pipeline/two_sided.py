"""The scheduled comparison of both services: proof that does not rest on what the ledger remembers or QuickBooks' change feed tells.

The feed reaches thirty days back and holds a thousand objects, so it may miss what this finds. Every day the last months are
compared, once a month everything from the start date on. What differs is kept, for the checks, until it is compared or written again.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from fb_qbo_pipeline.ledger.differences import Difference
from fb_qbo_pipeline.money import ZERO
from fb_qbo_pipeline.pipeline.intake import months
from fb_qbo_pipeline.pipeline.reconcile import reconcile
from fb_qbo_pipeline.pipeline.runtime import Runtime
from fb_qbo_pipeline.posting.poster import Progress
from fb_qbo_pipeline.review.reconcile import Compared, Reconciliation
from fb_qbo_pipeline.review.reconcile import Finding as ReconcileFinding
from fb_qbo_pipeline.review.tieout import Line

MOST_DOCUMENTS = 5_000  # compared at a time, unless a month has more: memory does not grow with the period
_CURSOR = "compared"


@dataclass
class Comparison:
    """What a comparison of the days from `start` to `end` found. `whole`: of everything from the start date on."""

    start: dt.date
    end: dt.date
    whole: bool
    lines: list[Line] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    documents: int = 0
    held: int = 0

    @property
    def agrees(self) -> bool:
        """Whether every document stands in QuickBooks once and as in FreshBooks, or is held."""
        return not self.differences and all(line.difference == ZERO for line in self.lines)


def compare_services(runtime: Runtime, progress: Progress | None = None) -> Comparison:
    """Compare what is due: the last months, or everything where that was not done this month.

    The newest days come first, so that the payments of later days, which explain open balances, have been read.
    """
    report = progress or (lambda _done, _all: None)
    started = runtime.clock()
    start, whole = _due(runtime)
    comparison = Comparison(start, runtime.today, whole)
    days = (comparison.end - start).days + 1
    for first, last in reversed(list(_pieces(runtime, start, comparison.end))):
        _take(runtime, comparison, reconcile(runtime, first, last, later_payments=False))
        report((comparison.end - first).days + 1, days)
    comparison.lines.sort(key=lambda line: (line.period, line.kind, line.currency))
    comparison.differences.sort(key=lambda one: (one.document_date, one.source, one.source_id))
    with runtime.ledger.begin() as tx:
        known = tx.cursors.get(_CURSOR) or {}
        whole_at = started.isoformat() if whole else known.get("whole_at")
        tx.cursors.set(
            _CURSOR,
            {"at": started.isoformat(), "from": start.isoformat(), "to": comparison.end.isoformat(), "whole_at": whole_at},
        )
    return comparison


def last_compared(cursor: object) -> dt.datetime | None:
    """When both services were last compared, from the ledger's cursor."""
    return dt.datetime.fromisoformat(cursor["at"]) if isinstance(cursor, dict) else None


def _due(runtime: Runtime) -> tuple[dt.date, bool]:
    first, today = runtime.integration.start_date, runtime.today
    with runtime.ledger.begin() as tx:
        known = tx.cursors.get(_CURSOR) or {}
    whole_at = known.get("whole_at")
    if whole_at is None or dt.datetime.fromisoformat(whole_at).astimezone(runtime.integration.zone).date().replace(day=1) < today.replace(
        day=1
    ):
        return first, True
    since = today.replace(day=1)
    for _ in range(runtime.integration.reconciliation.months):
        since = (since - dt.timedelta(days=1)).replace(day=1)
    return max(first, since), since <= first


def _pieces(runtime: Runtime, start: dt.date, end: dt.date) -> Iterator[tuple[dt.date, dt.date]]:
    """Spans of whole months with as many documents as are compared at a time, oldest first."""
    with runtime.ledger.begin() as tx:
        counts: Counter[dt.date] = Counter()
        for day in tx.sums.by_day(start, end):
            counts[day.day.replace(day=1)] += day.documents
    span: tuple[dt.date, dt.date] | None = None
    documents = 0
    for first, last in months(start, end):
        of_month = counts[first.replace(day=1)]
        if span is not None and documents + of_month <= MOST_DOCUMENTS:
            span, documents = (span[0], last), documents + of_month
            continue
        if span is not None:
            yield span
        span, documents = (first, last), of_month
    if span is not None:
        yield span


def _take(runtime: Runtime, comparison: Comparison, result: Reconciliation) -> None:
    found = list(_differences(result, runtime.integration.start_date))
    with runtime.ledger.begin() as tx:
        tx.differences.replace(result.start, result.end, found)
    comparison.lines += result.lines
    comparison.differences += found
    comparison.documents += len(result.documents)
    comparison.held += sum(line.held_documents for line in result.lines)


def _differences(result: Reconciliation, first_day: dt.date) -> Iterator[Difference]:
    """The findings as they are kept: with their partition, who they are with, and the money at stake."""
    documents: dict[tuple[str, int], Compared] = {(one.source, one.source_id): one for one in result.documents}
    for finding in result.findings:
        yield _difference(finding, documents.get((finding.source, finding.source_id)), result, first_day)


def _difference(finding: ReconcileFinding, document: Compared | None, result: Reconciliation, first_day: dt.date) -> Difference:
    day = min(max(finding.date, first_day, result.start), result.end)
    return Difference(
        source=finding.source,
        source_id=finding.source_id,
        number=finding.number,
        party=finding.party,
        document_date=finding.date,
        partition_date=day,
        amount=_at_stake(document),
        currency=document.currency if document is not None else "",
        problem=finding.problem,
        remedy=finding.remedy,
    )


def _at_stake(document: Compared | None) -> Decimal:
    if document is None:
        return ZERO
    return abs(document.freshbooks - document.quickbooks) or abs(document.freshbooks)
