"""FreshBooks records as last read, and what changed in them.

`upsert` compares with what is there and answers which records changed and which dates that touches: a moved document
touches the day it left and the day it went to.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select, update
from sqlalchemy.dialects.postgresql import insert

from fb_qbo_pipeline.json_text import fingerprint
from fb_qbo_pipeline.ledger.tables import raw_record

Json = dict[str, Any]

PRESENT = "present"
DELETED = "deleted"  # FreshBooks says so (vis_state 1)
GONE = "gone"  # FreshBooks does not know it any more
UNREADABLE = "unreadable"  # a client, product or category that cannot be read; documents are read anew whenever they are staged

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class RawRow:
    """A record to be kept: `date` is its partition (None for lists), `invoice_id` that of a payment.

    A `source_id` below zero stands for a record that has no usable id. Such a payload may be any JSON value.
    """

    source_id: int
    date: dt.date | None
    state: str
    payload: Json
    invoice_id: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A record that is new or differs from what was kept. `was` None: new."""

    source_id: int
    was: dt.date | None
    now: dt.date | None
    invoice_id: int | None
    new: bool


class RawRecords:
    """The raw records of one integration, on one connection."""

    def __init__(self, connection: Connection, integration: str) -> None:
        self._connection = connection
        self._integration = integration

    def _mine(self, resource: str) -> ColumnElement[bool]:
        return and_(raw_record.c.integration == self._integration, raw_record.c.resource == resource)

    def upsert(self, resource: str, rows: Iterable[RawRow]) -> list[Change]:
        """Keep `rows`; the changes among them, in their order. Unchanged ones are left untouched."""
        changes: list[Change] = []
        batch: list[RawRow] = []
        for row in rows:
            batch.append(row)
            if len(batch) == _CHUNK:
                changes += self._upsert(resource, batch)
                batch = []
        return changes + self._upsert(resource, batch)

    def _upsert(self, resource: str, rows: Sequence[RawRow]) -> list[Change]:
        if not rows:
            return []
        unique = {row.source_id: row for row in rows}
        columns = raw_record.c
        known = {
            source_id: (state, digest, date)
            for source_id, state, digest, date in self._connection.execute(
                select(columns.source_id, columns.state, columns.digest, columns.document_date).where(
                    self._mine(resource), columns.source_id.in_(unique)
                )
            )
        }
        changes, values = [], []
        for row in unique.values():
            digest = fingerprint(row.payload)
            before = known.get(row.source_id)
            if before is not None and before == (row.state, digest, row.date):
                continue
            changes.append(Change(row.source_id, before[2] if before else None, row.date, row.invoice_id, before is None))
            values.append(
                {
                    "integration": self._integration,
                    "resource": resource,
                    "source_id": row.source_id,
                    "document_date": row.date,
                    "invoice_id": row.invoice_id,
                    "state": row.state,
                    "digest": digest,
                    "payload": row.payload,
                }
            )
        if values:
            statement = insert(raw_record)
            self._connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["integration", "resource", "source_id"],
                    set_={name: statement.excluded[name] for name in ("document_date", "invoice_id", "state", "digest", "payload")}
                    | {"read_at": func.now()},
                ),
                values,
            )
        return changes

    def mark_gone(self, resource: str, ids: Collection[int]) -> None:
        """Note that FreshBooks does not know these records any more."""
        if ids:
            self._connection.execute(
                update(raw_record).where(self._mine(resource), raw_record.c.source_id.in_(ids)).values(state=GONE, read_at=func.now())
            )

    def ids_of_partitions(self, resource: str, start: dt.date | None, end: dt.date) -> list[int]:
        """Ids, ascending, of the records dated from `start` (None: from the first) to `end`, known to be gone or not."""
        day = raw_record.c.document_date
        dated = day <= end if start is None else day.between(start, end)
        return list(
            self._connection.execute(
                select(raw_record.c.source_id).where(self._mine(resource), dated).order_by(raw_record.c.source_id)
            ).scalars()
        )

    def ids_in_dates(self, resource: str, start: dt.date, end: dt.date) -> set[int]:
        """Ids of the records dated from `start` to `end` that are not known to be gone."""
        return set(
            self._connection.execute(
                select(raw_record.c.source_id).where(
                    self._mine(resource), raw_record.c.document_date.between(start, end), raw_record.c.state != GONE
                )
            ).scalars()
        )

    def in_state(self, resource: str, state: str) -> set[int]:
        """Ids of the records in this state."""
        return set(
            self._connection.execute(select(raw_record.c.source_id).where(self._mine(resource), raw_record.c.state == state)).scalars()
        )

    def without_id(self, resource: str) -> dict[int, tuple[dt.date | None, Any]]:
        """Day and payload of the records that have no usable id and were there when they were last looked for, by their stand-in."""
        rows = self._connection.execute(
            select(raw_record.c.source_id, raw_record.c.document_date, raw_record.c.payload).where(
                self._mine(resource), raw_record.c.source_id < 0, raw_record.c.state != GONE
            )
        )
        return {source_id: (day, payload) for source_id, day, payload in rows}

    def by_ids(self, resource: str, ids: Collection[int]) -> Iterator[tuple[str, Json]]:
        """State and payload of these records."""
        if ids:
            yield from self._rows(resource, raw_record.c.source_id.in_(ids))

    def payments_of(self, invoice_ids: Collection[int]) -> Iterator[tuple[str, Json]]:
        """State and payload of the payments of these invoices."""
        if invoice_ids:
            yield from self._rows("payment", raw_record.c.invoice_id.in_(invoice_ids))

    def payments_beyond_invoices(self, credit_ids: Collection[int]) -> Iterator[tuple[str, Json]]:
        """State and payload of the payments whose surplus funded one of these FreshBooks credits."""
        if credit_ids:
            overpayment = raw_record.c.payload["overpaymentid"].as_string()
            yield from self._rows("payment", overpayment.in_([str(credit) for credit in credit_ids]))

    def all(self, resource: str) -> Iterator[tuple[str, Json]]:
        """State and payload of every record of a list."""
        yield from self._rows(resource, raw_record.c.source_id.is_not(None))

    def dates(self, resource: str, ids: Collection[int]) -> dict[int, dt.date | None]:
        """The document dates of these records."""
        if not ids:
            return {}
        rows = self._connection.execute(
            select(raw_record.c.source_id, raw_record.c.document_date).where(self._mine(resource), raw_record.c.source_id.in_(ids))
        )
        return {source_id: date for source_id, date in rows}  # noqa: C416 - a result is no mapping

    def counts_by_day(self, resource: str, start: dt.date | None, end: dt.date) -> dict[tuple[dt.date, str], int]:
        """How many records there are by day and state, dated from `start` (None: from the first) to `end`."""
        day = raw_record.c.document_date
        statement = select(day, raw_record.c.state, func.count()).where(self._mine(resource), day <= end)
        if start is not None:
            statement = statement.where(day >= start)
        rows = self._connection.execute(statement.group_by(day, raw_record.c.state))
        return {(day, state): count for day, state, count in rows}

    def payment_dates(self, invoice_ids: Collection[int]) -> set[dt.date]:
        """The dates of the payments of these invoices."""
        if not invoice_ids:
            return set()
        statement = select(raw_record.c.document_date).where(self._mine("payment"), raw_record.c.invoice_id.in_(invoice_ids))
        return {day for day in self._connection.execute(statement).scalars() if day is not None}

    def dated_after(self, resource: str, after: dt.date, until: dt.date) -> set[dt.date]:
        """The dates after `after` and up to `until` that records have."""
        statement = (
            select(raw_record.c.document_date)
            .distinct()
            .where(self._mine(resource), raw_record.c.document_date > after, raw_record.c.document_date <= until)
        )
        return set(self._connection.execute(statement).scalars())

    def _rows(self, resource: str, condition: ColumnElement[bool]) -> Iterator[tuple[str, Json]]:
        statement = select(raw_record.c.state, raw_record.c.payload).where(self._mine(resource), condition).order_by(raw_record.c.source_id)
        for state, payload in self._connection.execute(statement):  # noqa: UP028 - rows are to be tuples
            yield state, payload
