"""The documents stay true: every `fb-qbo …` command that they name can be typed, and every picture and page that they link is there."""

import re
import shlex
from pathlib import Path

import click
import pytest

from fb_qbo_pipeline.cli.main import cli
from fb_qbo_pipeline.settings.environment import VARIABLES

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])
_IN_TEXT = re.compile(r"`(?:\.venv/bin/)?(fb-qbo [^`]+)`")
_IN_BLOCK = re.compile(r"^\s*(?:\.venv/bin/)?(fb-qbo [^#\n]+)", re.MULTILINE)
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)[^)]*\)")
_VARIABLE = re.compile(r"\b(?:FB_QBO|FRESHBOOKS|QUICKBOOKS)_[A-Z_]+\b")


def commands(page: Path) -> list[str]:
    """The commands of a page, in its text and in its blocks."""
    text = page.read_text(encoding="utf-8")
    return [found.strip() for found in [*_IN_TEXT.findall(text), *_IN_BLOCK.findall(text)] if not found.startswith("fb-qbo …")]


def parse(command: click.Command, arguments: list[str], name: str) -> click.Command:
    """The command that click would run, after it has parsed everything; nothing is run. Raises UsageError."""
    context = command.make_context(name, arguments)
    if isinstance(command, click.Group) and (rest := [*context._protected_args, *context.args]):
        _, inner, remaining = command.resolve_command(context, rest)
        assert inner is not None
        return parse(inner, remaining, rest[0])
    return command


CASES = [(page.relative_to(ROOT).as_posix(), command) for page in PAGES for command in dict.fromkeys(commands(page))]


@pytest.mark.parametrize(("page", "command"), CASES)
def test_a_command_that_a_page_names_can_be_typed(page: str, command: str) -> None:
    for choice in alternatives(command):
        arguments = shlex.split(choice)[1:]
        assert parse(cli, [stand_in(argument) for argument in arguments], "fb-qbo").callback is not None


def alternatives(command: str) -> list[str]:
    """The commands that a line stands for: `connect freshbooks\\|quickbooks` is two; optional parts are left out."""
    plain = re.sub(r"\[[^\]]*\]", "", command.replace("\\|", "|"))
    match = re.search(r"(\w+)\|(\w+)", plain)
    return [plain] if match is None else [plain.replace(match.group(), word) for word in match.groups()]


def stand_in(argument: str) -> str:
    """A value where a page writes a placeholder."""
    return {"…": "2025-01-01", "D": "2025-01-01", "ID": "1"}.get(argument, argument)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_links_is_there_and_the_variables_that_it_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    missing = [link for link in _LINK.findall(text) if not (page.parent / link).exists()]
    assert missing == []
    assert set(_VARIABLE.findall(text)) <= {variable.name for variable in VARIABLES}


@pytest.mark.parametrize(
    "arguments", [["synch"], ["sync", "--form", "2025-01-01"], ["exceptions", "retri"], ["exceptions", "retry", "--reason", "x"]]
)
def test_a_command_that_cannot_be_typed_would_be_noticed(arguments: list[str]) -> None:
    with pytest.raises(click.UsageError):
        parse(cli, arguments, "fb-qbo")
