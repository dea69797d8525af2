"""What the last comparison of both services has found to differ, until it is compared or written again."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, delete, exists, insert, or_, select

from fb_qbo_pipeline.ledger.tables import difference, exception, posted_document


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs. `amount`: the money at stake, in `currency`; `partition_date`: the day that it belongs to."""

    source: str
    source_id: int
    number: str
    party: str
    document_date: dt.date
    partition_date: dt.date
    amount: Decimal
    currency: str
    problem: str
    remedy: str


_FIELDS = tuple(Difference.__dataclass_fields__)


class Differences:
    """The differences of one integration, on one connection."""

    def __init__(self, connection: Connection, integration: str) -> None:
        self._connection = connection
        self._integration = integration

    def replace(self, start: dt.date, end: dt.date, found: Sequence[Difference]) -> None:
        """Keep what a comparison of the days from `start` to `end` has found, instead of what was known of them."""
        columns = difference.c
        self._connection.execute(
            delete(difference).where(columns.integration == self._integration, columns.partition_date.between(start, end))
        )
        if found:
            rows = [{"integration": self._integration} | {name: getattr(one, name) for name in _FIELDS} for one in found]
            self._connection.execute(insert(difference), rows)

    def present(self, start: dt.date, end: dt.date) -> list[Difference]:
        """What differs on the days from `start` to `end`, as far as is known.

        A document that was written since then was compared with what QuickBooks returned; what a person has changed there is known of
        the document itself; and what is held is told as such.
        """
        columns, posted, held = difference.c, posted_document.c, exception.c
        written = exists().where(
            posted.integration == columns.integration,
            posted.source == columns.source,
            posted.source_id == columns.source_id,
            or_(posted.changed_at > columns.found_at, posted.drift != ""),
        )
        explained = exists().where(
            held.integration == columns.integration,
            held.source == columns.source,
            held.source_id == columns.source_id,
            held.status != "resolved",
            or_(held.status == "ignored", held.code != "changed_in_quickbooks"),
        )
        statement = (
            select(*(columns[name] for name in _FIELDS))
            .where(columns.integration == self._integration, columns.partition_date.between(start, end), ~written, ~explained)
            .order_by(columns.document_date, columns.id)
        )
        return [Difference(*row) for row in self._connection.execute(statement)]
