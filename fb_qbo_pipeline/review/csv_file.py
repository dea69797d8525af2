"""The documents of a tie-out as a CSV file: for those who sort and filter elsewhere than in a workbook.

In UTF-8 with a byte order mark, without which Excel takes the umlauts for something else. A text that a spreadsheet would
read as a formula gets an apostrophe before it: FreshBooks' customers name themselves.
"""

import csv
import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

from fb_qbo_pipeline.errors import PipelineError
from fb_qbo_pipeline.review.sheets import DOCUMENTS, Link, Results, documents

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def write_csv(file: Path, results: Results) -> None:
    """Write `file`; `results` by company. Raises PipelineError where it cannot be written."""
    try:
        with file.open("w", encoding="utf-8-sig", newline="") as opened:
            writer = csv.writer(opened)
            writer.writerow([*DOCUMENTS, "link"])
            writer.writerows([*map(_cell, row), _address(row)] for row in documents(results))
    except OSError as error:
        raise PipelineError(f"cannot write {file}: {error.strerror}", "choose another file with --out") from error


def _cell(value: Any) -> str:
    if isinstance(value, Link):
        value = value.text
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, str):
        text = " ".join(value.split("\0"))
        return f"'{text}" if text.startswith(_FORMULAS) else text
    return "" if value is None else str(value)


def _address(row: Any) -> str:
    return next((value.address for value in row if isinstance(value, Link)), "")
