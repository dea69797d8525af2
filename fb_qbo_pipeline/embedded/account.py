"""Whom the embedded Postgres runs as. Postgres refuses to run as root, so under root it becomes another account in its own process.

Taken is who owns the data folder already, else an account that every machine has. Nothing is added to the machine's users, and no
folder's mode is changed for it: where a parent folder is closed to that account (/root, an owner's home), the process keeps the
one right to pass, CAP_DAC_READ_SEARCH, or CAP_DAC_OVERRIDE where there is no other (containers); the least that works is found out by
trying. Every other right of root is gone before the program starts, and cannot come back.
"""

import contextlib
import ctypes
import os
import pwd
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

# `pgserver` was made by the dependency that started the server in the first edition; the others are on every machine.
_ACCOUNTS = ("pgserver", "nobody", "daemon")
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2
_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 1, 8, 38, 47, 2
_CAPABILITY_VERSION = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Account:
    """The owner of data folder and server. `capability` is the right that it keeps to pass closed folders."""

    uid: int
    gid: int
    capability: int | None = None
    changes: bool = True

    def become(self) -> None:
        """Make this process that account's, for good. Called between fork and exec."""
        if not self.changes:
            return
        os.setgroups([])
        os.setgid(self.gid)
        if self.capability is not None:
            _prctl(_PR_SET_KEEPCAPS, 1)
        os.setuid(self.uid)
        if self.capability is not None:
            _keep_only(self.capability)
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def present() -> Account:
    """The account that we are: nothing changes."""
    return Account(os.geteuid(), os.getegid(), changes=False)


def candidates(data: Path) -> Iterator[Account]:
    """Who may run the server, the likeliest first; under another user than root only that one."""
    if os.geteuid() != 0:
        yield present()
        return
    for uid, gid in _ids(data):
        for capability in (None, _CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE) if sys.platform == "linux" else (None,):
            yield Account(uid, gid, capability)


def end_with_parent(number: int) -> Callable[[], None]:
    """A function for between fork and exec: the process gets this signal when its parent ends, however that ends."""
    parent = os.getpid()

    def bind() -> None:
        if sys.platform == "linux":
            _prctl(_PR_SET_PDEATHSIG, number)
            if os.getppid() != parent:
                os._exit(1)

    return bind


def _ids(data: Path) -> Iterator[tuple[int, int]]:
    names = list(_ACCOUNTS)
    if data.exists() and data.stat().st_uid != 0:
        with contextlib.suppress(KeyError):  # restored on a machine that does not know its owner
            names.insert(0, pwd.getpwuid(data.stat().st_uid).pw_name)
    for name in dict.fromkeys(names):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        yield entry.pw_uid, entry.pw_gid


def _keep_only(capability: int) -> None:
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    bit = 1 << capability
    sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)  # effective, permitted, inheritable; twice, for 64 of them
    if _libc.capset(header, sets) != 0:
        raise OSError(ctypes.get_errno(), "capset")
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)


def _prctl(option: int, first: int, second: int = 0) -> None:
    if sys.platform == "linux":
        arguments = [ctypes.c_ulong(one) for one in (first, second, 0, 0)]
        if _libc.prctl(option, *arguments) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
