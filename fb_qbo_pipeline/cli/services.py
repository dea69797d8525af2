"""The processes of a deployment on one machine: code server, webserver, daemon; all end when one ends, or on Ctrl-C."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import yaml

from fb_qbo_pipeline.errors import ConfigurationError, PipelineError
from fb_qbo_pipeline.settings.environment import without_secrets

HOST = "127.0.0.1"
START_SECONDS = 120
STOP_SECONDS = 20


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
    """Run the Dagster services until Ctrl-C, SIGTERM or SIGHUP (0), or until one of them ends (1).

    `ready` hears the UI's address when it answers. Every process appends to a log of its own in
    the folder `logs`, which must not be `dagster_home`/logs: Dagster takes that one for its telemetry, and empties it.
    """
    require_free(host, port)
    code_port = free_port()
    workspace = dagster_home / "workspace.yaml"
    location = {"host": HOST, "port": code_port, "location_name": "fb_qbo_pipeline"}
    workspace.write_text(yaml.safe_dump({"load_from": [{"grpc_server": location}]}))
    commands = {
        "code": ["dagster", "code-server", "start", "-m", "fb_qbo_pipeline.definitions", "-h", HOST, "-p", str(code_port)],
        "webserver": ["fb_qbo_pipeline.webserver", "-w", str(workspace), "-h", host, "-p", str(port)],
    }
    if daemon:
        commands["daemon"] = ["dagster._daemon", "run", "-w", str(workspace)]
    stop = threading.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # Ctrl-C, a service manager, a closed terminal
        signal.signal(signal_number, lambda *_: stop.set())
    running = _start(commands, dagster_home, logs)
    try:
        _await(f"http://{host}:{port}/server_info", running, logs, stop)
        if not stop.is_set():
            ready(f"http://{host}:{port}")
        while not stop.wait(0.5):
            _require_all(running, logs)
    finally:
        _stop(running)
    return 0


def _start(commands: dict[str, list[str]], dagster_home: Path, logs: Path) -> dict[str, subprocess.Popen[bytes]]:
    environment = os.environ | {"DAGSTER_HOME": str(dagster_home), "PYTHONWARNINGS": "ignore"}
    environments = {"code": environment}  # runs and sensors are its children: the others need no secret but the database's
    logs.mkdir(parents=True, exist_ok=True)
    running = {}
    for name, command in commands.items():
        with (logs / f"{name}.log").open("ab") as log:
            # a session of its own: Ctrl-C in the terminal reaches this process, which stops the others in order
            running[name] = subprocess.Popen(  # noqa: S603 - our own commands
                [sys.executable, "-m", *command],
                stdout=log,
                stderr=log,
                env=environments.get(name) or without_secrets(environment),
                start_new_session=True,
            )
    return running


def _await(address: str, running: dict[str, subprocess.Popen[bytes]], logs: Path, stop: threading.Event) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not stop.wait(0.3):
        _require_all(running, logs)
        try:
            with urllib.request.urlopen(address, timeout=2):  # noqa: S310 - our own address
                return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                raise PipelineError(
                    f"the Dagster UI did not answer within {START_SECONDS} s", f"look into webserver.log in {logs}"
                ) from None


def _require_all(running: dict[str, subprocess.Popen[bytes]], logs: Path) -> None:
    for name, process in running.items():
        if process.poll() is not None:
            raise PipelineError(f"the Dagster {name} ended with status {process.returncode}", f"look into {name}.log in {logs}")


def _stop(running: dict[str, subprocess.Popen[bytes]]) -> None:
    """End the daemon first, so that it starts nothing more, and the code server last, because runs are its children."""
    for name in ("daemon", "webserver", "code"):
        process = running.get(name)
        if process is None or process.poll() is not None:
            continue
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
