"""docs/settings.md says nothing that is not so: its rules, settings, exception codes and tests exist, and none is missing."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fb_qbo_pipeline.mapping.documents import Code
from fb_qbo_pipeline.settings.models import Integration
from fb_qbo_pipeline.settings.schema import keys_of, section_of

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "settings.md").read_text(encoding="utf-8")
RULES = {f"S{number}" for number in range(2, 26)}


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head."""
    part = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    table = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in part.splitlines() if line.startswith("| ")]
    return table[1:]


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def settings(section: type = Integration, path: str = "") -> Iterator[str]:
    """Every key of integration.yaml, sections too."""
    for key, field in keys_of(section).items():
        yield path + key
        inner = section_of(field.annotation)
        if inner is not None:
            yield from settings(inner, f"{path}{key}.")


def test_every_rule_has_its_row_and_no_setting_is_made_up() -> None:
    table = rows("Rules")
    assert {row[0].split(" ")[0] for row in table} == RULES
    assert {name for row in table for name in named(row[1])} <= set(settings())


def test_every_exception_code_is_explained_with_a_remedy() -> None:
    table = rows("Exceptions")
    assert [named(row[0]) for row in table] == [[code.value] for code in Code]
    assert all(len(row) == 4 and all(row) for row in table)


@pytest.mark.parametrize("reference", sorted(set(re.findall(r"`([\w/]+\.py::\w+)`", PAGE))))
def test_every_test_that_is_named_exists(reference: str) -> None:
    file, _, test = reference.partition("::")
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_row_names_a_test() -> None:
    assert all("::" in row[-1] for heading in ("Rules", "Exceptions") for row in rows(heading))
