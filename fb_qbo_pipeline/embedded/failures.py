"""Why the embedded Postgres did not start, in one sentence with what to do."""

import errno
from pathlib import Path

_TAIL = 8_000  # bytes of a log that are looked at

_FULL = "the disk is full", "free some space there and run it again: nothing is lost"
_READ_ONLY = "the disk is read-only", "make it writable (a full or damaged disk is often remounted so) and run it again: nothing is lost"
_MEMORY = "there is not enough memory", "free some memory, or raise the limit of this process or container, and run it again"
_FORBIDDEN = "this user may not read or write there", "give FB_QBO_HOME with all that is in it to the user who runs this"

_SIGNS: tuple[tuple[str, tuple[str, str]], ...] = (
    ("No space left on device", _FULL),
    ("Check free disk space", _FULL),
    ("Disk quota exceeded", _FULL),
    ("Read-only file system", _READ_ONLY),
    ("Cannot allocate memory", _MEMORY),
    ("Permission denied", _FORBIDDEN),
    ("wrong ownership", _FORBIDDEN),
)
_ERRNOS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: _READ_ONLY,
    errno.ENOMEM: _MEMORY,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
}


class CannotStart(Exception):
    """The embedded Postgres did not start. The keeper hands `message` and `remedy` to who asked for it."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


def of_os_error(error: OSError, home: Path) -> CannotStart:
    """What the operating system refused."""
    known = _ERRNOS.get(error.errno or 0)
    if known is None:
        where = f" ({error.filename})" if error.filename else ""
        return CannotStart(f"the database under {home} cannot start: {error.strerror or error}{where}", "put that right and run it again")
    return _known(known, home)


def of_output(text: str, home: Path, log: Path) -> CannotStart:
    """What Postgres or initdb said before it ended."""
    for sign, known in _SIGNS:
        if sign in text:
            return _known(known, home)
    wrong = f"the database under {home} did not start{_reason(text)}"
    return CannotStart(wrong, f"look into {log}; a backup is restored as the runbook says")


def _reason(text: str) -> str:
    """The last line with which something gave up, or else the first that is no mere report."""
    lines = [line for line in text.splitlines() if line.strip()]
    grave = [line for line in lines if any(level in line for level in ("FATAL:", "PANIC:", "error:"))]
    said = grave[-1:] or [line for line in lines if "LOG:" not in line and "HINT:" not in line][:1]
    return "".join(f": {line.partition(':  ')[2] or line}" for line in said)


def tail(file: Path) -> str:
    """The end of a log; empty where there is none."""
    try:
        with file.open("rb") as log:
            log.seek(max(0, file.stat().st_size - _TAIL))
            return log.read().decode(errors="replace")
    except OSError:
        return ""


def _known(known: tuple[str, str], home: Path) -> CannotStart:
    wrong, remedy = known
    return CannotStart(f"the database under {home} cannot start: {wrong}", remedy)
