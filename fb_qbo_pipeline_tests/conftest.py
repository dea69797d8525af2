"""What all tests share: a database for each test, both sandboxes, and a company between them.

Property tests have no time limit an example, because the machine's speed is no behaviour of ours. One embedded Postgres
serves a test session (with xdist each worker's); a test's database is a copy of a migrated one, which takes milliseconds.
"""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from sqlalchemy import Engine, text

from fb_qbo_pipeline.ledger.database import connect, embedded_url, migrate
from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline_tests.pipeline.world import Sandboxes, World

settings.register_profile("default-without-deadline", deadline=None)
settings.load_profile("default-without-deadline")

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The session's server. Nothing in it has to outlive a power cut, so commits do not wait for the disk."""
    engine = connect(embedded_url(tmp_path_factory.mktemp("home")))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ALTER SYSTEM SET fsync = off"))
        connection.execute(text("ALTER SYSTEM SET synchronous_commit = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def template(postgres: Engine) -> str:
    """The name of a migrated database."""
    name = "template_of_tests"
    _execute(postgres, f"CREATE DATABASE {name}")
    engine = connect(_url(postgres, name))
    migrate(engine)
    engine.dispose()
    return name


@pytest.fixture
def engine(postgres: Engine, template: str) -> Iterator[Engine]:
    """A database of the test's own, migrated and empty."""
    name = f"test_{next(_numbers)}"
    _execute(postgres, f"CREATE DATABASE {name} TEMPLATE {template}")
    engine = connect(_url(postgres, name))
    yield engine
    engine.dispose()
    _execute(postgres, f"DROP DATABASE {name} WITH (FORCE)")


def _execute(postgres: Engine, statement: str) -> None:
    with postgres.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))


def _url(postgres: Engine, name: str) -> str:
    return postgres.url.set(database=name).render_as_string(hide_password=False)


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
