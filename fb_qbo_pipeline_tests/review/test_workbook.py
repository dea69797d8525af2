"""The workbook that a controller files: sheets, totals, types and formats."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from fb_qbo_pipeline.errors import PipelineError
from fb_qbo_pipeline.review.reconcile import Compared, Finding, Reconciliation
from fb_qbo_pipeline.review.tieout import Line
from fb_qbo_pipeline.review.workbook import write_workbook

D = Decimal
DAY = dt.date(2026, 3, 5)


def result() -> Reconciliation:
    found = Reconciliation(dt.date(2026, 3, 1), dt.date(2026, 3, 31))
    found.lines = [
        Line("2026-03", "payments", "CAD", 1, D("60.00"), 1, D("60.00")),
        Line("2026-03", "sales", "CAD", 2, D("154.20"), 1, D("113.00"), 1, D("41.20")),
        Line("2026-03", "sales", "USD", 1, D("10.00"), 0, D("0.00")),
    ]
    found.findings = [Finding("invoice", 3, "33", DAY, "is missing in QuickBooks")]
    found.documents = [
        Compared("invoice", 2, "32", "=HYPERLINK(1)", DAY, "CAD", D("41.20"), D(0), "", "held", "unmapped_tax", "a tax\x07", "map it"),
        Compared("invoice", 1, "31", "Acme", DAY, "CAD", D("113.00"), D("113.00"), "Invoice 12", "agrees"),
        Compared("invoice", 3, "33", "Acme", DAY, "USD", D("10.00"), D(0), "", "differs"),
    ]
    return found


def written(folder: Path, **results: Reconciliation) -> Any:
    file = folder / "march.xlsx"
    write_workbook(file, results)
    return load_workbook(file)


def rows(sheet: Any) -> list[tuple[Any, ...]]:
    return list(sheet.iter_rows(min_row=2, values_only=True))


def test_it_goes_from_the_whole_to_the_single_document(tmp_path: Path) -> None:
    book = written(tmp_path, acme=result())
    assert book.sheetnames == ["Summary", "Tie-out", "Differences", "Held", "Documents"]
    summary = rows(book["Summary"])
    assert [row[3:8] for row in summary] == [("1 differences", "CAD", 3, 214.2, 173), ("1 differences", "USD", 1, 10, 0)]
    assert [row[10] for row in summary] == [0, 10]
    assert [row[1] for row in rows(book["Tie-out"])] == ["2026-03", "2026-03", "2026-03", "total", "total"]
    assert [row[5] for row in rows(book["Differences"])] == ["is missing in QuickBooks"]
    assert [row[8:] for row in rows(book["Held"])] == [("unmapped_tax", "a tax\ufffd", "map it")]
    assert [(row[2], row[8], row[9], row[10]) for row in rows(book["Documents"])] == [
        ("31", 0, "agrees", "Invoice 12"),
        ("32", 41.2, "held", None),
        ("33", 10, "differs", None),
    ]


def test_amounts_and_dates_can_be_added_up_sorted_and_filtered(tmp_path: Path) -> None:
    sheet = written(tmp_path, acme=result())["Documents"]
    amount, day = sheet["G2"], sheet["E2"]
    assert (amount.data_type, amount.number_format) == ("n", "#,##0.00;[Red]-#,##0.00")
    assert (day.is_date, day.number_format) == (True, "yyyy-mm-dd")
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:L4")
    assert sheet["A1"].font.bold


def test_text_from_freshbooks_is_no_formula(tmp_path: Path) -> None:
    cell = written(tmp_path, acme=result())["Held"]["D2"]
    assert (cell.value, cell.data_type) == ("=HYPERLINK(1)", "s")
    assert cell.quotePrefix, "it would become one when somebody edits the cell"


def test_a_company_without_documents_is_in_the_summary_all_the_same(tmp_path: Path) -> None:
    book = written(tmp_path, acme=Reconciliation(DAY, DAY), other=result())
    name, first, last, word, *_ = rows(book["Summary"])[0]
    assert (name, first.date(), last.date(), word) == ("acme", DAY, DAY, "agrees")
    assert rows(book["Documents"])[0][0] == "other"


def test_a_folder_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"cannot write .*march\.xlsx") as failed:
        write_workbook(tmp_path / "nowhere" / "march.xlsx", {"acme": result()})
    assert "--out" in failed.value.remedy
