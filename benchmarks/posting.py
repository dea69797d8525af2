"""Documents a minute under QuickBooks' limits: this pipeline, a python-quickbooks loop, and its batch manager, against equal sandboxes.

Counted is what stands in QuickBooks a number of minutes after the first write. The limits admit 500 requests a minute, 40 of
them batches of 30: the ceiling is 40 × 30 + 460 = 1,660 documents.
"""

import base64
import json
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.mapping import DAY
from benchmarks.ours import opened, settings, variables
from benchmarks.servers import Books, Sample, Servers, Speed, servers
from fb_qbo_pipeline.pipeline.intake import read_dates, read_lists
from fb_qbo_pipeline.pipeline.post import post
from fb_qbo_pipeline.pipeline.stage import stage
from fb_qbo_pipeline.sandbox.sample_country import REALM_ID
from fb_qbo_pipeline.sandbox.server import CLIENT_ID, CLIENT_SECRET

BATCH = 30
HERE = Path(__file__).parent
PACKAGE = HERE / "python_quickbooks"
LOOP, MANAGER = "loop", "batch"


@dataclass(frozen=True)
class Throughput:
    """What one program reached. `documents` and `calls` are a minute's; `throttled` counts answers of 429."""

    name: str
    documents: float
    calls: float
    throttled: int
    remark: str = ""

    @property
    def calls_a_document(self) -> float:
        """QuickBooks requests, reads included, for one document."""
        return self.calls / self.documents if self.documents else 0.0


def ceiling(speed: Speed) -> int:
    """Documents a minute that the limits admit."""
    limits = speed.limits
    assert limits.requests_per_minute is not None
    assert limits.batches_per_minute is not None
    return limits.batches_per_minute * BATCH + limits.requests_per_minute - limits.batches_per_minute


def measure(minutes: int, report: Callable[[str], None]) -> list[Throughput]:
    """All three, one after the other, each against its own sandbox."""
    report("posting: this pipeline")
    found = [_ours(minutes)]
    problem = install()
    for name, mode in (("python-quickbooks, one by one", LOOP), ("python-quickbooks, batch manager", MANAGER)):
        report(f"posting: {name}")
        found.append(Throughput(name, 0, 0, 0, f"not run: {problem}") if problem else _theirs(name, mode, minutes))
    return found


def _ours(minutes: int) -> Throughput:
    speed = Speed()
    books = Books(ceiling(speed) * minutes, DAY)
    with servers(books, speed) as running, tempfile.TemporaryDirectory() as folder:
        with opened(variables(running, Path(folder)), settings(DAY), DAY, running.refresh_token) as runtime:
            read_lists(runtime)
            read_dates(runtime, "invoice", DAY, DAY)
            stage(runtime, "invoice", DAY, DAY)
            counts = post(runtime, "invoice", DAY, DAY)
        assert counts.held == 0, f"{counts.held} documents were held"
        return _counted("this pipeline", running.samples(), minutes)


def _theirs(name: str, mode: str, minutes: int) -> Throughput:
    with servers(Books(1, DAY), Speed()) as running:
        given = running.ids | {
            "url": running.environment["QUICKBOOKS_API_URL"],
            "realm": REALM_ID,
            "token": _access_token(running),
            "count": 1_000_000,
        }
        command = [str(HERE / ".venv" / "bin" / "python"), str(PACKAGE / "run.py"), mode]
        with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None
            process.stdin.write(json.dumps(given))
            process.stdin.close()
            try:
                _wait(running, minutes, process)
                return _counted(name, running.samples(), minutes, "" if process.poll() is None else "it stopped with an error")
            finally:
                process.kill()


def _wait(running: Servers, minutes: int, process: "subprocess.Popen[str]") -> None:
    """Until the minutes since the first write are over, or the program has ended."""
    while process.poll() is None:
        started = _first_write(running.samples())
        if started is not None and time.time() > started.at + 60 * minutes:
            return
        time.sleep(1)


def _first_write(samples: list[Sample]) -> Sample | None:
    return next((sample for sample in samples if sample.requests > sample.reads), None)


def _counted(name: str, samples: list[Sample], minutes: int, remark: str = "") -> Throughput:
    started = _first_write(samples)
    if started is None:
        return Throughput(name, 0, 0, 0, remark or "it wrote nothing")
    last = [sample for sample in samples if sample.at <= started.at + 60 * minutes][-1]
    return Throughput(name, last.documents / minutes, last.requests / minutes, samples[-1].throttled, remark)


def _access_token(running: Servers) -> str:
    body = urllib.parse.urlencode({"grant_type": "refresh_token", "refresh_token": running.refresh_token}).encode()
    secret = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
    request = urllib.request.Request(running.environment["QUICKBOOKS_TOKEN_URL"], body, {"Authorization": f"Basic {secret}"})
    with urllib.request.urlopen(request) as answer:
        return str(json.load(answer)["access_token"])


def install() -> str:
    """Put python-quickbooks into a virtual environment of its own; why not, where that fails."""
    folder = HERE / ".venv"
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    done = subprocess.run([*pip, "--requirement", str(PACKAGE / "requirements.txt")], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr)
        return "it could not be installed"
    return ""
