"""A PostgreSQL that is too old is refused; one with known holes is told, once; a newer one is fine."""

import logging

import pytest
from sqlalchemy import Engine, text

from fb_qbo_pipeline.errors import ConfigurationError
from fb_qbo_pipeline.ledger import versions
from fb_qbo_pipeline.ledger.versions import OLDEST_MINOR, look_at_version, old_version, server_version


def test_the_version_is_the_servers(engine: Engine) -> None:
    with engine.connect() as connection:
        assert server_version(connection) == int(connection.execute(text("SHOW server_version_num")).scalar_one())


def test_the_embedded_server_is_none_that_is_known_to_be_old(engine: Engine) -> None:
    with engine.connect() as connection:
        assert old_version(server_version(connection)) is None


@pytest.mark.parametrize("version", [90_624, 100_023, 130_023])
def test_a_major_version_that_is_too_old_is_refused_with_what_to_do(version: int) -> None:
    with pytest.raises(ConfigurationError, match=rf"PostgreSQL {version // 10_000}, which is too old") as raised:
        old_version(version)
    assert "14 or newer" in raised.value.remedy


@pytest.mark.parametrize(("major", "minor"), OLDEST_MINOR.items())
def test_a_minor_version_is_old_below_its_releases_fixes(major: int, minor: int) -> None:
    assert old_version(major * 10_000 + minor) is None
    old = old_version(major * 10_000 + minor - 1)
    assert old is not None
    assert f"PostgreSQL {major}.{minor - 1}," in old.message
    assert f"{major}.{minor} or newer" in old.remedy


def test_a_version_that_the_table_does_not_know_yet_is_fine() -> None:
    assert old_version(190_000) is None


def test_it_is_told_once_in_the_log(engine: Engine, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OLDEST_MINOR, 18, 99)
    monkeypatch.setattr(versions, "_told", set())
    with engine.connect() as connection, caplog.at_level(logging.WARNING):
        server = server_version(connection)
        look_at_version(connection)
        look_at_version(connection)
    assert [record.message.partition(",")[0] for record in caplog.records] == [f"the database is PostgreSQL 18.{server % 10_000}"]
