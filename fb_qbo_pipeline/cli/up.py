"""`fb-qbo up`: production in one command: the database if it is embedded, the Dagster UI, the daemon."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import click
from sqlalchemy import Engine

from fb_qbo_pipeline.automation.instance import dagster_home
from fb_qbo_pipeline.cli.companies import Companies
from fb_qbo_pipeline.cli.connected import require_connections
from fb_qbo_pipeline.cli.options import config_option
from fb_qbo_pipeline.cli.output import err, log_to
from fb_qbo_pipeline.cli.services import HOST, require_free, serve
from fb_qbo_pipeline.errors import PipelineError, Unreachable
from fb_qbo_pipeline.ledger.locks import advisory_lock
from fb_qbo_pipeline.pipeline.runtime import open_database
from fb_qbo_pipeline.settings.environment import Environment


@click.command("up")
@config_option
@click.option("--host", default=HOST, show_default=True, help="Address of the UI. It has no login: put a proxy before anything public.")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Port of the UI.")
def command(config: Path | None, host: str, port: int) -> int:
    """Run the Dagster UI, the schedule and the sensors until Ctrl-C.

    Of several companies, those whose file or connection does not work are told, and the others are run.
    """
    environment = Environment.read()
    log_to(environment, verbose=False)
    companies = Companies(config, environment)
    _point_to(config)
    engine = open_database(environment)  # keeps the embedded server up for as long as this runs
    try:
        ready = companies.each(lambda integration: require_connections(engine, environment, integration))
        companies.end()
        names = ", ".join(ready)
        require_free(host, port)
        with _alone(engine):
            return serve(
                dagster_home(environment),
                environment.home / "logs",
                host,
                port,
                lambda address: err().print(f"{names}: {address}  (Ctrl-C stops)"),
            )
    finally:
        engine.dispose()


@contextlib.contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """Raise PipelineError where another `up` runs on this database: two daemons would start every run twice."""
    with contextlib.ExitStack() as held, engine.connect() as connection:
        try:
            held.enter_context(advisory_lock(connection, "fb_qbo:up", wait_seconds=0))
        except Unreachable as error:
            raise PipelineError("fb-qbo up is running already on this database", "use that one, or stop it first") from error
        yield


def _point_to(config: Path | None) -> None:
    """The services are processes of their own: they find the configuration through the environment."""
    if config is not None:
        os.environ["FB_QBO_CONFIG"] = str(config.absolute())
