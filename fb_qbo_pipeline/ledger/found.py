"""Transactions that stand in QuickBooks and that the ledger did not post: typed by hand, or ours from before the ledger was lost."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, select
from sqlalchemy.dialects.postgresql import array, insert

from fb_qbo_pipeline.ledger.tables import found_document

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """One transaction. `source` and `source_id` follow from its marker; `payload`, the whole of it, is kept only where it has one.

    `invoices`: ids of the QuickBooks invoices that a payment is linked to.
    """

    entity: str
    qbo_id: str
    document_date: dt.date
    total: Decimal
    number: str | None = None
    source: str | None = None
    source_id: int | None = None
    invoices: tuple[str, ...] = ()
    payload: Json | None = None


_FIELDS = tuple(Found.__dataclass_fields__)
_AT_ONCE = 500  # rows a statement


class FoundDocuments:
    """The found documents of one integration, on one connection."""

    def __init__(self, connection: Connection, integration: str) -> None:
        self._connection = connection
        self._integration = integration

    def merge(self, documents: Sequence[Found]) -> None:
        """Add or replace documents, by entity and id. Whose a person said that one is stays so, though it has no marker yet."""
        statement = insert(found_document)
        changed: dict[str, Any] = {name: statement.excluded[name] for name in _FIELDS if name not in ("entity", "qbo_id")}
        for name in ("source", "source_id", "payload"):
            changed[name] = func.coalesce(statement.excluded[name], found_document.c[name])
        upsert = statement.on_conflict_do_update(index_elements=["integration", "entity", "qbo_id"], set_=changed | {"seen_at": func.now()})
        for start in range(0, len(documents), _AT_ONCE):
            rows = [{name: getattr(one, name) for name in _FIELDS} for one in documents[start : start + _AT_ONCE]]
            self._connection.execute(upsert, [row | {"integration": self._integration, "invoices": list(row["invoices"])} for row in rows])

    def drop(self, entity: str, ids: Collection[str]) -> None:
        """Forget documents: they stand there no more, or the ledger knows them now."""
        self._connection.execute(delete(found_document).where(self._of(entity), found_document.c.qbo_id.in_(ids)))

    def clear(self, entity: str) -> None:
        """Forget all documents of an entity, before they are read anew."""
        self._connection.execute(delete(found_document).where(self._of(entity)))

    def of_records(self, source: str, ids: Collection[int]) -> dict[int, Found]:
        """The documents with the markers of these records; where one stands several times, the oldest that is not void."""
        columns = found_document.c
        documents = self._select(columns.source == source, columns.source_id.in_(ids)) if ids else []
        documents.sort(key=lambda one: one.total == 0)
        return {one.source_id: one for one in reversed(documents) if one.source_id is not None}

    def doubles(self, source: str, posted: Mapping[int, str]) -> dict[int, Found]:
        """Documents with the markers of these records (source id → id in QuickBooks) that stand beside what the ledger has posted."""
        columns = found_document.c
        documents = self._select(columns.source == source, columns.source_id.in_(posted), columns.total != 0) if posted else []
        return {one.source_id: one for one in reversed(documents) if one.source_id is not None and one.qbo_id != posted[one.source_id]}

    def days_of_ours(self, entity: str, ids: Collection[str]) -> set[dt.date]:
        """The dates of those of these documents that have a marker of ours."""
        columns = found_document.c
        return {one.document_date for one in self._select(columns.entity == entity, columns.qbo_id.in_(ids), columns.source.is_not(None))}

    def not_posted(self) -> int:
        """How many transactions with a marker of ours stand in QuickBooks that this ledger did not post and has not taken over."""
        columns = found_document.c
        statement = select(func.count()).where(columns.integration == self._integration, columns.source.is_not(None), columns.total != 0)
        return int(self._connection.execute(statement).scalar_one())

    def with_numbers(self, entity: str, numbers: Collection[str]) -> list[Found]:
        """Documents without a marker that have one of these numbers, in upper or lower case."""
        if not numbers:
            return []
        columns = found_document.c
        folded = [number.lower() for number in numbers]
        return self._select(columns.entity == entity, columns.source.is_(None), func.lower(columns.number).in_(folded))

    def payments_of(self, invoices: Collection[str]) -> list[Found]:
        """Payments without a marker that are linked to one of these QuickBooks invoices."""
        if not invoices:
            return []
        columns = found_document.c
        return self._select(columns.entity == "Payment", columns.source.is_(None), columns.invoices.has_any(array(list(invoices))))

    def get(self, entity: str, qbo_id: str) -> Found | None:
        """One document."""
        return next(iter(self._select(found_document.c.entity == entity, found_document.c.qbo_id == qbo_id)), None)

    def _of(self, entity: str) -> ColumnElement[bool]:
        return (found_document.c.integration == self._integration) & (found_document.c.entity == entity)

    def _select(self, *conditions: ColumnElement[bool]) -> list[Found]:
        columns = [found_document.c[name] for name in _FIELDS]
        statement = select(*columns).where(found_document.c.integration == self._integration, *conditions)
        statement = statement.order_by(func.length(found_document.c.qbo_id), found_document.c.qbo_id)
        return [Found(**dict(row) | {"invoices": tuple(row["invoices"])}) for row in self._connection.execute(statement).mappings()]
