"""What the assets tell of their tables."""

import datetime as dt
from decimal import Decimal

import pytest
from markdown_it import MarkdownIt

from fb_qbo_pipeline.assets.describe import clearing_table, findings_table, staged_metadata
from fb_qbo_pipeline.mapping.documents import Outcome
from fb_qbo_pipeline.review.findings import Clearing, Finding
from fb_qbo_pipeline.review.verdicts import Tally


def test_every_staged_row_is_counted_under_its_outcome() -> None:
    common = {"source": "invoice", "source_id": 1, "currency": "CAD", "amount": Decimal(1), "notes": [], "problems": [], "label": "1"}
    rows = [common | {"outcome": outcome.value} for outcome in Outcome]
    metadata = staged_metadata(rows)
    counted = ("to post", "held", "waiting", "out of scope", "deleted", "kept")
    assert [metadata[name] for name in counted] == [1] * len(Outcome)


@pytest.mark.parametrize(
    "name",
    [
        "[pay here](https://evil.example)",
        "![](https://evil.example/seen.png)",
        "<https://evil.example> <img src=x>",
        "A | B \\| C",
        "`x` **y**\n\n# z",
    ],
)
def test_a_name_in_a_table_of_the_ui_is_text(name: str) -> None:
    day, one = dt.date(2026, 3, 5), Decimal(1)
    finding, clearing = Finding("invoice", name, name, day, day, one, "CAD", name, name), Clearing(name, "CAD", 1, one, one, one)
    for table, columns in ((findings_table(Tally().add([finding])), 6), (clearing_table([clearing]), 6)):
        tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(table)
        assert sum(token.type == "td_open" for token in tokens) == columns
        kinds = {child.type for token in tokens for child in token.children or ()}
        assert kinds == {"text"}
        assert tokens[-1].type == "table_close"
