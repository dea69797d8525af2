"""Nobody but its user enters the embedded Postgres, and it knows and tells no more than it must."""

import os
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg2
import pytest

from fb_qbo_pipeline.embedded.server import leave
from fb_qbo_pipeline.ledger.database import connect as engine_of
from fb_qbo_pipeline.ledger.database import embedded_url
from fb_qbo_pipeline_tests.embedded.users import User, ask, connect, keeper, postmaster

OTHER = 61_234  # a user id that nobody has
SECRET = "not for the database"


@pytest.fixture
def home(near_and_far: Path) -> Path:
    return near_and_far


def test_another_user_of_the_machine_gets_nowhere(home: Path) -> None:
    url = embedded_url(home)
    folder = Path(parse_qs(urlsplit(url).query)["host"][0])
    socket = folder / ".s.PGSQL.5432"
    assert socket.is_socket()
    assert stat.S_IMODE(folder.lstat().st_mode) == 0o700
    assert stat.S_IMODE((home / "postgres").stat().st_mode) == 0o700
    assert not folder.is_symlink()
    rules = [line.split() for line in (home / "postgres" / "pg_hba.conf").read_text().splitlines() if line and line[0] != "#"]
    assert rules == [["local", "all", "all", "scram-sha-256"]]
    attempt = f"import psycopg2; psycopg2.connect('postgresql://postgres@/postgres?host={folder}')"
    tried = subprocess.run([sys.executable, "-c", _become(attempt)], capture_output=True, text=True, check=False)
    assert tried.returncode == 1
    assert "Permission denied" in tried.stderr or "no password supplied" in tried.stderr


def _become(attempt: str) -> str:
    """Under root the attempt is made as another user; psycopg2 is imported before, since that user may not read it."""
    return f"import os, psycopg2; os.geteuid() or os.setuid({OTHER}); {attempt}"


def test_its_own_user_needs_the_password_too_and_only_the_user_may_read_it(home: Path) -> None:
    url = embedded_url(home)
    parameters = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    with pytest.raises(psycopg2.OperationalError, match="no password supplied"):
        connect(f"postgresql://postgres@/postgres?host={parameters['host']}&passfile=/dev/null")
    passfile = Path(parameters["passfile"])
    assert stat.S_IMODE(passfile.stat().st_mode) == 0o600
    password = passfile.read_text().strip().rpartition(":")[2]
    assert len(password) >= 40
    assert password not in url
    assert ask(url, "SELECT rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid WHERE rolname = 'postgres'")
    assert ask(url, "SELECT setting FROM pg_settings WHERE name = 'listen_addresses'") == ""
    engine = engine_of(url)
    with engine.connect():
        pass
    engine.dispose()


def test_a_long_paths_folder_goes_with_its_server(home: Path) -> None:
    folder = Path(parse_qs(urlsplit(embedded_url(home)).query)["host"][0])
    leave(home)
    assert folder == home / "postgres.socket" or not folder.exists()


def test_it_gets_none_of_our_environment_and_writes_for_its_user_only(home: Path) -> None:
    names = ("FRESHBOOKS_CLIENT_SECRET", "QUICKBOOKS_CLIENT_SECRET", "FB_QBO_SECRET_KEY", "FB_QBO_SMTP", "AWS_SECRET_ACCESS_KEY")
    user = User(home, **dict.fromkeys(names, SECRET))
    try:
        user.url()
        server = postmaster(home)
        for process in (server, keeper(home)):
            seen = Path(f"/proc/{process}/environ").read_bytes() + Path(f"/proc/{process}/cmdline").read_bytes()
            assert SECRET.encode() not in seen
            assert b"FB_QBO_" not in Path(f"/proc/{process}/environ").read_bytes()
            assert "Umask:\t0077" in Path(f"/proc/{process}/status").read_text()
        written = [*(home / "logs").rglob("*"), *(home / "postgres.run").iterdir()]
        assert all(path.stat().st_mode & 0o077 == 0 for path in written)
    finally:
        user.end()


def test_its_log_has_no_statement_and_no_value(home: Path) -> None:
    url = embedded_url(home)
    connection = connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE parties (name text PRIMARY KEY, amount numeric CHECK (amount > 0))")
        cursor.execute("INSERT INTO parties VALUES (%s, 1)", ("Ms Plainly Visible",))
    for name, amount in (("Ms Plainly Visible", "1"), ("Mr Plainly Visible", "-1"), ("Dr Plainly Visible", "Plainly Visible amount")):
        with pytest.raises(psycopg2.Error), connection, connection.cursor() as cursor:
            cursor.execute("INSERT INTO parties VALUES (%s, %s)", (name, amount))
    connection.close()
    logs = list((home / "logs" / "postgres").glob("postgres-*.log"))
    text = "".join(log.read_text() for log in logs) + (home / "postgres.run" / "start.log").read_text()
    assert "ready to accept connections" in text
    assert "Plainly" not in text
    assert "parties" not in text
    shown = {name: ask(url, f"SHOW {name}") for name in ("log_parameter_max_length", "log_parameter_max_length_on_error", "log_statement")}
    assert shown == {"log_parameter_max_length": "0", "log_parameter_max_length_on_error": "0", "log_statement": "none"}
    assert ask(url, "SHOW log_truncate_on_rotation") == "on"


def test_it_is_as_durable_as_postgres_is_and_orders_by_code_point(home: Path) -> None:
    url = embedded_url(home)
    for name, value in (("fsync", "on"), ("synchronous_commit", "on"), ("data_checksums", "on"), ("server_encoding", "UTF8")):
        assert ask(url, f"SHOW {name}") == value
    assert ask(url, "SELECT string_agg(name, '' ORDER BY name) FROM (VALUES ('é'), ('a'), ('Z')) AS names (name)") == "Zaé"
    assert ask(url, "SELECT lower('ÉCOLE')") == "école"
    assert os.geteuid() == 0 or (home / "postgres").stat().st_uid == os.geteuid()
