"""`fb-qbo check`: what is printed where, and the exit status that follows."""

import json
from typing import Any

import pytest

from fb_qbo_pipeline.ledger.tables import token
from fb_qbo_pipeline_tests.cli.command_line import CommandLine, days_ago
from fb_qbo_pipeline_tests.pipeline.world import World

LEVY = (("Eco Levy", "2"),)


def findings(text: str) -> dict[str, dict[str, Any]]:
    return {finding["key"]: finding for finding in json.loads(text)["findings"]}


def test_everything_fits(present_world: World, fb_qbo: CommandLine) -> None:
    present_world.invoice(on=days_ago(20))
    result = fb_qbo("check", "--strict")
    assert result.status == 0
    assert "Sandbox Company (ABC123), CAD" in result.out
    assert "Maple Sandbox Ltd." in result.out
    assert "1 document in scope" in result.out
    assert "nothing would be held" in result.out
    assert result.err == ""


def test_held_documents_are_told_with_money_and_remedy(present_world: World, fb_qbo: CommandLine) -> None:
    present_world.invoice("1500.00", on=days_ago(20), number="31", taxes=LEVY)
    result = fb_qbo("check")
    assert result.status == 0
    for told in ("unmapped_tax", "1,530.00 CAD", "invoice 31", "sales.taxes"):
        assert told in result.out
    assert fb_qbo("check", "--strict").status == 3


def test_json_is_one_document_and_nothing_else(present_world: World, fb_qbo: CommandLine) -> None:
    present_world.invoice(on=days_ago(20), number="31", taxes=LEVY)
    result = fb_qbo("check", "--json", "--strict")
    document = json.loads(result.out)
    assert (result.status, document["ok"], result.err) == (3, True, "")
    held = findings(result.out)["unmapped_tax"]
    assert (held["severity"], held["documents"], held["amount"], held["examples"]) == ("warning", 1, {"CAD": "102.00"}, ["invoice 31"])


def test_a_name_that_quickbooks_does_not_have_is_exit_status_2(fb_qbo: CommandLine) -> None:
    fb_qbo.settings["payments"]["deposit_account"] = "Chequeing [old]"
    fb_qbo.write()
    shown = fb_qbo("check")
    assert shown.status == 2
    assert "payments.deposit_account" in shown.out
    assert "Chequeing [old]" in shown.out  # brackets are text, not markup
    result = fb_qbo("check", "--json")
    assert (result.status, json.loads(result.out)["ok"]) == (2, False)
    assert findings(result.out)["payments.deposit_account"]["severity"] == "error"


def test_an_account_that_is_not_connected_is_exit_status_1(present_world: World, fb_qbo: CommandLine) -> None:
    with present_world.engine.begin() as connection:
        connection.execute(token.delete().where(token.c.service == "freshbooks"))
    result = fb_qbo("check", "--json")
    assert result.status == 1
    assert findings(result.out)["freshbooks"]["remedy"] == "run: fb-qbo connect freshbooks"


def test_settings_with_mistakes_are_a_finding_of_exit_status_2(fb_qbo: CommandLine) -> None:
    fb_qbo.write(timezone="Mars/Olympus")
    result = fb_qbo("check", "--json")
    assert (result.status, result.err) == (2, "")
    assert "unknown time zone" in findings(result.out)["settings"]["message"]
    for_people = fb_qbo("check")
    assert (for_people.status, for_people.out) == (2, "")
    assert "unknown time zone" in for_people.err


def test_a_missing_app_is_a_finding_too(fb_qbo: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QUICKBOOKS_CLIENT_ID")
    result = fb_qbo("check", "--json")
    assert result.status == 2
    assert "QUICKBOOKS_CLIENT_ID not set" in findings(result.out)["environment"]["message"]


def test_a_folder_is_checked_integration_by_integration(present_world: World, fb_qbo: CommandLine) -> None:
    present_world.invoice(on=days_ago(20), taxes=LEVY)
    other = fb_qbo.write("other.yaml", name="other", freshbooks={"account_id": "XYZ999"})
    result = fb_qbo("check", "--json", "--strict", "--config", str(other.parent))
    document = json.loads(result.out)
    assert {name: report["ok"] for name, report in document.items()} == {"acme": True, "other": False}
    assert result.status == 1  # acme would hold a document (3), but other is not even connected


def test_nothing_is_written_to_quickbooks(present_world: World, fb_qbo: CommandLine) -> None:
    present_world.expense(on=days_ago(10))
    fb_qbo("check")
    assert present_world.quickbooks.counters.writes == 0


def test_the_same_thing_has_the_same_remedy_in_check_and_in_exceptions(present_world: World, fb_qbo: CommandLine) -> None:
    present_world.freshbooks.add_tax("Eco Levy", "2")
    present_world.invoice("100.00", on=days_ago(20), number="31", taxes=LEVY)
    astrology = present_world.freshbooks.add_category("Astrology")["id"]
    present_world.freshbooks.add_expense("56.50", astrology, days_ago(18), vendor="Serano Bakery")
    checked = findings(fb_qbo("check", "--json").out)
    present_world.sync(days_ago(30), days_ago(0))
    held = {row["code"]: row["remedy"] for row in json.loads(fb_qbo("exceptions", "--json").out)}
    assert checked["unmapped_tax"]["remedy"] == checked["sales.taxes.Eco Levy"]["remedy"] == held["unmapped_tax"]
    assert checked["unmapped_category"]["remedy"] == held["unmapped_category"]
    assert [line for line in fb_qbo("check").out.splitlines() if "expense" in line and "Serano Bakery" in line]
