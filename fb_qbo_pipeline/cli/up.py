"""`fb-qbo up`: production in one command: the database if it is embedded, the Dagster UI, the daemon."""

import os
from pathlib import Path

import click

from fb_qbo_pipeline.automation.instance import dagster_home
from fb_qbo_pipeline.cli.options import config_option, integrations
from fb_qbo_pipeline.cli.output import err, log_to
from fb_qbo_pipeline.cli.services import HOST, serve
from fb_qbo_pipeline.pipeline.runtime import SERVICES, open_database, require_connection
from fb_qbo_pipeline.settings.environment import Environment


@click.command("up")
@config_option
@click.option("--host", default=HOST, show_default=True, help="Address of the UI. It has no login: put a proxy before anything public.")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Port of the UI.")
def command(config: Path | None, host: str, port: int) -> int:
    """Run the Dagster UI, the schedule and the sensors until Ctrl-C."""
    environment = Environment.read()
    log_to(environment, verbose=False)
    found = integrations(config, environment)
    _point_to(config)
    engine = open_database(environment)  # keeps the embedded server up for as long as this runs
    try:
        for integration in found:
            for service in SERVICES:
                require_connection(engine, environment, integration, service)
        names = ", ".join(integration.name for integration in found)
        return serve(dagster_home(environment), host, port, lambda address: err().print(f"{names}: {address}  (Ctrl-C stops)"))
    finally:
        engine.dispose()


def _point_to(config: Path | None) -> None:
    """The services are processes of their own: they find the configuration through the environment."""
    if config is not None:
        os.environ["FB_QBO_CONFIG"] = str(config.absolute())
