"""The ledger of one integration: the only way to its tables, and the only place where transactions begin."""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, insert, select
from sqlalchemy.exc import DBAPIError

from fb_qbo_pipeline.errors import Unreachable
from fb_qbo_pipeline.ledger.decisions import Decisions
from fb_qbo_pipeline.ledger.differences import Differences
from fb_qbo_pipeline.ledger.exceptions import Exceptions
from fb_qbo_pipeline.ledger.found import FoundDocuments
from fb_qbo_pipeline.ledger.lists import CompanyLists, Cursors
from fb_qbo_pipeline.ledger.locks import advisory_lock, holds, is_locked
from fb_qbo_pipeline.ledger.outbox import Outbox
from fb_qbo_pipeline.ledger.posted import Links, PostedDocuments
from fb_qbo_pipeline.ledger.raw import RawRecords
from fb_qbo_pipeline.ledger.staging import Staging
from fb_qbo_pipeline.ledger.sums import Sums
from fb_qbo_pipeline.ledger.suspects import Suspects
from fb_qbo_pipeline.ledger.tables import sync_report
from fb_qbo_pipeline.ledger.touched import TouchedDates


@dataclass(frozen=True)
class Transaction:
    """All tables of one integration within one transaction."""

    connection: Connection
    integration: str

    @cached_property
    def raw(self) -> RawRecords:
        """FreshBooks records as last read."""
        return RawRecords(self.connection, self.integration)

    @cached_property
    def staging(self) -> Staging:
        """What mapping decided."""
        return Staging(self.connection, self.integration)

    @cached_property
    def posted(self) -> PostedDocuments:
        """What stands in QuickBooks."""
        return PostedDocuments(self.connection, self.integration)

    @cached_property
    def found(self) -> FoundDocuments:
        """What stands in QuickBooks that the ledger did not post."""
        return FoundDocuments(self.connection, self.integration)

    @cached_property
    def links(self) -> Links:
        """Customers, vendors and items."""
        return Links(self.connection, self.integration)

    @cached_property
    def outbox(self) -> Outbox:
        """Every write."""
        return Outbox(self.connection, self.integration)

    @cached_property
    def exceptions(self) -> Exceptions:
        """Documents held back."""
        return Exceptions(self.connection, self.integration)

    @cached_property
    def decisions(self) -> Decisions:
        """What people have decided about documents."""
        return Decisions(self.connection, self.integration)

    @cached_property
    def differences(self) -> Differences:
        """What the last comparison of both services has found to differ."""
        return Differences(self.connection, self.integration)

    @cached_property
    def sums(self) -> Sums:
        """What both sides add up to."""
        return Sums(self.connection, self.integration)

    @cached_property
    def suspects(self) -> Suspects:
        """Which documents may have something to tell."""
        return Suspects(self.connection, self.integration)

    @cached_property
    def touched(self) -> TouchedDates:
        """Dates that wait for a run."""
        return TouchedDates(self.connection, self.integration)

    @cached_property
    def lists(self) -> CompanyLists:
        """Mirror of the QuickBooks lists."""
        return CompanyLists(self.connection, self.integration)

    @cached_property
    def cursors(self) -> Cursors:
        """Marks of the feeds."""
        return Cursors(self.connection, self.integration)

    def report(self, values: dict[str, Any]) -> None:
        """Keep what one posting step did."""
        self.connection.execute(insert(sync_report).values(integration=self.integration, **values))

    def reports(self, run_ids: list[str]) -> list[RowMapping]:
        """What the posting steps of these runs did."""
        statement = select(sync_report).where(sync_report.c.integration == self.integration, sync_report.c.run_id.in_(run_ids))
        return list(self.connection.execute(statement.order_by(sync_report.c.id)).mappings())

    def reports_between(self, since: dt.datetime, until: dt.datetime) -> list[RowMapping]:
        """What the posting steps did after `since`, up to and including `until`, whichever run they belong to."""
        statement = select(sync_report).where(
            sync_report.c.integration == self.integration, sync_report.c.at > since, sync_report.c.at <= until
        )
        return list(self.connection.execute(statement.order_by(sync_report.c.id)).mappings())


class PostingTurn:
    """The right to write to a company's QuickBooks: a lock of one database session, and lost with it.

    What has to be known before a request is sent is committed on that very session. So it was committed by the one who
    held the lock, and whoever gets the lock next begins with it.
    """

    def __init__(self, connection: Connection, integration: str, lock: str) -> None:
        self._connection = connection
        self._integration = integration
        self._lock = lock

    @contextlib.contextmanager
    def begin(self) -> Iterator[Transaction]:
        """A transaction of the one who may post. Raises Unreachable where the session, and the lock with it, has ended."""
        try:
            with self._connection.begin():
                if not holds(self._connection, self._lock):
                    raise self._lost()
                yield Transaction(self._connection, self._integration)
        except DBAPIError as error:
            raise (self._lost() if error.connection_invalidated else error) from error

    def confirm(self) -> None:
        """See that the turn still lasts. Raises as `begin` does."""
        with self.begin():
            pass

    def _lost(self) -> Unreachable:
        return Unreachable(
            "the database connection that keeps other syncs of this company out was lost, so nothing more was sent to QuickBooks",
            "run the same command again: it begins with what is not known to have arrived, and nothing is posted twice",
        )


class Ledger:
    """The ledger of one integration."""

    def __init__(self, engine: Engine, integration: str) -> None:
        self.engine = engine
        self.integration = integration

    @contextlib.contextmanager
    def begin(self) -> Iterator[Transaction]:
        """A transaction: committed when the block ends, rolled back if it raises."""
        with self.engine.begin() as connection:
            yield Transaction(connection, self.integration)

    @contextlib.contextmanager
    def posting_lock(self, wait_seconds: float | None = None) -> Iterator[PostingTurn]:
        """Hold this company's posting: one at a time, over all processes and machines that share the database."""
        lock = f"fb_qbo:post:{self.integration}"
        with self.engine.connect() as connection, advisory_lock(connection, lock, wait_seconds=wait_seconds):
            yield PostingTurn(connection, self.integration, lock)

    @contextlib.contextmanager
    def run_lock(self, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
        """Hold this company's run from its beginning to its end. A process that dies lets go of it.

        A second one waits, and `on_wait` is called once.
        """
        with self.engine.connect() as connection, advisory_lock(connection, self._run_lock, on_wait=on_wait):
            yield

    def is_running(self) -> bool:
        """Whether a run of this company is alive anywhere."""
        with self.engine.connect() as connection:
            return is_locked(connection, self._run_lock)

    @property
    def _run_lock(self) -> str:
        return f"fb_qbo:run:{self.integration}"
