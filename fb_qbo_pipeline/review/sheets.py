"""The tie-out as tables of values, from the whole to the single document: what a workbook and a CSV file are written from.

Amounts of different currencies are never added, nor those of different kinds: a sale and the payment of it are no common sum.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from fb_qbo_pipeline.review.conclusion import short
from fb_qbo_pipeline.review.links import page
from fb_qbo_pipeline.review.reconcile import Compared, Finding, Reconciliation
from fb_qbo_pipeline.review.tieout import Line
from fb_qbo_pipeline.review.words import number_of

Row = Sequence[Any]
Results = Mapping[str, Reconciliation]


class Link(NamedTuple):
    """A text that leads somewhere; `address` '' for nowhere."""

    text: str
    address: str


@dataclass(frozen=True)
class Sheet:
    """One table: its title, the headings, and the rows, whose values are texts, links, numbers, Decimals, dates and instants."""

    title: str
    columns: Sequence[str]
    rows: Iterable[Row]


_FIGURES = ("documents", "FreshBooks", "QuickBooks", "held documents", "held", "of it in QuickBooks", "difference")
_SUMMARY = ("company", "from", "to", "as of", "result", "kind", "currency", *_FIGURES)
_LINES = ("company", "period", "kind", "currency", *_FIGURES)
_DOCUMENT = ("company", "document", "number", "customer or vendor", "date", "currency", "FreshBooks", "QuickBooks", "difference")
_WHERE = ("in QuickBooks", "QuickBooks number", "FreshBooks id")
_DIFFERENCES = (*_DOCUMENT, "what differs", "what to do", *_WHERE)
_HELD = (*_DOCUMENT, "status", "code", "reason", "what to do", *_WHERE)
DOCUMENTS = (*_DOCUMENT, "state", "exception", *_WHERE)


def sheets(results: Results) -> list[Sheet]:
    """All tables, in order."""
    return [
        Sheet("Summary", _SUMMARY, _summary(results)),
        Sheet("Tie-out", _LINES, _tie_out(results)),
        Sheet("Differences", _DIFFERENCES, _differences(results)),
        Sheet("Held", _HELD, _held(results)),
        Sheet("Documents", DOCUMENTS, documents(results)),
    ]


def _summary(results: Results) -> Iterator[Row]:
    for name, result in results.items():
        about = (name, result.start, result.end, _instant(result), short(result))
        for line in result.totals:
            yield (*about, line.kind, line.currency, *_figures(line))
        if not result.lines:
            yield about


def _instant(result: Reconciliation) -> dt.datetime | None:
    """When both sides were read, by the company's clock. A sheet knows no time zones."""
    return result.as_of.replace(tzinfo=None, microsecond=0) if result.as_of is not None else None


def _tie_out(results: Results) -> Iterator[Row]:
    for name, result in results.items():
        for line in (*result.lines, *result.totals):
            yield (name, line.period, line.kind, line.currency, *_figures(line))


def _figures(line: Line) -> Row:
    held = (line.held_documents, line.held_money, line.held_booked)
    return (line.documents, line.freshbooks, line.quickbooks, *held, line.difference)


def _differences(results: Results) -> Iterator[Row]:
    for name, result in results.items():
        known = {(one.source, one.source_id): one for one in result.documents}
        for one in result.findings:
            compared = known.get((one.source, one.source_id))
            if compared is None:
                yield (*_stranger(name, one), one.problem, one.remedy, "", one.number, one.source_id)
            else:
                yield (*_about(name, compared), one.problem, one.remedy, *_where(result, compared))


def _stranger(name: str, one: Finding) -> Row:
    return (name, one.source, "", one.party, one.date, "", None, None, None)


def _held(results: Results) -> Iterator[Row]:
    for name, result in results.items():
        for one in sorted(result.held, key=lambda one: (one.code, one.currency, -abs(one.freshbooks))):
            yield (*_about(name, one), one.status, one.code, one.reason, one.remedy, *_where(result, one))


def documents(results: Results) -> Iterator[Row]:
    """Every document that was compared, by date."""
    for name, result in results.items():
        for one in sorted(result.documents, key=lambda one: (one.date, one.source, one.source_id)):
            yield (*_about(name, one), one.state, one.code, *_where(result, one))


def _about(name: str, one: Compared) -> Row:
    number = number_of(one.number, one.source_id)
    amounts = (one.freshbooks, one.quickbooks, one.freshbooks - one.quickbooks)
    return (name, one.source, number, one.party, one.date, one.currency, *amounts)


def _where(result: Reconciliation, one: Compared) -> Row:
    address = next((found for found in (page(result.web, *ids) for ids in one.transactions) if found), "")
    return (Link(one.qbo, address), one.qbo_number, one.source_id)
