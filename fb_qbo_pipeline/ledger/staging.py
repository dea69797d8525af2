"""What mapping decided about each record: one row a record, replaced when its partition is staged again.

A document is many times larger than all the rest of its row, so whoever only counts and compares reads rows without it, and
whoever needs documents asks for some at a time.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from fb_qbo_pipeline.ledger.tables import posted_document, staged_document

_KEY = ("integration", "source", "source_id")
_CHUNK = 500  # documents read from the database at once
_LEAN = [column for column in staged_document.c if column.name != "document"]


class Staging:
    """The staged documents of one integration, on one connection. Rows are dictionaries of the table's columns."""

    def __init__(self, connection: Connection, integration: str) -> None:
        self._connection = connection
        self._integration = integration

    def upsert(self, source: str, rows: Sequence[dict[str, Any]]) -> None:
        """Keep `rows`; a record that was staged before, under whatever partition, is replaced."""
        if not rows:
            return
        statement = insert(staged_document)
        written = [column.name for column in staged_document.c if column.name not in (*_KEY, "staged_at")]
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=list(_KEY), set_={name: statement.excluded[name] for name in written} | {"staged_at": func.now()}
            ),
            [{"integration": self._integration, "source": source} | row for row in rows],
        )

    def drop(self, source: str, ids: Collection[int]) -> None:
        """Forget these records."""
        if ids:
            self._connection.execute(delete(staged_document).where(self._of(source), staged_document.c.source_id.in_(ids)))

    def _of(self, source: str) -> ColumnElement[bool]:
        return (staged_document.c.integration == self._integration) & (staged_document.c.source == source)

    def in_partitions(self, source: str, start: dt.date, end: dt.date) -> list[RowMapping]:
        """Rows of the partitions from `start` to `end`, in document order and without their documents."""
        return list(self._connection.execute(self._ordered(_LEAN, self._within(source, start, end))).mappings())

    def lean(self, source: str, ids: Collection[int]) -> list[RowMapping]:
        """Rows by source id, in document order and without their documents."""
        if not ids:
            return []
        return list(self._connection.execute(self._ordered(_LEAN, self._of(source) & staged_document.c.source_id.in_(ids))).mappings())

    def ids_in_partitions(self, source: str, start: dt.date, end: dt.date) -> list[int]:
        """The source ids in the partitions from `start` to `end`, in document order."""
        return list(self._connection.execute(self._ordered([staged_document.c.source_id], self._within(source, start, end))).scalars())

    def documents(self, source: str, start: dt.date, end: dt.date) -> Iterator[tuple[int, dict[str, Any]]]:
        """Source id and intended document of the rows of the partitions from `start` to `end` that have one; some at a time."""
        yield from self._documents(self._within(source, start, end))

    def documents_of(self, source: str, ids: Collection[int]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Source id and intended document of those of these rows that have one; some at a time."""
        if ids:
            yield from self._documents(self._of(source) & staged_document.c.source_id.in_(ids))

    def _documents(self, condition: ColumnElement[bool]) -> Iterator[tuple[int, dict[str, Any]]]:
        columns = [staged_document.c.source_id, staged_document.c.document]
        statement = self._ordered(columns, condition & (staged_document.c.outcome == "document"))
        for source_id, document in self._connection.execute(statement, execution_options={"yield_per": _CHUNK}):  # noqa: UP028 - rows are to be tuples
            yield source_id, document

    def by_ids(self, source: str, ids: Collection[int]) -> dict[int, RowMapping]:
        """Rows by source id, in document order."""
        if not ids:
            return {}
        return {row["source_id"]: row for row in self._select(self._of(source) & staged_document.c.source_id.in_(ids))}

    def payments_of(self, invoice_ids: Collection[int]) -> list[RowMapping]:
        """Staged payments that need one of these invoices."""
        return self._select(self._of("payment") & staged_document.c.requires_invoice.in_(invoice_ids)) if invoice_ids else []

    def dates_waiting_for_invoices(self, start: dt.date, end: dt.date) -> set[dt.date]:
        """Dates of payments that wait for an invoice which stands in QuickBooks by now and is dated from `start` to `end`."""
        posted = posted_document.c
        statement = (
            select(staged_document.c.document_date)
            .distinct()
            .join(
                posted_document,
                (posted.integration == staged_document.c.integration)
                & (posted.source == "invoice")
                & (posted.source_id == staged_document.c.requires_invoice),
            )
            .where(self._of("payment"), staged_document.c.outcome == "waiting")
            .where(posted.state == "posted", posted.document_date.between(start, end))
        )
        return set(self._connection.execute(statement).scalars())

    def numbers(self, numbers: Collection[str]) -> list[tuple[str, str, int]]:
        """Which documents lay claim to these numbers: entity, number folded to lower case and source id, lowest id first."""
        if not numbers:
            return []
        columns = staged_document.c
        statement = (
            select(columns.entity, func.lower(columns.number), columns.source_id)
            .where(columns.integration == self._integration, func.lower(columns.number).in_([n.lower() for n in numbers]))
            .where(or_(columns.outcome == "document", columns.outcome == "held"))
            .order_by(columns.source_id)
        )
        return [(entity, number, source_id) for entity, number, source_id in self._connection.execute(statement)]

    def _within(self, source: str, start: dt.date, end: dt.date) -> ColumnElement[bool]:
        return self._of(source) & staged_document.c.partition_date.between(start, end)

    def _select(self, condition: ColumnElement[bool]) -> list[RowMapping]:
        return list(self._connection.execute(self._ordered(list(staged_document.c), condition)).mappings())

    def _ordered(self, columns: Sequence[ColumnElement[Any]], condition: ColumnElement[bool]) -> Select[Any]:
        return select(*columns).where(condition).order_by(staged_document.c.document_date, staged_document.c.source_id)
