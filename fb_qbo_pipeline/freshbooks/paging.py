"""Reads a list page by page although it changes meanwhile and its counts cannot be trusted.

FreshBooks pages by offset, without a cursor or a snapshot: an insertion moves rows to a later page (seen twice), a deletion to an
earlier one (never seen). `total` and `pages` may count records that the login may not see, and `per_page` is capped silently.
Pages go by as they come; of rows already given, only the ids stay in memory.
"""

import logging
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from fb_qbo_pipeline.errors import RemoteRefusal
from fb_qbo_pipeline.http import Json

_log = logging.getLogger(__name__)

PASSES = 3
MOST_PAGES = 100_000  # of one list: ten million rows; a server that never comes to an end is not waited for
_ANOTHER = "see whether FRESHBOOKS_API_URL, a proxy or a firewall answers instead of FreshBooks"


@dataclass(frozen=True, slots=True)
class Page:
    """One page as answered; the counts are None where the answer has none."""

    rows: list[Json]
    per_page: int | None
    pages: int | None
    total: int | None


def all_rows(fetch: Callable[[int], Page], row_id: Callable[[Json], str | None], label: str = "rows") -> Iterator[Json]:
    """Every row once, in the order of arrival. `fetch` takes a page number from 1 on; rows without an id are all given.

    Where the list shifted while it was read (its total changed, or a row came twice), it is read again and what was missing
    is added, up to `PASSES` times. Raises RemoteRefusal where the server ignores the page number, or never comes to an end.
    """
    given: set[str] = set()
    for _ in range(PASSES):
        shifted = yield from _one_pass(fetch, row_id, given, label)
        if not shifted:
            return
    _log.warning("FreshBooks: the list of %s kept changing during %d readings; what was missed comes with the next sync", label, PASSES)


def _one_pass(
    fetch: Callable[[int], Page], row_id: Callable[[Json], str | None], given: set[str], label: str
) -> Generator[Json, None, bool]:
    """One reading from the first page to the last; returns whether the list shifted under it."""
    received: set[str] = set()
    totals: set[int | None] = set()
    shifted = False
    count = longest = 0
    for number in range(1, MOST_PAGES + 1):
        page = fetch(number)
        totals.add(page.total)
        count += len(page.rows)
        new = 0
        for row in page.rows:
            key = row_id(row)
            if key is not None and key in received:
                shifted = True
                continue
            new += 1
            if key is not None:
                received.add(key)
                if key in given:
                    continue
                given.add(key)
            yield row
        last = _is_last(page, number, count)
        longest = max(longest, len(page.rows))
        if page.rows and new == 0 and not last and len(page.rows) == longest:  # a shorter one has moved here and is the last
            raise RemoteRefusal(f"FreshBooks repeats its {label} instead of giving page {number}", _ANOTHER)
        if new == 0 or last:
            return shifted or len(totals) > 1
    raise RemoteRefusal(f"FreshBooks gives more than {MOST_PAGES:,} pages of {label}", _ANOTHER)


def _is_last(page: Page, number: int, count: int) -> bool:
    """Whether no page follows: a short page, or a full one where all counts agree that it is the last."""
    if page.pages is not None and number < page.pages:
        return False
    if page.per_page is not None and len(page.rows) < page.per_page:
        return True
    return page.pages is not None and page.total is not None and count >= page.total
