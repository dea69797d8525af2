"""A company of the present whose deployment is real processes on the test's database; and where alerts arrive."""

import datetime as dt
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml
from sqlalchemy import Engine

from fb_qbo_pipeline.automation.instance import dagster_home, open_instance
from fb_qbo_pipeline.sandbox.freshbooks.state import FreshBooks
from fb_qbo_pipeline.sandbox.sample_country import country_named, integration
from fb_qbo_pipeline_tests.automation.receivers import MailServer, WebhookServer, serving
from fb_qbo_pipeline_tests.automation.services import Services, quick_home
from fb_qbo_pipeline_tests.pipeline.world import World


@pytest.fixture
def hourly_world(make_world: Callable[..., World], engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A company since nine days ago; its file and its environment are where processes look for them.

    Dagster's tables are not emptied between tests, so every test's company has a name of its own.
    """
    now = dt.datetime.now(dt.UTC)
    start = now.date() - dt.timedelta(days=9)
    schedule = {"cron": f"{(now.minute + 30) % 60} * * * *", "enabled": True}  # no tick of its own falls into the test
    world = make_world(
        settings=integration(country_named("ca"), start) | {"name": f"hourly_{secrets.token_hex(4)}", "schedule": schedule},
        freshbooks=FreshBooks(),
    )
    file = tmp_path / "integration.yaml"
    file.write_text(yaml.safe_dump(world.settings))
    for name, value in (world.variables | {"FB_QBO_CONFIG": str(file)}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return world


@pytest.fixture
def quick_to_notice(hourly_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dead runs are noticed within seconds: production's dagster.yaml with other times. Ask for it before `instance`."""
    monkeypatch.setenv("DAGSTER_HOME", str(quick_home(hourly_world.environment, tmp_path)))


@pytest.fixture
def instance(hourly_world: World) -> Iterator[dg.DagsterInstance]:
    """The instance that the processes share, in Postgres."""
    with open_instance(hourly_world.environment) as instance:
        yield instance


@pytest.fixture
def services(hourly_world: World, instance: dg.DagsterInstance) -> Iterator[Services]:
    """The processes of the deployment, ended with the test."""
    services = Services(dagster_home(hourly_world.environment))
    yield services
    services.stop()


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """A mail server."""
    with serving(MailServer()) as server:
        yield server


@pytest.fixture
def webhook() -> Iterator[WebhookServer]:
    """An incoming webhook."""
    with serving(WebhookServer()) as server:
        yield server
