"""What people get wrong before anything is synced: a message that says what to do, an exit status, and nothing half done."""

import json
from pathlib import Path

import pytest

from fb_qbo_pipeline.ledger.tables import metadata
from fb_qbo_pipeline_tests.cli.command_line import CommandLine, Result, days_ago
from fb_qbo_pipeline_tests.pipeline.world import World

SECRET = "sekrit-9f2c"


def assert_refused(result: Result, status: int, *told: str) -> None:
    """The command ended so, said this on standard error, and showed neither a traceback nor the secret."""
    assert (result.status, result.out) == (status, "")
    for words in told:
        assert words in result.err
    assert "Traceback" not in result.err
    assert SECRET not in result.err


@pytest.mark.parametrize("command", ["sync", "plan", "reconcile", "exceptions", "up", "check"])
def test_every_command_says_where_the_settings_are_wrong(command: str, fb_qbo: CommandLine) -> None:
    fb_qbo.write(timezone="America/Torono", nmae="x")
    result = fb_qbo(command)
    assert_refused(result, 2, "integration.yaml:", "did you mean America/Toronto?", "did you mean name?")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file is empty"),
        (b"name: acme\n  x: [", "not valid YAML"),
        (b"name: \xff\xfe", "not UTF-8"),
        (b"- a list", "integration.example.yaml"),
    ],
)
def test_a_file_that_is_no_settings_file(content: bytes, told: str, fb_qbo: CommandLine) -> None:
    (fb_qbo.folder / "integration.yaml").write_bytes(content)
    assert_refused(fb_qbo("sync"), 2, told)


def test_a_file_that_is_missing(fb_qbo: CommandLine) -> None:
    assert_refused(fb_qbo("sync", "--config", "nowhere.yaml"), 2, "nowhere.yaml", "copy integration.example.yaml")


@pytest.mark.parametrize("command", [["trace", "1"], ["exceptions", "ignore", "1", "--reason", "why"], ["connect", "freshbooks"]])
def test_where_a_folder_holds_several_integrations_one_has_to_be_named(command: list[str], fb_qbo: CommandLine) -> None:
    fb_qbo.write("other.yaml", name="other", freshbooks={"account_id": "XYZ999"})
    assert_refused(fb_qbo(*command, "--config", str(fb_qbo.folder)), 2, "acme, other", "--config FILE")


@pytest.mark.parametrize(
    ("section", "key", "name", "told"),
    [
        ("payments", "deposit_account", "Undeposited Fund", "did you mean “Undeposited Funds”?"),
        ("sales", "discount_product", "Discnt", "did you mean “Discount”?"),
        ("sales", "taxes", {"HST": "HST ONN", "none": "Exempt"}, "did you mean “HST ON”?"),
        ("sales", "class", "Retial", "did you mean “Retail”?"),
        ("payments", "deposit_account", "Zzzzz", "name an existing account there"),
    ],
)
def test_a_name_that_quickbooks_does_not_have_stops_a_sync_before_it_writes(
    section: str, key: str, name: object, told: str, fb_qbo: CommandLine, present_world: World
) -> None:
    present_world.invoice(on=days_ago(5))
    fb_qbo.settings[section][key] = name
    fb_qbo.write()
    assert_refused(fb_qbo("plan"), 2, f"{section}.{key}", told)
    assert present_world.quickbooks.counters.writes == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--from", "2026-13-01"], "write it as 2025-01-31"),
        (["--from", "yesterday"], "write it as 2025-01-31"),
        (["--from", "2026-02-01", "--to", "2026-01-01"], "is after --to"),
        (["--from", "2001-01-01", "--to", "2001-02-01"], "(start_date)"),
        (["--from", "2999-01-01"], "(today)"),
    ],
)
@pytest.mark.parametrize("command", ["sync", "plan", "reconcile"])
def test_days_that_cannot_be(command: str, arguments: list[str], told: str, fb_qbo: CommandLine) -> None:
    assert_refused(fb_qbo(command, *arguments), 2, told)


@pytest.mark.parametrize("command", [["sync"], ["plan"], ["reconcile"], ["up", "--port", "1"], ["exceptions", "retry"]])
def test_accounts_that_were_never_connected_are_both_named(command: list[str], fb_qbo: CommandLine, present_world: World) -> None:
    with present_world.engine.begin() as connection:
        connection.execute(metadata.tables["fb_qbo.token"].delete())
    result = fb_qbo(*command)
    assert_refused(
        result, 1, "FreshBooks is not connected", "QuickBooks is not connected", "fb-qbo connect freshbooks", "fb-qbo connect quickbooks"
    )


@pytest.mark.parametrize(
    ("url", "status", "told"),
    [
        (f"postgresql://u:{SECRET}@127.0.0.1:1/db", 1, "the database at 127.0.0.1 does not answer"),
        (f"postgresql://u:{SECRET}@nowhere.invalid/db", 2, "no such host"),
        (f"postgresql://u:{SECRET}@host:port/db", 2, "FB_QBO_DATABASE_URL"),
        (f"mysql://u:{SECRET}@host/db", 2, "FB_QBO_DATABASE_URL"),
    ],
)
@pytest.mark.parametrize("command", ["sync", "exceptions"])
def test_a_database_that_cannot_be_used(
    command: str, url: str, status: int, told: str, fb_qbo: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FB_QBO_DATABASE_URL", url)
    assert_refused(fb_qbo(command), status, told)


def test_a_database_that_does_not_exist(fb_qbo: CommandLine, present_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FB_QBO_DATABASE_URL", present_world.engine.url.set(database="nowhere").render_as_string(hide_password=False))
    assert_refused(fb_qbo("exceptions"), 2, "has no such database", "correct FB_QBO_DATABASE_URL")


@pytest.mark.parametrize("command", [["sync"], ["exceptions"], ["check"], ["trace", "1"], ["demo", "--exit"]])
def test_a_home_that_cannot_be_written(command: list[str], fb_qbo: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    (fb_qbo.folder / "file").write_text("in the way")
    monkeypatch.setenv("FB_QBO_HOME", str(fb_qbo.folder / "file" / "home"))
    assert_refused(fb_qbo(*command), 2, "FB_QBO_HOME", "may write to")


def test_tokens_under_another_key_are_not_lost(fb_qbo: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FB_QBO_SECRET_KEY", SECRET)
    assert_refused(fb_qbo("plan"), 2, "cannot be decrypted with the present key", "restore FB_QBO_SECRET_KEY")
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("variables", "status", "told"),
    [
        ({"QUICKBOOKS_CLIENT_SECRET": SECRET}, 2, "does not know the OAuth application"),
        ({"FRESHBOOKS_CLIENT_ID": ""}, 2, "FRESHBOOKS_CLIENT_ID not set"),
        ({"QUICKBOOKS_CONCURRENCY": "many"}, 2, "QUICKBOOKS_CONCURRENCY"),
        ({"FRESHBOOKS_API_URL": f"https://u:{SECRET}@host"}, 2, "FRESHBOOKS_API_URL"),
    ],
)
def test_an_environment_that_does_not_fit(
    variables: dict[str, str], status: int, told: str, fb_qbo: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert_refused(fb_qbo("plan"), status, told)


def test_a_number_that_nobody_has_read(fb_qbo: CommandLine) -> None:
    assert_refused(fb_qbo("trace", "77"), 1, "no document 77", "sync its date first")


def test_a_workbook_that_cannot_be_written_is_told(fb_qbo: CommandLine) -> None:
    assert_refused(fb_qbo("reconcile", "--out", str(Path("nowhere") / "file.xlsx")), 2, "the folder nowhere is not there", "--out")


def test_an_error_leaves_standard_output_empty_with_json_too(fb_qbo: CommandLine) -> None:
    fb_qbo.write(timezone="Mars/Olympus")
    assert_refused(fb_qbo("sync", "--json"), 2, "Mars/Olympus")
    assert json.loads(fb_qbo("check", "--json").out)["ok"] is False
