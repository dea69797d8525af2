"""Dates that something has changed in and that wait for a run.

A date is noted with a growing batch number; a run releases only what was noted up to the batch it started with, so a
change that arrives while it runs is not lost.

A run also says which days it begins with. It reads FreshBooks before it posts, so if it dies in between, the next look finds
those records unchanged: what would never be synced again is known from here.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from fb_qbo_pipeline.ledger.lists import Cursors
from fb_qbo_pipeline.ledger.tables import SCHEMA, touched_date

_BEGUN = "days_begun"  # a cursor: [first day, last day] of each run that has not ended well


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
        self._cursors = Cursors(connection, integration)

    def begin(self, start: dt.date, end: dt.date) -> int:
        """Note that a run of these days begins, until they are released; the newest batch, up to which it may release.

        They do not wait for another run meanwhile: the sensor, which looks while runs are at work, would start it.
        """
        spans = self._begun()
        if not any(first <= start and end <= last for first, last in spans):
            self._keep_begun([*spans, (start, end)])
        return self.newest_batch()

    def abandoned(self) -> list[dt.date]:
        """The days of runs that began and did not end well, which are forgotten by this; for who knows that no run is at work."""
        days = {first + dt.timedelta(days=n) for first, last in self._begun() for n in range((last - first).days + 1)}
        self._keep_begun([])
        return sorted(days)

    def _begun(self) -> list[tuple[dt.date, dt.date]]:
        return [(dt.date.fromisoformat(first), dt.date.fromisoformat(last)) for first, last in self._cursors.get(_BEGUN) or []]

    def _keep_begun(self, spans: Iterable[tuple[dt.date, dt.date]]) -> None:
        self._cursors.set(_BEGUN, [[first.isoformat(), last.isoformat()] for first, last in spans])

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
        """A run of the dates from `start` to `end` went well: drop those that were noted up to `batch`."""
        self._keep_begun(span for span in self._begun() if not (start <= span[0] and span[1] <= end))
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
