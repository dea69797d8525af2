"""Processes that use the embedded server of a home, and what can be seen of it from outside."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg2

_USER = "import sys; from pathlib import Path; from fb_qbo_pipeline.ledger.database import embedded_url"
_STAYS = f"{_USER}; print(embedded_url(Path(sys.argv[1])), flush=True); sys.stdin.read()"


class User:
    """A process that uses the server until it is told to go, or killed."""

    def __init__(self, home: Path, **variables: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _STAYS, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | variables,
            start_new_session=True,
        )

    def url(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        self.process.kill()
        self.end()

    def end(self) -> None:
        self.process.communicate("")


def connect(url: str) -> Any:
    return psycopg2.connect(url.replace("postgresql+psycopg2://", "postgresql://"))


def ask(url: str, statement: str) -> Any:
    connection = connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()[0] if cursor.description else None
    finally:
        connection.close()


def postmaster(home: Path) -> int:
    return int((home / "postgres" / "postmaster.pid").read_text().split()[0])


def keeper(home: Path) -> int:
    """The process that started the server."""
    status = Path(f"/proc/{postmaster(home)}/status").read_text()
    return int(status.split("PPid:")[1].split()[0])


def postgres_processes(home: Path) -> list[int]:
    """Every Postgres that has to do with this home, by its command line or its working directory."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                line = (process / "cmdline").read_bytes().decode(errors="replace")
                place = str((process / "cwd").readlink())
            except OSError:
                continue
            if "postgres" in line and (str(home / "postgres") in line or place.startswith(str(home / "postgres"))):
                found.append(int(process.name))
    return found


def eventually(seen: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not seen():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
