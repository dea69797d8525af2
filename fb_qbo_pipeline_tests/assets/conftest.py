"""A company's Dagster deployment for each test."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import pytest

from fb_qbo_pipeline.sandbox.sample_country import country_named, integration
from fb_qbo_pipeline_tests.assets.deployment import Deployment
from fb_qbo_pipeline_tests.pipeline.world import START, World


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A Dagster instance whose storage lives in memory."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def deployment(world: World, instance: dg.DagsterInstance) -> Deployment:
    """The deployment of `world`."""
    return Deployment(world, instance)


@pytest.fixture
def deploy(instance: dg.DagsterInstance) -> Callable[[World], Deployment]:
    """Makes the deployment of another world."""
    return lambda world: Deployment(world, instance)


@pytest.fixture
def world_settings() -> dict[str, Any]:
    """The settings that `world` has."""
    return integration(country_named("ca"), START)
