"""A company whose sandboxes and database the commands find by their environment variables."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from fb_qbo_pipeline.sandbox.freshbooks.state import FreshBooks
from fb_qbo_pipeline.sandbox.sample_country import country_named, integration
from fb_qbo_pipeline_tests.cli.command_line import CommandLine
from fb_qbo_pipeline_tests.pipeline.world import Sandboxes, World

AGE = dt.timedelta(days=40)  # of the integration: commands live in the present, so the company does, too


@pytest.fixture
def present_world(make_world: Callable[..., World]) -> World:
    """A company whose today is today."""
    return make_world(settings=integration(country_named("ca"), dt.datetime.now(dt.UTC).date() - AGE), freshbooks=FreshBooks())


@pytest.fixture
def fb_qbo(
    present_world: World,
    sandboxes: Sandboxes,
    engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> CommandLine:
    """The command line in `present_world`; its integration file is written already."""
    variables = sandboxes.server.environment(requests_per_minute=1_000_000, batches_per_minute=1_000_000) | {
        "FB_QBO_CONFIG": str(tmp_path / "integration.yaml"),
        "FB_QBO_HOME": str(tmp_path),
        "FB_QBO_DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "FB_QBO_SECRET_KEY": present_world.environment.secret_key or "",
    }
    monkeypatch.delenv("COLUMNS", raising=False)  # some test runners set it; who wants a narrow terminal says so
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    command_line = CommandLine(tmp_path, present_world.settings, capsys)
    command_line.write()
    return command_line
