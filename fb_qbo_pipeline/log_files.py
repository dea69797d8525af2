"""Log files that stay small: one that is written by a logger, and those that are the output of a service.

A log that nobody looks at for a year must not be what fills the disk; and a disk that is full must not stop the work because a
line of a log cannot be written.
"""

import contextlib
import logging
import logging.handlers
import os
import shutil
from pathlib import Path

LARGEST = 10_000_000  # bytes of one file
KEPT = 5  # older files beside it: name.1 is the youngest


class SmallLogFile(logging.handlers.RotatingFileHandler):
    """Appends to a file, which gives way to a new one at `LARGEST` bytes; `KEPT` older ones stay.

    Several processes may write to the same file: one that finds another in its place goes on there. What cannot be written
    (the disk is full) is left out without a word.
    """

    def __init__(self, file: Path, *, largest: int = LARGEST, kept: int = KEPT) -> None:
        super().__init__(file, maxBytes=largest, backupCount=kept, encoding="utf-8")

    def shouldRollover(self, record: logging.LogRecord) -> bool:  # noqa: N802 - the name is the library's
        """Whether the file is full; before that, whether another process has moved it away."""
        if self.stream is not None and not _is_in_place(Path(self.baseFilename), self.stream.fileno()):
            self.stream.close()
            self.stream = self._open()
        return bool(super().shouldRollover(record))

    def doRollover(self) -> None:  # noqa: N802 - as above
        """Begin a new file. Where that cannot be done the old one goes on."""
        with contextlib.suppress(OSError):
            super().doRollover()
        if self.stream is None:
            self.stream = self._open()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - as above
        """Nothing: a log is no reason to stop, and a traceback on the screen is no help."""

    def close(self) -> None:
        """Close the file, also where its last lines find no room."""
        with contextlib.suppress(OSError):
            super().close()


def _is_in_place(file: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(file.stat(), os.fstat(descriptor))
    except OSError:
        return False


def keep_small(file: Path, *, largest: int = LARGEST, kept: int = KEPT) -> bool:
    """Empty a file that another process appends to (opened for appending) once it is too large, after copying it to `file.1`.

    Returns whether it did. Older copies move on, and the oldest goes. A line written between copy and emptying is lost.
    """
    try:
        if file.stat().st_size <= largest:
            return False
        for number in range(kept - 1, 0, -1):
            older = file.with_name(f"{file.name}.{number}")
            if older.exists():
                older.replace(file.with_name(f"{file.name}.{number + 1}"))
        with contextlib.suppress(OSError):  # no room for a copy: the log is emptied all the same
            shutil.copyfile(file, file.with_name(f"{file.name}.1"))
        os.truncate(file, 0)
    except OSError:
        return False
    return True
