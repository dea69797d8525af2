"""Several companies in one deployment: no code for another one, and none reaches into another."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from sqlalchemy import Engine

from fb_qbo_pipeline.assets.company import Company
from fb_qbo_pipeline.automation.jobs import asset_keys, build_job
from fb_qbo_pipeline.definitions import build_definitions, load_definitions
from fb_qbo_pipeline.errors import ConfigurationError
from fb_qbo_pipeline.sandbox.freshbooks.clock import Clock
from fb_qbo_pipeline.sandbox.freshbooks.state import FreshBooks
from fb_qbo_pipeline.sandbox.sample_country import country_named, integration
from fb_qbo_pipeline_tests.pipeline.world import NOW, START, Sandboxes, World, day

pytestmark = pytest.mark.filterwarnings("ignore::dagster.BetaWarning")  # of backfill policies


def settings(name: str, account: str, start: dt.date = START) -> dict[str, Any]:
    """Settings of one more company."""
    return integration(country_named("ca"), start) | {"name": name, "freshbooks": {"account_id": account}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twenty companies, each a file."""
    folder = tmp_path / "companies"
    folder.mkdir()
    for number in range(1, 21):
        values = settings(f"company_{number}", f"ACC{number}", dt.date(2025, 1, number))
        (folder / f"company_{number}.yaml").write_text(yaml.safe_dump(values))
    return folder


def test_twenty_files_are_twenty_companies_each_with_its_own_assets_job_schedule_pool_and_days(folder: Path) -> None:
    repository = load_definitions(folder).get_repository_def()
    names = [f"company_{number}" for number in range(1, 21)]
    assert {key.path[0] for key in repository.asset_graph.get_all_asset_keys()} == set(names)
    groups = {(node.key.path[0], node.group_name) for node in repository.asset_graph.asset_nodes}
    assert groups == {(name, name) for name in names}  # "Materialize all" in a group is one company's
    assert {f"{name}_sync" for name in names} <= set(repository.job_names)
    assert {schedule.name for schedule in repository.schedule_defs} == {
        f"{name}_{schedule}" for name in names for schedule in ("hourly", "daily_reconciliation")
    }
    pools = {repository.asset_graph.get(dg.AssetKey([name, "posted_sales"])).pools.pop() for name in names}
    assert len(pools) == 20
    first_days = [repository.asset_graph.get(dg.AssetKey([name, "raw_invoices"])).partitions_def for name in names]
    assert [days.get_first_partition_key() for days in first_days if days] == [f"2025-01-{number:02}" for number in range(1, 21)]


def test_a_broken_file_is_seen_and_leaves_the_others_alone(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "company_7.yaml").write_text("name: company_7\ntimezone: Nowhere\n")
    (folder / "company_8.yaml").write_text("name: [")
    graph = load_definitions(folder).resolve_asset_graph()
    companies = {key.path[0] for key in graph.get_all_asset_keys()}
    assert len(companies - {"left_out"}) == 18
    for file in ("company_7.yaml", "company_8.yaml"):
        assert f"{file}:" in (graph.get(dg.AssetKey(["left_out", file])).description or "")
        assert f"{file}:" in caplog.text


def test_where_every_file_is_broken_the_code_location_says_so_of_each(folder: Path) -> None:
    for file in folder.iterdir():
        file.write_text("name: Bad Name\n")
    with pytest.raises(ConfigurationError, match=r"(?s)company_1\.yaml.*company_20\.yaml|company_20\.yaml.*company_1\.yaml"):
        load_definitions(folder)


@pytest.fixture
def other(engine: Engine, tmp_path: Path) -> Iterator[World]:
    """A second company, with accounts of its own, in the same database."""
    sandboxes = Sandboxes()
    with sandboxes.server:
        freshbooks = FreshBooks("XYZ999", clock=Clock(NOW))
        yield World(sandboxes, engine, tmp_path, settings=settings("beta", "XYZ999"), freshbooks=freshbooks)


def test_two_companies_with_the_same_numbers_side_by_side_keep_their_documents_and_their_state_apart(world: World, other: World) -> None:
    worlds = (world, other)
    definitions = dg.Definitions.merge(*(build_definitions([Company(one.integration, one.environment)]) for one in worlds))
    invoices = [one.invoice(amount, on=day(5)) for one, amount in zip(worlds, ("100.00", "200.00"), strict=True)]
    assert invoices[0] == invoices[1]  # FreshBooks' ids are unique within an account only
    other.invoice("10.00", on=day(5), taxes=(("Unheard of", "3"),))
    with dg.DagsterInstance.ephemeral() as instance:
        for one in worlds:
            result = definitions.resolve_job_def(build_job(one.integration).name).execute_in_process(
                instance=instance,
                asset_selection=asset_keys(one.integration, ("raw_invoices", "raw_payments", "staged_invoices", "posted_sales")),
                partition_key=day(5).isoformat(),
            )
            assert {event.asset_key.path[0] for event in result.get_asset_materialization_events() if event.asset_key} == {
                one.integration.name
            }
    assert [str(one.document("invoice", invoices[0])["TotalAmt"]) for one in worlds] == ["113.00", "226.00"]
    assert [one.count() for one in worlds] == [{"Invoice": 1}, {"Invoice": 1}]
    assert [one.codes() for one in worlds] == [[], ["unmapped_tax"]]
    world.freshbooks.delete("invoice", invoices[0])
    world.sync(day(5), day(5))
    assert str(other.document("invoice", invoices[1])["TotalAmt"]) == "226.00"
