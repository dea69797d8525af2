"""Documents that are held back, as people read them: by code, with the money at stake, the reason and the remedy once.

A table would put the two long texts into columns of ten letters on a usual terminal, and repeat them for every document.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fb_qbo_pipeline.review.words import Amount, added, counted

__all__ = ["Amount", "Reason", "added", "counted", "print_group", "print_text"]

_NUMERIC = re.compile(r"-?[\d,.]+( [A-Z]{3})?")
_SHORT = 17  # letters of a cell that is not worth breaking: "since 2026-01-31"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why documents are held, and what to do. `documents` are the cells of their lines; the longest text among them may wrap."""

    words: str
    remedy: str
    documents: Sequence[Sequence[str]]


def print_group(console: Console, title: str, reasons: Sequence[Reason]) -> None:
    """One code with its documents. A remedy that several reasons in a row share is printed once, after the last of them."""
    console.print()
    console.print(Text(title, style="bold"))
    for remedy, alike in groupby(reasons, key=lambda reason: reason.remedy):
        for reason in alike:
            if reason.documents:
                console.print(Padding(_lines(reason.documents), (0, 0, 0, 2), expand=False))
            print_text(console, reason.words)
        if remedy:
            print_text(console, f"→ {remedy}")


def print_text(console: Console, text: str, indent: int = 4) -> None:
    """Text, wrapped and indented; never read as markup."""
    console.print(Padding(Text(text), (0, 0, 0, indent), expand=False))


def _lines(documents: Sequence[Sequence[str]]) -> Table:
    """The documents' cells below each other; numbers and money, which end in digits or a currency, to the right.

    Only the column with the longest text (a customer's or vendor's name) gives way where the terminal is narrow.
    """
    lines = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
    columns = list(zip(*documents, strict=True))
    numeric = [all(_NUMERIC.fullmatch(cell) for cell in column) for column in columns]
    widths = [0 if number else max(map(len, column)) for column, number in zip(columns, numeric, strict=True)]
    for place, number in enumerate(numeric):
        gives_way = widths[place] == max(widths) and widths[place] > _SHORT
        lines.add_column(justify="right" if number else "left", no_wrap=not gives_way, overflow="fold")
    for cells in documents:
        lines.add_row(*(Text(cell) for cell in cells))
    return lines
