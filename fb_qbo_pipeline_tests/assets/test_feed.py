"""How fresh the look for changes has to be."""

import datetime as dt
from typing import Any

import pytest
from dagster._core.definitions.freshness import TimeWindowFreshnessPolicy

from fb_qbo_pipeline.assets.feed import freshness_of
from fb_qbo_pipeline.settings.models import Integration


@pytest.mark.parametrize(
    ("cron", "warns", "fails"),
    [("0 * * * *", 2, 3), ("0 6 * * *", 25, 49), ("0 6-18/4 * * 1-5", 61, 121)],  # the last: over a weekend
)
def test_one_look_that_did_not_take_place_warns_and_two_fail(world_settings: dict[str, Any], cron: str, warns: int, fails: int) -> None:
    integration = Integration.model_validate(world_settings | {"schedule": {"cron": cron}})
    policy = freshness_of(integration)
    assert isinstance(policy, TimeWindowFreshnessPolicy)
    assert policy.warn_window is not None
    assert (policy.warn_window.to_timedelta(), policy.fail_window.to_timedelta()) == (dt.timedelta(hours=warns), dt.timedelta(hours=fails))


def test_without_a_schedule_nothing_is_expected(world_settings: dict[str, Any]) -> None:
    assert freshness_of(Integration.model_validate(world_settings | {"schedule": {"enabled": False}})) is None
