"""A process that syncs a company and is killed with SIGKILL.

It is forked from a server that has imported everything, so that a life begins within milliseconds: every one of them is a
process of its own all the same, with connections, threads and locks that nobody gets to close. It may be given the moment of
its death, in events of its database: so it also dies between two statements of a transaction, or just before or after a commit.
"""

import os
import signal
import sys
import uuid
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from typing import Any, Literal

from sqlalchemy import Engine, event

from fb_qbo_pipeline.errors import ConnectionRequired, PipelineError
from fb_qbo_pipeline.ledger.database import connect
from fb_qbo_pipeline.pipeline.changes import look_for_changes
from fb_qbo_pipeline.pipeline.runtime import Runtime, open_runtime
from fb_qbo_pipeline.pipeline.steps import run_steps
from fb_qbo_pipeline.posting.books import Books
from fb_qbo_pipeline.posting.counts import Counts
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.models import Integration
from fb_qbo_pipeline_tests.pipeline.world import NOW, START, TODAY, skipping

DISTURBED, DISCONNECTED = 10, 11  # exit statuses: trouble outlived all retries; somebody has to connect anew

Moment = Literal["before_cursor_execute", "commit", "checkin"]  # checkin: a connection has come back, after its commit


@dataclass(frozen=True)
class Life:
    """What a process is to do. `hourly`: look for changes and follow them, as the schedule does; else all dates.

    `dies`: the database event, and how many of it come to pass before the process kills itself.
    """

    settings: dict[str, Any]
    variables: dict[str, str]
    hourly: bool = True
    dies: tuple[Moment, int] | None = None


_context = get_context("forkserver")
_context.set_forkserver_preload([__name__])


def begin(life: Life) -> ForkServerProcess:
    """Start a process; nobody waits for it."""
    process = _context.Process(target=_live, args=(life,), daemon=True)
    process.start()
    return process


def _live(life: Life) -> None:
    environment = Environment.read(life.variables)
    assert environment.database_url is not None
    engine = connect(environment.database_url)
    if life.dies is not None:
        doom(engine, *life.dies)
    integration = Integration.model_validate(life.settings)
    try:
        with open_runtime(integration, environment, engine=engine, waiting=skipping()) as runtime:
            runtime.clock = lambda: NOW
            runtime.books = Books(runtime.ledger, runtime.quickbooks, integration, process=uuid.uuid4().hex)
            _sync(runtime, life.hourly)
    except ConnectionRequired:
        sys.exit(DISCONNECTED)
    except PipelineError:
        sys.exit(DISTURBED)


def doom(engine: Engine, moment: Moment, after: int) -> None:
    """Let this process kill itself after so many events of its database."""
    left = after

    def count(*_event: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(engine, moment, count)


def _sync(runtime: Runtime, hourly: bool) -> None:
    if not hourly:
        run_steps(runtime, START, TODAY, Counts())
        return
    runtime.catch_up()
    look_for_changes(runtime)
    while True:
        with runtime.ledger.begin() as tx:
            days = [touched.date for touched in tx.touched.waiting()]
        if not days:
            return
        run_steps(runtime, min(days), max(days), Counts())
