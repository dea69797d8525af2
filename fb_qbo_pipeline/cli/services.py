"""The processes of a deployment on one machine: code server, webserver, daemon.

The code server is first, because the daemon and the webserver ask it for the definitions: a daemon without them takes the assets of a
backfill for gone. A part that ends is started again, as a service manager would. Stopping lets the runs under way end.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import dagster as dg
import yaml

from fb_qbo_pipeline.assets.spans import RANGE_END, RANGE_START
from fb_qbo_pipeline.automation.dagster_internals import GRPC_INFO_TAG, LOCATION, code_server_answers
from fb_qbo_pipeline.automation.jobs import companies_of
from fb_qbo_pipeline.cli.output import err
from fb_qbo_pipeline.errors import ConfigurationError, PipelineError
from fb_qbo_pipeline.log_files import keep_small
from fb_qbo_pipeline.settings.environment import without_secrets

HOST = "127.0.0.1"
START_SECONDS = 120
STOP_SECONDS = 15  # for a part, once it has been told to stop
RUN_SECONDS = 60  # for the runs under way; a service manager waits longer before it kills
CHECK_SECONDS = 10  # between two questions whether the code server answers
MOST_SILENCES = 3  # then it is started again: its process may live while the one behind it, which has the code, is dead
MOST_ENDS = 5  # of one part; then something is wrong that starting again does not mend
_UNDER_WAY = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def commands_of(workspace: Path, host: str, port: int, code_port: int, *, daemon: bool) -> dict[str, list[str]]:
    """The modules and arguments of the services, in the order of their start."""
    commands = {
        "code": ["dagster", "code-server", "start", "-m", "fb_qbo_pipeline.definitions", "-h", HOST, "-p", str(code_port)],
        "webserver": ["fb_qbo_pipeline.webserver", "-w", str(workspace), "-h", host, "-p", str(port)],
        "daemon": ["dagster._daemon", "run", "-w", str(workspace)],
    }
    return {name: command for name, command in commands.items() if daemon or name != "daemon"}


def environment_of(dagster_home: Path, *, secrets: bool) -> dict[str, str]:
    """The environment of a service. Runs and sensors are children of the code server: the others need no secret but the database's."""
    # The second: a daemon that cannot reach the code server waits for it, instead of failing the backfills whose assets it does not know.
    environment = os.environ | {"DAGSTER_HOME": str(dagster_home), "DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR": "1"}
    return environment if secrets else without_secrets(environment)


def write_workspace(dagster_home: Path, code_port: int) -> Path:
    """The file that tells webserver and daemon where the code server is."""
    file = dagster_home / "workspace.yaml"
    location = {"host": HOST, "port": code_port, "location_name": LOCATION}
    file.write_text(yaml.safe_dump({"load_from": [{"grpc_server": location}]}))
    return file


def free_port() -> int:
    """A port that nobody uses right now."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def require_free(host: str, port: int, option: str = "--port") -> None:
    """Raise ConfigurationError where the port is taken. `option` of the command names another one."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise ConfigurationError(f"port {port} on {host} cannot be used: {error.strerror}", f"choose another with {option}") from error


def serve(dagster_home: Path, logs: Path, host: str, port: int, ready: Callable[[str], None], *, daemon: bool = True) -> int:
    """Run the Dagster services until Ctrl-C, SIGTERM or SIGHUP (0).

    `ready` hears the UI's address when it answers. Every process appends to a log of its own in
    the folder `logs`, which must not be `dagster_home`/logs: Dagster takes that one for its telemetry, and empties it.
    Raises PipelineError where a part does not start, or ends again and again.
    """
    require_free(host, port)
    services = _Services(dagster_home, logs, host, port, daemon=daemon)
    for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # Ctrl-C, a service manager, a closed terminal
        signal.signal(signal_number, lambda *_: services.asked_to_stop())
    try:
        services.start()
        if not services.stopping.is_set():
            ready(f"http://{host}:{port}")
        services.watch()
    finally:
        services.stop()
    return 0


class _Services:
    def __init__(self, dagster_home: Path, logs: Path, host: str, port: int, *, daemon: bool) -> None:
        self._home = dagster_home
        self._logs = logs
        self._code_port = free_port()
        self._page = f"http://{host}:{port}/server_info"
        self._commands = commands_of(write_workspace(dagster_home, self._code_port), host, port, self._code_port, daemon=daemon)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._ends: Counter[str] = Counter()
        self.stopping = threading.Event()
        self._hurried = threading.Event()

    def asked_to_stop(self) -> None:
        """Called for each signal. The second one does not wait for runs."""
        (self._hurried if self.stopping.is_set() else self.stopping).set()

    def start(self) -> None:
        """Start the parts in their order, each when those before it answer."""
        self._logs.mkdir(parents=True, exist_ok=True)
        answers = {"code": self._code_answers, "webserver": self._ui_answers, "daemon": lambda: True}
        for name in self._commands:
            if not self.stopping.is_set():
                self._launch(name)
                self._await(name, answers[name])

    def _await(self, name: str, answers: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.stopping.wait(0.3) and not answers():
            process = self._running[name]
            if process.poll() is not None:
                raise PipelineError(f"the Dagster {name} ended with status {process.returncode}", self._remedy(name))
            if time.monotonic() > deadline:
                raise PipelineError(f"the Dagster {name} did not answer within {START_SECONDS} s", self._remedy(name))

    def _remedy(self, name: str) -> str:
        return f"look into {name}.log in {self._logs}"

    def _launch(self, name: str) -> None:
        with (self._logs / f"{name}.log").open("ab") as log:
            # a session of its own: Ctrl-C in the terminal reaches this process, which stops the others in order
            self._running[name] = subprocess.Popen(  # noqa: S603 - our own commands
                [sys.executable, "-m", "fb_qbo_pipeline.cli.part", *self._commands[name]],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment_of(self._home, secrets=name == "code"),
                start_new_session=True,
            )

    def watch(self) -> None:
        """Start again what ends, until asked to stop."""
        silences, asked = 0, time.monotonic()
        while not self.stopping.wait(0.5):
            for name, process in self._running.items():
                if process.poll() is not None:
                    self._again(name, f"ended with status {process.returncode}")
            if time.monotonic() - asked >= CHECK_SECONDS:
                silences, asked = 0 if self._code_answers() else silences + 1, time.monotonic()
            if silences >= MOST_SILENCES:
                _kill(self._running["code"])
                self._again("code", "does not answer any more")
                silences = 0
            for name in self._commands:
                keep_small(self._logs / f"{name}.log")

    def _again(self, name: str, happened: str) -> None:
        self._ends[name] += 1
        if self._ends[name] > MOST_ENDS:
            raise PipelineError(f"the Dagster {name} {happened}, for the {MOST_ENDS + 1}th time", self._remedy(name))
        _tell(f"the Dagster {name} {happened} and is started again: {self._remedy(name)}")
        self._launch(name)

    def _code_answers(self) -> bool:
        return code_server_answers(HOST, self._code_port)

    def _ui_answers(self) -> bool:
        try:
            with urllib.request.urlopen(self._page, timeout=2):  # noqa: S310 - our own address
                return True
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> None:
        """End the daemon first, so that it starts nothing more, and the code server last, because runs are its children."""
        if self.stopping.is_set():
            _tell("stopping")
        self._end("daemon", "webserver")
        try:
            under_way = self._await_runs() if "code" in self._running else []
        except Exception as error:  # noqa: BLE001 - a database that is gone: the processes are ended all the same
            _tell(f"stopping without knowing which runs are under way: {type(error).__name__}")
            under_way = []
        if under_way:
            _tell(f"{_named(under_way)} did not end and is stopped: the next start takes the work up where it is now")
            _kill_all(self._running["code"])
        self._end("code")

    def _await_runs(self) -> Sequence[dg.DagsterRun]:
        """Wait for the runs that this code server has started; those that have not ended."""
        with dg.DagsterInstance.from_config(str(self._home)) as instance:
            deadline, told = time.monotonic() + RUN_SECONDS, ""
            while under_way := [run for run in instance.get_runs(dg.RunsFilter(statuses=_UNDER_WAY)) if self._is_ours(run.tags)]:
                if (waits := f"stopping: waiting for {_named(under_way)} to end") != told:
                    _tell(f"{waits}, at most {RUN_SECONDS} s (Ctrl-C: do not wait)")
                    told = waits
                if time.monotonic() > deadline or self._hurried.wait(0.5):
                    break
            return under_way

    def _is_ours(self, tags: Mapping[str, str]) -> bool:
        return f'"port": {self._code_port}' in tags.get(GRPC_INFO_TAG, "")

    def _end(self, *names: str) -> None:
        ending = [self._running[name] for name in names if name in self._running and self._running[name].poll() is None]
        for process in ending:
            process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + STOP_SECONDS
        for process in ending:
            while process.poll() is None and time.monotonic() < deadline and not self._hurried.is_set():
                time.sleep(0.1)
            _kill_all(process)


def _named(runs: Sequence[dg.DagsterRun]) -> str:
    """The runs as a person knows them: the company and its days."""
    return "; ".join(_run_named(run) for run in runs)


def _run_named(run: dg.DagsterRun) -> str:
    first, last = run.tags.get(RANGE_START), run.tags.get(RANGE_END)
    days = run.tags.get("dagster/partition") or (first if first == last else f"{first} to {last}")
    return f"the run of {', '.join(sorted(companies_of(run))) or run.job_name}" + (f", {days}," if days else "")


def _tell(message: str) -> None:
    with contextlib.suppress(OSError):  # the terminal may be what has ended
        err().print(message)


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
    process.wait()


def _kill_all(process: subprocess.Popen[bytes]) -> None:
    """The process and its children: it leads the session that they are in."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
