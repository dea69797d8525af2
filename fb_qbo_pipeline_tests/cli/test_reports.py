"""`fb-qbo plan`, `reconcile` and `trace`: what people and scripts read."""

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
from fb_qbo_pipeline_tests.pipeline.world import World

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


def test_a_tie_out_adds_up_by_kind_and_agrees_where_the_gap_is_held(synced: CommandLine) -> None:
    result = synced("reconcile", "--strict")
    assert (result.status, result.err) == (0, "")
    assert "FreshBooks and QuickBooks agree." in result.out
    document = json.loads(synced("reconcile", "--json").out)
    assert document["agrees"] is True
    sums = {line["kind"]: (line["freshbooks"], line["quickbooks"], line["held"], line["difference"]) for line in document["totals"]}
    assert sums == {
        "sales": ("1334.00", "1130.00", "204.00", "0.00"),
        "payments": ("1334.00", "1130.00", "204.00", "0.00"),
        "expenses": ("56.50", "56.50", "0.00", "0.00"),
    }


def test_a_tie_out_fits_into_eighty_columns(synced: CommandLine) -> None:
    lines = synced("reconcile").out.splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 80


def test_a_difference_is_named_and_is_exit_status_3_with_strict(synced: CommandLine, present_world: World) -> None:
    present_world.freshbooks.add_expense("10.00", present_world.freshbooks.view("category")[0]["id"], days_ago(3), vendor="Serano")
    result = synced("reconcile", "--strict")
    assert result.status == 3
    assert "is missing in QuickBooks" in result.out
    assert "FreshBooks and QuickBooks do NOT agree." in result.out


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
    for told in ("invoice 32 of", "payment 32 of", "unmapped_tax:", "waiting_for_invoice:", "→ add “Eco Levy"):
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
