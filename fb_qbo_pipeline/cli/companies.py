"""The integrations that a command is about: one file's, or a folder's, each by itself.

A folder's files are different companies. What is wrong with one (a file with mistakes, an account that is not connected) is
told on standard error and counts for the exit status; the others are worked on all the same.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from fb_qbo_pipeline.cli.output import print_error
from fb_qbo_pipeline.errors import ConfigurationError, PipelineError
from fb_qbo_pipeline.ledger.outages import explained
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.loading import load_integrations
from fb_qbo_pipeline.settings.models import Integration

T = TypeVar("T")


class Companies:
    """The integrations of a file or a folder, and what has failed with which. Iterate over those that can be used."""

    def __init__(self, config: Path | None, environment: Environment) -> None:
        """Read the files. Raises ConfigurationError with all that is wrong where none of them can be used."""
        results = load_integrations(config or environment.config)
        self.usable = [result.integration for result in results if result.integration is not None]
        self.broken: dict[str, ConfigurationError] = {result.path.name: result.error for result in results if result.error is not None}
        self._several = len(results) > 1
        self._failed: dict[str, PipelineError] = {}
        if not self.usable:
            raise ConfigurationError("\n".join(str(error) for error in self.broken.values()))

    @property
    def names(self) -> list[str]:
        """The names of the integrations, and of the files that cannot be used."""
        return [*(integration.name for integration in self.usable), *self.broken]

    def each(self, work: Callable[[Integration], T]) -> dict[str, T]:
        """What `work` returns for each integration, by name. Where it fails for all, that is raised; else see `end`.

        Only errors that are meant for people are kept apart: any other is a fault of the program, and ends the command.
        """
        done: dict[str, T] = {}
        for integration in self.usable:
            try:
                done[integration.name] = work(integration)
            except Exception as error:
                failure = explained(error)
                if failure is None or not self._several:
                    raise
                self.failed(integration, failure)
        if not done:
            kind = ConfigurationError if self._status() == ConfigurationError.exit_status else PipelineError
            raise kind("\n".join(self._told()))
        return done

    def failed(self, integration: Integration, error: PipelineError) -> None:
        """Keep what has failed for `end`, such as a part of the work that has a result all the same."""
        self._failed[integration.name] = error

    def to_json(self, results: Mapping[str, Any]) -> Any:
        """What `--json` prints: the result itself for a file, by name for a folder of several."""
        return dict(results) if self._several else next(iter(results.values()))

    def end(self, status: int = 0) -> int:
        """Tell what has failed, and which files cannot be used; the command's exit status, which is `status` where nothing has."""
        for told in self._told():
            print_error(told)
        return self._status() or status

    def _told(self) -> list[str]:
        failed = [f"{name}: {error}" if self._several else str(error) for name, error in self._failed.items()]
        return failed + [str(error) for error in self.broken.values()]

    def _status(self) -> int:
        return max((error.exit_status for error in (*self._failed.values(), *self.broken.values())), default=0)


def one_integration(config: Path | None, environment: Environment) -> Integration:
    """The integration of a file; of a folder only where that holds one file."""
    companies = Companies(config, environment)
    if len(companies.names) > 1:
        raise ConfigurationError(f"several integrations: {', '.join(companies.names)}", "say which one: --config FILE")
    return companies.usable[0]
