"""Which processes are a Postgres of a data folder, and how they are ended.

`postmaster.pid` holds a number, and numbers are given again: what counts is a running program called postgres whose working
directory is that very folder (Postgres works in its data folder, and so do the processes that it starts).
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

_PROC = Path("/proc")
# Fast: sessions are ended and everything is written. Immediate: at once, repaired at the next start. Kill: what cannot answer.
_WAYS: tuple[tuple[int, float], ...] = ((signal.SIGINT, 60), (signal.SIGQUIT, 10), (signal.SIGKILL, 10))


def servers(data: Path) -> dict[int, int]:
    """The Postgres processes of this folder: process id → its parent's."""
    return _from_proc(data) if _PROC.is_dir() else _from_ps(data)


def stop(data: Path) -> None:
    """End whatever Postgres still works in this folder, its writers first of all asked politely."""
    for way, seconds in _WAYS:
        found = servers(data)
        if not found:
            return
        heads = [pid for pid, parent in found.items() if parent not in found]
        for pid in found if way == signal.SIGKILL else heads:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, way)
        _wait(lambda: not servers(data), seconds)


def _wait(done: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:
        time.sleep(0.05)


def _from_proc(data: Path) -> dict[int, int]:
    try:
        wanted = data.stat()
    except OSError:
        return {}
    found = {}
    for process in (one for one in _PROC.iterdir() if one.name.isdigit()):
        with contextlib.suppress(OSError, ValueError, IndexError):  # ended meanwhile, or not ours to look at
            place = (process / "cwd").stat()
            if (place.st_dev, place.st_ino) == (wanted.st_dev, wanted.st_ino):
                name, _, rest = (process / "stat").read_text().partition("(")[2].rpartition(")")
                if name == "postgres":
                    found[int(process.name)] = int(rest.split()[1])
    return found


def _from_ps(data: Path) -> dict[int, int]:
    """Where there is no /proc (macOS): the server that was started with this folder, by its command line."""
    listed = subprocess.run(["ps", "-axww", "-o", "pid=,ppid=,command="], capture_output=True, text=True, check=True).stdout  # noqa: S607
    rows = [line.split(None, 2) for line in listed.splitlines()]
    return {int(pid): int(parent) for pid, parent, command in rows if "postgres" in command.split(" ")[0] and f" -D {data} " in command}
