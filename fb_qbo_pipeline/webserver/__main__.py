"""`python -m fb_qbo_pipeline.webserver`: Dagster's own command, whose application answers through the guard.

The application is exchanged where Dagster's command makes it, so that every option, signal and default stays Dagster's.
"""

import os
from typing import Any

import click
from dagster_webserver import cli as dagster_cli
from starlette.types import ASGIApp

from fb_qbo_pipeline.redaction import guard_process
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.webserver.guard import Guard

_MADE_BY = "create_app_from_workspace_process_context"
_unguarded = getattr(dagster_cli, _MADE_BY)  # where this ends in an error, Dagster makes its application elsewhere now


def _guarded(*arguments: Any, **options: Any) -> ASGIApp:
    bound = str(click.get_current_context().params["host"])
    return Guard(_unguarded(*arguments, **options), bound=bound, ui_url=Environment.read().ui_url)


def main() -> None:
    """Run the webserver until it is stopped."""
    os.umask(0o077)
    guard_process()
    setattr(dagster_cli, _MADE_BY, _guarded)
    dagster_cli.cli(auto_envvar_prefix="DAGSTER_WEBSERVER", prog_name="dagster-webserver")


if __name__ == "__main__":
    main()
