"""The real daemon with the real schedule and sensor: what changes in FreshBooks reaches QuickBooks by itself."""

import datetime as dt
import time

import dagster as dg

from fb_qbo_pipeline.assets.factory import PARTITIONED
from fb_qbo_pipeline.automation.jobs import COMPANY_TAG, TRIGGER_TAG
from fb_qbo_pipeline_tests.automation.services import Services, scheduled_since, wait_until
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
