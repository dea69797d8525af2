"""The tick of the sensor and of the schedule: what they start, and when they wait."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import dagster as dg
import pytest

from fb_qbo_pipeline.assets.factory import PARTITIONED
from fb_qbo_pipeline.assets.spans import RANGE_END, RANGE_START
from fb_qbo_pipeline.automation.jobs import BY_CHANGE, BY_SCHEDULE, COMPANY_TAG, MOST_SPANS, asset_keys, requests
from fb_qbo_pipeline.ledger.touched import Touched
from fb_qbo_pipeline.settings.models import Integration
from fb_qbo_pipeline_tests.assets.deployment import Deployment
from fb_qbo_pipeline_tests.pipeline.world import START, TODAY, World, day

Ticks = Callable[[], list[dg.RunRequest]]


@pytest.fixture
def instance() -> Any:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def deployment(world: World, instance: dg.DagsterInstance) -> Deployment:
    return Deployment(world, instance)


def _touch(world: World, *days: dt.date) -> None:
    with world.ledger.begin() as tx:
        tx.touched.note(days, "test")


def _unfinished(deployment: Deployment, status: dg.DagsterRunStatus, **tags: str) -> dg.DagsterRun:
    """A run of the company that has not ended; tags in Python's spelling, `fb_qbo__company` for fb_qbo/company."""
    return deployment.instance.add_run(
        dg.DagsterRun("acme_sync", status=status, tags={name.replace("__", "/"): value for name, value in tags.items()})
    )


def _spans(requested: list[dg.RunRequest]) -> list[tuple[str, str]]:
    return [(request.tags[RANGE_START], request.tags[RANGE_END]) for request in requested]


def test_each_contiguous_span_is_one_run_of_every_asset_that_goes_before_backfills(world: World, deployment: Deployment) -> None:
    _touch(world, day(5), day(6), day(9))
    requested = deployment.sensor_tick()
    assert _spans(requested) == [("2026-03-05", "2026-03-06"), ("2026-03-09", "2026-03-09")]
    for request in requested:
        assert request.asset_selection == asset_keys(world.integration)
        assert request.tags.items() >= (BY_CHANGE | {"dagster/priority": "10"}).items()


def test_with_nothing_touched_nothing_starts(deployment: Deployment) -> None:
    assert deployment.sensor_tick() == []


def test_a_run_key_changes_with_every_new_change_and_with_every_look_so_that_no_span_is_dropped(
    world: World, deployment: Deployment
) -> None:
    world.look()
    _touch(world, day(5))
    first = deployment.sensor_tick()[-1].run_key
    assert deployment.sensor_tick()[-1].run_key == first  # Dagster starts it once
    _touch(world, day(5))
    second = deployment.sensor_tick()[-1].run_key
    world.look()  # the run has failed: after the next look it is tried again
    third = deployment.sensor_tick()[-1].run_key
    assert len({first, second, third}) == 3


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED])
def test_while_a_run_of_the_company_is_unfinished_changes_gather(world: World, deployment: Deployment, status: dg.DagsterRunStatus) -> None:
    _touch(world, day(5))
    _unfinished(deployment, status, fb_qbo__company="another")
    assert _spans(deployment.sensor_tick()) == [("2026-03-05", "2026-03-05")]
    _unfinished(deployment, status, fb_qbo__company="acme")
    assert deployment.sensor_tick() == []


def test_a_run_that_was_started_from_an_asset_in_the_ui_counts_as_one_of_the_company(world: World, deployment: Deployment) -> None:
    _touch(world, day(5))
    selection = frozenset(asset_keys(world.integration, ("raw_invoices",)))
    deployment.instance.add_run(dg.DagsterRun("__ASSET_JOB", status=dg.DagsterRunStatus.STARTED, asset_selection=selection))
    assert deployment.sensor_tick() == []


def test_changes_do_not_wait_for_a_backfill(world: World, deployment: Deployment) -> None:
    _touch(world, day(5))
    _unfinished(deployment, dg.DagsterRunStatus.STARTED, fb_qbo__company="acme", dagster__backfill="abc")
    assert _spans(deployment.sensor_tick()) == [("2026-03-05", "2026-03-05")]


def test_dates_of_another_start_date_belong_to_the_first_day_and_future_ones_wait(world: World) -> None:
    waiting = [Touched(date, 1, "test") for date in (START - dt.timedelta(days=40), START, TODAY + dt.timedelta(days=1))]
    requested = list(requests(world.integration, waiting, 1, TODAY, []))
    assert [(r.tags[RANGE_START], r.tags[RANGE_END]) for r in requested if isinstance(r, dg.RunRequest)] == [("2026-03-01", "2026-03-01")]


def _sparse(count: int) -> list[Touched]:
    return [Touched(START + dt.timedelta(days=2 * n), 1, "test") for n in range(count)]


def test_more_than_sixty_separate_spans_become_the_suggestion_of_a_backfill(world: World) -> None:
    today = START + dt.timedelta(days=400)
    assert len(list(requests(world.integration, _sparse(MOST_SPANS), 1, today, []))) == MOST_SPANS
    (suggestion,) = requests(world.integration, _sparse(MOST_SPANS + 1), 1, today, [])
    assert isinstance(suggestion, dg.SkipReason)
    assert "fb-qbo sync --from 2026-03-01 --to 2026-06-29" in str(suggestion.skip_message)


def test_a_first_sync_of_many_years_is_one_stretch_and_starts_by_itself(world: World) -> None:
    long_ago = Integration.model_validate(world.settings | {"start_date": "2016-03-01"})
    waiting = [Touched(long_ago.start_date + dt.timedelta(days=n), 1, "test") for n in range(3650)]
    assert len(list(requests(long_ago, waiting, 1, TODAY, []))) == 118  # months


def test_a_look_that_waits_behind_a_long_run_is_not_joined_by_another(world: World) -> None:
    with dg.instance_for_test() as instance:  # a schedule's tick wants one that other processes could open
        deployment = Deployment(world, instance)
        (look,) = deployment.schedule_tick()
        assert look.asset_selection == [deployment.key("change_feed")]
        assert look.tags.items() >= (BY_SCHEDULE | {"dagster/priority": "10"}).items()
        _unfinished(deployment, dg.DagsterRunStatus.NOT_STARTED, **{COMPANY_TAG: "acme"}, **BY_SCHEDULE)
        assert deployment.schedule_tick() == []


def test_a_backfill_of_the_ui_settles_the_touched_dates_of_its_days(world: World, deployment: Deployment) -> None:
    world.invoice("100.00", on=day(5))
    _touch(world, day(5), day(6), day(9))
    deployment.run(day(5), day(8), tags={"dagster/backfill": "abc"})
    assert world.touched() == [day(9)]


def test_a_run_of_some_assets_settles_no_date(world: World, deployment: Deployment) -> None:
    _touch(world, day(5))
    deployment.run(day(5), assets=[asset for asset in PARTITIONED if not asset.endswith("expenses")])
    assert world.touched() == [day(5)]


def test_a_run_that_fails_leaves_its_dates_waiting(world: World, deployment: Deployment) -> None:
    world.invoice("100.00", on=day(5))
    _touch(world, day(5))
    world.fail(path="/invoice", status=503, count=None)
    assert not deployment.run(day(5), day(6), raises=False).success
    assert world.touched() == [day(5)]
