"""The folder of the embedded Postgres' socket: ours alone, and short enough for a socket's address.

A socket's address has 107 bytes (103 on macOS). Where the home's path is longer, the socket lies in a folder that is made for it
in the temporary directory, as `mkdtemp` makes one: a new name, mode 0700. Its name is remembered in the home and believed only while
it is a real folder of the right owner that nobody else may enter. XDG_RUNTIME_DIR is not used: it goes when its user signs out,
and a service that goes on would lose its database.
"""

import contextlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

from fb_qbo_pipeline.embedded.layout import SOCKET, Layout

_ADDRESS = 103
_REMEMBERED = "socket_folder"


def prepare(layout: Layout, owner: int, group: int) -> Path:
    """The folder, made if needed, empty, with mode 0700 and this owner. Only while no server runs."""
    folder = layout.socket_folder if _usable(layout.socket_folder) else _short(layout, owner)
    if not _ours(folder, owner):
        _remove(folder)
        folder.mkdir(mode=0o700)
        os.chown(folder, owner, group)
    for left in folder.iterdir():  # a lock file with the number of a process that is no Postgres would keep it from starting
        left.unlink()
    return folder


def forget(layout: Layout, folder: Path) -> None:
    """Remove a folder outside the home when its server has stopped: nobody is left who knows it."""
    if folder != layout.socket_folder:
        with contextlib.suppress(OSError):
            _remove(folder)
            (layout.run / _REMEMBERED).unlink()


def _usable(folder: Path) -> bool:
    """Short enough; and libpq takes what stands between commas for several servers."""
    return len(os.fsencode(folder / SOCKET)) <= _ADDRESS and "," not in str(folder)


def _short(layout: Layout, owner: int) -> Path:
    remembered = layout.run / _REMEMBERED
    with contextlib.suppress(OSError):
        folder = Path(remembered.read_text())
        if folder.is_absolute() and _usable(folder) and _ours(folder, owner):
            return folder
    parents = [parent for parent in (tempfile.gettempdir(), "/tmp") if _usable(Path(parent) / "fb_qbo_12345678")]  # noqa: S108
    folder = Path(tempfile.mkdtemp(prefix="fb_qbo_", dir=parents[0]))
    if owner != os.geteuid():
        os.chown(folder, owner, -1)
    remembered.write_text(str(folder))
    return folder


def _ours(folder: Path, owner: int) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == owner and stat.S_IMODE(found.st_mode) == 0o700


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)
