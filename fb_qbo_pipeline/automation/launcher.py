"""Dagster's own launcher, which can also tell whether a run is still alive.

Dagster's default launcher cannot: a run whose process was killed stays "started" for ever, and with one run of a company
at a time nothing of that company would run again. Every run of ours holds its company's lock in Postgres, which the server
releases when the process dies, however it dies. So Dagster's run monitoring finds such a run, marks it as failed, and
starts it anew (`run_retries`). That needs the code server: what cannot be started at that very moment Dagster gives up, and a backfill
with it. So while the code server is away, no run is declared dead.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import yaml

from fb_qbo_pipeline.automation.dagster_internals import (
    CheckRunHealthResult,
    ConfigurableClassData,
    DefaultRunLauncher,
    UserConfigSchema,
    WorkerStatus,
    code_server_answers,
)
from fb_qbo_pipeline.automation.jobs import companies_of
from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.pipeline.runtime import open_database
from fb_qbo_pipeline.settings.environment import Environment

_PAUSE_SECONDS = 2.0  # a run lets go of its lock just before it is recorded as finished


class PipelineRunLauncher(DefaultRunLauncher):
    """Launches runs as Dagster's default does, and knows which are alive.

    `grace_seconds`: how long a run may take from its beginning until it holds its company's lock, and how long after its return the
    code server still counts as away.
    """

    def __init__(self, grace_seconds: int = 60, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(inst_data)
        self._grace_seconds = grace_seconds
        self._seen_away = float("-inf")

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """The keys under `run_launcher.config` in dagster.yaml."""
        return {"grace_seconds": dg.Field(int, default_value=60)}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> "PipelineRunLauncher":
        """Build the launcher; called by Dagster in every process."""
        return cls(inst_data=inst_data, **config_value)

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Dagster's run monitoring asks this before it checks."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether the run's process is alive. While another run of the company works, a dead one is not told apart."""
        companies = companies_of(run)
        stats = self._instance.get_run_stats(run.run_id)
        if not companies or stats.start_time is None or time.time() - stats.start_time < self._grace_seconds:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        if self._code_server_is_away():
            return CheckRunHealthResult(WorkerStatus.RUNNING, "unknown: the code server is away")
        engine = open_database(Environment.read())
        try:
            for pause in (_PAUSE_SECONDS, 0.0):
                if any(Ledger(engine, company).is_running() for company in companies):
                    return CheckRunHealthResult(WorkerStatus.RUNNING)
                time.sleep(pause)
        finally:
            engine.dispose()
        return CheckRunHealthResult(WorkerStatus.FAILED, "the process of the run has ended")

    def _code_server_is_away(self) -> bool:
        """Whether the code server of DAGSTER_HOME/workspace.yaml does not answer, or did not until just now: Dagster is slow to notice.

        Without such a file there is none to ask: Dagster then runs one of its own.
        """
        file = Path(self._instance.root_directory) / "workspace.yaml"
        locations = yaml.safe_load(file.read_text())["load_from"] if file.exists() else []
        servers = [location["grpc_server"] for location in locations if "grpc_server" in location]
        if not all(code_server_answers(server["host"], server.get("port"), server.get("socket")) for server in servers):
            self._seen_away = time.monotonic()
        return time.monotonic() - self._seen_away < self._grace_seconds
