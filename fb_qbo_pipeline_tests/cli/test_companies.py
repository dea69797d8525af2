"""A folder of companies: what is wrong with one is told, and the others are worked on all the same."""

import json

import pytest

from fb_qbo_pipeline_tests.cli.command_line import CommandLine, Result, days_ago
from fb_qbo_pipeline_tests.pipeline.world import World


@pytest.fixture
def in_folder(fb_qbo: CommandLine) -> CommandLine:
    """The command line whose folder holds a second company, which was never connected, and a file with a mistake."""
    fb_qbo.write("other.yaml", name="other", freshbooks={"account_id": "XYZ999"})
    fb_qbo.write("broken.yaml", name="broken", timezone="Mars/Olympus")
    return fb_qbo


def of_folder(fb_qbo: CommandLine, *arguments: str) -> Result:
    return fb_qbo(*arguments, "--config", str(fb_qbo.folder))


@pytest.mark.parametrize("command", ["plan", "reconcile", "check"])
def test_the_others_are_worked_on_and_the_exit_status_tells_of_the_broken_file(command: str, in_folder: CommandLine) -> None:
    result = of_folder(in_folder, command)
    assert result.status == 2
    assert "acme" in result.out
    everything = result.out + result.err
    assert "broken.yaml" in everything
    assert "Mars/Olympus" in everything
    assert "fb-qbo connect freshbooks" in everything


def test_exceptions_of_the_others_are_listed(in_folder: CommandLine) -> None:
    result = of_folder(in_folder, "exceptions", "--json")
    assert (result.status, json.loads(result.out)) == (2, {"acme": [], "other": []})
    assert result.err.count("error:") == 1
    assert "broken.yaml" in result.err


def test_a_company_that_is_not_connected_is_named_and_is_exit_status_1(in_folder: CommandLine, present_world: World) -> None:
    present_world.invoice(on=days_ago(5))
    (in_folder.folder / "broken.yaml").unlink()
    result = of_folder(in_folder, "sync", "--json")
    assert (result.status, list(json.loads(result.out))) == (1, ["acme"])  # by name, whoever is left
    assert present_world.count() == {"Invoice": 1}
    assert "error: other: FreshBooks is not connected" in result.err


def test_where_none_can_be_worked_on_every_reason_is_told(in_folder: CommandLine) -> None:
    (in_folder.folder / "integration.yaml").unlink()
    result = of_folder(in_folder, "plan", "--json")
    assert (result.status, result.out) == (2, "")
    assert "other: FreshBooks is not connected" in result.err
    assert "broken.yaml" in result.err


def test_days_that_one_of_them_does_not_have_are_refused_before_anything_is_synced(in_folder: CommandLine, present_world: World) -> None:
    present_world.invoice(on=days_ago(20))
    in_folder.write("other.yaml", name="other", freshbooks={"account_id": "XYZ999"}, start_date=days_ago(3))
    result = of_folder(in_folder, "sync", "--from", f"{days_ago(30)}", "--to", f"{days_ago(10)}")
    assert (result.status, result.out) == (2, "")
    assert "no day of other is in that range" in result.err
    assert present_world.count() == {}


def test_a_file_with_a_mistake_counts_where_one_company_has_to_be_named(in_folder: CommandLine) -> None:
    (in_folder.folder / "other.yaml").unlink()
    result = of_folder(in_folder, "trace", "1")
    assert result.status == 2
    assert "several integrations: acme, broken.yaml" in result.err
