"""`fb-qbo up`: real processes that start together and leave nothing behind."""

import contextlib
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any, Self

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus

from fb_qbo_pipeline.automation.instance import open_instance
from fb_qbo_pipeline.automation.jobs import asset_keys
from fb_qbo_pipeline.cli.services import HOST, free_port
from fb_qbo_pipeline.ledger.locks import advisory_lock
from fb_qbo_pipeline.sandbox.server import CLIENT_SECRET
from fb_qbo_pipeline_tests.automation.services import quick_home, wait_until
from fb_qbo_pipeline_tests.cli.command_line import CommandLine, days_ago
from fb_qbo_pipeline_tests.pipeline.world import World
from fb_qbo_pipeline_tests.ui import execute_again, failing, launch_all, preview, tick


def test_it_serves_the_companies_that_work_until_it_is_told_to_stop_and_then_nothing_is_left(fb_qbo: CommandLine) -> None:
    fb_qbo.write("broken.yaml", name="broken", timezone="Mars/Olympus")
    fb_qbo.write("other.yaml", name="other", freshbooks={"account_id": "XYZ999"})  # never connected
    port = free_port()
    command = [sys.executable, "-c", "from fb_qbo_pipeline.cli.main import main; main()", "up", "--port", str(port)]
    command += ["--config", str(fb_qbo.folder)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            told = ""
            for line in process.stderr:
                if line.startswith("acme: http"):
                    break
                told += line
            assert f"acme: http://{HOST}:{port}" in line
            assert "broken.yaml" in told
            assert "other: FreshBooks is not connected" in told
            with urllib.request.urlopen(f"http://{HOST}:{port}/server_info", timeout=30) as answer:
                assert answer.status == 200
            assert len(services(fb_qbo)) >= 2
            for name, secrets in (("fb_qbo_pipeline.webserver", False), ("dagster._daemon", False), ("code-server", True)):
                assert (CLIENT_SECRET in environment_of(fb_qbo, name)) is secrets, name
            assert {stat.S_IMODE(file.stat().st_mode) & 0o077 for file in (fb_qbo.folder / "logs").rglob("*")} == {0}
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.stderr.read() == "stopping\n"
    assert process.returncode == 0
    assert services(fb_qbo) == []
    for name in ("code", "webserver", "daemon"):
        assert (fb_qbo.folder / "logs" / f"{name}.log").exists()


def environment_of(fb_qbo: CommandLine, part: str) -> str:
    """The environment of the service whose command line holds `part`; of the code server, which names no folder, by its home."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            environment = (process / "environ").read_bytes().decode()
            if part in (process / "cmdline").read_bytes().decode() and f"FB_QBO_HOME={fb_qbo.folder}" in environment:
                return environment
    raise AssertionError(f"{part} does not run")


def services(fb_qbo: CommandLine) -> list[str]:
    """The command lines of the services that run from this home."""
    listed = subprocess.run(["ps", "-eww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if str(fb_qbo.folder) in line and "dagster" in line]


def test_runs_of_commands_and_what_ticks_request_can_be_started_from_the_ui(fb_qbo: CommandLine, present_world: World) -> None:
    fb_qbo.write(schedule={"cron": "0 * * * *", "enabled": False})  # nothing but what is clicked
    invoice = present_world.invoice("100.00", on=days_ago(6))
    present_world.invoice("40.00", on=days_ago(5), taxes=(("Unheard of", "3"),))
    with open_instance(present_world.environment) as instance:
        forget_what_others_left(instance)
    assert fb_qbo("sync", "--from", days_ago(6).isoformat()).status == 0
    with open_instance(present_world.environment) as instance, Up(free_port()) as up:
        (synced,) = instance.get_runs(dg.RunsFilter(tags={"fb_qbo/days": f"{days_ago(6)} to {days_ago(0)}"}))

        def succeed(*runs: dict[str, Any]) -> None:
            for run in runs:
                wait_until(lambda run=run: instance.get_run_by_id(run["id"]).is_finished, 60, lambda: str(up.told))
                assert instance.get_run_by_id(run["id"]).status is dg.DagsterRunStatus.SUCCESS

        succeed(execute_again(up.ask, synced.run_id))
        succeed(*launch_all(up.ask, tick(up.ask, "acme_hourly", time.time()), "acme_sync"))
        with present_world.ledger.begin() as tx:
            tx.touched.note([days_ago(4), days_ago(2)], "test")
        succeed(*launch_all(up.ask, preview(up.ask, "acme_touched_dates"), "acme_sync"))
        assert failing(up.ask) == {"no_document_is_held"}, "held on another day than those that were run last"
        present_world.quickbooks.remove("Invoice", present_world.document("invoice", invoice)["Id"])
        succeed(*launch_all(up.ask, tick(up.ask, "acme_hourly", time.time()), "acme_sync"))
        assert "freshbooks_and_quickbooks_agree" in failing(up.ask), "the look has asked QuickBooks"
        succeed(*launch_all(up.ask, preview(up.ask, "acme_touched_dates"), "acme_sync"))
        assert failing(up.ask) == {"no_document_is_held", "freshbooks_and_quickbooks_agree"}
        succeed(*launch_all(up.ask, tick(up.ask, "acme_daily_reconciliation", time.time()), "acme_reconcile"))
        assert failing(up.ask, "two_sided_reconciliation") == {"both_services_agree"}
    assert present_world.touched() == []
    for log in sorted((fb_qbo.folder / "logs").glob("*.log")):  # Python's: of what is deprecated, superseded, in beta
        assert not re.findall(r".*\w+Warning: .*", log.read_text()), log.name


def forget_what_others_left(instance: dg.DagsterInstance) -> None:
    """Runs that other tests on this database have killed: the daemon would start them anew, and the company's next ones would wait."""
    for storage in (instance.run_storage, instance.event_log_storage, instance.schedule_storage):
        assert storage is not None
        storage.wipe()


class Up:
    """`fb-qbo up` as a process of its own; what it says on standard error is gathered."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.told: list[str] = []
        command = [sys.executable, "-c", "from fb_qbo_pipeline.cli.main import main; main()", "up", "--port", str(port)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def __enter__(self) -> Self:
        self.wait_for("(Ctrl-C stops)")
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(120)
        self._listener.join()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            self.told.extend(lines)

    def wait_for(self, words: str, seconds: float = 60) -> None:
        """Wait until it has said that."""
        wait_until(lambda: any(words in line for line in self.told), seconds, lambda: f"{words!r} is not in {self.told}")

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """What the UI's page asks."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"http://{HOST}:{self.port}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return dict(json.load(answer)["data"])


def part(up: Up, name: str) -> int:
    """The process id of one of its services."""
    listed = subprocess.run(["ps", "-eww", "-o", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    parts = [line.split(maxsplit=2) for line in listed.splitlines() if "fb_qbo_pipeline.cli.part" in line and name in line]
    (pid,) = [int(pid) for pid, parent, _ in parts if int(parent) == up.process.pid]
    return pid


def test_a_backfill_goes_on_whatever_is_killed_and_stopping_says_what_it_waits_for(
    fb_qbo: CommandLine, present_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment, days = present_world.environment, [days_ago(number) for number in (9, 6, 3)]
    home = quick_home(environment, fb_qbo.folder)
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    for day in days:
        present_world.invoice("100.00", on=day)
    with open_instance(environment) as instance, contextlib.ExitStack() as running:
        forget_what_others_left(instance)
        if "acme_quickbooks" not in instance.event_log_storage.get_concurrency_keys():  # a second time is an error on Postgres
            instance.event_log_storage.initialize_concurrency_limit_to_default("acme_quickbooks")

        def start() -> Up:
            return running.enter_context(Up(free_port()))

        def backfill_runs(*statuses: dg.DagsterRunStatus) -> list[dg.DagsterRun]:
            return list(instance.get_runs(dg.RunsFilter(tags={"dagster/backfill": backfill}, statuses=statuses)))

        def at_work() -> bool:
            return any(".dagster/grpc_info" in run.tags for run in backfill_runs(dg.DagsterRunStatus.STARTED))

        present_world.slow_down(20)
        up = start()
        launched = up.ask(
            """mutation($start: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $start) {
                 ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }""",
            start={
                "assetSelection": [{"path": list(key.path)} for key in asset_keys(present_world.integration)],
                "partitionNames": [day.isoformat() for day in days],
            },
        )
        backfill = launched["launchPartitionBackfill"]["backfillId"]
        wait_until(lambda: len(backfill_runs()) == 3 and at_work(), 60, lambda: str(up.told))

        os.kill(part(up, "dagster._daemon"), signal.SIGKILL)
        up.wait_for("the Dagster daemon ended with status -9 and is started again")
        os.killpg(part(up, "code-server"), signal.SIGKILL)  # with the run
        up.wait_for("the Dagster code ended with status -9 and is started again")
        up.process.kill()
        wait_until(lambda: services(fb_qbo) == [], 60, lambda: str(services(fb_qbo)))  # nothing lives on without it

        up = start()
        wait_until(lambda: len(backfill_runs()) == 4 and at_work(), 90, lambda: str(up.told))  # the killed one is run anew
        asked = time.monotonic()
        up.process.send_signal(signal.SIGINT)
        up.wait_for("stopping", 2)
        up.wait_for("waiting for the run of acme, ", 30)
        up.process.send_signal(signal.SIGINT)
        assert up.process.wait(20) == 0, up.told
        assert time.monotonic() - asked < 30
        assert services(fb_qbo) == []

        present_world.slow_down(0)
        up = start()
        wait_until(lambda: _ended(instance, backfill), 180, lambda: f"{[(run.status, run.tags) for run in backfill_runs()]}")
        assert _status(instance, backfill) is BulkActionStatus.COMPLETED_SUCCESS
        assert present_world.count() == {"Invoice": 3}


def _status(instance: dg.DagsterInstance, backfill: str) -> BulkActionStatus:
    found = instance.get_backfill(backfill)
    assert found is not None
    return found.status


def _ended(instance: dg.DagsterInstance, backfill: str) -> bool:
    return _status(instance, backfill) is not BulkActionStatus.REQUESTED


def test_a_second_one_on_the_same_database_is_refused(fb_qbo: CommandLine, present_world: World) -> None:
    with present_world.engine.connect() as connection, advisory_lock(connection, "fb_qbo:up"):
        result = fb_qbo("up", "--port", str(free_port()))
    assert (result.status, result.out) == (1, "")
    assert "running already on this database" in result.err


@pytest.mark.parametrize(
    ("command", "option"),
    [("up", "--port"), ("demo", "--port"), ("sandbox", "--freshbooks-port"), ("sandbox", "--quickbooks-port")],
)
def test_a_port_that_is_taken_is_told_before_anything_starts(command: str, option: str, fb_qbo: CommandLine) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        result = fb_qbo(command, option, str(taken.getsockname()[1]))
    assert (result.status, result.out) == (2, "")
    assert f"choose another with {option}" in result.err
