"""`fb-qbo exceptions`: what is held, and what a person may do about it, one by one or by code."""

import json
from decimal import Decimal

import pytest

from fb_qbo_pipeline.cli.exceptions import chosen
from fb_qbo_pipeline.errors import ConfigurationError
from fb_qbo_pipeline_tests.cli.command_line import CommandLine, days_ago
from fb_qbo_pipeline_tests.pipeline.world import World

LEVY = (("Eco Levy", "2"),)
KEYS = ["id", "source", "source_id", "number", "date", "amount", "currency", "code", "reason", "remedy", "status", "since"]


@pytest.fixture
def held(present_world: World, fb_qbo: CommandLine) -> CommandLine:
    """Two invoices and an expense are held, for two reasons."""
    present_world.invoice("1000.00", on=days_ago(20), number="31", taxes=LEVY)
    present_world.invoice("200.00", on=days_ago(19), number="32", taxes=LEVY)
    astrology = present_world.freshbooks.add_category("Astrology")["id"]
    present_world.freshbooks.add_expense("56.50", astrology, days_ago(18), vendor="Serano Bakery")
    present_world.sync(days_ago(30), days_ago(0))
    return fb_qbo


def listed(fb_qbo: CommandLine) -> dict[str, str]:
    """Number → status."""
    return {row["number"]: row["status"] for row in json.loads(fb_qbo("exceptions", "--json").out)}


def ids(fb_qbo: CommandLine) -> dict[str, str]:
    """Number → id, as a person types it."""
    return {row["number"]: str(row["id"]) for row in json.loads(fb_qbo("exceptions", "--json").out)}


def test_they_are_listed_by_code_with_money_reason_and_remedy(held: CommandLine) -> None:
    result = held("exceptions")
    assert (result.status, result.err) == (0, "")
    assert "3 documents, 1,280.50 CAD held back" in result.out
    assert "unmapped_tax: 2 documents, 1,224.00 CAD" in result.out
    assert "unmapped_category: 1 document, 56.50 CAD" in result.out
    assert result.out.count("→ add “Eco Levy 2%: NAME OF A QUICKBOOKS TAX CODE” to sales.taxes") == 1
    assert "invoice 31  Acme Ltd" in result.out


def test_an_expense_has_no_number_and_is_known_by_its_vendor_beside_the_id(held: CommandLine, present_world: World) -> None:
    (expense,) = present_world.freshbooks.view("expense")
    assert f"expense id {expense['id']}  Serano Bakery" in held("exceptions").out
    number = ids(held)[str(expense["id"])]
    told = held("exceptions", "ignore", number, "--reason", "a [private] matter").out
    assert told == f"ignored: expense of Serano Bakery (FreshBooks id {expense['id']}) (a [private] matter)\n"


def test_no_amount_and_no_date_is_cut_on_a_narrower_terminal(held: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    told = held("exceptions").out
    for words in ("1,020.00 CAD", f"{days_ago(20)}", "since today", "invoice 31"):
        assert words in told


def test_a_list_fits_into_eighty_columns_and_no_code_is_broken(
    held: CommandLine, present_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    long = present_world.client("The Greater Riverside Association for the Preservation of Historic Bridges")
    present_world.invoice("1234567.00", on=days_ago(17), number="2026-00033", taxes=LEVY, client=long)
    present_world.sync(days_ago(30), days_ago(0))
    for command in ("exceptions", "plan"):
        lines = held(command).out.splitlines()
        assert max(len(line.rstrip()) for line in lines) <= 80
        assert any("unmapped_tax: 3 documents, 1,260,482.34 CAD" in line for line in lines)
        assert any("unmapped_category: 1 document, 56.50 CAD" in line for line in lines)


def test_json_has_the_contracts_keys_and_nothing_else_is_printed(held: CommandLine) -> None:
    result = held("exceptions", "--json")
    rows = json.loads(result.out)
    assert [list(row) for row in rows] == [KEYS] * 3
    first = rows[0]
    assert (first["source"], first["number"], first["date"], first["amount"]) == ("invoice", "31", days_ago(20).isoformat(), "1020.00")
    assert (first["code"], first["status"], result.err) == ("unmapped_tax", "open", "")


def test_strict_is_exit_status_3_until_everything_is_ignored(held: CommandLine) -> None:
    assert held("exceptions", "--strict").status == 3
    assert held("exceptions", "ignore", "--all", "--reason", "before our time").status == 0
    assert held("exceptions", "--strict").status == 0
    assert set(listed(held).values()) == {"ignored"}
    told = held("exceptions").out
    assert "acme: no document is held back; 3 documents, 1,280.50 CAD ignored" in told
    assert "ignored: before our time" in told


def test_nothing_held_says_so(fb_qbo: CommandLine) -> None:
    assert "no document is held back" in fb_qbo("exceptions").out
    assert json.loads(fb_qbo("exceptions", "--json").out) == []


def test_one_is_ignored_with_a_reason_and_taken_back(held: CommandLine, present_world: World) -> None:
    number = ids(held)
    assert "ignored: invoice 31 (a sample)" in held("exceptions", "ignore", number["31"], "--reason", "a sample").out
    assert listed(held)["31"] == "ignored"
    refused = held("exceptions", "retry", number["31"])
    assert refused.status == 2
    assert f"fb-qbo exceptions unignore {number['31']}" in refused.err
    assert "open again: invoice 31" in held("exceptions", "unignore", number["31"]).out
    assert listed(held)["31"] == "open"
    assert days_ago(20) in present_world.touched()


def test_a_code_is_ignored_as_a_whole(held: CommandLine) -> None:
    held("exceptions", "ignore", "--code", "unmapped_tax", "--reason", "abolished")
    assert sorted(listed(held).values()) == ["ignored", "ignored", "open"]
    held("exceptions", "unignore", "--code", "unmapped_tax")
    assert set(listed(held).values()) == {"open"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["ignore", "1"], "--reason"),
        (["ignore", "1", "--reason", " "], "--reason is empty"),
        (["ignore", "--reason", "why not"], "which ones?"),
        (["ignore", "999999", "--reason", "why not"], "no exception 999999"),
        (["ignore", "--code", "closed_period", "--reason", "why not"], "no such exception is open"),
        (["ignore", "--code", "unheard_of", "--reason", "why not"], "unmapped_tax"),
        (["unignore", "--all"], "no such exception is ignored"),
        (["retry", "999999"], "no exception 999999"),
    ],
)
def test_a_choice_that_means_nothing_changes_nothing_and_is_exit_status_2(arguments: list[str], told: str, held: CommandLine) -> None:
    result = held("exceptions", *arguments)
    assert (result.status, result.out) == (2, "")
    assert told in result.err
    assert set(listed(held).values()) == {"open"}


def test_after_the_settings_are_corrected_a_retry_by_code_posts_those_and_no_others(held: CommandLine, present_world: World) -> None:
    held.settings["sales"]["taxes"]["Eco Levy"] = held.settings["sales"]["taxes"]["none"]
    held.settings["expenses"]["categories"]["Astrology"] = "Advertising"
    held.write()
    result = held("exceptions", "retry", "--code", "unmapped_category", "--json")
    document = json.loads(result.out)
    assert (result.status, document["created"]["bill"], document["created"]["invoice"]) == (0, 1, 0)
    assert document["exceptions"] == 2


def test_a_document_typed_by_hand_is_taken_over(present_world: World, fb_qbo: CommandLine) -> None:
    by_hand = present_world.typed_by_hand("FB77", on=days_ago(5))
    invoice = present_world.invoice("9.00", client=present_world.client("Somebody"), on=days_ago(5), taxes=(), number="77")
    present_world.sync(days_ago(30), days_ago(0))
    assert "fb-qbo exceptions adopt" in fb_qbo("exceptions").out
    assert fb_qbo("exceptions", "adopt", "999").status == 2
    assert fb_qbo("exceptions", "adopt", ids(fb_qbo)["77"]).status == 0
    assert present_world.document("invoice", invoice)["Id"] == by_hand
    assert json.loads(fb_qbo("exceptions", "--json").out) == []


def test_what_nothing_in_quickbooks_looks_like_cannot_be_taken_over(held: CommandLine) -> None:
    result = held("exceptions", "adopt", ids(held)["31"])
    assert result.status == 2
    assert "no transactions in QuickBooks could be invoice 31" in result.err


def test_an_id_is_chosen_among_those_of_the_status() -> None:
    rows = [{"id": number, "status": "open", "code": code, "amount": Decimal(1)} for number, code in enumerate("aab")]
    assert [row["id"] for row in chosen(rows, "open", [2], "a", every=False)] == [0, 1, 2]
    assert chosen(rows, "open", [], None, every=False) == []
    with pytest.raises(ConfigurationError, match="no exception 7"):
        chosen(rows, "open", [7], None, every=True)


def test_what_was_deleted_in_quickbooks_is_made_again_by_post_and_not_by_retry(present_world: World, fb_qbo: CommandLine) -> None:
    expense = present_world.expense(on=days_ago(5))
    present_world.sync(days_ago(30), days_ago(0))
    present_world.quickbooks.remove("Bill", present_world.document("expense", expense)["Id"])
    assert fb_qbo("sync").status == 0
    (row,) = json.loads(fb_qbo("exceptions", "--json").out)
    assert (row["code"], "fb-qbo exceptions post" in row["remedy"]) == ("changed_in_quickbooks", True)
    retried = fb_qbo("exceptions", "retry", str(row["id"]))
    assert retried.status == 0
    assert "is held still: It was deleted in QuickBooks" in retried.err
    assert "fb-qbo exceptions post" in retried.err
    posted = fb_qbo("exceptions", "post", str(row["id"]), "--by", "Ann", "--json")
    assert (posted.status, json.loads(posted.out)["created"]["bill"]) == (0, 1)
    assert present_world.document("expense", expense)["TotalAmt"] == Decimal("56.50")
    assert json.loads(fb_qbo("exceptions", "--json").out) == []


def test_what_only_its_mapping_holds_cannot_be_posted_just_so(held: CommandLine) -> None:
    result = held("exceptions", "post", ids(held)["31"])
    assert result.status == 2
    assert "its mapping holds it" in result.err
    assert "add “Eco Levy 2%" in result.err
