"""The job and the daily schedule of the comparison of both services."""

import dagster as dg

from fb_qbo_pipeline.assets.two_sided import TWO_SIDED
from fb_qbo_pipeline.automation.dagster_internals import UnresolvedAssetJobDefinition
from fb_qbo_pipeline.automation.jobs import COMPANY_TAG, TRIGGER_TAG
from fb_qbo_pipeline.settings.models import Integration


def build_comparison_job(integration: Integration) -> UnresolvedAssetJobDefinition:
    """Compares both services, in one process."""
    return dg.define_asset_job(
        f"{integration.name}_reconcile",
        selection=dg.AssetSelection.assets(dg.AssetKey([integration.name, TWO_SIDED])),
        executor_def=dg.in_process_executor,
        tags={COMPANY_TAG: integration.name},
        description="FreshBooks and QuickBooks read anew and compared, document by document.",
    )


def build_comparison_schedule(integration: Integration, job: UnresolvedAssetJobDefinition) -> dg.ScheduleDefinition:
    """Daily unless the settings say otherwise. Of missed ticks Dagster makes up for the last, which is enough."""
    on = dg.DefaultScheduleStatus.RUNNING if integration.reconciliation.enabled else dg.DefaultScheduleStatus.STOPPED
    return dg.ScheduleDefinition(
        name=f"{integration.name}_daily_reconciliation",
        job=job,
        cron_schedule=integration.reconciliation.cron,
        execution_timezone=integration.timezone,
        default_status=on,
        tags={TRIGGER_TAG: "daily reconciliation"},
        description="Compares both services anew: the last months, and once a month everything.",
    )
