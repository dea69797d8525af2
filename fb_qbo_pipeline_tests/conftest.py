"""What all tests share: a database for each test, both sandboxes, and a company between them.

Property tests have no time limit an example, because the machine's speed is no behaviour of ours. One embedded Postgres
serves a test session (with xdist each worker's), and its tables are emptied before each test that asks for it.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from sqlalchemy import Engine, text

from fb_qbo_pipeline.embedded.server import leave
from fb_qbo_pipeline.ledger.database import connect, embedded_url, migrate
from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.ledger.tables import metadata
from fb_qbo_pipeline_tests.pipeline.world import Sandboxes, World

settings.register_profile("default-without-deadline", deadline=None)
settings.load_profile("default-without-deadline")


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """A migrated database. Nothing in it has to outlive a power cut, so commits do not wait for the disk.

    It lives outside pytest's folder, whose path may be too long for a socket: one folder less to clean up after a killed session.
    """
    home = Path(tempfile.mkdtemp(prefix="fb_qbo_tests_"))
    url = embedded_url(home)
    engine = connect(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    migrate(engine)
    engine.dispose()
    yield url
    leave(home)
    shutil.rmtree(home)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The database, with the pipeline's tables empty. Emptying takes 5 ms; a copy of the database would take 100."""
    engine = connect(database_url)
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            connection.execute(table.delete())
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    """The ledger of the integration `acme`."""
    return Ledger(engine, "acme")


@pytest.fixture(scope="session")
def sandboxes() -> Iterator[Sandboxes]:
    """Both sandboxes' servers; a `World` gives them their content."""
    sandboxes = Sandboxes()
    with sandboxes.server:
        yield sandboxes


@pytest.fixture
def make_world(sandboxes: Sandboxes, engine: Engine, tmp_path: Path) -> Callable[..., World]:
    """Makes the test's one world; takes the options of `World`."""

    def make(**options: Any) -> World:
        return World(sandboxes, engine, tmp_path, **options)

    return make


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """A Canadian company with invoices, payments and expenses switched on."""
    return make_world()
