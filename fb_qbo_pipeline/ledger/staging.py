"""What mapping decided about each record: one row a record, replaced when its partition is staged again."""

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from fb_qbo_pipeline.ledger.tables import posted_document, staged_document

_KEY = ("integration", "source", "source_id")


class Staging:
    """The staged documents of one integration, on one connection. Rows are dictionaries of the table's columns."""

    def __init__(self, connection: Connection, integration: str) -> None:
        self._connection = connection
        self._integration = integration

    def replace(self, source: str, start: dt.date, end: dt.date, rows: Sequence[dict[str, Any]]) -> None:
        """Make `rows` all that is staged of `source` in the partitions from `start` to `end`."""
        ids = [row["source_id"] for row in rows]
        self._connection.execute(
            delete(staged_document).where(
                self._of(source), staged_document.c.partition_date.between(start, end), staged_document.c.source_id.not_in(ids)
            )
        )
        if rows:
            statement = insert(staged_document)
            written = [column.name for column in staged_document.c if column.name not in (*_KEY, "staged_at")]
            self._connection.execute(
                statement.on_conflict_do_update(
                    index_elements=list(_KEY), set_={name: statement.excluded[name] for name in written} | {"staged_at": func.now()}
                ),
                [{"integration": self._integration, "source": source} | row for row in rows],
            )

    def _of(self, source: str) -> ColumnElement[bool]:
        return (staged_document.c.integration == self._integration) & (staged_document.c.source == source)

    def in_partitions(self, source: str, start: dt.date, end: dt.date) -> list[RowMapping]:
        """Rows of the partitions from `start` to `end`, in document order."""
        return self._select(self._of(source), staged_document.c.partition_date.between(start, end))

    def by_ids(self, source: str, ids: Collection[int]) -> dict[int, RowMapping]:
        """Rows by source id."""
        if not ids:
            return {}
        return {row["source_id"]: row for row in self._select(self._of(source), staged_document.c.source_id.in_(ids))}

    def payments_of(self, invoice_ids: Collection[int]) -> list[RowMapping]:
        """Staged payments that need one of these invoices."""
        return self._select(self._of("payment"), staged_document.c.requires_invoice.in_(invoice_ids)) if invoice_ids else []

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

    def numbers(self, numbers: Collection[str]) -> dict[tuple[str, str], int]:
        """Which document holds (entity, number folded to lower case): the one with the lowest source id."""
        if not numbers:
            return {}
        columns = staged_document.c
        rows = self._connection.execute(
            select(columns.entity, func.lower(columns.number), func.min(columns.source_id))
            .where(columns.integration == self._integration, func.lower(columns.number).in_([n.lower() for n in numbers]))
            .where(or_(columns.outcome == "document", columns.outcome == "held"))
            .group_by(columns.entity, func.lower(columns.number))
        )
        return {(entity, number): source_id for entity, number, source_id in rows}

    def _select(self, *conditions: ColumnElement[bool]) -> list[RowMapping]:
        statement = select(staged_document).where(*conditions).order_by(staged_document.c.document_date, staged_document.c.source_id)
        return list(self._connection.execute(statement).mappings())
