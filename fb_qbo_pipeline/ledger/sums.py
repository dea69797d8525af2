"""What FreshBooks and QuickBooks add up to by day, summed where the rows are: a tie-out of years takes no more memory than one of a day."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, case, func, literal, or_, select

from fb_qbo_pipeline.ledger.posted import GONE_BY_HAND, POSTED, VOIDED_BY_HAND
from fb_qbo_pipeline.ledger.tables import exception, posted_document, staged_document

_NOTHING = literal(Decimal(0))


@dataclass(frozen=True, slots=True)
class DaySums:
    """One kind of documents on one day in one currency: counts, and money as FreshBooks and as QuickBooks have it.

    `held`: what the held documents lack in QuickBooks; `held_money`: what they come to in FreshBooks.
    """

    day: dt.date
    source: str
    currency: str
    documents: int
    freshbooks: Decimal
    posted: int
    quickbooks: Decimal
    held_documents: int
    held: Decimal
    held_money: Decimal


@dataclass(frozen=True, slots=True)
class Unequal:
    """A document that nothing explains and that is not in QuickBooks as in FreshBooks; `drift`: what a person has changed there."""

    day: dt.date
    source: str
    currency: str
    label: str
    freshbooks: Decimal
    quickbooks: Decimal
    drift: str


class Sums:
    """The sums of one integration, on one connection.

    In scope is what is to be posted or held. What the settings keep in QuickBooks although it was deleted counts on neither side.
    What a person has changed in QuickBooks is in the books, so it is no held document until somebody accepts it.
    """

    def __init__(self, connection: Connection, integration: str) -> None:
        self._connection = connection
        self._integration = integration

    def by_day(self, start: dt.date, end: dt.date) -> list[DaySums]:
        """The sums of the partitions from `start` to `end`."""
        rows = self._documents(start, end).subquery()
        c = rows.c
        keys = (c.day, c.source, c.currency)
        statement = select(
            *keys,
            func.count().filter(c.in_scope),
            func.sum(c.amount),
            func.count().filter(c.standing),
            func.sum(c.booked),
            func.count().filter(c.held),
            func.coalesce(func.sum(c.amount - c.booked).filter(c.held), _NOTHING),
            func.coalesce(func.sum(c.amount).filter(c.held), _NOTHING),
        )
        return [DaySums(*row) for row in self._connection.execute(statement.group_by(*keys).order_by(*keys))]

    def unequal(self, start: dt.date, end: dt.date) -> list[Unequal]:
        """The documents of the partitions from `start` to `end` that differ without being held."""
        rows = self._documents(start, end).subquery()
        c = rows.c
        differs = or_(c.amount != c.booked, and_(c.drift != "", c.in_scope), and_(c.standing, c.booked_currency != c.currency))
        statement = select(c.day, c.source, c.currency, c.label, c.amount, c.booked, c.drift).where(~c.held, differs)
        return [Unequal(*row) for row in self._connection.execute(statement.order_by(c.day, c.source, c.label))]

    def _documents(self, start: dt.date, end: dt.date) -> Select[tuple[object, ...]]:
        staged, posted, held = staged_document.c, posted_document.c, exception.c
        in_scope = staged.outcome.in_(("document", "held"))
        standing = and_(posted.state == POSTED, posted.drift.not_in((GONE_BY_HAND, VOIDED_BY_HAND)))
        standing = func.coalesce(standing, False)
        shown = case((posted.drift != "", func.coalesce(posted.drift_total, posted.total)), else_=posted.total)
        signed = case((posted.entity == "VendorCredit", -shown), else_=shown)
        explains: ColumnElement[bool] = or_(held.status == "ignored", held.code != "changed_in_quickbooks")
        is_held = and_(in_scope, or_(staged.outcome == "held", func.coalesce(explains, False)))
        return (
            select(
                staged.partition_date.label("day"),
                staged.source,
                staged.currency,
                staged.label,
                in_scope.label("in_scope"),
                case((in_scope, func.round(staged.amount, 2)), else_=_NOTHING).label("amount"),
                standing.label("standing"),
                case((standing, signed), else_=_NOTHING).label("booked"),
                func.coalesce(posted.currency, staged.currency).label("booked_currency"),
                is_held.label("held"),
                func.coalesce(posted.drift, "").label("drift"),
            )
            .select_from(_joined())
            .where(
                staged.integration == self._integration,
                staged.partition_date.between(start, end),
                staged.outcome != "kept",
                or_(in_scope, standing),
            )
        )


def _joined() -> FromClause:
    """Each staged document with what stands of it in QuickBooks and what holds it."""
    staged, posted, held = staged_document.c, posted_document.c, exception.c
    documents = staged_document.outerjoin(
        posted_document,
        and_(posted.integration == staged.integration, posted.source == staged.source, posted.source_id == staged.source_id),
    )
    return documents.outerjoin(
        exception,
        and_(
            held.integration == staged.integration,
            held.source == staged.source,
            held.source_id == staged.source_id,
            held.status != "resolved",
        ),
    )
