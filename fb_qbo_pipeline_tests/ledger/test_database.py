"""The schema, and numbers that stay exact."""

import threading
from decimal import Decimal

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from fb_qbo_pipeline.errors import Unreachable
from fb_qbo_pipeline.ledger.database import connect, migrate
from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.ledger.tables import SCHEMA, metadata


def test_the_migrations_make_the_tables_that_the_code_describes(engine: Engine) -> None:
    with engine.connect() as connection:
        ours = {"include_schemas": True, "version_table_schema": SCHEMA, "include_name": _is_ours, "compare_type": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=ours), metadata) == []


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    return name == SCHEMA if kind == "schema" else name != "alembic_version"


def test_migrating_again_changes_nothing(engine: Engine) -> None:
    migrate(engine)
    migrate(engine)
    with engine.connect() as connection:
        assert connection.execute(text(f"SELECT version_num FROM {SCHEMA}.alembic_version")).scalars().all() == ["0004"]


def test_several_processes_may_migrate_at_once(database_url: str) -> None:
    engines = [connect(database_url) for _ in range(3)]
    threads = [threading.Thread(target=migrate, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    with engines[0].connect() as connection:
        assert connection.execute(text(f"SELECT count(*) FROM {SCHEMA}.alembic_version")).scalar_one() == 1
    for engine in engines:
        engine.dispose()


def test_a_database_that_does_not_answer_is_unreachable_and_named() -> None:
    engine = connect("postgresql+psycopg2://user:hidden@127.0.0.1:1/none")
    with pytest.raises(Unreachable) as raised:
        migrate(engine)
    assert "127.0.0.1" in str(raised.value)
    assert "hidden" not in str(raised.value)


def test_every_session_speaks_utc(engine: Engine) -> None:
    with engine.connect() as connection:
        assert connection.execute(text("SHOW TIME ZONE")).scalar_one() == "UTC"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12))
def test_decimals_survive_json_and_numeric_exactly(engine: Engine, value: Decimal) -> None:
    with Ledger(engine, "acme").begin() as tx:
        tx.cursors.set("value", {"amount": value})
        kept = tx.cursors.get("value")["amount"]
        numeric = tx.connection.execute(text("SELECT CAST(:value AS numeric)"), {"value": value}).scalar_one()
    assert (kept, numeric) == (value, value)
    assert not isinstance(kept, float)


def test_trailing_zeros_of_amounts_survive(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.cursors.set("value", [Decimal("100.10"), Decimal("5.00")])
        assert [str(value) for value in tx.cursors.get("value")] == ["100.10", "5.00"]


def test_what_fails_is_rolled_back(ledger: Ledger) -> None:
    with pytest.raises(RuntimeError), ledger.begin() as tx:
        tx.cursors.set("value", 1)
        raise RuntimeError
    with ledger.begin() as tx:
        assert tx.cursors.get("value") is None


def test_companies_do_not_see_each_other(engine: Engine, ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.cursors.set("value", 1)
        tx.lists.replace("Item", [{"Id": "1"}])
    with Ledger(engine, "other").begin() as tx:
        assert tx.cursors.get("value") is None
        assert tx.lists.all() == {}
