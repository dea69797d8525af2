"""A sync on demand: the same job as the schedule's, in this process, span by span.

A look for changes, then one run for each contiguous span of touched dates; a run may touch further dates (a payment that
waited for its invoice), so this goes on until nothing waits.
"""

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from sqlalchemy import func, select

from fb_qbo_pipeline.assets.company import Company
from fb_qbo_pipeline.assets.factory import CHANGE_FEED, MONTH
from fb_qbo_pipeline.assets.spans import Span, days_between, spans
from fb_qbo_pipeline.automation.jobs import TRIGGER_TAG, asset_keys, build_job
from fb_qbo_pipeline.definitions import build_definitions
from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.ledger.tables import audit
from fb_qbo_pipeline.pipeline.preflight import require_valid_settings
from fb_qbo_pipeline.posting.counts import KINDS, Counts

MOST_ROUNDS = 5  # of spans touched by the spans before; two are usual

OnSpan = Callable[[Span, int, int], None]
"""Called before each run with (the span, how many are done, how many there are)."""


@dataclass
class SyncResult:
    """What a sync did."""

    counts: Counts = field(default_factory=Counts)
    exceptions: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    runs: list[str] = field(default_factory=list)

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


class Syncer:
    """Runs the job of one integration in this process."""

    def __init__(self, company: Company, instance: dg.DagsterInstance, *, verbose: bool = False) -> None:
        self._company = company
        self._integration = company.integration
        self._instance = instance
        self._job = build_definitions([self._integration], company.environment, company.progress).resolve_job_def(
            build_job(self._integration).name
        )
        self._console = {"loggers": {"console": {"config": {"log_level": "INFO" if verbose else "CRITICAL"}}}}
        self.runs: list[str] = []

    def look_for_changes(self) -> None:
        """Run the look that notes which dates are touched."""
        self._run(asset_keys(self._integration, (CHANGE_FEED,)), {})

    def run_span(self, span: Span, batch: int | None) -> None:
        """Run everything for one span of days."""
        self._run(asset_keys(self._integration), span.tags(batch))

    def _run(self, selection: Sequence[dg.AssetKey], tags: dict[str, str]) -> None:
        result = self._job.execute_in_process(
            instance=self._instance,
            asset_selection=selection,
            tags=tags | {TRIGGER_TAG: "command line"},
            run_config=self._console,
        )
        self.runs.append(result.run_id)


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

    Raises what a step raises (ConfigurationError, ConnectionRequired, Unreachable…); what was done until then stays done.
    """
    started = time.monotonic()
    calls_before = _last_call(ledger)
    syncer = Syncer(company, instance, verbose=verbose)
    announce = on_span or (lambda _span, _done, _all: None)
    if days is None:
        syncer.look_for_changes()
        _follow_changes(syncer, ledger, announce)
    else:
        _check_settings(company)
        _run_spans(syncer, spans(days_between(*days), MONTH), None, announce)
    return _result(ledger, syncer.runs, calls_before, time.monotonic() - started)


def sync_touched(
    company: Company, instance: dg.DagsterInstance, ledger: Ledger, *, verbose: bool = False, on_span: OnSpan | None = None
) -> SyncResult:
    """Sync the dates that wait, without looking for more."""
    started = time.monotonic()
    calls_before = _last_call(ledger)
    syncer = Syncer(company, instance, verbose=verbose)
    _check_settings(company)
    _follow_changes(syncer, ledger, on_span or (lambda _span, _done, _all: None))
    return _result(ledger, syncer.runs, calls_before, time.monotonic() - started)


def _check_settings(company: Company) -> None:
    with company.open("") as runtime:
        runtime.mirror.catch_up()
        require_valid_settings(runtime)


def _follow_changes(syncer: Syncer, ledger: Ledger, announce: OnSpan) -> None:
    for _round in range(MOST_ROUNDS):
        with ledger.begin() as tx:
            waiting = tx.touched.waiting()
        if not waiting:
            return
        batch = max(touched.batch for touched in waiting)
        _run_spans(syncer, spans([touched.date for touched in waiting], MONTH), batch, announce)


def _run_spans(syncer: Syncer, found: Sequence[Span], batch: int | None, announce: OnSpan) -> None:
    for done, span in enumerate(found):
        announce(span, done, len(found))
        syncer.run_span(span, batch)


def _last_call(ledger: Ledger) -> int:
    with ledger.begin() as tx:
        statement = select(func.coalesce(func.max(audit.c.id), 0)).where(audit.c.integration == ledger.integration)
        return int(tx.connection.execute(statement).scalar_one())


def _result(ledger: Ledger, runs: list[str], calls_before: int, seconds: float) -> SyncResult:
    result = SyncResult(seconds=seconds, runs=runs)
    with ledger.begin() as tx:
        for report in tx.reports(runs):
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
