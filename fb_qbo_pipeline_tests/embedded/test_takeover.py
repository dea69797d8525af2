"""A home of the first edition, whose database let everybody in, is taken over with its data."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from fb_qbo_pipeline.embedded import server
from fb_qbo_pipeline.embedded.account import candidates
from fb_qbo_pipeline.ledger.database import embedded_url
from fb_qbo_pipeline_tests.embedded.users import ask, connect, eventually, postgres_processes

PROGRAMS = server._programs()


@pytest.fixture
def first_edition(tmp_path: Path) -> Iterator[Path]:
    """A home as the first edition made it: trust, its owner's folder, the list of its users, and a server that was left running."""
    home = Path("/tmp") / f"fb_qbo_tests_{os.getpid()}_{tmp_path.name[-20:]}"
    data = home / "postgres"
    data.mkdir(parents=True)
    account = next(candidates(data))
    if account.changes:
        os.chown(data, account.uid, account.gid)
    options = {"user": account.uid, "group": account.gid, "extra_groups": []} if account.changes else {}
    run = {"check": True, "capture_output": True, "env": {"PATH": os.environ["PATH"], "LC_ALL": "C"}, **options}
    subprocess.run([PROGRAMS / "initdb", "--auth=trust", "--auth-local=trust", "--encoding=utf8", "-U", "postgres", "-D", data], **run)
    command = [PROGRAMS / "pg_ctl", "-w", "-o", f'-h "" -k {data}', "-l", data / "log", "-D", data, "start"]
    subprocess.run(command, **run | {"capture_output": False, "stdout": subprocess.DEVNULL})
    ask(f"postgresql://postgres:@/postgres?host={data}", "CREATE TABLE kept AS SELECT 7 AS value")
    (data / ".handle_pids.json").write_text("[1, 2, 3]")
    yield home
    server.leave(home)
    assert eventually(lambda: postgres_processes(home) == [])
    subprocess.run(["rm", "-rf", home], check=True)


def test_data_is_kept_the_password_is_set_and_the_old_way_in_is_shut(first_edition: Path) -> None:
    url = embedded_url(first_edition)
    assert ask(url, "SELECT value FROM kept") == 7
    assert "trust" not in (first_edition / "postgres" / "pg_hba.conf").read_text()
    assert not (first_edition / "postgres" / ".handle_pids.json").exists()
    assert not (first_edition / "postgres" / ".s.PGSQL.5432").exists()
    with pytest.raises(psycopg2.OperationalError, match="no password supplied"):
        connect(f"postgresql://postgres@/postgres?host={first_edition / 'postgres.socket'}&passfile=/dev/null")


def test_a_password_that_was_lost_is_made_anew(first_edition: Path) -> None:
    embedded_url(first_edition)
    server.leave(first_edition)
    (first_edition / "postgres" / "fb_qbo.passfile").unlink()
    (first_edition / "postgres" / "pg_hba.conf").write_text("local all all trust\n")
    assert ask(embedded_url(first_edition), "SELECT value FROM kept") == 7
    assert "trust" not in (first_edition / "postgres" / "pg_hba.conf").read_text()
