"""The resource of the assets: opens one integration for the length of a step, and lets one run of it at a time.

A run holds the company's lock in Postgres from its beginning to its end. So a sync on the command line and a run of the
daemon never overlap, on one machine or several; and a run whose process has died can be told from one that works.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import dagster as dg

from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.ledger.outages import outages_in_words
from fb_qbo_pipeline.pipeline.runtime import Runtime, open_database, open_runtime
from fb_qbo_pipeline.posting.poster import Progress
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.models import Integration

log = logging.getLogger(__name__)


@dataclass
class Company:
    """One integration with the environment of the process that runs the step.

    `environment` is read when a step begins, so that a definition holds no secret; tests and the demo give one.
    `progress` hears of every written document, `waits` when a run has to wait for another one; only the command line sets them.
    """

    integration: Integration
    environment: Environment | None = field(default=None, repr=False)
    progress: Progress | None = field(default=None, repr=False)
    waits: Callable[[], None] | None = field(default=None, repr=False)

    @contextlib.contextmanager
    def open(self, run_id: str) -> Iterator[Runtime]:
        """Open the integration for one step."""
        environment = self.environment or Environment.read()
        with outages_in_words(), open_runtime(self.integration, environment, run_id=run_id) as runtime:
            yield runtime

    @contextlib.contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """Open the ledger alone, for the length of a tick."""
        engine = open_database(self.environment or Environment.read())
        try:
            yield Ledger(engine, self.integration.name)
        finally:
            engine.dispose()

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until no other run of this company works, then keep others waiting."""
        with self.ledger() as ledger, ledger.run_lock(self._wait):
            yield

    def _wait(self) -> None:
        log.info("another run of %s is at work: this one waits until it has ended", self.integration.name)
        if self.waits is not None:
            self.waits()


def as_resource(company: Company) -> dg.ResourceDefinition:
    """The company as a resource that a run holds from its first step to its last."""

    @dg.resource(description="The FreshBooks account and the QuickBooks company of one integration.")
    @contextlib.contextmanager
    def resource(_context: dg.InitResourceContext) -> Iterator[Company]:
        with company.turn():
            yield company

    return resource
