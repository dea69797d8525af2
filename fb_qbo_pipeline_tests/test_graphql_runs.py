"""What an operator does in the Dagster UI with runs, schedule and sensor, by the queries that it makes."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster_graphql.test.utils import execute_dagster_graphql

from fb_qbo_pipeline.assets.spans import RANGE_END
from fb_qbo_pipeline.automation.jobs import TRIGGER_TAG, asset_keys
from fb_qbo_pipeline.on_demand import SyncIncomplete, SyncResult, sync
from fb_qbo_pipeline_tests.assets.deployment import CompanyOf
from fb_qbo_pipeline_tests.pipeline.world import World, day
from fb_qbo_pipeline_tests.ui import REPOSITORY, Ask, execute_again, launch_all, preview, tick

pytestmark = pytest.mark.filterwarnings("ignore")  # of the webserver's libraries


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """An instance that queues what is launched: there is no daemon to take it."""
    with dg.instance_for_test({"run_coordinator": {"module": "dagster", "class": "QueuedRunCoordinator"}}) as instance:
        yield instance


@pytest.fixture
def ask(world: World, instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """Asks the code location of `world`."""
    config = tmp_path / "integration.yaml"
    config.write_text(yaml.safe_dump(world.settings))
    for name, value in (world.variables | {"FB_QBO_CONFIG": str(config)}).items():
        monkeypatch.setenv(name, value)
    origin = InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name="fb_qbo_pipeline.definitions"), location_name="fb_qbo_pipeline")
    with WorkspaceProcessContext(instance, InProcessWorkspaceLoadTarget(origin)) as process:

        def asked(query: str, **variables: Any) -> dict[str, Any]:
            return dict(execute_dagster_graphql(process.create_request_context(), query, variables=variables).data)

        yield asked


@pytest.fixture
def synced(world: World, instance: dg.DagsterInstance) -> SyncResult:
    """Three days of `world` as `fb-qbo sync` syncs them, in one run; one of them has a held invoice."""
    world.invoice("100.00", on=day(5))
    world.invoice("40.00", on=day(6), taxes=(("Unheard of", "3"),))
    return sync(CompanyOf(world), instance, world.ledger, (day(5), day(7)))


def path(asset: str) -> dict[str, list[str]]:
    return {"path": ["acme", asset]}


@pytest.mark.parametrize("strategy", ["ALL_STEPS", "FROM_FAILURE"])
def test_a_run_of_a_command_can_be_executed_again_from_the_ui(ask: Ask, world: World, instance: dg.DagsterInstance, strategy: str) -> None:
    if strategy == "FROM_FAILURE":
        world.fail(path="/invoice", status=503, count=None)
    world.invoice("100.00", on=day(5))
    with contextlib.suppress(SyncIncomplete):
        sync(CompanyOf(world), instance, world.ledger, (day(5), day(7)))
    (run,) = instance.get_runs()
    again = execute_again(ask, run.run_id, strategy)
    assert (again["status"], again["parentRunId"]) == ("QUEUED", run.run_id)
    assert {"key": RANGE_END, "value": "2026-03-07"} in again["tags"]


def test_a_run_of_a_command_stands_in_the_timeline_and_in_its_job_with_its_trigger_and_its_days(ask: Ask, synced: SyncResult) -> None:
    (run_id,) = synced.runs
    runs = ask(
        """query($job: PipelineSelector!) { pipelineOrError(params: $job) { ... on Pipeline { runs { id } } }
             runsFeedOrError(limit: 5, view: ROOTS) { ... on RunsFeedConnection { results { id } } } }""",
        job=REPOSITORY | {"pipelineName": "acme_sync"},
    )
    assert runs["pipelineOrError"]["runs"] == runs["runsFeedOrError"]["results"] == [{"id": run_id}]
    # Overview draws the runs that it can assign to a job of a code location
    (drawn,) = ask(
        """{ runsOrError(filter: {statuses: [SUCCESS]}) { ... on Runs { results {
             pipelineName repositoryOrigin { repositoryName repositoryLocationName } tags { key value } } } } }"""
    )["runsOrError"]["results"]
    assert (drawn["pipelineName"], drawn["repositoryOrigin"]) == ("acme_sync", REPOSITORY)
    tags = {tag["key"]: tag["value"] for tag in drawn["tags"]}
    assert tags[TRIGGER_TAG] == "command line"
    assert tags["user"] == "command line"  # the UI's "created by"; "manually launched" without
    assert tags["fb_qbo/days"] == "2026-03-05 to 2026-03-07"


def test_a_test_tick_of_the_schedule_can_be_launched_from_the_ui(ask: Ask, world: World) -> None:
    (run,) = launch_all(ask, tick(ask, "acme_hourly", world.freshbooks.clock.now().timestamp()), "acme_sync")
    assert (run["status"], run["assetSelection"]) == ("QUEUED", [path("change_feed")])


def test_a_preview_of_the_sensor_can_be_launched_from_the_ui(ask: Ask, world: World) -> None:
    with world.ledger.begin() as tx:
        tx.touched.note([day(5), day(6), day(9)], "test")
    runs = launch_all(ask, preview(ask, "acme_touched_dates"), "acme_sync")
    assert [run["status"] for run in runs] == ["QUEUED"] * 2
    everything = {tuple(key.path) for key in asset_keys(world.integration)}
    assert all({tuple(key["path"]) for key in run["assetSelection"]} == everything for run in runs)
