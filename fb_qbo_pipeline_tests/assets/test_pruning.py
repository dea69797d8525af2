"""Old runs go, and what the UI shows of each day stays."""

import datetime as dt

import dagster as dg

from fb_qbo_pipeline.automation.pruning import prune
from fb_qbo_pipeline_tests.assets.deployment import Deployment
from fb_qbo_pipeline_tests.pipeline.world import World, day

LATER = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)


def test_only_runs_that_are_nobodys_latest_go_and_every_day_stays_as_it_is(world: World, deployment: Deployment) -> None:
    world.invoice("100.00", on=day(3))
    for _ in range(2):
        deployment.run(day(3))
    deployment.run(day(4))
    instance = deployment.instance
    first, second, other = (run.run_id for run in reversed(instance.get_runs()))
    key = dg.AssetKey([world.integration.name, "posted_sales"])
    before = instance.get_materialized_partitions(key)
    assert prune(instance, LATER - dt.timedelta(days=30)) == 0
    assert prune(instance, LATER) == 1
    assert {run.run_id for run in instance.get_runs()} == {second, other}
    assert instance.get_materialized_partitions(key) == before
    assert instance.all_logs(first) == []
    assert prune(instance, LATER) == 0
