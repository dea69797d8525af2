"""The Dagster project as its users find it: names, partitions, schedule, catalogue, and the files at the root."""

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from fb_qbo_pipeline.assets.company import Company
from fb_qbo_pipeline.automation.jobs import COMPANY_TAG
from fb_qbo_pipeline.definitions import build_definitions, load_definitions
from fb_qbo_pipeline.errors import ConfigurationError
from fb_qbo_pipeline.sandbox.sample_country import country_named, integration
from fb_qbo_pipeline.settings.models import Integration

ROOT = Path(__file__).parents[1]
# The public names (contract, section 5), the look that precedes them and the comparison that follows daily.
ASSETS = {
    "change_feed",
    "raw_invoices",
    "raw_payments",
    "raw_expenses",
    "staged_invoices",
    "staged_payments",
    "staged_expenses",
    "posted_sales",
    "posted_payments",
    "posted_bills",
    "reconciliation",
    "two_sided_reconciliation",
}
NOT_PARTITIONED = {"change_feed", "two_sided_reconciliation"}
LATE_EVENING = dt.datetime(2026, 3, 21, 3, tzinfo=dt.UTC)  # 23:00 of the 20th in Toronto


def _settings(**changed: Any) -> dict[str, Any]:
    return integration(country_named("ca"), dt.date(2026, 3, 1)) | changed


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_definitions([Company(Integration.model_validate(_settings()))])


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes an integration file into a folder of several; answers the folder."""

    def write_file(file_name: str, **changed: Any) -> Path:
        (tmp_path / file_name).write_text(yaml.safe_dump(_settings(**changed)))
        return tmp_path

    return write_file


def _keys(definitions: dg.Definitions) -> set[str]:
    return {key.to_user_string() for key in definitions.resolve_asset_graph().get_all_asset_keys()}


def test_the_names_are_those_of_the_contract(definitions: dg.Definitions) -> None:
    assert _keys(definitions) == {f"acme/{asset}" for asset in ASSETS}
    assert definitions.resolve_job_def("acme_sync").tags[COMPANY_TAG] == "acme"
    schedule = definitions.resolve_schedule_def("acme_hourly")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 * * * *", "America/Toronto")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    daily = definitions.resolve_schedule_def("acme_daily_reconciliation")
    assert (daily.job_name, daily.cron_schedule, daily.default_status) == ("acme_reconcile", "15 5 * * *", dg.DefaultScheduleStatus.RUNNING)
    assert definitions.resolve_sensor_def("acme_touched_dates").default_status is dg.DefaultSensorStatus.RUNNING


def test_a_partition_is_a_company_day_from_the_start_date_to_today(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    partitions = graph.get(dg.AssetKey(["acme", "staged_payments"])).partitions_def
    assert isinstance(partitions, dg.DailyPartitionsDefinition)
    keys = partitions.get_partition_keys(current_time=LATE_EVENING)
    assert (keys[0], keys[-1]) == ("2026-03-01", "2026-03-20")
    assert {graph.get(dg.AssetKey(["acme", asset])).partitions_def for asset in ASSETS - NOT_PARTITIONED} == {partitions}
    assert graph.get(dg.AssetKey(["acme", "change_feed"])).partitions_def is None


def test_a_backfill_of_many_days_is_runs_of_a_month(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    policies = {graph.get(dg.AssetKey(["acme", asset])).backfill_policy for asset in ASSETS - NOT_PARTITIONED}
    assert policies == {dg.BackfillPolicy.multi_run(31)}


def test_every_asset_can_be_understood_in_the_catalogue(definitions: dg.Definitions) -> None:
    for node in definitions.resolve_asset_graph().asset_nodes:
        assert node.description
        assert node.owners
        assert node.kinds
        assert node.group_name == "acme"  # "Materialize all" in a group is one company's
        assert node.metadata["dagster/code_references"].code_references
        if node.key.path[-1].startswith(("raw_", "staged_", "posted_")):
            columns = node.metadata["dagster/column_schema"].columns
            assert {column.type for column in columns} <= {"text", "whole number", "amount", "date", "record"}
            assert {"whole number", "date"} <= {column.type for column in columns}
    for check in definitions.resolve_asset_graph().asset_check_keys:
        assert definitions.resolve_asset_graph().get_check_spec(check).description


def test_posting_is_in_the_pool_of_the_company(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    pools = {node.key.path[-1]: node.pools for node in graph.asset_nodes if node.pools}
    assert pools == {asset: {"acme_quickbooks"} for asset in ("posted_sales", "posted_payments", "posted_bills")}


def test_a_schedule_that_is_not_enabled_starts_switched_off_and_so_does_its_sensor() -> None:
    settings = _settings(schedule={"cron": "30 6 * * *", "enabled": False})
    definitions = build_definitions([Company(Integration.model_validate(settings))])
    assert definitions.resolve_schedule_def("acme_hourly").default_status is dg.DefaultScheduleStatus.STOPPED
    assert definitions.resolve_schedule_def("acme_hourly").cron_schedule == "30 6 * * *"
    daily = definitions.resolve_schedule_def("acme_daily_reconciliation")
    assert (daily.job_name, daily.cron_schedule, daily.default_status) == ("acme_reconcile", "15 5 * * *", dg.DefaultScheduleStatus.RUNNING)
    assert definitions.resolve_sensor_def("acme_touched_dates").default_status is dg.DefaultSensorStatus.STOPPED


@pytest.mark.parametrize("name", ["class", "io_manager", "count"])
def test_a_company_may_have_any_name_that_the_settings_allow(name: str) -> None:
    definitions = build_definitions([Company(Integration.model_validate(_settings(name=name)))])
    assert f"{name}/raw_invoices" in _keys(definitions)
    assert definitions.resolve_job_def(f"{name}_sync")


def test_a_folder_serves_several_companies_and_a_broken_file_costs_the_others_nothing(
    write: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    write("acme.yaml")
    write("beta.yaml", name="beta", quickbooks={"realm_id": "2"})
    folder = write("broken.yaml", name="gamma", timezone="Mars/Olympus")
    definitions = load_definitions(folder)
    assert _keys(definitions) == {f"{name}/{asset}" for name in ("acme", "beta") for asset in ASSETS} | {"left_out/broken.yaml"}
    assert {job.name for job in definitions.jobs or ()} >= {"acme_sync", "beta_sync"}
    assert "broken.yaml" in caplog.text
    assert "Mars/Olympus" in caplog.text


def test_where_every_file_is_broken_the_location_says_so(write: Callable[..., Path]) -> None:
    with pytest.raises(ConfigurationError, match="Mars/Olympus"):
        load_definitions(write("broken.yaml", timezone="Mars/Olympus"))


def test_the_packaged_instance_file_is_the_one_at_the_root() -> None:
    packaged = files("fb_qbo_pipeline.automation").joinpath("dagster.yaml").read_text()
    assert packaged == (ROOT / "dagster.yaml").read_text()


def test_the_workspace_at_the_root_loads(write: Callable[..., Path], tmp_path: Path) -> None:
    environment = os.environ | {"FB_QBO_CONFIG": str(write("acme.yaml")), "FB_QBO_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "ignore", "-m", "dagster", "definitions", "validate", "-w", str(ROOT / "workspace.yaml")]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
