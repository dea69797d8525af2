"""The real daemon with the real schedule and sensor: what changes in FreshBooks reaches QuickBooks by itself."""

import datetime as dt
import time

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus

from fb_qbo_pipeline.assets.factory import PARTITIONED
from fb_qbo_pipeline.automation.jobs import COMPANY_TAG, TRIGGER_TAG, asset_keys
from fb_qbo_pipeline_tests.automation.services import Services, scheduled_since, start_backfill, wait_until
from fb_qbo_pipeline_tests.pipeline.world import World

_THREE_HOURS = 3 * 3600


def test_a_tick_looks_for_changes_and_the_sensor_syncs_exactly_the_touched_days(
    hourly_world: World, instance: dg.DagsterInstance, services: Services
) -> None:
    world, name = hourly_world, hourly_world.integration.name
    today = world.freshbooks.clock.now().astimezone(world.integration.zone).date()
    days = [today - dt.timedelta(days=n) for n in range(9)]
    invoice = world.invoice("100.00", on=days[5])
    world.follow()
    written = world.quickbooks.counters.writes

    world.payment(invoice, "113.00", on=days[2])  # touches its own day and the invoice's
    world.expense(on=days[1])
    services.start_code_server()
    # ticks were missed while nothing ran: one of them is made up for, at once
    scheduled_since(instance, services, f"{name}_hourly", time.time() - _THREE_HOURS)
    services.start_daemon()

    def runs(trigger: str) -> list[dg.DagsterRun]:
        return list(instance.get_runs(dg.RunsFilter(tags={COMPANY_TAG: name, TRIGGER_TAG: trigger})))

    def settled() -> bool:
        return bool(runs("change")) and all(run.is_finished for run in runs("change")) and not world.touched()

    wait_until(settled, 240, lambda: f"{instance.get_runs()}\n{services.logs()}")
    assert [run.status for run in runs("schedule")] == [dg.DagsterRunStatus.SUCCESS]
    assert [run.status for run in runs("change")] == [dg.DagsterRunStatus.SUCCESS] * 2  # one for each contiguous span
    touched = {day.isoformat() for day in (days[5], days[2], days[1])}
    for asset in PARTITIONED:
        assert set(instance.get_materialized_partitions(dg.AssetKey([name, asset]))) == touched
    assert world.count() == {"Invoice": 1, "Payment": 1, "Bill": 1}
    assert world.quickbooks.counters.writes > written
    assert "Accounts Receivable (A/R)" not in world.balances()  # paid


@pytest.mark.filterwarnings("ignore")  # of the webserver's libraries
def test_what_has_changed_goes_before_the_rest_of_a_backfill_from_the_ui(
    hourly_world: World, instance: dg.DagsterInstance, services: Services
) -> None:
    world, name = hourly_world, hourly_world.integration.name
    today = world.freshbooks.clock.now().astimezone(world.integration.zone).date()
    backfilled = [today - dt.timedelta(days=n) for n in (6, 4)]  # days apart: a run each
    for day in backfilled:
        world.invoice("100.00", on=day)
    world.follow()
    changed = today - dt.timedelta(days=1)
    services.start_code_server()
    assets = asset_keys(world.integration)
    # Dagster learns of a pool when it first meets it, and lets through all that is in the queue just then.
    instance.event_log_storage.initialize_concurrency_limit_to_default(f"{name}_quickbooks")

    def runs() -> list[dg.DagsterRun]:
        return [run for run in instance.get_runs() if {key.path[0] for key in run.asset_selection or ()} == {name}]

    with world.ledger.run_lock():  # as a sync on the command line would hold it: the first run of the backfill has to wait
        backfill = start_backfill(instance, services, assets, backfilled)
        services.start_daemon()
        wait_until(lambda: len(runs()) == 2, 120, services.logs)
        world.expense(on=changed)
        world.look()
        wait_until(lambda: len(runs()) == 3, 120, services.logs)
    wait_until(lambda: all(run.is_finished for run in runs()) and not world.touched(), 120, services.logs)

    started = sorted(runs(), key=lambda run: instance.get_run_stats(run.run_id).start_time or 0)
    assert [run.status for run in started] == [dg.DagsterRunStatus.SUCCESS] * 3
    assert [run.tags.get(TRIGGER_TAG, "backfill") for run in started] == ["backfill", "change", "backfill"]
    done = {day.isoformat() for day in (*backfilled, changed)}
    for key in assets:
        assert set(instance.get_materialized_partitions(key)) == done
    assert world.count() == {"Invoice": 2, "Bill": 1}
    wait_until(lambda: _status(instance, backfill) is BulkActionStatus.COMPLETED_SUCCESS, 60, services.logs)


@pytest.mark.filterwarnings("ignore")  # of the webserver's libraries
def test_a_backfill_and_its_queue_wait_for_a_code_server_that_does_not_answer(
    hourly_world: World, quick_to_notice: None, instance: dg.DagsterInstance, services: Services
) -> None:
    world, name = hourly_world, hourly_world.integration.name
    today = world.freshbooks.clock.now().astimezone(world.integration.zone).date()
    days = [today - dt.timedelta(days=n) for n in (6, 4, 2)]  # days apart: a run each
    services.start_code_server()
    instance.event_log_storage.initialize_concurrency_limit_to_default(f"{name}_quickbooks")

    def runs() -> list[dg.DagsterRun]:
        return [run for run in instance.get_runs() if {key.path[0] for key in run.asset_selection or ()} == {name}]

    with world.ledger.run_lock():  # the first run has to wait, and so the others stay in the queue
        backfill = start_backfill(instance, services, asset_keys(world.integration), days)
        services.start_daemon()
        wait_until(lambda: [run.status for run in runs()].count(dg.DagsterRunStatus.STARTED) == 1 and len(runs()) == 3, 120, services.logs)
        services.kill()  # as a machine that loses its power
        services.start_daemon()  # alone: as slow as a code server may be, and as gone
        looked = services.logged("daemon", "BackfillDaemon")
        wait_until(lambda: services.logged("daemon", "BackfillDaemon") > looked + 2, 120, services.logs)
    services.start_code_server()
    done = {day.isoformat() for day in days}
    wait_until(lambda: _status(instance, backfill) is not BulkActionStatus.REQUESTED, 240, services.logs)
    assert _status(instance, backfill) is BulkActionStatus.COMPLETED_SUCCESS, services.logs()
    assert set(instance.get_materialized_partitions(dg.AssetKey([name, "reconciliation"]))) == done


def _status(instance: dg.DagsterInstance, backfill: str) -> BulkActionStatus | None:
    found = instance.get_backfill(backfill)
    return found.status if found is not None else None
