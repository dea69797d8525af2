"""Where the state lives: one Postgres, embedded under the home folder unless `FB_QBO_DATABASE_URL` names another.

The demo, the tests and production run the same SQL, locks and types. The URL always spells the driver,
`postgresql+psycopg2`: under SQLAlchemy 2.1 a bare `postgresql://` means another driver, and Dagster's storage then fails.
Dagster's own tables share the database (schema `public`); the pipeline's are in the schema `fb_qbo`.
"""

from __future__ import annotations

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from fb_qbo_pipeline.embedded import server
from fb_qbo_pipeline.errors import ConfigurationError, PipelineError, Unreachable
from fb_qbo_pipeline.json_text import dump_json, load_json
from fb_qbo_pipeline.ledger.locks import advisory_lock
from fb_qbo_pipeline.ledger.tables import SCHEMA
from fb_qbo_pipeline.ledger.versions import look_at_version

log = logging.getLogger(__name__)

# Dagster's event log can lose its last milliseconds in a power cut without harm (the ledger is the system of record),
# and it commits once per event: not waiting for the disk there halves the time of a range run.
_DAGSTER_OPTIONS = "&options=-csynchronous_commit%3Doff"


def embedded_url(home: Path) -> str:
    """Start (or join) the embedded server under `home`/postgres and give its SQLAlchemy URL, which holds no password.

    Processes share one server; it stops when the last process that asked for it has ended.
    """
    return server.use(home).url()


def database_url(configured: str | None, home: Path) -> str:
    """The URL of the pipeline's database."""
    return configured or embedded_url(home)


def dagster_url(configured: str | None, home: Path) -> str:
    """The URL that Dagster's storage uses: the same database, with commits that do not wait for the disk if embedded."""
    return configured or embedded_url(home) + _DAGSTER_OPTIONS


def connect(url: str) -> Engine:
    """An engine whose JSON columns keep Decimals exact in both directions, and whose sessions speak UTC."""
    return create_engine(
        url,
        json_serializer=dump_json,
        json_deserializer=load_json,
        hide_parameters=True,  # customers' data: an error of the database must not quote it
        pool_pre_ping=True,
        pool_size=12,
        max_overflow=8,
        # A connection that holds a lock is silent for as long as a run lasts: what stands between must not take it for dead.
        connect_args={"options": "-c timezone=UTC", "keepalives_idle": 60, "keepalives_interval": 10, "keepalives_count": 6},
    )


def migrate(engine: Engine) -> None:
    """Bring the schema to the newest revision. Safe to call from several processes at once.

    Raises ConfigurationError where the server is too old, and a PipelineError where it cannot be used.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    try:
        with engine.connect() as connection, advisory_lock(connection, "fb_qbo:migrate"):
            look_at_version(connection)
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
            connection.commit()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    except OperationalError as error:
        raise _no_database(engine, error) from error


def _no_database(engine: Engine, error: OperationalError) -> PipelineError:
    """Why a database cannot be used; the driver's own text stays out, since it quotes parts of the address."""
    host = engine.url.host or engine.url.query.get("host", "the embedded server")
    text = str(error.orig)
    for sign, wrong in (
        ("authentication failed", "does not accept the user or the password"),
        ("no password supplied", "wants a password"),
        ("does not exist", "has no such database or user"),
        ("could not translate host name", "is not known: no such host"),
    ):
        if sign in text:
            return ConfigurationError(f"the database at {host} {wrong}", "correct FB_QBO_DATABASE_URL")
    return Unreachable(f"the database at {host} does not answer", "start it, or correct FB_QBO_DATABASE_URL")
