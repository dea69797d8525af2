"""The tie-out as a workbook: the evidence that a controller files for a month.

From the whole to the single document: a summary, the tie-out by period and kind, what differs, what is held and why, and every
document with both amounts. Amounts and dates are numbers and dates, so that they can be added up, sorted and filtered; and
every sheet prints: across, as wide as the page, with its headings, the company, the period and the time on each page.
"""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from textwrap import wrap
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from fb_qbo_pipeline.errors import PipelineError
from fb_qbo_pipeline.escaping import is_formula, spreadsheet
from fb_qbo_pipeline.review.conclusion import conclusion, notes
from fb_qbo_pipeline.review.sheets import Link, Results, Sheet, sheets

_MONEY = "#,##0.00;[Red]-#,##0.00"
_COUNT = "#,##0"
_DAY = "yyyy-mm-dd"
_INSTANT = "yyyy-mm-dd hh:mm"
_LONGEST = 32  # characters of a column's width; longer texts wrap
_LINE = 13  # points of a line's height: who opens the file need not compute it, and not every program does
_IDS = frozenset({"FreshBooks id"})  # numbers that nobody adds up


def write_workbook(file: Path, results: Results) -> None:
    """Write `file` (.xlsx); `results` by company. Raises PipelineError where it cannot be written."""
    workbook = Workbook()
    first = workbook.active
    assert isinstance(first, Worksheet)
    for place, sheet in enumerate(sheets(results)):
        page = first if place == 0 else workbook.create_sheet()
        page.title = sheet.title
        _fill(page, sheet)
        _set_up_print(page, results)
    _conclude(first, results)
    try:
        workbook.save(file)
    except OSError as error:
        raise PipelineError(f"cannot write {file}: {error.strerror}", "choose another file with --out") from error


def _fill(page: Worksheet, sheet: Sheet) -> None:
    """A table with a heading that stays in sight and filters."""
    page.append(list(sheet.columns))
    widths = [max(map(len, column.split())) for column in sheet.columns]
    right: set[int] = set()
    for number, row in enumerate(sheet.rows, start=2):
        for place, value in enumerate(row, start=1):
            cell = page.cell(number, place)
            _write(cell, value)
            if sheet.columns[place - 1] in _IDS:
                cell.number_format = "0"
            widths[place - 1] = max(widths[place - 1], len(_shown(value)))
            if isinstance(value, Decimal | int):
                right.add(place)
        lines = max((len(wrap(_shown(value), _LONGEST)) for value in row), default=1)
        if lines > 1:
            page.row_dimensions[number].height = lines * _LINE
    for place, width in enumerate(widths, start=1):
        page.column_dimensions[get_column_letter(place)].width = min(width, _LONGEST) + 3
        heading = page.cell(1, place)
        heading.font = Font(bold=True)
        heading.alignment = Alignment(**_side(right=place in right), vertical="bottom", wrap_text=True)
    page.freeze_panes = "A2"
    page.auto_filter.ref = page.dimensions


def _shown(value: Any) -> str:
    """About what a cell shows, to measure it."""
    if isinstance(value, Link):
        return value.text
    if isinstance(value, Decimal):
        return f"{value:,.2f}"
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return "" if value is None else str(value)


def _write(cell: Any, value: Any) -> None:
    """Money and dates in their formats. Text from FreshBooks never becomes a formula, and nothing in it breaks the file."""
    assert isinstance(cell, Cell)
    text, address = value if isinstance(value, Link) else (value, "")
    cell.value = spreadsheet(text) if isinstance(text, str) else text
    if isinstance(text, str):
        cell.data_type = "s"
        cell.quotePrefix = is_formula(text)  # stays text when somebody edits the cell, too
    elif isinstance(value, Decimal):
        cell.number_format = _MONEY
    elif isinstance(value, dt.datetime):
        cell.number_format = _INSTANT
    elif isinstance(value, dt.date):
        cell.number_format = _DAY
    elif isinstance(value, int):
        cell.number_format = _COUNT
    if address:
        cell.hyperlink = address
        cell.style = "Hyperlink"
    long = isinstance(text, str) and len(text) > _LONGEST
    cell.alignment = Alignment(**_side(right=isinstance(value, Decimal | int)), vertical="top", wrap_text=long)


def _side(*, right: bool) -> dict[str, Any]:
    """Numbers to the right, everything else to the left and a little apart from the number before it."""
    return {"horizontal": "right"} if right else {"horizontal": "left", "indent": 1}


def _conclude(page: Worksheet, results: Results) -> None:
    """Below the summary, what it comes to, in sentences."""
    number = page.max_row + 2
    for name, result in results.items():
        told = [f"{name}: {conclusion(result)}", *(f"{name}: {note}" for note in notes(result))]
        for text in told:
            _write(page.cell(number, 1), text)
            page.cell(number, 1).alignment = Alignment(wrap_text=False)
            number += 1


def _set_up_print(page: Worksheet, results: Results) -> None:
    page.page_setup.orientation = "landscape"
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    page.print_title_rows = "1:1"
    page.page_margins.left = page.page_margins.right = 0.4
    header, footer = page.oddHeader, page.oddFooter
    assert header is not None
    assert footer is not None
    header.left.text = _printed(", ".join(results))
    header.center.text = f"FreshBooks and QuickBooks: {page.title}"
    header.right.text = " / ".join(dict.fromkeys(f"{result.start} to {result.end}" for result in results.values()))
    read = [f"{result.as_of:%Y-%m-%d %H:%M %Z}" for result in results.values() if result.as_of is not None]
    footer.left.text = f"as of {read[0]}" if read else ""
    footer.right.text = "page &P of &N"


def _printed(text: str) -> str:
    return text.replace("&", "&&")
