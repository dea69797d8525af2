"""Whole commands as a user runs them, in processes of their own: wall time, calls, and peak memory."""

import contextlib
import dataclasses
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.mapping import DAY
from benchmarks.ours import variables
from benchmarks.servers import NO_DELAY, Books, Servers, Speed, servers
from fb_qbo_pipeline.sandbox.sample_country import country_named, integration

MEGABYTE = 1024  # ru_maxrss counts kilobytes (on Linux)
UNLIMITED = {"QUICKBOOKS_REQUESTS_PER_MINUTE": "1000000", "QUICKBOOKS_BATCHES_PER_MINUTE": "1000000"}


@dataclass(frozen=True)
class Ended:
    """A command that succeeded: seconds, peak memory in megabytes of the process, and its JSON output."""

    seconds: float
    megabytes: float
    answer: dict[str, Any]


@dataclass(frozen=True)
class Quiet:
    """A sync that finds nothing, with delays, beside a Dagster run that does nothing, in seconds; and what it asks."""

    sync: float
    bare_run: float
    freshbooks_reads: int
    quickbooks_reads: int
    quickbooks_writes: int


@dataclass(frozen=True)
class Backfill:
    """`sync --from --to` of so many invoices over so many days, without delays or limits."""

    invoices: int
    days: int
    seconds: float
    megabytes: float
    runs_again: float  # seconds of the same command once more, which writes nothing


class Home:
    """A company connected to the servers, with its settings and state in a folder."""

    def __init__(self, running: Servers, folder: Path, start: dt.date, extra: dict[str, str]) -> None:
        self._folder = folder
        content = integration(country_named("ca"), start) | {"start_date": start.isoformat()}
        (folder / "integration.yaml").write_text(json.dumps(content))  # JSON is YAML
        own = {"FB_QBO_CONFIG": str(folder / "integration.yaml"), "PYTHONPATH": str(Path.cwd())}
        self.environment = os.environ | variables(running, folder / "state") | own | extra
        for service in ("freshbooks", "quickbooks"):
            self.run("connect", service, "--refresh-token", running.refresh_token)

    def run(self, *arguments: str) -> Ended:
        """Run a command of `fb-qbo`."""
        return self.python("-m", "fb_qbo_pipeline.cli.main", *arguments)

    def python(self, *arguments: str) -> Ended:
        """Run Python with these arguments. Raises RuntimeError where it fails."""
        output, log = self._folder / "output.json", self._folder / "log.txt"
        started = time.monotonic()
        with output.open("w") as out, log.open("w") as err:
            process = subprocess.Popen([sys.executable, *arguments], env=self.environment, stdout=out, stderr=err)
            _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}: {log.read_text()[-2000:]}")
        text = output.read_text()
        answer = json.loads(text) if text.startswith("{") else {}
        return Ended(time.monotonic() - started, usage.ru_maxrss / MEGABYTE, answer)


@contextlib.contextmanager
def home(books: Books, speed: Speed, start: dt.date, extra: dict[str, str]) -> Iterator[Home]:
    """A connected company against servers of its own."""
    with servers(books, speed) as running, tempfile.TemporaryDirectory() as folder:
        yield Home(running, Path(folder), start, extra)


def measure_quiet(report: Callable[[str], None]) -> Quiet:
    """An hourly sync with nothing new, after a first one."""
    report("a sync with nothing new")
    today = dt.datetime.now(dt.UTC).date()
    books = dataclasses.replace(Books(60, today), payments=20, expenses=20)
    with home(books, Speed(), today, UNLIMITED) as company:
        company.run("sync", "--json")
        company.run("sync", "--json")  # the day may have changed under the first one
        quiet = company.run("sync", "--json")
        calls = quiet.answer["api_calls"]
        bare = company.python("-m", "benchmarks.bare_run")
    return Quiet(quiet.seconds, bare.seconds, calls["freshbooks"], calls["quickbooks_reads"], calls["quickbooks_writes"])


def measure_backfill(invoices: int, days: int, report: Callable[[str], None]) -> Backfill:
    """A backfill from nothing, and the same once more."""
    report(f"a backfill of {invoices:,} invoices over {days:,} days")
    start = DAY - dt.timedelta(days=days - 1)
    with home(Books(invoices, DAY, days, clients=min(1000, invoices)), NO_DELAY, start, UNLIMITED) as company:
        arguments = ("sync", "--from", start.isoformat(), "--to", DAY.isoformat(), "--json")
        first = company.run(*arguments)
        created = first.answer["created"].get("invoice", 0)
        if created != invoices:
            raise RuntimeError(f"{created} of {invoices} invoices were created")
        again = company.run(*arguments)
    return Backfill(invoices, days, first.seconds, max(first.megabytes, again.megabytes), again.seconds)
