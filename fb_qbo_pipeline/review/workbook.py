"""The tie-out as a workbook: the evidence that a controller files for a month.

From the whole to the single document: a summary, the tie-out by period and kind, what differs, what is held and why, and every
document with both amounts. Amounts and dates are numbers and dates, so that they can be added up, sorted and filtered; amounts
of different currencies are never added.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from fb_qbo_pipeline.errors import PipelineError
from fb_qbo_pipeline.escaping import is_formula, spreadsheet
from fb_qbo_pipeline.review.reconcile import Reconciliation
from fb_qbo_pipeline.review.tieout import Line, totals

_MONEY = "#,##0.00;[Red]-#,##0.00"
_DAY = "yyyy-mm-dd"
_LONGEST = 60  # characters of a column's width; longer texts wrap

Row = Sequence[Any]

_SUMMARY = ("company", "from", "to", "result", "currency", "documents", "FreshBooks", "QuickBooks", "held documents", "held", "difference")
_LINES = ("company", "period", "kind", "currency", "documents", "FreshBooks", "QuickBooks", "held documents", "held", "difference")
_FINDINGS = ("company", "document", "number", "date", "FreshBooks id", "what differs")
_HELD = ("company", "document", "number", "customer or vendor", "date", "currency", "FreshBooks", "QuickBooks", "code", "reason", "remedy")
_DOCUMENTS = (
    *("company", "document", "number", "customer or vendor", "date", "currency", "FreshBooks", "QuickBooks", "difference"),
    *("state", "in QuickBooks", "FreshBooks id"),
)


def write_workbook(file: Path, results: Mapping[str, Reconciliation]) -> None:
    """Write `file` (.xlsx); `results` by company. Raises PipelineError where it cannot be written."""
    workbook = Workbook()
    first = workbook.active
    assert isinstance(first, Worksheet)
    first.title = "Summary"
    _fill(first, _SUMMARY, _summary(results))
    _fill(workbook.create_sheet("Tie-out"), _LINES, _tie_out(results))
    _fill(workbook.create_sheet("Differences"), _FINDINGS, _findings(results))
    _fill(workbook.create_sheet("Held"), _HELD, _held(results))
    _fill(workbook.create_sheet("Documents"), _DOCUMENTS, _documents(results))
    try:
        workbook.save(file)
    except OSError as error:
        raise PipelineError(f"cannot write {file}: {error.strerror}", "choose another file with --out") from error


def _summary(results: Mapping[str, Reconciliation]) -> Iterator[Row]:
    for name, result in results.items():
        word = "agrees" if result.agrees else f"{len(result.findings)} differences"
        for line in totals(result.lines):
            yield (name, result.start, result.end, word, line.currency, *_figures(line))
        if not result.lines:
            yield (name, result.start, result.end, word)


def _tie_out(results: Mapping[str, Reconciliation]) -> Iterator[Row]:
    for name, result in results.items():
        for line in (*result.lines, *totals(result.lines)):
            yield (name, line.period, line.kind, line.currency, *_figures(line))


def _figures(line: Line) -> Row:
    return (line.documents, line.freshbooks, line.quickbooks, line.held_documents, line.held, line.difference)


def _findings(results: Mapping[str, Reconciliation]) -> Iterator[Row]:
    for name, result in results.items():
        for one in result.findings:
            yield (name, one.source, one.number, one.date, one.source_id, one.problem)


def _held(results: Mapping[str, Reconciliation]) -> Iterator[Row]:
    for name, result in results.items():
        held = [one for one in result.documents if one.code]
        for one in sorted(held, key=lambda one: (one.code, one.currency, -abs(one.freshbooks))):
            amounts = (one.currency, one.freshbooks, one.quickbooks)
            yield (name, one.source, one.number, one.party, one.date, *amounts, one.code, one.reason, one.remedy)


def _documents(results: Mapping[str, Reconciliation]) -> Iterator[Row]:
    for name, result in results.items():
        for one in sorted(result.documents, key=lambda one: (one.date, one.source, one.source_id)):
            amounts = (one.currency, one.freshbooks, one.quickbooks, one.freshbooks - one.quickbooks)
            yield (name, one.source, one.number, one.party, one.date, *amounts, one.state, one.qbo, one.source_id)


def _fill(sheet: Worksheet, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """A table with a heading that stays in sight and filters."""
    sheet.append(list(columns))
    widths = [len(column) for column in columns]
    for number, row in enumerate(rows, start=2):
        for place, value in enumerate(row, start=1):
            _write(sheet.cell(number, place), value)
            widths[place - 1] = max(widths[place - 1], len(str(value)))
    for place, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = min(width, _LONGEST) + 4
        sheet.cell(1, place).font = Font(bold=True)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions


def _write(cell: Any, value: Any) -> None:
    """Money and dates in their formats. Text from FreshBooks never becomes a formula, and nothing in it breaks the file."""
    assert isinstance(cell, Cell)
    cell.value = spreadsheet(value) if isinstance(value, str) else value
    if isinstance(value, str):
        cell.data_type = "s"
        cell.quotePrefix = is_formula(value)  # stays text when somebody edits the cell, too
        if len(value) > _LONGEST:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    elif isinstance(value, Decimal):
        cell.number_format = _MONEY
    elif isinstance(value, dt.date):
        cell.number_format = _DAY
