"""The keeper: starts the embedded Postgres of a home, keeps it up while anybody uses it, and stops it when nobody does.

Who uses the server holds a shared lock on a file, which the kernel releases when the process ends, however it ends. The keeper
waits for that lock alone, without a look at the clock: when it gets it, nobody is left. It holds it until the server has stopped, so
that whoever comes meanwhile waits, and then starts anew. One keeper a home: it holds a lock of its own. It has a session of its own,
so that a terminal's Ctrl-C is not meant for it; and if it is killed itself, the kernel tells Postgres to stop.

A server that dies while it has users is started again.
"""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

from fb_qbo_pipeline.embedded import cluster as clusters
from fb_qbo_pipeline.embedded import failures, processes, sockets
from fb_qbo_pipeline.embedded.account import end_with_parent
from fb_qbo_pipeline.embedded.cluster import Cluster
from fb_qbo_pipeline.embedded.layout import Layout

_LIVED = 60.0  # seconds after which a server counts as one that works
_RESTARTS = 5  # in a row, of servers that did not live so long
_STOP_SECONDS = 60.0


def main(home: str, programs: str) -> None:
    """Keep the server of `home`; `programs` is the folder of `initdb` and `postgres`. Tells on standard output how the start went."""
    os.umask(0o077)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):  # who tells all at once to stop has users that are not done yet
        signal.signal(number, signal.SIG_IGN)
    layout = Layout(Path(home))
    with layout.keeper_lock.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # another keeper was first
        lock.truncate(0)
        with contextlib.suppress(OSError):  # a full disk is told by what follows
            os.ftruncate(sys.stderr.fileno(), 0)
        try:
            _keep(layout, Path(programs), lock)
        except failures.CannotStart as failure:
            _tell({"message": failure.message, "remedy": failure.remedy})
        except OSError as error:
            refused = failures.of_os_error(error, layout.home)
            _tell({"message": refused.message, "remedy": refused.remedy})
        finally:
            with contextlib.suppress(OSError):
                lock.truncate(0)


def _keep(layout: Layout, programs: Path, lock: IO[str]) -> None:
    users = os.open(layout.users_lock, os.O_RDWR | os.O_CREAT, 0o600)
    processes.stop(layout.data)  # what a keeper left that was killed, or the first edition
    (layout.data / "postmaster.pid").unlink(missing_ok=True)  # nobody's: only the list of processes is believed
    cluster = clusters.find(layout, programs)
    cluster.prepare()
    server = _Server(cluster)
    server.start()
    lock.write(str(cluster.socket_folder))
    lock.flush()
    _tell({"socket_folder": str(cluster.socket_folder)})
    threading.Thread(target=_stop_when_unused, args=(users, server), daemon=True).start()
    server.keep_up()
    sockets.forget(layout, cluster.socket_folder)


def _stop_when_unused(users: int, server: "_Server") -> None:
    fcntl.flock(users, fcntl.LOCK_EX)  # kept until this process ends
    server.stop()


class _Server:
    """The running Postgres, its restarts, and its end."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._layout = cluster.layout
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._began = 0.0

    def start(self) -> None:
        """Start it and wait until it takes connections. Raises CannotStart."""
        self._began = time.time()
        bind = end_with_parent(signal.SIGINT)

        def as_the_account() -> None:
            self._cluster.account.become()
            bind()

        (self._layout.data / "postmaster.pid").unlink(missing_ok=True)
        self._process = process = subprocess.Popen(  # noqa: S603 - our own program
            self._cluster.start_command(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=None,  # the log of the start
            env=clusters.environment(),
            cwd="/",
            preexec_fn=as_the_account,  # the other thread, if there is one, waits in the kernel
        )
        while not self._ready(process.pid):
            if process.poll() is not None:
                raise self._failure()
            time.sleep(0.005)

    def keep_up(self) -> None:
        """Return when the server has been stopped, or does not stay up."""
        failed = 0
        while failed <= _RESTARTS:
            began = time.monotonic()
            if self._process is not None:
                self._process.wait()
            if self._stopping.is_set():
                return
            failed = failed + 1 if time.monotonic() - began < _LIVED else 1
            print(f"the server ended with {self._process and self._process.returncode}; it is started again", file=sys.stderr, flush=True)  # noqa: T201
            processes.stop(self._layout.data)  # those of its processes that are still at their end
            time.sleep(min(failed - 1, 5))
            with contextlib.suppress(failures.CannotStart):
                self.start()
            if self._stopping.is_set():
                self.stop()

    def stop(self) -> None:
        """Stop it: politely, and after a minute at once."""
        self._stopping.set()
        process = self._process
        if process is None:
            return
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_SECONDS)
                return

    def _ready(self, pid: int) -> bool:
        """Postgres writes its state into the last line of its pid file."""
        try:
            lines = (self._layout.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"

    def _failure(self) -> failures.CannotStart:
        logs = [log for log in self._layout.logs.glob("postgres-*.log") if log.stat().st_mtime >= self._began]  # older ones tell of others
        text = "".join(failures.tail(log) for log in (*logs, self._layout.start_log))
        try:
            self._probe()
        except OSError as error:
            return failures.of_os_error(error, self._layout.home)
        return failures.of_output(text, self._layout.home, logs[-1] if logs else self._layout.start_log)

    def _probe(self) -> None:
        """Where the disk is full, Postgres cannot even write why it ended: see for ourselves."""
        file = self._layout.data / "fb_qbo.probe"
        try:
            with file.open("wb") as probe:
                probe.write(bytes(2**16))
                probe.flush()
                os.fsync(probe.fileno())
        finally:
            file.unlink(missing_ok=True)


def _tell(what: dict[str, str]) -> None:
    """One line for who started us, if it is still there; then our standard output is closed, which tells that it was all."""
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(what).encode())
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
