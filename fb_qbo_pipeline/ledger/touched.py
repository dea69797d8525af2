"""Dates that something has changed in and that wait for a run.

A date is noted with a growing batch number; a run releases only what was noted up to the batch it started with, so a
change that arrives while it runs is not lost.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from fb_qbo_pipeline.ledger.tables import SCHEMA, touched_date


@dataclass(frozen=True, slots=True)
class Touched:
    """A waiting date and the batch that noted it last."""

    date: dt.date
    batch: int
    reason: str


class TouchedDates:
    """The touched dates of one integration, on one connection."""

    def __init__(self, connection: Connection, integration: str) -> None:
        self._connection = connection
        self._integration = integration

    def note(self, dates: Iterable[dt.date], reason: str) -> int:
        """Note dates; how many distinct ones there were."""
        distinct = sorted(set(dates))
        if not distinct:
            return 0
        batch = self._connection.execute(text(f"SELECT nextval('{SCHEMA}.touched_batch')")).scalar_one()
        statement = insert(touched_date)
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["integration", "document_date"],
                set_={"batch": statement.excluded.batch, "reason": statement.excluded.reason, "noted_at": func.now()},
            ),
            [{"integration": self._integration, "document_date": day, "batch": batch, "reason": reason} for day in distinct],
        )
        return len(distinct)

    def waiting(self) -> list[Touched]:
        """All waiting dates, oldest first."""
        rows = self._connection.execute(
            select(touched_date.c.document_date, touched_date.c.batch, touched_date.c.reason)
            .where(touched_date.c.integration == self._integration)
            .order_by(touched_date.c.document_date)
        )
        return [Touched(*row) for row in rows]

    def release(self, start: dt.date, end: dt.date, batch: int) -> None:
        """Drop the dates from `start` to `end` that were noted up to `batch`."""
        self._connection.execute(
            delete(touched_date).where(
                touched_date.c.integration == self._integration,
                touched_date.c.document_date.between(start, end),
                touched_date.c.batch <= batch,
            )
        )

    def newest_batch(self) -> int:
        """The highest batch that waits, 0 if none does."""
        statement = select(func.coalesce(func.max(touched_date.c.batch), 0)).where(touched_date.c.integration == self._integration)
        return int(self._connection.execute(statement).scalar_one())
