"""The command line as a user has it: an integration file, environment variables, output, exit status."""

import datetime as dt
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from fb_qbo_pipeline.cli.main import run


def days_ago(number: int) -> dt.date:
    """A day of the recent past: commands live in the present."""
    return dt.datetime.now(dt.UTC).date() - dt.timedelta(days=number)


@dataclass(frozen=True)
class Result:
    """How a command ended and what it wrote."""

    status: int
    out: str
    err: str


class CommandLine:
    """Runs commands in this process. `settings` is the content of the integration file, written before each command."""

    def __init__(self, folder: Path, settings: dict[str, Any], capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.settings = settings
        self._capture = capture

    def write(self, file_name: str = "integration.yaml", /, **changed: Any) -> Path:
        """Write an integration file with some keys changed."""
        file = self.folder / file_name
        file.write_text(yaml.safe_dump(self.settings | changed), encoding="utf-8")
        return file

    def __call__(self, *arguments: str) -> Result:
        """Run `fb-qbo` with `arguments`."""
        self._capture.readouterr()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.BetaWarning)  # of Dagster, when a job is made; `main` ignores it, too
            status = run(list(arguments))
        written = self._capture.readouterr()
        return Result(status, written.out, written.err)
