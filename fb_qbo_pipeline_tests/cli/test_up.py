"""`fb-qbo up`: real processes that start together and leave nothing behind."""

import contextlib
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from fb_qbo_pipeline.cli.services import HOST, free_port
from fb_qbo_pipeline.ledger.locks import advisory_lock
from fb_qbo_pipeline.sandbox.server import CLIENT_SECRET
from fb_qbo_pipeline_tests.cli.command_line import CommandLine
from fb_qbo_pipeline_tests.pipeline.world import World


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
        assert process.stderr.read() == ""
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
