"""The job, the hourly schedule and the sensor of one integration.

    schedule ─► run of change_feed ─► touched dates ─► sensor ─► one run for each contiguous span

API work is done in runs and not in ticks, which are calls with a time-out. A run key holds the number of the look that
found the dates, because Dagster remembers keys for ever: a span that failed is tried again after the next look.
"""

import datetime as dt
from collections.abc import Iterator, Sequence

import dagster as dg

from fb_qbo_pipeline.assets.company import Company
from fb_qbo_pipeline.assets.factory import CHANGE_FEED, MONTH, PARTITIONED
from fb_qbo_pipeline.assets.spans import Span, partition_days, spans
from fb_qbo_pipeline.automation.dagster_internals import UnresolvedAssetJobDefinition
from fb_qbo_pipeline.http import utc_now
from fb_qbo_pipeline.ledger.touched import Touched
from fb_qbo_pipeline.settings.models import Integration

MOST_SPANS = 60  # at two to three seconds a run; more is a backfill, which an operator starts
COMPANY_TAG = "fb_qbo/company"
TRIGGER_TAG = "fb_qbo/trigger"
BY_SCHEDULE = {TRIGGER_TAG: "schedule"}
BY_CHANGE = {TRIGGER_TAG: "change"}
BY_COMMAND = {TRIGGER_TAG: "command line", "user": "command line"}  # "user" is who the UI says has launched a run
_BACKFILL_TAG = "dagster/backfill"
_BEFORE_BACKFILLS = {"dagster/priority": "10"}
_WAITING = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED]
_UNFINISHED = [*_WAITING, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def asset_keys(integration: Integration, assets: tuple[str, ...] = PARTITIONED) -> list[dg.AssetKey]:
    """Asset keys of the integration."""
    return [dg.AssetKey([integration.name, asset]) for asset in assets]


def companies_of(run: dg.DagsterRun) -> set[str]:
    """The integrations that a run works for. Runs that the UI starts from assets have no tags of the job."""
    named = {key.path[0] for key in run.asset_selection or () if len(key.path) > 1}
    return named | ({run.tags[COMPANY_TAG]} if COMPANY_TAG in run.tags else set())


def build_job(integration: Integration) -> UnresolvedAssetJobDefinition:
    """Everything from FreshBooks to the reconciliation, in one process: a step of its own would cost two seconds each."""
    return dg.define_asset_job(
        f"{integration.name}_sync",
        selection=dg.AssetSelection.assets(*asset_keys(integration, (CHANGE_FEED, *PARTITIONED))),
        executor_def=dg.in_process_executor,
        tags={COMPANY_TAG: integration.name},
        description="FreshBooks into QuickBooks. Without a partition: looks for changes. With one or a range: syncs those days.",
    )


def build_schedule(integration: Integration, job: UnresolvedAssetJobDefinition) -> dg.ScheduleDefinition:
    """Looks for changes, hourly unless the settings say otherwise. Of missed ticks Dagster makes up for the last: it sees all."""

    @dg.schedule(
        name=f"{integration.name}_hourly",
        job=job,
        cron_schedule=integration.schedule.cron,
        execution_timezone=integration.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING if integration.schedule.enabled else dg.DefaultScheduleStatus.STOPPED,
        description="Asks FreshBooks what has changed; the touched dates follow by themselves.",
    )
    def hourly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        # One that waits behind a long run will see everything when its turn comes: a second would find nothing.
        if context.instance.get_runs_count(dg.RunsFilter(statuses=_WAITING, tags={COMPANY_TAG: integration.name} | BY_SCHEDULE)):
            return dg.SkipReason("the look before this one still waits for its turn")
        look = asset_keys(integration, (CHANGE_FEED,))
        return dg.RunRequest(
            asset_selection=look, asset_check_keys=_checks(context.repository_def, look), tags=BY_SCHEDULE | _BEFORE_BACKFILLS
        )

    return hourly


def build_sensor(company: Company, job: UnresolvedAssetJobDefinition) -> dg.SensorDefinition:
    """One run for each span of touched dates, as soon as no other run of the company is under way.

    A backfill does not count: its runs come one after another for hours, and what has changed goes before them.
    """
    integration = company.integration

    @dg.sensor(
        name=f"{integration.name}_touched_dates",
        job=job,
        minimum_interval_seconds=15,
        default_status=dg.DefaultSensorStatus.RUNNING if integration.schedule.enabled else dg.DefaultSensorStatus.STOPPED,
        description="Starts a run for each contiguous span of dates that something has changed in.",
    )
    def touched_dates(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        unfinished = context.instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED))
        if any(integration.name in companies_of(run) and _BACKFILL_TAG not in run.tags for run in unfinished):
            yield dg.SkipReason("a run of this company is under way; what is touched meanwhile is taken together afterwards")
            return
        with company.ledger() as ledger, ledger.begin() as tx:
            waiting = tx.touched.waiting()
            look = tx.cursors.get("looks") or 0
        today = utc_now().astimezone(integration.zone).date()
        yield from requests(integration, waiting, look, today, _checks(context.repository_def, asset_keys(integration)))

    return touched_dates


def _checks(repository: dg.RepositoryDefinition | None, assets: Sequence[dg.AssetKey]) -> list[dg.AssetCheckKey] | None:
    """The checks of some assets: a request names them, because the UI launches a request that names none without any, which cannot be."""
    return None if repository is None else sorted(repository.asset_graph.get_check_keys_for_assets(set(assets)), key=str)


def requests(
    integration: Integration, waiting: Sequence[Touched], look: int, today: dt.date, checks: Sequence[dg.AssetCheckKey] | None
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """The runs that settle the waiting dates, or why there is none. `look`: how many there have been."""
    days = partition_days((touched.date for touched in waiting), integration.start_date, today)
    apart = spans(days)
    if not days:
        yield dg.SkipReason("nothing has changed")
    elif len(apart) > MOST_SPANS:
        first, last = days[0], days[-1]
        yield dg.SkipReason(
            f"{len(apart)} separate spans have changed, from {first} to {last}: start a backfill of that range, "
            f"or run: fb-qbo sync --from {first} --to {last}"
        )
    else:
        batch = max(touched.batch for touched in waiting)
        for span in spans(days, MONTH):
            yield _request(integration, span, f"{look}:{batch}:{span.start}:{span.end}", checks)


def _request(integration: Integration, span: Span, run_key: str, checks: Sequence[dg.AssetCheckKey] | None) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=run_key,
        tags=span.tags() | BY_CHANGE | _BEFORE_BACKFILLS,
        asset_selection=asset_keys(integration),
        asset_check_keys=checks,
    )
