"""The job, the hourly schedule and the sensor of one integration.

    schedule ─► run of change_feed ─► touched dates ─► sensor ─► one run for each contiguous span

API work is done in runs and not in ticks, which are calls with a time-out. A run key holds the number of the look that
found the dates, because Dagster remembers keys for ever: a span that failed is tried again after the next look.
"""

from collections.abc import Iterator

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from fb_qbo_pipeline.assets.company import Company
from fb_qbo_pipeline.assets.factory import CHANGE_FEED, MONTH, PARTITIONED
from fb_qbo_pipeline.assets.spans import spans
from fb_qbo_pipeline.settings.models import Integration

MOST_SPANS = 60  # at two to three seconds a run; more is a backfill, which an operator starts
COMPANY_TAG = "fb_qbo/company"
TRIGGER_TAG = "fb_qbo/trigger"
_BEFORE_BACKFILLS = {"dagster/priority": "10"}
_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def asset_keys(integration: Integration, assets: tuple[str, ...] = PARTITIONED) -> list[dg.AssetKey]:
    """Asset keys of the integration."""
    return [dg.AssetKey([integration.name, asset]) for asset in assets]


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
    """Looks for changes, hourly unless the settings say otherwise; a missed tick needs no catching up, the next look does."""

    @dg.schedule(
        name=f"{integration.name}_hourly",
        job=job,
        cron_schedule=integration.schedule.cron,
        execution_timezone=integration.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING if integration.schedule.enabled else dg.DefaultScheduleStatus.STOPPED,
        description="Asks FreshBooks what has changed; the touched dates follow by themselves.",
    )
    def hourly(_context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(asset_selection=asset_keys(integration, (CHANGE_FEED,)), tags={TRIGGER_TAG: "schedule"} | _BEFORE_BACKFILLS)

    return hourly


def build_sensor(company: Company, job: UnresolvedAssetJobDefinition) -> dg.SensorDefinition:
    """One run for each span of touched dates, as soon as no other run of the company is under way."""
    integration = company.integration

    @dg.sensor(
        name=f"{integration.name}_touched_dates",
        job=job,
        minimum_interval_seconds=15,
        default_status=dg.DefaultSensorStatus.RUNNING if integration.schedule.enabled else dg.DefaultSensorStatus.STOPPED,
        description="Starts a run for each contiguous span of dates that something has changed in.",
    )
    def touched_dates(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        filters = dg.RunsFilter(statuses=_UNFINISHED, tags={COMPANY_TAG: integration.name})
        if context.instance.get_runs_count(filters):
            yield dg.SkipReason("a run of this company is under way; what is touched meanwhile is taken together afterwards")
            return
        with company.ledger() as ledger, ledger.begin() as tx:
            waiting = tx.touched.waiting()
            look = tx.cursors.get("looks") or 0
        found = spans([touched.date for touched in waiting], MONTH)
        if not found:
            yield dg.SkipReason("nothing has changed")
        elif len(found) > MOST_SPANS:
            first, last = found[0].start, found[-1].end
            yield dg.SkipReason(
                f"{len(found)} separate spans have changed, from {first} to {last}: start a backfill of that range, "
                f"or run: fb-qbo sync --from {first} --to {last}"
            )
        else:
            batch = max(touched.batch for touched in waiting)
            for span in found:
                yield dg.RunRequest(
                    run_key=f"{look}:{batch}:{span.start}:{span.end}",
                    tags=span.tags(batch) | {TRIGGER_TAG: "change"} | _BEFORE_BACKFILLS,
                    asset_selection=asset_keys(integration),
                )

    return touched_dates
