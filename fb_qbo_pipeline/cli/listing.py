"""Documents that are held back, as people read them: by code, with the money at stake, the reason and the remedy once.

A table would put the two long texts into columns of ten letters on a usual terminal, and repeat them for every document.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fb_qbo_pipeline.review.words import Amount, added, counted

__all__ = ["Amount", "Reason", "added", "counted", "print_group", "print_text"]

_NUMERIC = re.compile(r"-?[\d,.]+( [A-Z]{3})?")
_APART = 2  # columns before a document's cells, and between them
_NARROW = 10  # letters that a name has beside each other, however narrow the terminal


@dataclass(frozen=True, slots=True)
class Reason:
    """Why documents are held, and what to do. `documents` are the cells of their lines."""

    words: str
    remedy: str
    documents: Sequence[Sequence[str]]


def print_group(console: Console, title: str, reasons: Sequence[Reason], wraps: int | None = None) -> None:
    """One code with its documents. A remedy that several reasons in a row share is printed once, after the last of them.

    `wraps`: which of a document's cells (a customer's or vendor's name) gives way where the terminal is narrow; no other is cut.
    """
    console.print()
    console.print(Text(title, style="bold"))
    for remedy, alike in groupby(reasons, key=lambda reason: reason.remedy):
        for reason in alike:
            if reason.documents:
                _print_lines(console, reason.documents, wraps)
            print_text(console, reason.words)
        if remedy:
            print_text(console, f"→ {remedy}")


def print_text(console: Console, text: str, indent: int = 4) -> None:
    """Text, wrapped and indented; never read as markup."""
    console.print(Padding(Text(text), (0, 0, 0, indent), expand=False))


def _print_lines(console: Console, documents: Sequence[Sequence[str]], wraps: int | None) -> None:
    """The documents' cells below each other; numbers and money, which end in digits or a currency, to the right."""
    columns = list(zip(*documents, strict=True))
    widths = [max(map(cell_len, column)) for column in columns]
    if wraps is not None:
        others = sum(widths) - widths[wraps] + _APART * len(widths)
        widths[wraps] = max(min(widths[wraps], console.width - others), min(widths[wraps], _NARROW))
    lines = Table.grid(padding=(0, _APART, 0, 0), pad_edge=False)
    lines.add_column()  # the indent; a padding around the table would cut what is wider than the terminal
    for place, (column, width) in enumerate(zip(list(columns), widths, strict=True)):
        numeric = all(_NUMERIC.fullmatch(cell) for cell in column)
        lines.add_column(justify="right" if numeric else "left", no_wrap=True, overflow="fold", min_width=width)
        if place == wraps:  # by hand: a column that may wrap loses all its width before any other loses some
            columns[place] = tuple("\n".join(map(str, Text(cell).wrap(console, width))) for cell in column)
    for cells in zip(*columns, strict=True):
        lines.add_row("", *(Text(cell) for cell in cells))
    console.print(lines, crop=False)
