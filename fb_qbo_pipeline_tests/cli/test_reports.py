"""`fb-qbo plan`, `reconcile` and `trace`: what people and scripts read."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

from fb_qbo_pipeline.escaping import terminal
from fb_qbo_pipeline.ledger.tables import audit
from fb_qbo_pipeline_tests.cli.command_line import CommandLine, days_ago
from fb_qbo_pipeline_tests.pipeline.world import World, line

LEVY = (("Eco Levy", "2"),)


@pytest.fixture
def synced(present_world: World, fb_qbo: CommandLine) -> CommandLine:
    """A paid invoice 31, an expense, and an invoice 32 that is held, with its payment."""
    paid = present_world.invoice("1000.00", on=days_ago(20), number="31")
    present_world.payment(paid, "1130.00", on=days_ago(10))
    present_world.expense("56.50", on=days_ago(18))
    held = present_world.invoice("200.00", on=days_ago(15), number="32", taxes=LEVY)
    present_world.payment(held, "204.00", on=days_ago(9))
    present_world.sync(days_ago(30), days_ago(0))
    return fb_qbo


def test_a_plan_counts_by_action_and_adds_up_the_money(present_world: World, fb_qbo: CommandLine) -> None:
    present_world.invoice("1000.00", on=days_ago(20), number="31")
    present_world.invoice("200.00", on=days_ago(15), number="32", taxes=LEVY)
    result = fb_qbo("plan")
    assert (result.status, result.err) == (0, "")
    assert "1 to create: 1 invoice; 1,130.00 CAD" in result.out
    assert "1 to hold: 1 invoice; 204.00 CAD" in result.out
    assert fb_qbo("plan", "--strict", "--json").status == 3
    assert present_world.quickbooks.counters.writes == 0
    actions = {one["number"]: (one["action"], one["becomes"], one["code"]) for one in json.loads(fb_qbo("plan", "--json").out)}
    assert actions == {"31": ("create", "Invoice FB31", ""), "32": ("hold", "", "unmapped_tax")}


def test_a_plan_with_nothing_to_do_says_so(fb_qbo: CommandLine) -> None:
    assert "acme: nothing to do" in fb_qbo("plan").out


def test_a_tie_out_adds_up_by_kind_and_tells_what_is_held(synced: CommandLine) -> None:
    result = synced("reconcile", "--strict")
    assert (result.status, result.err) == (0, "")
    assert "FreshBooks and QuickBooks agree, but for what is held back: 2 documents, 408.00 CAD." in result.out
    assert "exit status 0 with --strict: a held document is no difference" in result.out
    document = json.loads(synced("reconcile", "--json").out)
    assert document["agrees"] is True
    keys = ("freshbooks", "quickbooks", "held_documents", "held", "held_money", "difference")
    sums = {line["kind"]: tuple(line[key] for key in keys) for line in document["totals"]}
    assert sums == {
        "sales": ("1334.00", "1130.00", 1, "204.00", "204.00", "0.00"),
        "payments": ("1334.00", "1130.00", 1, "204.00", "204.00", "0.00"),
        "expenses": ("56.50", "56.50", 0, "0.00", "0.00", "0.00"),
    }


def test_both_sides_agree_alone_only_where_nothing_is_held(present_world: World, fb_qbo: CommandLine) -> None:
    assert "There is nothing to compare" in fb_qbo("reconcile").out
    present_world.invoice("1000.00", on=days_ago(20), number="31")
    present_world.sync(days_ago(30), days_ago(0))
    result = fb_qbo("reconcile", "--strict")
    assert "FreshBooks and QuickBooks agree.\n" in result.out
    assert "exit status 0 with --strict: nothing differs" in result.out


def test_a_held_change_shows_its_whole_money_and_the_earlier_version_that_stands(present_world: World, fb_qbo: CommandLine) -> None:
    invoice = present_world.invoice("1000.00", on=days_ago(20), number="31")
    present_world.sync(days_ago(30), days_ago(0))
    present_world.freshbooks.edit_invoice(invoice, lines=[line("1000.00", (("Eco Levy", "13"),))])
    present_world.sync(days_ago(30), days_ago(0))
    result = fb_qbo("reconcile")
    assert "of it in" in result.out
    (total,) = [row.split() for row in result.out.splitlines() if row.startswith(" total")]
    assert total == ["total", "1", "1,130.00", "1,130.00", "1", "1,130.00", "1,130.00", "0.00"]
    assert "but for what is held back: 1 document, 1,130.00 CAD" in result.out
    assert "of what is held, 1,130.00 CAD stands in QuickBooks in an earlier version" in result.out


def test_an_ignored_document_is_told_as_ignored(synced: CommandLine) -> None:
    synced("exceptions", "ignore", "--code", "unmapped_tax", "--reason", "abolished")
    assert "2 documents, 408.00 CAD (1 of them ignored)" in synced("reconcile").out


def test_a_tie_out_fits_into_eighty_columns(synced: CommandLine, present_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    present_world.invoice("1234567.00", on=days_ago(12), number="33")
    present_world.sync(days_ago(30), days_ago(0))
    shown = synced("reconcile").out
    assert "1,396,394.71" in shown
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= 80


def test_a_difference_is_named_with_its_remedy_and_is_exit_status_3_with_strict(synced: CommandLine, present_world: World) -> None:
    day = days_ago(3)
    present_world.freshbooks.add_expense("10.00", present_world.freshbooks.view("category")[0]["id"], day, vendor="Serano")
    result = synced("reconcile", "--strict")
    assert result.status == 3
    assert "differs: expense of Serano (FreshBooks id " in result.out
    assert "is missing in QuickBooks" in result.out
    assert f"→ fb-qbo sync --from {day} --to {day} posts it" in result.out
    assert "do NOT agree: 1 document differs, 10.00 CAD apart. Held back besides: 2 documents, 408.00 CAD." in result.out
    assert "exit status 3 with --strict: something differs" in result.out


@pytest.mark.parametrize("name", ["tie-out.pdf", "tie-out", "nowhere/tie-out.xlsx"])
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_read(name: str, synced: CommandLine, present_world: World) -> None:
    reads = present_world.quickbooks.counters.reads
    result = synced("reconcile", "--out", str(synced.folder / name))
    assert (result.status, result.out) == (2, "")
    assert "FILE.xlsx" in result.err or "the folder" in result.err
    assert present_world.quickbooks.counters.reads == reads


def test_the_list_of_documents_is_written_as_csv(synced: CommandLine, present_world: World) -> None:
    sly = present_world.client("=HYPERLINK(1)")
    present_world.invoice("10.00", on=days_ago(12), number="=33", client=sly)
    present_world.sync(days_ago(30), days_ago(0))
    file = synced.folder / "documents.CSV"
    assert synced("reconcile", "--out", str(file)).status == 0
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [(row["number"], row["customer or vendor"]) for row in rows if "HYPERLINK" in row["customer or vendor"]] == [
        ("'=33", "'=HYPERLINK(1)")
    ]
    by_number = {(row["document"], row["number"]): row for row in rows}
    held = by_number["invoice", "32"]
    assert (held["FreshBooks"], held["QuickBooks"], held["state"], held["exception"]) == ("204.00", "0", "held", "unmapped_tax")
    assert by_number["invoice", "31"]["QuickBooks number"] == "FB31"


def test_the_workbook_holds_numbers(synced: CommandLine) -> None:
    file = synced.folder / "tie-out.xlsx"
    result = synced("reconcile", "--json", "--out", str(file))
    assert json.loads(result.out)["agrees"] is True
    sheets = openpyxl.load_workbook(file).worksheets
    values = [value for sheet in sheets for row in sheet.iter_rows(values_only=True) for value in row]
    assert 1130 in values


@pytest.mark.parametrize("name", ["31", "FB31", "fb31", " 31 "])
def test_a_document_is_traced_by_either_number(name: str, synced: CommandLine) -> None:
    result = synced("trace", name)
    assert (result.status, result.err) == (0, "")
    for told in (
        "invoice 31 of",
        "becomes Invoice FB31",
        "QuickBooks: Invoice FB31 (id",
        "write: create Invoice: done",
        "POST /v3/company/",
        "→ 200 in",
    ):
        assert told in result.out


def test_a_held_document_is_traced_with_its_payment_reason_and_remedy(synced: CommandLine) -> None:
    result = synced("trace", "32")
    for told in ("invoice 32 of", "payment of invoice 32 of", "unmapped_tax:", "waiting_for_invoice:", "→ add “Eco Levy"):
        assert told in result.out


def test_a_document_is_traced_by_the_marker_in_its_memo(synced: CommandLine, present_world: World) -> None:
    (expense,) = present_world.freshbooks.view("expense")
    (story,) = json.loads(synced("trace", f"fb:ABC123/expense/{expense['id']}", "--json").out)
    assert (story["mapping"]["source"], story["quickbooks"]["entity"]) == ("expense", "Bill")
    assert [write["state"] for write in story["writes"]] == ["done"]
    assert story["requests"][0]["status"] == 200
    assert story["freshbooks"]["id"] == expense["id"]


def test_the_requests_for_tokens_are_in_the_audit_without_the_tokens(synced: CommandLine, present_world: World) -> None:
    with present_world.engine.connect() as connection:
        rows = connection.execute(audit.select().where(audit.c.kind == "token")).mappings().all()
    assert {(row["service"], row["status"]) for row in rows} == {("freshbooks", 200), ("quickbooks", 200)}
    assert all(row["sent"] is None and row["received"] is None for row in rows)
    assert synced("trace", "31").status == 0


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from fb_qbo_pipeline.cli.main import main; main()", "check", "--json", "--config", "nowhere.yaml"]
    environment = os.environ | {"FB_QBO_HOME": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


@pytest.mark.parametrize("number", ["7\\[/x]", "[/x]", "\x1b[2J7", "7\u202e", ":bug:"])
def test_a_number_that_is_markup_or_a_terminal_command_is_shown_as_text(number: str, present_world: World, fb_qbo: CommandLine) -> None:
    present_world.invoice("10.00", on=days_ago(3), number=number)
    result = fb_qbo("plan")
    assert (result.status, result.err) == (0, "")
    assert f"invoice {terminal(number)}" in result.out
    assert "\x1b" not in result.out
    assert json.loads(fb_qbo("plan", "--json").out)[0]["number"] == number


def test_a_trace_shows_both_sides_line_by_line(present_world: World, synced: CommandLine) -> None:
    told = synced("trace", "31").out
    customer = present_world.quickbooks.rows("Customer")[0]["DisplayName"]
    for words in (
        f"invoice 31 of {days_ago(20)}, Acme Ltd, 1,130.00 CAD (FreshBooks id ",
        "state: in QuickBooks, as QuickBooks last answered",
        f"number 31, Acme Ltd, dated {days_ago(20)}",
        "· Design: 1 × 1,000.00 = 1,000.00, HST 13%",
        "total 1,130.00 CAD, of it tax 130.00; open 0.00",
        f"number FB31, {customer}, dated {days_ago(20)}",
        "1 × 1,000 = 1,000.00, tax code HST ON",
        "· tax HST",
        "· settles Invoice id ",
        f"payment of invoice 31 of {days_ago(10)}",
    ):
        assert words in told, words
    assert "None" not in told


def test_a_trace_of_an_expense_names_its_vendor_category_and_taxes(synced: CommandLine, present_world: World) -> None:
    (expense,) = present_world.freshbooks.view("expense")
    for name in (f"{expense['id']}", f"EXP-{expense['id']}"):
        told = synced("trace", name).out
        for words in ("expense of Serano Bakery (FreshBooks id ", "Advertising", "· HST 13%: 6.50", "total 56.50 CAD, taxes included"):
            assert words in told, words
        assert "None" not in told


def test_a_held_expense_is_found_by_the_number_that_it_would_have(fb_qbo: CommandLine, present_world: World) -> None:
    astrology = present_world.freshbooks.add_category("Astrology")["id"]
    expense = present_world.freshbooks.add_expense("56.50", astrology, days_ago(18), vendor="Serano Bakery")
    present_world.sync(days_ago(30), days_ago(0))
    told = fb_qbo("trace", f"EXP-{expense['id']}").out
    assert "state: HELD, not in QuickBooks: unmapped_category" in told
    assert told.index("→ add “Astrology") < told.index("FreshBooks: present")


def test_a_trace_says_first_that_somebody_has_changed_or_deleted_the_document_in_quickbooks(
    synced: CommandLine, present_world: World
) -> None:
    (expense,) = present_world.freshbooks.view("expense")
    invoice = next(row for row in present_world.freshbooks.view("invoice") if row["invoice_number"] == "31")
    present_world.quickbooks.edit("Bill", present_world.document("expense", expense["id"])["Id"], TxnDate=f"{days_ago(1)}")
    present_world.quickbooks.remove("Invoice", present_world.document("invoice", invoice["id"])["Id"])
    present_world.invoice("10.00", on=days_ago(2), number="34")
    synced("plan")  # looks at QuickBooks' books, because there is something to post
    bill = synced("trace", str(expense["id"])).out.splitlines()
    assert bill[1].startswith(f"  state: CHANGED in QuickBooks by hand: date {days_ago(1)} instead of {days_ago(18)}")
    gone = synced("trace", "FB31").out.splitlines()
    assert gone[1] == "  state: DELETED in QuickBooks by hand"
    assert "posted" not in " ".join(gone[:3])
    present_world.sync(days_ago(30), days_ago(0))
    (held,) = [row for row in present_world.held() if row["number"] == "31" and row["code"] == "changed_in_quickbooks"]
    assert f"→ fb-qbo exceptions post {held['id']} makes it again" in synced("trace", "FB31").out
    synced("exceptions", "ignore", str(held["id"]), "--reason", "the client went bankrupt")
    assert "state: IGNORED by a person (the client went bankrupt): DELETED in QuickBooks by hand" in synced("trace", "FB31").out


def test_a_number_that_is_not_there_suggests_those_that_are_near(synced: CommandLine) -> None:
    result = synced("trace", "FB311")
    assert result.status == 1
    assert "did you mean FB31" in result.err
    assert "did you mean" not in synced("trace", "something else entirely").err
    assert "did you mean" not in synced("trace", "something else entirely").out


def test_a_plan_names_the_reason_and_the_remedy_of_what_would_be_held(present_world: World, fb_qbo: CommandLine) -> None:
    present_world.invoice("1000.00", on=days_ago(20), number="31")
    present_world.invoice("200.00", on=days_ago(15), number="32", taxes=LEVY)
    told = fb_qbo("plan").out
    assert "create: 1 document, 1,130.00 CAD" in told
    assert "as Invoice FB31" in told
    assert "hold: unmapped_tax: 1 document, 204.00 CAD" in told
    assert "→ add “Eco Levy 2%: NAME OF A QUICKBOOKS TAX CODE” to sales.taxes" in told
    assert told.index("create:") < told.index("hold:")
