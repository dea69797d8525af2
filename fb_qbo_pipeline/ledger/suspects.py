"""Which documents of a whole company may have something to tell, found by the database without reading the rest.

The rules of `review.findings` decide; this only narrows down what they look at, so that a verdict on a company of 100,000
documents reads the few that can matter. A condition here may let in a document about which no rule says anything. It must
never leave one out about which a rule would: a test holds both against each other.
"""

import datetime as dt
import enum
from collections.abc import Callable, Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Numeric, RowMapping, Select, and_, case, cast, exists, false, func, or_, select, tuple_

from fb_qbo_pipeline.ledger.exceptions import RESOLVED
from fb_qbo_pipeline.ledger.posted import GONE_BY_HAND, POSTED, VOIDED_BY_HAND
from fb_qbo_pipeline.ledger.raw import PRESENT
from fb_qbo_pipeline.ledger.tables import exception, posted_document, raw_record, staged_document

Key = tuple[str, int]  # source, FreshBooks id

_s, _p, _r = staged_document.c, posted_document.c, raw_record.c
_invoice = posted_document.alias("posted_invoice")
_NUMBER = r"^-?[0-9]+(\.[0-9]+)?$"


class Among(enum.Enum):
    """Where a rule's findings can only be: the documents that it has to look at."""

    HELD = "held by mapping, or with an unresolved exception"
    MISSING = "to be posted, but not standing in QuickBooks"
    UNEQUAL = "standing with another amount or currency"
    UNLINKED = "payments that may not settle their invoice, or not in full"
    UNBALANCED = "invoices of which more, or less, may be open than FreshBooks says"
    SAME_NUMBER = "standing under the number of another one"
    FALLBACK = "on the default product, or without a vendor"


class Suspects:
    """The suspects of one integration, on one connection."""

    def __init__(self, connection: Connection, integration: str) -> None:
        self._connection = connection
        self._integration = integration

    def among(
        self,
        topics: Collection[Among],
        start: dt.date,
        end: dt.date,
        sources: Collection[str],
        default_item: str | None = None,
    ) -> list[Key]:
        """The documents of `sources` in the partitions from `start` to `end` that `topics` lead to, in document order.

        `default_item`: QuickBooks' id of the default product, None where it tells nothing.
        """
        conditions = {
            Among.HELD: self._held,
            Among.MISSING: self._missing,
            Among.UNEQUAL: self._unequal,
            Among.UNLINKED: self._unlinked,
            Among.UNBALANCED: self._unbalanced,
            Among.SAME_NUMBER: self._same_number,
            Among.FALLBACK: lambda: self._fallback(default_item),
        }
        statement = self._documents(start, end, sources).where(or_(false(), *_called(conditions, topics)))
        return [(source, source_id) for source, source_id in self._connection.execute(statement)]

    def without_document(self, sources: Collection[str]) -> list[RowMapping]:
        """The unresolved exceptions about records of `sources` that are not staged any more, such as one that moved to a future date."""
        columns = exception.c
        staged = exists().where(_s.integration == columns.integration, _s.source == columns.source, _s.source_id == columns.source_id)
        statement = select(exception).where(
            columns.integration == self._integration, columns.source.in_(sources), columns.status != RESOLVED, ~staged
        )
        return list(self._connection.execute(statement.order_by(columns.document_date, columns.id)).mappings())

    def _documents(self, start: dt.date, end: dt.date, sources: Collection[str]) -> Select[Any]:
        """Source and id of staged documents, joined with what stands of them and of a payment's invoice."""
        standing = and_(_p.integration == _s.integration, _p.source == _s.source, _p.source_id == _s.source_id)
        paid = and_(_invoice.c.integration == _s.integration, _invoice.c.source == "invoice", _invoice.c.source_id == _s.requires_invoice)
        return (
            select(_s.source, _s.source_id)
            .outerjoin(posted_document, standing)
            .outerjoin(_invoice, paid)
            .where(_s.integration == self._integration, _s.source.in_(sources), _s.partition_date.between(start, end))
            .order_by(_s.document_date, _s.source, _s.source_id)
        )

    def _held(self) -> ColumnElement[bool]:
        columns = exception.c
        unresolved = select(columns.source, columns.source_id).where(columns.integration == self._integration, columns.status != RESOLVED)
        return or_(_s.outcome == "held", tuple_(_s.source, _s.source_id).in_(unresolved))

    def _missing(self) -> ColumnElement[bool]:
        gone = or_(_p.state != POSTED, _p.drift.in_((GONE_BY_HAND, VOIDED_BY_HAND)))
        return and_(_s.outcome == "document", or_(_p.state.is_(None), gone))

    def _unequal(self) -> ColumnElement[bool]:
        signed = case((_p.entity == "VendorCredit", -_p.total), else_=_p.total)
        differs = or_(signed != _s.amount, _p.currency != _s.currency, _s.amount != func.round(_s.amount, 2), _p.drift != "")
        return and_(_s.outcome == "document", _p.state == POSTED, differs)

    def _unlinked(self) -> ColumnElement[bool]:
        """All but payments whose only line is linked, over their whole amount, to an invoice that stands."""
        line = _s.document["body"]["Line"]
        in_full = and_(
            cast(line[0]["Amount"].astext, Numeric) == _s.total,
            line[0]["LinkedTxn"][0].is_not(None),
            line[1].is_(None),
            _invoice.c.state == POSTED,
        )
        return and_(_s.source == "payment", _s.outcome == "document", _p.state == POSTED, func.coalesce(in_full, False).is_(False))

    def _unbalanced(self) -> ColumnElement[bool]:
        """All but invoices whose total is what is open and what was paid, and those whose payments are not all read yet.

        A payment whose amount is no plain number makes its invoice a suspect.
        """
        told = _r.payload["amount"]["amount"].astext
        plain = func.coalesce(told.regexp_match(_NUMBER), False)
        paid = (
            select(
                _r.invoice_id.label("invoice_id"),
                func.sum(func.round(cast(case((plain, told)), Numeric), 2)).label("amount"),
                func.bool_and(plain).label("plain"),
            )
            .where(_r.integration == self._integration, _r.resource == "payment", _r.state == PRESENT, _r.invoice_id.is_not(None))
            .group_by(_r.invoice_id)
            .subquery("paid")
        )
        expected = _s.balance + func.coalesce(paid.c.amount, 0)
        doubtful = or_(
            func.coalesce(paid.c.plain, True).is_(False),
            and_(or_(_p.total != expected, _p.total != _s.amount), expected >= func.round(_s.amount, 2)),
        )
        invoices = (
            select(_s.source_id)
            .join(posted_document, and_(_p.integration == _s.integration, _p.source == _s.source, _p.source_id == _s.source_id))
            .outerjoin(paid, paid.c.invoice_id == _s.source_id)
            .where(_s.integration == self._integration, _s.source == "invoice", _s.balance.is_not(None))
            .where(_p.state == POSTED, _p.entity == "Invoice", doubtful)
        )
        return and_(_s.source == "invoice", _s.source_id.in_(invoices.correlate(None)))

    def _same_number(self) -> ColumnElement[bool]:
        folded = func.lower(_p.number)
        several = (
            select(_p.entity, folded)
            .where(_p.integration == self._integration, _p.state == POSTED, _p.number != "")
            .group_by(_p.entity, folded)
            .having(func.count() > 1)
        )
        return and_(_p.state == POSTED, tuple_(_p.entity, folded).in_(several.correlate(None)))

    def _fallback(self, default_item: str | None) -> ColumnElement[bool]:
        nameless = select(_r.source_id).where(
            _r.integration == self._integration,
            _r.resource == "expense",
            ~func.coalesce(_r.payload["vendor"].astext.regexp_match("[!-~]"), False),  # no visible character, or none of ASCII
        )
        on_default: ColumnElement[bool] = false()
        if default_item is not None:
            line = {"SalesItemLineDetail": {"ItemRef": {"value": default_item}}}
            on_default = and_(_s.source == "invoice", _s.document.contains({"body": {"Line": [line]}}))
        return and_(_s.outcome == "document", or_(on_default, and_(_s.source == "expense", _s.source_id.in_(nameless.correlate(None)))))


def _called(conditions: Mapping[Among, Callable[[], ColumnElement[bool]]], topics: Collection[Among]) -> list[ColumnElement[bool]]:
    return [condition() for topic, condition in conditions.items() if topic in topics]
