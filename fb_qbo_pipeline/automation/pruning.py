"""Removes old runs from Dagster's storage: `python -m fb_qbo_pipeline.automation.pruning --days 90`.

Dagster keeps every event for ever, and an hour's run of three days writes a hundred of them. A run goes once it is old, has
ended, and is nobody's latest: the newest materialization of each day, and the newest verdict of each check, stay, so that the
UI shows every day as before. The ledger (documents, exceptions, audit) is not touched: nothing is posted again because of it.
"""

import datetime as dt
from typing import Any

import click
import dagster as dg
from dagster._core.events import DagsterEventType
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable
from sqlalchemy import delete, func, select

from fb_qbo_pipeline.automation.instance import open_instance
from fb_qbo_pipeline.http import utc_now
from fb_qbo_pipeline.settings.environment import Environment


def prune(instance: dg.DagsterInstance, before: dt.datetime) -> int:
    """Delete the runs from before an aware instant that are nobody's latest, and outdated verdicts of checks; how many runs."""
    storage: Any = instance.event_log_storage
    kept = _latest(storage)
    filters = dg.RunsFilter(statuses=list(FINISHED_STATUSES), created_before=before)
    old = [run.run_id for run in instance.get_runs(filters) if run.run_id not in kept]
    for run_id in old:
        instance.delete_run(run_id)
    checks = AssetCheckExecutionsTable.c
    newest = select(func.max(checks.id)).group_by(checks.asset_key, checks.check_name, checks.partition)
    with storage.index_connection() as connection:
        for start in range(0, len(old), 500):
            outdated = checks.run_id.in_(old[start : start + 500]) & checks.id.not_in(newest)
            connection.execute(delete(AssetCheckExecutionsTable).where(outdated))
    return len(old)


def _latest(storage: Any) -> set[str]:
    """The runs that hold the newest materialization of some day of some asset."""
    events = SqlEventLogStorageTable.c
    materialized = events.dagster_event_type == DagsterEventType.ASSET_MATERIALIZATION.value
    newest = select(func.max(events.id)).where(materialized).group_by(events.asset_key, events.partition)
    with storage.index_connection() as connection:
        return set(connection.execute(select(events.run_id).where(events.id.in_(newest)).distinct()).scalars())


@click.command()
@click.option("--days", type=click.IntRange(min=1), default=90, show_default=True, help="Runs that are older than this go.")
def command(days: int) -> None:
    """Remove old runs that are nobody's latest from Dagster's storage."""
    with open_instance(Environment.read()) as instance:
        count = prune(instance, utc_now() - dt.timedelta(days=days))
    click.echo(f"{count} runs removed")


if __name__ == "__main__":
    command()
