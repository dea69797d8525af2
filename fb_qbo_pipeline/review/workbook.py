"""The tie-out as a workbook for finance: one sheet with the lines, one with everything that does not agree."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from fb_qbo_pipeline.errors import PipelineError
from fb_qbo_pipeline.review.reconcile import Reconciliation

_MONEY = "#,##0.00"
_LINES = ("company", "period", "kind", "currency", "documents", "FreshBooks", "QuickBooks", "held documents", "held", "difference")
_FINDINGS = ("company", "document", "number", "date", "FreshBooks id", "what differs")


def write_workbook(file: Path, results: Mapping[str, Reconciliation]) -> None:
    """Write `file` (.xlsx). Amounts are numbers that a person can add up; raises PipelineError where it cannot be written."""
    workbook = Workbook()
    lines, findings = workbook.active, workbook.create_sheet("Differences")
    assert isinstance(lines, Worksheet)
    lines.title = "Tie-out"
    _row(lines, _LINES, bold=True)
    _row(findings, _FINDINGS, bold=True)
    for name, result in results.items():
        for line in result.lines:
            counts = (line.documents, line.freshbooks, line.quickbooks, line.held_documents, line.held, line.difference)
            _row(lines, (name, line.period, line.kind, line.currency, *counts))
        for finding in result.findings:
            _row(findings, (name, finding.source, finding.number, finding.date, finding.source_id, finding.problem))
    for column in "FGIJ":
        for cell in lines[column][1:]:
            cell.number_format = _MONEY
    for sheet in (lines, findings):
        sheet.freeze_panes = "A2"
        for column in "ABCDEFGHIJ":
            sheet.column_dimensions[column].width = 18
    try:
        workbook.save(file)
    except OSError as error:
        raise PipelineError(f"cannot write {file}: {error.strerror}", "choose another file with --out") from error


def _row(sheet: Worksheet, values: tuple[Any, ...], *, bold: bool = False) -> None:
    sheet.append([_plain(value) for value in values])
    if bold:
        for cell in sheet[sheet.max_row]:
            cell.font = Font(bold=True)


def _plain(value: Any) -> Any:
    """Text from FreshBooks must never become a formula, nor break the file."""
    if not isinstance(value, str):
        return value
    text = ILLEGAL_CHARACTERS_RE.sub("", value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
