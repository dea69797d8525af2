"""The processes of a deployment, as `fb-qbo up` starts them, without its web pages: a code server and the daemon."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import yaml
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.remote_representation.external import RemoteSchedule
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, ScheduleInstigatorData
from dagster._core.workspace.context import WorkspaceProcessContext, WorkspaceRequestContext
from dagster._core.workspace.load_target import GrpcServerTarget
from dagster._grpc.client import DagsterGrpcClient
from dagster_graphql.test.utils import execute_dagster_graphql

from fb_qbo_pipeline.automation.dagster_internals import LOCATION
from fb_qbo_pipeline.automation.instance import dagster_home
from fb_qbo_pipeline.cli.services import HOST, environment_of, free_port, write_workspace
from fb_qbo_pipeline.settings.environment import Environment


class Services:
    """Processes that end with the test, each by its own id."""

    def __init__(self, dagster_home: Path) -> None:
        self.home = dagster_home
        self.port = free_port()
        self._running: list[subprocess.Popen[bytes]] = []
        self.workspace = write_workspace(dagster_home, self.port)

    def start(self, name: str, *command: str) -> None:
        """Start `python -m COMMAND`, its output in a log of its own."""
        with (self.home / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                stdout=log,
                stderr=log,
                env=environment_of(self.home, secrets=True),
                start_new_session=True,
            )
        self._running.append(process)

    def start_code_server(self) -> None:
        """The process that knows the definitions, and whose children the runs are."""
        port = str(self.port)
        self.start("code", "dagster", "code-server", "start", "-m", "fb_qbo_pipeline.definitions", "-h", HOST, "-p", port)

    def start_daemon(self) -> None:
        """Schedules, sensors, the run queue, run monitoring."""
        self.start("daemon", "dagster._daemon", "run", "-w", str(self.workspace))

    def logs(self) -> str:
        """What the processes have written, for a test that fails."""
        return "\n".join(f"{file.name}:\n{file.read_text()[-4000:]}" for file in sorted(self.home.glob("*.log")))

    def logged(self, name: str, words: str) -> int:
        """How often a process has written something."""
        return (self.home / f"{name}.log").read_text().count(words)

    def kill(self) -> None:
        """End all processes at once, with the runs, and without a word."""
        for process in self._running:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._running.clear()

    def stop(self) -> None:
        """End the processes, the newest first."""
        for process in reversed(self._running):
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        for process in self._running:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def quick_home(environment: Environment, folder: Path) -> Path:
    """A folder for DAGSTER_HOME with production's dagster.yaml, but dead runs are noticed within seconds."""
    settings = yaml.safe_load((dagster_home(environment) / "dagster.yaml").read_text())
    settings["run_launcher"]["config"] = {"grace_seconds": 15}
    settings["run_monitoring"]["poll_interval_seconds"] = 2
    home = folder / "quick"
    home.mkdir()
    (home / "dagster.yaml").write_text(yaml.safe_dump(settings))
    return home


def wait_until(reached: Callable[[], bool], seconds: float, describe: Callable[[], str]) -> None:
    """Poll until `reached`, at most so long."""
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, f"not reached within {seconds} s\n{describe()}"
        time.sleep(0.2)


def _answers(client: DagsterGrpcClient) -> bool:
    try:
        client.ping("")
    except DagsterUserCodeUnreachableError:
        return False
    return True


@contextmanager
def workspace(instance: dg.DagsterInstance, services: Services) -> Iterator[WorkspaceRequestContext]:
    """The workspace as the webserver sees it, once the code server answers."""
    client = DagsterGrpcClient(host=HOST, port=services.port)
    wait_until(lambda: _answers(client), 60, services.logs)
    target = GrpcServerTarget(host=HOST, port=services.port, socket=None, location_name=LOCATION)
    with WorkspaceProcessContext(instance, target) as process:
        yield process.create_request_context()


def start_backfill(instance: dg.DagsterInstance, services: Services, assets: Sequence[dg.AssetKey], days: Sequence[dt.date]) -> str:
    """What the UI's "Materialize" does for several days; the backfill's id."""
    mutation = """mutation($start: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $start) {
        ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
    start = {"assetSelection": [{"path": list(key.path)} for key in assets], "partitionNames": [day.isoformat() for day in days]}
    with workspace(instance, services) as context:
        answer = execute_dagster_graphql(context, mutation, variables={"start": start}).data["launchPartitionBackfill"]
    return str(answer["backfillId"])


def scheduled_since(instance: dg.DagsterInstance, services: Services, name: str, since: float) -> None:
    """Let the schedule look as if it had been running since that moment while no daemon was there: ticks were missed."""
    with workspace(instance, services) as context:
        location = context.get_code_location(LOCATION)
        (repository,) = location.get_repositories().values()
        schedule: RemoteSchedule = repository.get_schedule(name)
        data = ScheduleInstigatorData(schedule.cron_schedule, start_timestamp=since)
        instance.add_instigator_state(
            InstigatorState(schedule.get_remote_origin(), InstigatorType.SCHEDULE, InstigatorStatus.DECLARED_IN_CODE, data)
        )
