"""The workbook that a controller files: sheets, totals, types and formats."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook
from openpyxl.utils.cell import range_boundaries

from fb_qbo_pipeline.errors import PipelineError
from fb_qbo_pipeline.review.csv_file import write_csv
from fb_qbo_pipeline.review.reconcile import Compared, Finding, Reconciliation
from fb_qbo_pipeline.review.tieout import Line
from fb_qbo_pipeline.review.workbook import write_workbook

D = Decimal
DAY = dt.date(2026, 3, 5)


NOW = dt.datetime(2026, 4, 2, 9, 30, tzinfo=ZoneInfo("America/Toronto"))


def held(number: str, code: str, status: str = "open", **more: Any) -> Compared:
    amounts = (D("41.20"), D(0))
    return Compared(
        "invoice", 2, number, "=HYPERLINK(1)", DAY, "CAD", *amounts, "", "held", code, "a tax\x07", "map it", status, True, **more
    )


def result() -> Reconciliation:
    found = Reconciliation(dt.date(2026, 3, 1), dt.date(2026, 3, 31), as_of=NOW, web="https://app.qbo.intuit.com")
    found.lines = [
        Line("2026-03", "payments", "CAD", 1, D("60.00"), 1, D("60.00")),
        Line("2026-03", "sales", "CAD", 2, D("154.20"), 1, D("113.00"), 1, D("41.20"), [], D("41.20")),
        Line("2026-03", "sales", "USD", 1, D("10.00"), 0, D("0.00")),
    ]
    found.findings = [Finding("invoice", 3, "33", DAY, "is missing in QuickBooks", "sync its day", "Acme")]
    posted = {"qbo_number": "FB31", "transactions": (("Invoice", "12"),)}
    found.documents = [
        held("32", "unmapped_tax"),
        Compared("invoice", 1, "31", "Acme", DAY, "CAD", D("113.00"), D("113.00"), "Invoice 12", "agrees", **posted),
        Compared("invoice", 3, "33", "Acme", DAY, "USD", D("10.00"), D(0), "", "differs"),
    ]
    return found


def written(folder: Path, **results: Reconciliation) -> Any:
    file = folder / "march.xlsx"
    write_workbook(file, results)
    return load_workbook(file)


def rows(sheet: Any) -> list[dict[str, Any]]:
    """The rows of a sheet's table by their headings; sentences below it are none of them."""
    heading, *values = sheet.iter_rows(values_only=True)
    last = range_boundaries(sheet.auto_filter.ref)[3]
    return [dict(zip(heading, row, strict=True)) for row in values[: last - 1]]


def test_it_goes_from_the_whole_to_the_single_document(tmp_path: Path) -> None:
    book = written(tmp_path, acme=result())
    assert book.sheetnames == ["Summary", "Tie-out", "Differences", "Held", "Documents"]
    assert [row["period"] for row in rows(book["Tie-out"])] == ["2026-03"] * 3 + ["total"] * 3
    (differs,) = rows(book["Differences"])
    assert (differs["number"], differs["FreshBooks"], differs["what to do"]) == ("33", 10, "sync its day")
    (one,) = rows(book["Held"])
    assert [one[key] for key in ("status", "code", "reason", "what to do", "FreshBooks")] == [
        "open",
        "unmapped_tax",
        "a tax\ufffd",
        "map it",
        41.2,
    ]
    assert [(row["number"], row["difference"], row["state"], row["in QuickBooks"]) for row in rows(book["Documents"])] == [
        ("31", 0, "agrees", "Invoice 12"),
        ("32", 41.2, "held", None),
        ("33", 10, "differs", None),
    ]


def test_the_summary_adds_up_no_kinds_and_says_when_both_sides_were_read(tmp_path: Path) -> None:
    sheet = written(tmp_path, acme=result())["Summary"]
    summary = rows(sheet)
    assert [(row["kind"], row["currency"], row["FreshBooks"], row["difference"]) for row in summary] == [
        ("sales", "CAD", 154.2, 0),
        ("sales", "USD", 10, 10),
        ("payments", "CAD", 60, 0),
    ]
    assert {(row["result"], row["as of"]) for row in summary} == {("1 differs, 1 held", NOW.replace(tzinfo=None))}
    assert "acme: FreshBooks and QuickBooks do NOT agree: 1 document differs" in str(sheet["A6"].value)


def test_the_held_counts_are_those_of_the_held_sheet(tmp_path: Path) -> None:
    book = written(tmp_path, acme=result())
    summary = [row for row in rows(book["Summary"]) if row["held documents"]]
    assert [(row["held documents"], row["held"]) for row in summary] == [(len(rows(book["Held"])), 41.2)]


def test_a_document_leads_to_its_page_in_quickbooks(tmp_path: Path) -> None:
    sheet = written(tmp_path, acme=result())["Documents"]
    links = [cell.hyperlink.target for row in sheet.iter_rows(min_row=2) for cell in row if cell.hyperlink]
    assert links == ["https://app.qbo.intuit.com/app/invoice?txnId=12"]
    assert rows(sheet)[0]["QuickBooks number"] == "FB31"


def test_every_sheet_prints_across_with_its_headings_and_what_it_is(tmp_path: Path) -> None:
    for sheet in written(tmp_path, acme=result()).worksheets:
        assert (sheet.page_setup.orientation, sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == ("landscape", 1, 0)
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.print_title_rows == "$1:$1"
        assert (sheet.oddHeader.left.text, sheet.oddHeader.right.text) == ("acme", "2026-03-01 to 2026-03-31")
        assert (sheet.oddFooter.left.text, sheet.oddFooter.right.text) == ("as of 2026-04-02 09:30 EDT", "page &P of &N")


def test_amounts_and_dates_can_be_added_up_sorted_and_filtered(tmp_path: Path) -> None:
    sheet = written(tmp_path, acme=result())["Documents"]
    amount, day = sheet["G2"], sheet["E2"]
    assert (amount.data_type, amount.number_format) == ("n", "#,##0.00;[Red]-#,##0.00")
    assert (day.is_date, day.number_format) == (True, "yyyy-mm-dd")
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:N4")
    assert sheet["A1"].font.bold


def test_text_from_freshbooks_is_no_formula(tmp_path: Path) -> None:
    cell = written(tmp_path, acme=result())["Held"]["D2"]
    assert (cell.value, cell.data_type) == ("=HYPERLINK(1)", "s")
    assert cell.quotePrefix, "it would become one when somebody edits the cell"


def test_a_company_without_documents_is_in_the_summary_all_the_same(tmp_path: Path) -> None:
    book = written(tmp_path, acme=Reconciliation(DAY, DAY), other=result())
    first = rows(book["Summary"])[0]
    assert (first["company"], first["from"].date(), first["result"]) == ("acme", DAY, "agrees")
    assert rows(book["Documents"])[0]["company"] == "other"


def test_a_folder_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    for write, name in ((write_workbook, "march.xlsx"), (write_csv, "march.csv")):
        with pytest.raises(PipelineError, match=rf"cannot write .*{name}") as failed:
            write(tmp_path / "nowhere" / name, {"acme": result()})
        assert "--out" in failed.value.remedy
