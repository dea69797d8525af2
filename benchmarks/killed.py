"""The processes that the kill run ends: syncs of the company on its embedded database, with and without Dagster.

A process is forked from a server that has imported everything, so that a life begins within milliseconds; each is a process of its own
all the same, which joins the embedded database or starts it. What it prints goes into a log in the home.
"""

import os
import sys
import uuid
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Literal

from sqlalchemy.exc import DBAPIError

from fb_qbo_pipeline.cli import main as command_line
from fb_qbo_pipeline.cli import sync as _loaded  # noqa: F401 - the command itself, with Dagster
from fb_qbo_pipeline.errors import ConnectionRequired, PipelineError
from fb_qbo_pipeline.pipeline import runtime as runtimes
from fb_qbo_pipeline.pipeline.changes import look_for_changes
from fb_qbo_pipeline.pipeline.runtime import Runtime, open_database, open_runtime
from fb_qbo_pipeline.pipeline.steps import run_steps
from fb_qbo_pipeline.posting.books import Books
from fb_qbo_pipeline.posting.counts import Counts
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.models import Integration
from fb_qbo_pipeline_tests.pipeline.crashing import DISCONNECTED, DISTURBED, Moment, doom
from fb_qbo_pipeline_tests.pipeline.world import skipping

Way = Literal["changes", "range", "command"]


@dataclass(frozen=True)
class Life:
    """What a process does: `changes` (a look, and what it has touched), `range` (all dates), or `command` (`fb-qbo sync`, with Dagster).

    `dies`: the database event, and how many of it come to pass before the process kills itself.
    """

    variables: dict[str, str]
    settings: dict[str, Any]
    way: Way
    dies: tuple[Moment, int] | None = None


_context = get_context("forkserver")
_context.set_forkserver_preload(["benchmarks.killed", "benchmarks.kills_judged", "fb_qbo_pipeline_tests.pipeline.test_crash"])


def begin(life: Life) -> ForkServerProcess:
    """Start a process; nobody waits for it."""
    process = _context.Process(target=_live, args=(life,), daemon=True)
    process.start()
    return process


def log_of(home: Path) -> Path:
    """Where the processes of this home print."""
    return home / "lives.log"


def _live(life: Life) -> None:
    warnings.simplefilter("ignore")
    os.environ.update(life.variables)
    log = os.open(log_of(Path(life.variables["FB_QBO_HOME"])), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for standard in (1, 2):
        os.dup2(log, standard)
    if life.way == "command":
        runtimes.Waiting = skipping  # as the other lives: a minute of QuickBooks' limits, or of a late answer, passes at once
        _command(["sync", "--json"])
        return
    integration = Integration.model_validate(life.settings)
    environment = Environment.read(life.variables)
    try:
        engine = open_database(environment)
        if life.dies is not None:
            doom(engine, *life.dies)
        with open_runtime(integration, environment, engine=engine, waiting=skipping()) as runtime:
            runtime.books = Books(runtime.ledger, runtime.quickbooks, integration, process=uuid.uuid4().hex)
            _sync(runtime, life.way)
    except ConnectionRequired:
        sys.exit(DISCONNECTED)
    except (PipelineError, DBAPIError) as error:  # the latter where the database was killed
        print(type(error).__name__, error, flush=True)
        sys.exit(DISTURBED)


def _command(arguments: Sequence[str]) -> None:
    sys.argv = ["fb-qbo", *arguments]
    command_line.main()


def _sync(runtime: Runtime, way: Way) -> None:
    if way == "range":
        run_steps(runtime, runtime.integration.start_date, runtime.today, Counts())
        return
    runtime.catch_up()
    look_for_changes(runtime)
    while True:
        with runtime.ledger.begin() as tx:
            days = [touched.date for touched in tx.touched.waiting()]
        if not days:
            return
        run_steps(runtime, max(min(days), runtime.integration.start_date), max(days), Counts())
