"""Documents held back: why, how much, since when, and what to do. One unresolved row a document."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select, update
from sqlalchemy.dialects.postgresql import insert

from fb_qbo_pipeline.ledger.tables import exception, posted_document, raw_record

MAPPING = "mapping"  # found from the records and settings alone
POSTING = "posting"  # found by QuickBooks, or by comparing with what stands there

OPEN = "open"
IGNORED = "ignored"
RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Held:
    """A document to be held. `number` and `party` are what a person knows it by; `amount` in `currency`.

    `fingerprint`: of the content that is held; empty where the same content is to be tried again.
    """

    source: str
    source_id: int
    number: str
    party: str
    document_date: dt.date
    amount: Decimal
    currency: str
    code: str
    reason: str
    remedy: str
    stage: str
    fingerprint: str = ""


class Exceptions:
    """The exceptions of one integration, on one connection."""

    def __init__(self, connection: Connection, integration: str) -> None:
        self._connection = connection
        self._integration = integration

    def hold(self, held: Held) -> None:
        """Open an exception, or bring the document's unresolved one up to date; `since` and an ignore stay."""
        values: dict[str, Any] = {name: getattr(held, name) for name in Held.__dataclass_fields__}
        statement = insert(exception).values(integration=self._integration, status=OPEN, **values)
        changed = {name: statement.excluded[name] for name in values if name not in ("source", "source_id")}
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["integration", "source", "source_id"],
                index_where=exception.c.status != RESOLVED,
                set_=changed | {"seen_at": func.now()},
            )
        )

    def resolve(self, source: str, ids: Collection[int], stage: str | None = None) -> None:
        """Close the open exceptions of these documents, of one stage or of any. What a person ignored stays ignored."""
        if not ids:
            return
        statement = update(exception).where(
            exception.c.integration == self._integration,
            exception.c.source == source,
            exception.c.source_id.in_(ids),
            exception.c.status == OPEN,
        )
        if stage is not None:
            statement = statement.where(exception.c.stage == stage)
        self._connection.execute(statement.values(status=RESOLVED, resolved_at=func.now()))

    def unresolved(self, start: dt.date | None = None, end: dt.date | None = None) -> list[RowMapping]:
        """Open and ignored exceptions, by document date, of a period or all."""
        statement = select(exception).where(exception.c.integration == self._integration, exception.c.status != RESOLVED)
        if start is not None and end is not None:
            statement = statement.where(exception.c.document_date.between(start, end))
        return list(self._connection.execute(statement.order_by(exception.c.document_date, exception.c.id)).mappings())

    def of(self, source: str, ids: Collection[int]) -> list[RowMapping]:
        """The unresolved exceptions of these documents."""
        if not ids:
            return []
        statement = select(exception).where(
            exception.c.integration == self._integration,
            exception.c.source == source,
            exception.c.source_id.in_(ids),
            exception.c.status != RESOLVED,
        )
        return list(self._connection.execute(statement.order_by(exception.c.id)).mappings())

    def dates_of_payments_waiting_for(self, start: dt.date, end: dt.date) -> set[dt.date]:
        """Dates of payments that wait for an invoice which stands in QuickBooks by now, dated from `start` to `end`."""
        statement = (
            select(raw_record.c.document_date)
            .distinct()
            .join(
                exception,
                (exception.c.integration == raw_record.c.integration)
                & (exception.c.source == raw_record.c.resource)
                & (exception.c.source_id == raw_record.c.source_id),
            )
            .join(
                posted_document,
                (posted_document.c.integration == raw_record.c.integration)
                & (posted_document.c.source == "invoice")
                & (posted_document.c.source_id == raw_record.c.invoice_id),
            )
            .where(
                raw_record.c.integration == self._integration,
                raw_record.c.resource == "payment",
                exception.c.code == "waiting_for_invoice",
                exception.c.status == OPEN,
                posted_document.c.state == "posted",
                posted_document.c.document_date.between(start, end),
            )
        )
        return {day for day in self._connection.execute(statement).scalars() if day is not None}

    def dates_of_refused_invoices_paid_in(self, start: dt.date, end: dt.date) -> set[dt.date]:
        """Dates of invoices that QuickBooks refused and that have payments dated from `start` to `end`."""
        statement = (
            select(exception.c.document_date)
            .distinct()
            .join(
                raw_record,
                (raw_record.c.integration == exception.c.integration)
                & (raw_record.c.resource == "payment")
                & (raw_record.c.invoice_id == exception.c.source_id),
            )
            .where(
                exception.c.integration == self._integration,
                exception.c.source == "invoice",
                exception.c.stage == POSTING,
                exception.c.status == OPEN,
                raw_record.c.document_date.between(start, end),
            )
        )
        return set(self._connection.execute(statement).scalars())

    def dates_of_refused_payments_beside(self, start: dt.date, end: dt.date) -> set[dt.date]:
        """Dates of payments that QuickBooks refused and whose invoices have payments dated from `start` to `end` as well."""
        paid = raw_record.alias("paid")
        beside = raw_record.alias("beside")
        statement = (
            select(exception.c.document_date)
            .distinct()
            .join(
                paid,
                (paid.c.integration == exception.c.integration)
                & (paid.c.resource == "payment")
                & (paid.c.source_id == exception.c.source_id),
            )
            .join(
                beside,
                (beside.c.integration == paid.c.integration)
                & (beside.c.resource == "payment")
                & (beside.c.invoice_id == paid.c.invoice_id)
                & (beside.c.source_id != paid.c.source_id),
            )
            .where(
                exception.c.integration == self._integration,
                exception.c.source == "payment",
                exception.c.stage == POSTING,
                exception.c.status == OPEN,
                beside.c.document_date.between(start, end),
            )
        )
        return set(self._connection.execute(statement).scalars())

    def try_again(self, ids: Collection[int]) -> None:
        """Forget of these exceptions (by their own ids) which content they are about, so that even the same is sent once more."""
        ours = exception.c.integration == self._integration
        self._connection.execute(update(exception).where(ours, exception.c.id.in_(ids)).values(fingerprint=""))

    def count_open(self) -> int:
        """How many are open (not ignored)."""
        statement = select(func.count()).where(exception.c.integration == self._integration, exception.c.status == OPEN)
        return int(self._connection.execute(statement).scalar_one())

    def set_status(self, exception_id: int, status: str, reason: str = "") -> RowMapping | None:
        """Ignore (with a reason) or reopen one; None where there is no such unresolved exception."""
        return (
            self._connection.execute(
                update(exception)
                .where(exception.c.integration == self._integration, exception.c.id == exception_id, exception.c.status != RESOLVED)
                .values(status=status, ignore_reason=reason)
                .returning(exception)
            )
            .mappings()
            .one_or_none()
        )
