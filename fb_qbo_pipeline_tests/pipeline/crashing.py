"""A process that syncs a company and may be killed at any moment: `python -m … TASK`."""

import json
import sys
from pathlib import Path

from fb_qbo_pipeline.ledger.database import connect
from fb_qbo_pipeline.pipeline.runtime import open_runtime
from fb_qbo_pipeline.posting.counts import Counts
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.models import Integration
from fb_qbo_pipeline_tests.pipeline.world import NOW, START, TODAY, run, skipping


def main(task: Path) -> None:
    """Sync until done. `task`: a JSON file with the settings and the environment variables."""
    given = json.loads(task.read_text())
    environment = Environment.read(given["environment"])
    assert environment.database_url is not None
    engine = connect(environment.database_url)
    with open_runtime(Integration.model_validate(given["settings"]), environment, engine=engine, waiting=skipping()) as runtime:
        runtime.clock = lambda: NOW
        run(runtime, START, TODAY, Counts())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
