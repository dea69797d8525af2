"""A sync on demand: the same job as the schedule's, in this process, span by span.

A look for changes, then one run for each contiguous span of touched dates; a run may touch further dates (a payment that
waited for its invoice), so this goes on until nothing waits. A span that fails does not keep the others from going on.
"""

import datetime as dt
import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from sqlalchemy import func, select

from fb_qbo_pipeline.assets.company import Company
from fb_qbo_pipeline.assets.factory import CHANGE_FEED, MONTH
from fb_qbo_pipeline.assets.spans import Span, days_between, partition_days, spans
from fb_qbo_pipeline.automation.dagster_internals import execute
from fb_qbo_pipeline.automation.jobs import BY_COMMAND, asset_keys, build_job
from fb_qbo_pipeline.definitions import build_definitions
from fb_qbo_pipeline.errors import ConfigurationError, ConnectionRequired, PipelineError, cause_for_people
from fb_qbo_pipeline.http import utc_now
from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.ledger.outages import explained
from fb_qbo_pipeline.ledger.tables import audit
from fb_qbo_pipeline.pipeline.changes import NOT_POSTED, told_of_others
from fb_qbo_pipeline.pipeline.preflight import require_valid_settings
from fb_qbo_pipeline.posting.counts import KINDS, Counts

MOST_ROUNDS = 5  # of spans touched by the spans before; two are usual

log = logging.getLogger(__name__)

OnSpan = Callable[[Span, int, int], None]
"""Called before each run with (the span, how many are done, how many there are)."""


@dataclass
class SyncResult:
    """What a sync did. `notices`: what a person should know of besides."""

    counts: Counts = field(default_factory=Counts)
    exceptions: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    runs: list[str] = field(default_factory=list)
    spans: int = 0
    notices: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The document of `sync --json`."""

        def every(counted: Counter[str]) -> dict[str, int]:
            return {kind: counted.get(kind, 0) for kind in KINDS} | {kind: n for kind, n in counted.items() if n}

        return {
            "created": every(self.counts.created),
            "updated": every(self.counts.updated),
            "voided": every(self.counts.voided),
            "unchanged": self.counts.unchanged,
            "exceptions": self.exceptions,
            "api_calls": {name: self.calls[name] for name in ("freshbooks", "quickbooks_reads", "quickbooks_writes")},
            "seconds": round(self.seconds, 2),
        }


class SyncIncomplete(PipelineError):
    """Some spans failed; the others are done. `result` is what was done."""

    def __init__(self, failed: Mapping[Span, Exception], result: SyncResult) -> None:
        reasons = "".join(f"\n  {span}: {_words(error)}" for span, error in failed.items())
        remedy = "run the same command again: what is done is not repeated, and these days are tried again"
        super().__init__(f"{len(failed)} of {len(failed) + result.spans} spans of days could not be synced:{reasons}", remedy)
        self.result = result


def _words(error: Exception) -> str:
    told = explained(error)
    return told.message if told is not None else _root(error)


def _root(error: BaseException) -> str:
    """What an unforeseen error is called; its text may quote customers' data, and is in the log."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__} (the log has it whole)"


class Syncer:
    """Runs the job of one integration in this process."""

    def __init__(self, company: Company, instance: dg.DagsterInstance, *, verbose: bool = False) -> None:
        self._company = company
        self._integration = company.integration
        self._instance = instance
        self._job = build_definitions([company]).resolve_job_def(build_job(self._integration).name)
        self._console = {"loggers": {"console": {"config": {"log_level": "INFO" if verbose else "CRITICAL"}}}}
        self.runs: list[str] = []
        self.done: list[Span] = []
        self.failed: dict[Span, Exception] = {}
        self.notices: list[str] = []

    def look_for_changes(self) -> None:
        """Run the look that notes which dates are touched."""
        self._run(asset_keys(self._integration, (CHANGE_FEED,)), {})

    def notice_others(self, ledger: Ledger) -> None:
        """Note where the look has found documents that another deployment has posted, as it seems."""
        with ledger.begin() as tx:
            others = tx.cursors.get(NOT_POSTED) or 0
        if others:
            self.notices.append(told_of_others(others, self._integration.freshbooks.account_id))

    def run_spans(self, found: Sequence[Span], announce: OnSpan) -> None:
        """Run everything for each span of days. One that fails is kept in `failed`, and the next one follows.

        Raises ConnectionRequired and ConfigurationError at once: they would stop every span.
        """
        for number, span in enumerate(found):
            announce(span, number, len(found))
            try:
                self._run(asset_keys(self._integration), span.tags())
            except (ConnectionRequired, ConfigurationError):
                raise
            except Exception as error:  # raised at the end, with what else has failed
                log.warning("%s: %s failed", self._integration.name, span, exc_info=error)
                self.failed[span] = error
            else:
                self.done.append(span)

    def run_waiting(
        self, ledger: Ledger, announce: OnSpan, within: tuple[dt.date, dt.date] = (dt.date.min, dt.date.max), after: int = 0
    ) -> None:
        """Run what waits `within` two days and was noted after the batch `after`, and what that touches, until only what has failed
        is left.
        """
        for _round in range(MOST_ROUNDS):
            with ledger.begin() as tx:
                waiting = tx.touched.waiting()
            dates = [touched.date for touched in waiting if touched.batch > after and within[0] <= touched.date <= within[1]]
            today = utc_now().astimezone(self._integration.zone).date()
            days = [day for day in partition_days(dates, self._integration.start_date, today) if not self._has_failed(day)]
            if not days:
                return
            self.run_spans(spans(days, MONTH), announce)

    def _has_failed(self, day: dt.date) -> bool:
        return any(span.start <= day <= span.end for span in self.failed)

    def _run(self, selection: Sequence[dg.AssetKey], tags: dict[str, str]) -> None:
        self.runs.append(str(uuid.uuid4()))
        try:
            execute(self._job, self._instance, self.runs[-1], selection, tags | BY_COMMAND, self._console)
        except dg.Failure as failure:  # how a step tells the UI of an error that is meant for people
            told = cause_for_people(failure)
            if told is None:
                raise
            raise told from told.__cause__  # not from the failure, which came from it: that would be a circle


def sync(
    company: Company,
    instance: dg.DagsterInstance,
    ledger: Ledger,
    days: tuple[dt.date, dt.date] | None = None,
    *,
    verbose: bool = False,
    on_span: OnSpan | None = None,
) -> SyncResult:
    """Sync what has changed, or the days from the first to the second of `days`.

    Raises what a look raises (ConfigurationError, ConnectionRequired, Unreachable…), and SyncIncomplete after all spans where
    some have failed; what was done until then stays done.
    """

    def work(syncer: Syncer, announce: OnSpan) -> None:
        if days is None:
            syncer.look_for_changes()
            syncer.notice_others(ledger)
            syncer.run_waiting(ledger, announce)
        else:
            _check_settings(company)
            with ledger.begin() as tx:
                before = tx.touched.newest_batch()
            syncer.run_spans(spans(days_between(*days), MONTH), announce)
            syncer.run_waiting(ledger, announce, days, before)  # such as a payment that is older than its invoice

    return _measured(Syncer(company, instance, verbose=verbose), ledger, work, on_span)


def sync_touched(
    company: Company, instance: dg.DagsterInstance, ledger: Ledger, *, verbose: bool = False, on_span: OnSpan | None = None
) -> SyncResult:
    """Sync the dates that wait, without looking for more. Raises as `sync` does."""

    def work(syncer: Syncer, announce: OnSpan) -> None:
        _check_settings(company)
        syncer.run_waiting(ledger, announce)

    return _measured(Syncer(company, instance, verbose=verbose), ledger, work, on_span)


def _measured(syncer: Syncer, ledger: Ledger, work: Callable[[Syncer, OnSpan], None], on_span: OnSpan | None) -> SyncResult:
    started = time.monotonic()
    calls_before = _last_call(ledger)
    work(syncer, on_span or (lambda _span, _done, _all: None))
    result = _result(ledger, syncer, calls_before, time.monotonic() - started)
    if syncer.failed:
        raise SyncIncomplete(syncer.failed, result) from next(iter(syncer.failed.values()))
    return result


def _check_settings(company: Company) -> None:
    with company.open("") as runtime:
        runtime.catch_up()
        require_valid_settings(runtime)


def _last_call(ledger: Ledger) -> int:
    with ledger.begin() as tx:
        statement = select(func.coalesce(func.max(audit.c.id), 0)).where(audit.c.integration == ledger.integration)
        return int(tx.connection.execute(statement).scalar_one())


def _result(ledger: Ledger, syncer: Syncer, calls_before: int, seconds: float) -> SyncResult:
    result = SyncResult(seconds=seconds, runs=syncer.runs, spans=len(syncer.done), notices=syncer.notices)
    with ledger.begin() as tx:
        for report in tx.reports(syncer.runs):
            result.counts.add(Counts.from_json(report["counts"]))
        result.exceptions = tx.exceptions.count_open()
        statement = (
            select(audit.c.service, audit.c.kind, func.count())
            .where(audit.c.integration == ledger.integration, audit.c.id > calls_before, audit.c.kind != "token")
            .group_by(audit.c.service, audit.c.kind)
        )
        for service, kind, count in tx.connection.execute(statement):
            name = "freshbooks" if service == "freshbooks" else "quickbooks_reads" if kind == "read" else "quickbooks_writes"
            result.calls[name] += count
    return result
