"""What the machine is short of, in a sentence: space, a right to write, memory, open files.

The operating system says it by a number, wherever something happens to be written. Nothing is lost by it: what was sent to
QuickBooks is in the database before it is sent, and the next sync begins where this one ended.
"""

import errno
from pathlib import Path

from fb_qbo_pipeline.errors import PipelineError, causes

_AGAIN = ", then run the same command again: nothing is lost, and what is done is not repeated"
_FULL = "free some space there, or move FB_QBO_HOME to a larger disk"

_SHORTAGES = {
    errno.ENOSPC: ("the disk is full", _FULL),
    errno.EDQUOT: ("this user's share of the disk is used up", _FULL),
    errno.EROFS: ("the disk can only be read", "make it writable, or set FB_QBO_HOME to a folder that is"),
    errno.EACCES: ("this user may not use a file that is needed", "let the user who runs this read and write it"),
    errno.EPERM: ("this user may not use a file that is needed", "let the user who runs this read and write it"),
    errno.EIO: ("the disk gives errors", "look after the disk"),
    errno.EFBIG: ("a file has become larger than it may", "raise the limit (ulimit -f)"),
    errno.EMFILE: ("this process may open no more files", "raise the limit (ulimit -n)"),
    errno.ENFILE: ("the machine can open no more files", "end what holds them open"),
    errno.ENOMEM: ("there is not enough memory", "give this process more memory, or sync fewer days at a time (--from, --to)"),
}


class Shortage(PipelineError):
    """The machine lacks something that is needed: disk, memory, files, or a right to them."""


def shortage(error: BaseException) -> Shortage | None:
    """What the machine is short of, where that is what an error came from; None for anything else."""
    for cause in causes(error):
        if isinstance(cause, MemoryError):
            return _told(errno.ENOMEM, None)
        if isinstance(cause, OSError) and cause.errno in _SHORTAGES:
            return _told(cause.errno, cause.filename)
    return None


def _told(number: int, where: object) -> Shortage:
    wrong, remedy = _SHORTAGES[number]
    at = f" ({Path(where)})" if isinstance(where, str) and where else ""
    return Shortage(f"{wrong}{at}", remedy + _AGAIN)
