"""The configuration reference: complete, well-formed, and what the README shows."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from fb_qbo_pipeline.settings.environment import VARIABLES
from fb_qbo_pipeline.settings.models import Integration
from fb_qbo_pipeline.settings.reference import BEGIN, END, configuration_reference, main, splice
from fb_qbo_pipeline.settings.schema import keys_of, section_of

README = Path(__file__).parents[2] / "README.md"


def _keys_in_order() -> list[str]:
    """The keys as the tables have them: a section's own values, then its sections."""

    def sections(section: type[BaseModel]) -> list[type[BaseModel]]:
        inner = [section_of(field.annotation) for field in keys_of(section).values()]
        return [section, *(found for one in inner if one is not None for found in sections(one))]

    return [key for one in sections(Integration) for key, field in keys_of(one).items() if section_of(field.annotation) is None]


def test_the_readme_shows_the_present_reference() -> None:
    text = README.read_text(encoding="utf-8")
    assert splice(text) == text, "run: make reference"


def test_every_key_has_a_row_with_type_and_meaning() -> None:
    rows = [line for line in configuration_reference().split("#### Environment")[0].splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == _keys_in_order()
    for row in rows:
        _, _, kind, _, meaning, _ = [cell.strip() for cell in row.replace("\\|", "/").split("|")]
        assert kind, row
        assert meaning, row


def test_every_variable_has_a_row() -> None:
    reference = configuration_reference()
    assert all(f"| `{variable.name}` |" in reference for variable in VARIABLES)


@pytest.mark.parametrize(
    "row",
    [
        "| `realm_id` | text | required |",
        "| `post_as` | `invoice` or `sales_receipt` | `invoice` |",
        "| `rounding_limit` | number | `0.05` |",
        "| `statuses` | list of text | `[sent, viewed, partial, overdue, paid, autopaid]` |",
        "| `create` | true or false | `false` |",
        "| `start_date` | date | required |",
        "| `QUICKBOOKS_CONCURRENCY` | `8` |",
    ],
)
def test_types_and_defaults_are_in_plain_words(row: str) -> None:
    assert row in configuration_reference()


def test_splicing_replaces_what_is_between_the_markers_and_nothing_else() -> None:
    text = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    spliced = splice(text)
    assert spliced == f"before\n{BEGIN}\n{configuration_reference()}\n{END}\nafter\n"
    assert splice(spliced) == spliced


@pytest.mark.parametrize("text", ["", BEGIN, END, f"{END}{BEGIN}", f"{BEGIN}{BEGIN}{END}"])
def test_a_text_without_the_two_markers_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="the text needs"):
        splice(text)


def test_the_module_rewrites_the_files_that_it_is_given(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text(f"{BEGIN}{END}", encoding="utf-8")
    main([str(file)])
    assert file.read_text(encoding="utf-8") == f"{BEGIN}\n{configuration_reference()}\n{END}"
