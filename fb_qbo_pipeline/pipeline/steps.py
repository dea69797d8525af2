"""The steps of a run over a range of days: read, stage, post, reconcile; each with what the checks say of it.

The assets call these and show what they return; the tests call the same, one after the other. Nothing of a run is written
down a second time, and no step knows Dagster.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fb_qbo_pipeline.mapping.documents import Json
from fb_qbo_pipeline.pipeline.intake import Intake, read_dates, read_lists
from fb_qbo_pipeline.pipeline.post import post
from fb_qbo_pipeline.pipeline.runtime import Runtime
from fb_qbo_pipeline.pipeline.stage import stage
from fb_qbo_pipeline.posting.counts import Counts
from fb_qbo_pipeline.posting.poster import Progress
from fb_qbo_pipeline.review import rules
from fb_qbo_pipeline.review.books import SOURCES, default_item_of, read_books
from fb_qbo_pipeline.review.findings import Books
from fb_qbo_pipeline.review.rules import Rule
from fb_qbo_pipeline.review.tieout import Line, by_day, tie_out
from fb_qbo_pipeline.review.verdicts import Judgement, Scope, Verdict, judge, judge_company


@dataclass(frozen=True)
class Read:
    """What reading found; `counts`: how many records there are now by document date and state."""

    intake: Intake
    counts: Mapping[tuple[dt.date, str], int]


@dataclass(frozen=True)
class Staged:
    """The staged rows without their documents, what is held with its exceptions, and the checks."""

    rows: Sequence[Json]
    books: Books
    judgements: Sequence[Judgement]


@dataclass(frozen=True)
class Posted:
    """What posting did, the books of the days afterwards, and the checks."""

    counts: Counts
    books: Books
    judgements: Sequence[Judgement]


@dataclass(frozen=True)
class Reconciled:
    """The tie-out of the days, by day, the books, and the checks."""

    lines: Sequence[Line]
    books: Books
    judgements: Sequence[Judgement]


def begin_run(runtime: Runtime, start: dt.date, end: dt.date) -> int:
    """The touched dates that a run of these days begins with, as a batch: those that are noted later are not settled by it."""
    with runtime.ledger.begin() as tx:
        return tx.touched.begin(start, end)


def settle_run(runtime: Runtime, start: dt.date, end: dt.date, batch: int) -> None:
    """All steps of a run went well: its days need no other one. Dates noted under an earlier start date go with the first day."""
    since = start if start > runtime.integration.start_date else dt.date.min
    with runtime.ledger.begin() as tx:
        tx.touched.release(since, end, batch)


def read_step(runtime: Runtime, source: str, start: dt.date, end: dt.date) -> Read:
    """Bring the records of `source` up to date with FreshBooks."""
    read_lists(runtime)
    intake = read_dates(runtime, source, start, end)
    since = start if start > runtime.integration.start_date else None
    with runtime.ledger.begin() as tx:
        return Read(intake, tx.raw.counts_by_day(source, since, end))


def stage_step(runtime: Runtime, source: str, start: dt.date, end: dt.date) -> Staged:
    """Map the records, and say what could not be mapped."""
    rows = stage(runtime, source, start, end)
    books = Books(rows, {})
    return Staged(rows, books, judge(rules.STAGED[source], books, replace(scope_of(runtime, (source,)), taken_in=(start, end))))


def post_step(runtime: Runtime, source: str, start: dt.date, end: dt.date, progress: Progress | None = None) -> Posted:
    """Post what is staged, and say how it stands."""
    counts = post(runtime, source, start, end, progress)
    with runtime.ledger.begin() as tx:
        books = read_books(tx, start, end, (source,))
    return Posted(counts, books, judge(rules.POSTED[source], books, replace(scope_of(runtime, (source,)), taken_in=(start, end))))


def reconcile_step(runtime: Runtime, start: dt.date, end: dt.date) -> Reconciled:
    """Hold FreshBooks in scope against QuickBooks and what is held.

    QuickBooks is asked what people have changed there, unless this process has done so within the hour: a day that is materialized
    by itself must not agree with what the ledger remembers alone.
    """
    runtime.books.catch_up()
    lines = tie_out(runtime.ledger, start, end, by_day)
    scope = replace(scope_of(runtime, SOURCES, default_item_of(runtime.integration, runtime.mirror.company())), taken_in=(start, end))
    with runtime.ledger.begin() as tx:
        books = read_books(tx, start, end, SOURCES, scope.default_item)
    return Reconciled(lines, books, judge(rules.RECONCILED, books, scope, lines))


def look_at_company(runtime: Runtime, asked: Sequence[Rule]) -> Mapping[str, Verdict]:
    """What these rules say of the whole company as it is now, by their names; no day is read or posted."""
    return judge_company(asked, scope_of(runtime, SOURCES, default_item_of(runtime.integration, runtime.mirror.company())))


def scope_of(runtime: Runtime, sources: Sequence[str], default_item: str | None = None) -> Scope:
    """The whole company as of now."""
    at = runtime.clock().astimezone(runtime.integration.zone)
    return Scope(runtime.ledger, runtime.integration.start_date, at.date(), at, sources, default_item)


def run_steps(runtime: Runtime, start: dt.date, end: dt.date, counts: Counts, sources: Sequence[str] = SOURCES) -> Reconciled:
    """Everything that a run of these days does, in the order of the assets; what it wrote is added to `counts`."""
    batch = begin_run(runtime, start, end)
    for source in sources:
        read_step(runtime, source, start, end)
    for source in sources:
        stage_step(runtime, source, start, end)
        counts.add(post_step(runtime, source, start, end).counts)
    reconciled = reconcile_step(runtime, start, end)
    settle_run(runtime, start, end, batch)
    return reconciled
