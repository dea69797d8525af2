"""What the Dagster UI is told of a synced company, by the queries that it makes."""

from collections.abc import Callable, Iterator
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

from fb_qbo_pipeline.assets.company import Company
from fb_qbo_pipeline.automation.jobs import asset_keys, build_job
from fb_qbo_pipeline.definitions import build_definitions
from fb_qbo_pipeline_tests.pipeline.world import World, day

pytestmark = pytest.mark.filterwarnings("ignore")  # of the webserver's libraries
Ask = Callable[..., dict[str, Any]]

LINEAGE = {
    "change_feed": set(),
    "raw_invoices": {"change_feed"},
    "raw_payments": {"change_feed"},
    "raw_expenses": {"change_feed"},
    "staged_invoices": {"raw_invoices", "raw_payments"},
    "staged_payments": {"raw_payments", "staged_invoices"},
    "staged_expenses": {"raw_expenses"},
    "posted_sales": {"staged_invoices"},
    "posted_payments": {"staged_payments", "posted_sales"},
    "posted_bills": {"staged_expenses"},
    "reconciliation": {"posted_sales", "posted_payments", "posted_bills"},
}


@pytest.fixture
def ask(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """Asks the code location of `world`, three days of which are synced in one run, one of them with a held invoice."""
    world.invoice("100.00", on=day(5))
    world.invoice("40.00", on=day(6), taxes=(("Unheard of", "3"),))
    config = tmp_path / "integration.yaml"
    config.write_text(yaml.safe_dump(world.settings))
    for name, value in (world.variables | {"FB_QBO_CONFIG": str(config)}).items():
        monkeypatch.setenv(name, value)
    origin = InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name="fb_qbo_pipeline.definitions"), location_name="fb_qbo_pipeline")
    with dg.instance_for_test() as instance:
        days = {"dagster/asset_partition_range_start": "2026-03-05", "dagster/asset_partition_range_end": "2026-03-07"}
        job = build_definitions([Company(world.integration, world.environment)]).resolve_job_def(build_job(world.integration).name)
        job.execute_in_process(instance=instance, asset_selection=asset_keys(world.integration), tags=days)
        with WorkspaceProcessContext(instance, InProcessWorkspaceLoadTarget(origin)) as process:
            context = process.create_request_context()
            yield lambda query, **variables: execute_dagster_graphql(context, query, variables=variables).data


def path(asset: str) -> dict[str, list[str]]:
    return {"path": ["acme", asset]}


def test_the_ui_shows_lineage_partitions_and_checks_as_they_are_documented(ask: Ask) -> None:
    nodes = ask(
        """{ assetNodes { assetKey { path } description groupName isPartitioned dependencyKeys { path } pools
             assetPartitionStatuses { ... on TimePartitionStatuses { ranges { startKey endKey status } } } } }"""
    )["assetNodes"]
    by_name = {node["assetKey"]["path"][1]: node for node in nodes}
    assert {name: {key["path"][1] for key in node["dependencyKeys"]} for name, node in by_name.items()} == LINEAGE
    assert all(node["description"] for node in nodes)
    for name, node in by_name.items():
        if name == "change_feed":
            assert not node["isPartitioned"]
            continue
        ranges = [tuple(found.values()) for found in node["assetPartitionStatuses"]["ranges"]]
        assert ranges == [("2026-03-05", "2026-03-07", "MATERIALIZED")], name
    assert by_name["posted_sales"]["pools"] == ["acme_quickbooks"]

    checks = ask(
        """query($key: AssetKeyInput!, $name: String!) { assetCheckExecutions(assetKey: $key, checkName: $name, limit: 50) {
             status partition evaluation { success severity metadataEntries { label } } } }""",
        key=path("staged_invoices"),
        name="taxes_and_products_are_mapped",
    )["assetCheckExecutions"]
    days = {check["partition"]: check["status"] for check in checks if check["partition"]}
    assert days == {"2026-03-05": "SUCCEEDED", "2026-03-06": "FAILED", "2026-03-07": "SUCCEEDED"}
    (failed,) = [check["evaluation"] for check in checks if check["partition"] == "2026-03-06"]
    assert failed["severity"] == "WARN"
    assert {entry["label"] for entry in failed["metadataEntries"]} >= {"documents", "money at stake", "found", "what to do"}

    schedules = ask(
        """query($repository: RepositorySelector!) { schedulesOrError(repositorySelector: $repository) {
             ... on Schedules { results { name cronSchedule executionTimezone scheduleState { status } } } } }""",
        repository={"repositoryName": "__repository__", "repositoryLocationName": "fb_qbo_pipeline"},
    )
    (schedule,) = schedules["schedulesOrError"]["results"]
    assert schedule == {
        "name": "acme_hourly",
        "cronSchedule": "0 * * * *",
        "executionTimezone": "America/Toronto",
        "scheduleState": {"status": "RUNNING"},
    }
