"""A run whose process was killed: it is told apart from one that works, and blocks nobody."""

import os
import signal
import subprocess
import sys

import dagster as dg
from dagster._core.launcher.base import WorkerStatus

from fb_qbo_pipeline.assets.company import Company
from fb_qbo_pipeline.automation.jobs import COMPANY_TAG
from fb_qbo_pipeline.automation.launcher import PipelineRunLauncher
from fb_qbo_pipeline.on_demand import sync
from fb_qbo_pipeline_tests.automation.services import wait_until
from fb_qbo_pipeline_tests.pipeline.world import World


def test_a_killed_sync_is_found_dead_and_the_next_one_finishes_its_work(hourly_world: World, instance: dg.DagsterInstance) -> None:
    world = hourly_world
    client = world.client()
    for _ in range(3):
        world.invoice("100.00", client=client, on=world.integration.start_date)
    world.slow_down(0.4)
    launcher = PipelineRunLauncher(grace_seconds=0)
    launcher.register_instance(instance)
    start = world.integration.start_date.isoformat()
    command = [sys.executable, "-W", "ignore", "-m", "fb_qbo_pipeline.cli.main", "sync", "--from", start, "--to", start]
    with subprocess.Popen(command, env=os.environ | {"QUICKBOOKS_CONCURRENCY": "1"}) as process:
        wait_until(lambda: world.quickbooks.counters.writes > 0, 60, lambda: f"ended with {process.poll()}")
        (run,) = instance.get_runs(dg.RunsFilter(tags={COMPANY_TAG: world.integration.name}, statuses=[dg.DagsterRunStatus.STARTED]))
        assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING
        process.send_signal(signal.SIGKILL)
    world.slow_down(0)
    health = launcher.check_run_worker_health(run)
    assert (health.status, health.msg) == (WorkerStatus.FAILED, "the process of the run has ended")
    sync(Company(world.integration, world.environment), instance, world.ledger)
    assert (world.count(), world.unfinished()) == ({"Invoice": 3}, 0)
    instance.report_run_failed(run)


def test_a_run_that_has_only_begun_or_is_none_of_ours_is_left_alone(hourly_world: World, instance: dg.DagsterInstance) -> None:
    launcher = PipelineRunLauncher()
    launcher.register_instance(instance)
    for tags in ({COMPANY_TAG: hourly_world.integration.name}, {}):
        run = instance.add_run(dg.DagsterRun("sync", tags=tags))
        assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING
        instance.delete_run(run.run_id)


def test_the_instance_file_names_the_launcher(instance: dg.DagsterInstance) -> None:
    assert isinstance(instance.run_launcher, PipelineRunLauncher)
    assert instance.run_launcher.supports_check_run_worker_health
