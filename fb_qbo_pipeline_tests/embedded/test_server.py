"""The embedded server lives exactly as long as it has users, whatever happens to them, to it, and to its keeper."""

import os
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from fb_qbo_pipeline.embedded.server import leave
from fb_qbo_pipeline.errors import PipelineError
from fb_qbo_pipeline.ledger.database import embedded_url
from fb_qbo_pipeline_tests.embedded.conftest import copied
from fb_qbo_pipeline_tests.embedded.users import User, ask, connect, eventually, keeper, postgres_processes, postmaster


@pytest.fixture
def new_home(tmp_path: Path) -> Iterator[Path]:
    """A home without anything in it."""
    home = tmp_path / "home"
    yield home
    leave(home)
    assert eventually(lambda: postgres_processes(home) == [])


@pytest.fixture
def home(made: Path, new_home: Path) -> Path:
    """A home that was used before."""
    return copied(made, new_home)


def test_it_survives_the_death_of_one_user_and_ends_after_that_of_the_last(home: Path) -> None:
    first, second = User(home), User(home)
    url = first.url()
    assert second.url() == url
    first.kill()
    time.sleep(0.3)
    assert ask(url, "SELECT 1") == 1
    second.kill()
    assert eventually(lambda: not (home / "postgres" / "postmaster.pid").exists())
    assert eventually(lambda: postgres_processes(home) == [])


def test_many_that_start_together_share_one_server(new_home: Path) -> None:
    users = [User(new_home) for _ in range(4)]
    assert len({user.url() for user in users}) == 1
    for user in users:
        user.end()


def test_a_users_ctrl_c_is_not_meant_for_it_nor_a_signal_to_all(home: Path) -> None:
    url = embedded_url(home)
    user = User(home)
    user.url()
    os.killpg(user.process.pid, signal.SIGINT)
    user.end()
    os.kill(keeper(home), signal.SIGTERM)
    time.sleep(0.2)
    assert os.getsid(postmaster(home)) not in (os.getsid(0), os.getsid(os.getpid()))
    assert ask(url, "SELECT 1") == 1


def test_a_server_that_is_killed_is_started_again_under_its_address(home: Path) -> None:
    url = embedded_url(home)
    ask(url, "CREATE TABLE kept AS SELECT 7 AS value")
    os.kill(postmaster(home), signal.SIGKILL)

    def answers() -> bool:
        try:
            return ask(url, "SELECT value FROM kept") == 7
        except psycopg2.OperationalError:
            return False

    time.sleep(0.2)
    assert eventually(answers)


def test_a_killed_keeper_takes_the_server_along_and_the_next_call_starts_anew(home: Path) -> None:
    url = embedded_url(home)
    ask(url, "CREATE TABLE kept AS SELECT 7 AS value")
    os.kill(keeper(home), signal.SIGKILL)
    assert eventually(lambda: postgres_processes(home) == [])
    assert ask(embedded_url(home), "SELECT value FROM kept") == 7


def test_who_leaves_last_waits_for_its_end_and_who_does_not_does_not(home: Path) -> None:
    url = embedded_url(home)
    user = User(home)
    user.url()
    leave(home)
    assert ask(url, "SELECT 1") == 1
    assert embedded_url(home) == url
    user.end()
    leave(home)
    assert postgres_processes(home) == []


@pytest.mark.parametrize("content", ["{pid}\n{data}\n1700000000\n5432\n\n\n  1 2\nready\n", "", "no number\n", "\0\0\0"])
def test_a_pid_file_is_not_believed(home: Path, content: str) -> None:
    with subprocess.Popen(["sleep", "60"]) as stranger:
        (home / "postgres" / "postmaster.pid").write_text(content.format(pid=stranger.pid, data=home / "postgres"))
        (home / "postgres" / ".handle_pids.json").write_text(f"[{stranger.pid}, {{")
        assert ask(embedded_url(home), "SELECT 1") == 1
        leave(home)
        assert stranger.poll() is None
        stranger.kill()


def test_what_a_killed_start_left_is_made_anew(new_home: Path) -> None:
    half = new_home / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    assert ask(embedded_url(new_home), "SELECT 1") == 1
    assert not half.exists()


def test_the_folders_above_the_home_keep_their_modes(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    above = {folder: stat.S_IMODE(folder.stat().st_mode) for folder in closed.parents} | {closed: 0o700}
    home = closed / "home"
    try:
        assert ask(embedded_url(home), "SELECT 1") == 1
        assert {folder: stat.S_IMODE(folder.stat().st_mode) for folder in above} == above
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
    finally:
        leave(home)


def test_data_of_another_major_version_is_refused_with_what_to_do(home: Path) -> None:
    (home / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(PipelineError, match="is of PostgreSQL 16, and the embedded server is 18") as raised:
        embedded_url(home)
    assert "dump" in raised.value.remedy


def test_damaged_data_is_told_in_one_sentence_with_postgres_own_reason(home: Path) -> None:
    (home / "postgres" / "global" / "pg_control").unlink()
    with pytest.raises(PipelineError, match="did not start: postgres: could not find the database system") as raised:
        embedded_url(home)
    assert "\n" not in raised.value.message
    assert "backup" in raised.value.remedy


def test_a_home_that_is_a_file_is_told_in_one_sentence(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("")
    with pytest.raises(PipelineError, match="cannot start"):
        embedded_url(home)


def test_a_home_that_was_deleted_and_made_again_has_a_server_of_its_own(home: Path) -> None:
    url = embedded_url(home)
    ask(url, "CREATE TABLE old ()")
    home.rename(home.with_name("away"))
    assert ask(embedded_url(home), "SELECT count(*) FROM pg_tables WHERE tablename = 'old'") == 0
    assert eventually(lambda: postgres_processes(home.with_name("away")) == [])


def test_whoever_asks_while_it_puts_right_what_a_killed_process_left_is_given_its_address_when_it_takes_connections(home: Path) -> None:
    url = embedded_url(home)
    for _ in range(5):
        connection = connect(url)
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE lost AS SELECT generate_series(1, 50000)")
            cursor.execute("SELECT pg_backend_pid()")
            (killed,) = cursor.fetchone()
        os.kill(killed, signal.SIGKILL)
        assert eventually(lambda pid=killed: not Path(f"/proc/{pid}").exists())
        assert ask(embedded_url(home), "SELECT to_regclass('lost')") is None
        connection.close()
