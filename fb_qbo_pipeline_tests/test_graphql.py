"""What the Dagster UI is told of a synced company, by the queries that it makes."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.asset_health.asset_check_health import AssetCheckHealthState
from dagster._core.definitions.asset_health.asset_health import AssetHealthStatus
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster_graphql.test.utils import execute_dagster_graphql

from fb_qbo_pipeline.assets.company import Company
from fb_qbo_pipeline.assets.spans import Span
from fb_qbo_pipeline.automation.jobs import asset_keys
from fb_qbo_pipeline.definitions import build_definitions
from fb_qbo_pipeline.ledger.tables import token
from fb_qbo_pipeline_tests.pipeline.world import World, day

pytestmark = pytest.mark.filterwarnings("ignore")  # of the webserver's libraries
Ask = Callable[..., dict[str, Any]]
UNKNOWN_TAX = (("Unheard of", "3"),)

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
    "two_sided_reconciliation": {"reconciliation"},
}


class Location:
    """The code location of a world in a webserver: runs days as the daemon does, and is asked as the UI asks."""

    def __init__(self, world: World, instance: dg.DagsterInstance, process: WorkspaceProcessContext) -> None:
        self._world = world
        self._instance = instance
        self._process = process

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The answer to a query."""
        data: dict[str, Any] = execute_dagster_graphql(self._process.create_request_context(), query, variables=variables).data
        return data

    def run(self, first: int, last: int | None = None, *, raises: bool = True) -> dg.ExecuteInProcessResult:
        """Run a day of the company's first month, or a range of days."""
        job = build_definitions([Company(self._world.integration, self._world.environment)]).resolve_job_def("acme_sync")
        return job.execute_in_process(
            instance=self._instance,
            asset_selection=asset_keys(self._world.integration),
            partition_key=day(first).isoformat() if last is None else None,
            tags=Span(day(first), day(last)).tags() if last is not None else {},
            raise_on_error=raises,
        )

    def tiles(self, asset: str) -> dict[str, dict[str, Any]]:
        """What the UI shows of each check of an asset: the query and the choice of its "checks" page."""
        node = self.ask(CHECKS, keys=[path(asset)])["assetNodes"][0]
        shown = {}
        for check in node["assetChecksOrError"]["checks"]:
            assert check["partitionStatuses"] is None  # with them, the UI would sum the days up instead
            shown[check["name"]] = check["executionForLatestMaterialization"]
        return shown

    def health(self, check: dg.AssetCheckKey) -> AssetHealthStatus:
        """What the latest completed evaluation makes of an asset's health."""
        return asyncio.run(AssetCheckHealthState.compute_for_asset_checks({check}, self._process.create_request_context())).health_status


CHECKS = """query($keys: [AssetKeyInput!]) { assetNodes(assetKeys: $keys) { assetChecksOrError { ... on AssetChecks { checks {
  name partitionStatuses { __typename }
  executionForLatestMaterialization { status partition evaluation { severity description metadataEntries {
    label ... on TextMetadataEntry { text } ... on IntMetadataEntry { intValue } ... on MarkdownMetadataEntry { mdStr } } } } } } } } }"""


@pytest.fixture
def location(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Location]:
    """The code location of `world`, of which nothing has been run yet."""
    config = tmp_path / "integration.yaml"
    config.write_text(yaml.safe_dump(world.settings))
    for name, value in (world.variables | {"FB_QBO_CONFIG": str(config)}).items():
        monkeypatch.setenv(name, value)
    origin = InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name="fb_qbo_pipeline.definitions"), location_name="fb_qbo_pipeline")
    with dg.instance_for_test() as instance, WorkspaceProcessContext(instance, InProcessWorkspaceLoadTarget(origin)) as process:
        yield Location(world, instance, process)


@pytest.fixture
def ask(world: World, location: Location) -> Ask:
    """Asks a location, three days of which are synced in one run, one of them with a held invoice."""
    world.invoice("100.00", on=day(5))
    world.invoice("40.00", on=day(6), taxes=UNKNOWN_TAX)
    location.run(5, 7)
    return location.ask


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
        if name in ("change_feed", "two_sided_reconciliation"):
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
    running = {"executionTimezone": "America/Toronto", "scheduleState": {"status": "RUNNING"}}
    assert schedules["schedulesOrError"]["results"] == [
        {"name": "acme_daily_reconciliation", "cronSchedule": "15 5 * * *"} | running,
        {"name": "acme_hourly", "cronSchedule": "0 * * * *"} | running,
    ]


def entries(tile: dict[str, Any]) -> dict[str, Any]:
    """A tile's metadata by label."""
    return {
        entry["label"]: next((value for key, value in entry.items() if key != "label"), None)
        for entry in tile["evaluation"]["metadataEntries"]
    }


def test_the_last_word_of_every_check_is_about_the_whole_company_whatever_days_a_run_was_about(world: World, location: Location) -> None:
    world.invoice("100.00", on=day(5), number="31")
    world.invoice("40.00", on=day(6), taxes=UNKNOWN_TAX, number="32")
    world.expense(on=day(6), vendor="")
    world.payment(world.invoice("10.00", on=day(7), number="33"), "50.00", on=day(7))
    failing = {
        "staged_invoices": {"taxes_and_products_are_mapped"},
        "posted_payments": {"payments_settle_their_invoices"},
        "reconciliation": {"no_document_is_held", "no_fallback_was_used"},
    }

    def assert_true() -> None:
        for asset, names in failing.items():
            tiles = location.tiles(asset)
            assert {name for name, tile in tiles.items() if tile["status"] == "FAILED"} == names
            assert all(tile["partition"] is None for tile in tiles.values())
            assert {location.health(dg.AssetCheckKey(dg.AssetKey(["acme", asset]), name)) for name in names} == {AssetHealthStatus.WARNING}
        held = location.tiles("reconciliation")["no_document_is_held"]
        told = entries(held)
        assert (told["of"], told["documents"], told["money at stake"]) == ("the whole company", 1, "41.20 CAD")
        assert "invoice 32" in told["found"]
        assert "fb-qbo exceptions" in told["what to do"]
        assert held["evaluation"]["description"].startswith("The whole company as of 20")
        assert held["evaluation"]["description"].endswith("(America/Toronto): 1 document, 41.20 CAD")

    location.run(5, 7)
    assert_true()
    location.run(9)  # another single day
    assert_true()
    location.run(1, 3)  # an old month
    assert_true()
    location.run(6)  # a day that fails itself
    location.run(5)
    assert_true()


def test_each_day_keeps_its_own_word_and_the_history_names_it(world: World, location: Location) -> None:
    world.invoice("40.00", on=day(6), taxes=UNKNOWN_TAX)
    location.run(5, 7)
    location.run(7)
    executions = location.ask(
        """query($key: AssetKeyInput!, $name: String!) { assetCheckExecutions(assetKey: $key, checkName: $name, limit: 50) {
             status partition evaluation { description metadataEntries { label ... on TextMetadataEntry { text } } } } }""",
        key=path("reconciliation"),
        name="no_document_is_held",
    )["assetCheckExecutions"]
    days = [(one["partition"], one["status"]) for one in executions if one["partition"]]
    assert sorted(days) == [(f"2026-03-0{n}", "FAILED" if n == 6 else "SUCCEEDED") for n in (5, 6, 7, 7)]
    for one in executions:
        if one["partition"]:
            assert one["evaluation"]["description"].startswith(f"{one['partition']} alone: ")
            assert entries(one)["day"] == one["partition"]


def test_what_a_person_settles_turns_the_tile_with_the_next_run_of_any_day(world: World, location: Location) -> None:
    world.invoice("40.00", on=day(6), taxes=UNKNOWN_TAX)
    location.run(6)
    with world.ledger.begin() as tx:
        tx.exceptions.set_status(world.held()[0]["id"], "ignored", "paper only")
    location.run(9)
    assert location.tiles("reconciliation")["no_document_is_held"]["status"] == "SUCCEEDED"


def test_a_failed_step_leads_with_the_sentence_for_people(world: World, location: Location) -> None:
    world.invoice(on=day(5))
    with world.engine.begin() as connection:
        connection.execute(token.delete())
    result = location.run(5, raises=False)
    events = location.ask(
        """query($run: ID!) { logsForRun(runId: $run) { ... on EventConnection { events { __typename ... on ExecutionStepFailureEvent {
             stepKey message error { message className errorChain { error { message } } } failureMetadata { description } } } } } }""",
        run=result.run_id,
    )["logsForRun"]["events"]
    failed = [event for event in events if event["__typename"] == "ExecutionStepFailureEvent"]
    assert {event["error"]["message"].strip() for event in failed} == {
        "Stopped: FreshBooks is not connected → run: fb-qbo connect freshbooks"
    }
    assert failed[0]["failureMetadata"]["description"].startswith("FreshBooks is not connected")
