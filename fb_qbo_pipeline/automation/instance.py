"""The Dagster instance of the command line: the same storage, runs and UI as the webserver's and the daemon's."""

import importlib.resources
import os
from pathlib import Path
from typing import Any

import dagster as dg
from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError

from fb_qbo_pipeline.settings.environment import Environment


def dagster_home(environment: Environment) -> Path:
    """The folder of Dagster's configuration: DAGSTER_HOME where it is set, otherwise one under FB_QBO_HOME, made if needed."""
    given = os.environ.get("DAGSTER_HOME")
    if given:
        return Path(given)
    home = environment.home / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    wanted = importlib.resources.files("fb_qbo_pipeline.automation").joinpath("dagster.yaml").read_text()
    file = home / "dagster.yaml"
    if not file.exists() or file.read_text() != wanted:
        file.write_text(wanted)
    return home


def open_instance(environment: Environment) -> dg.DagsterInstance:
    """The instance; use it as a context manager.

    Dagster's Postgres storage opens a connection for every event unless it is told to keep one, as its webserver does;
    a first sync writes some ten thousand events, and connecting took a third of its time.
    """
    instance = dg.DagsterInstance.from_config(str(dagster_home(environment)))
    instance.optimize_for_webserver(statement_timeout=60_000, pool_recycle=3600, max_overflow=20)
    for storage in (instance.run_storage, instance.event_log_storage, instance.schedule_storage):
        engine: Engine = storage._engine  # type: ignore[union-attr]  # Dagster offers no way to its engines
        event.listen(engine, "checkout", _ping)
    return instance


def _ping(connection: Any, _record: Any, _proxy: Any) -> None:
    """SQLAlchemy's recipe for connections that are kept: one that has ended since it was last used is replaced.

    Between two events of a run there may be minutes of waiting for QuickBooks.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except connection.Error as error:
        raise DisconnectionError from error
