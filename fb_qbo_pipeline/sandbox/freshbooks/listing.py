"""A list request, from its query string to one page: paging, filters, includes, order.

FreshBooks pages by offset over live rows, counts from page 1, caps a page at 100 without a word, hides deleted rows but shows
archived ones, and leaves an invoice's lines out unless asked.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fb_qbo_pipeline.sandbox.freshbooks.filters import select
from fb_qbo_pipeline.sandbox.freshbooks.refusals import Refusal
from fb_qbo_pipeline.sandbox.freshbooks.resources import DELETED, Json, Resource

DEFAULT_PER_PAGE = 15
MAX_PER_PAGE = 100
INVALID_PER_PAGE, INVALID_PAGE = 1013, 1014

_SEARCH = re.compile(r"search\[([A-Za-z0-9_]+)\](\[\])?")
# The only sort keys that work; any other is ignored.
_SORTS: dict[str, dict[str, Callable[[Json], Any]]] = {
    "invoice": {"invoice_date": lambda record: record["create_date"]},
    "client": {
        "organization_name": lambda record: record["organization"].casefold(),
        "fullname": lambda record: f"{record['fname']} {record['lname']}".casefold(),
        "email": lambda record: record["email"].casefold(),
        "updated": lambda record: record["updated"],
    },
}


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What a list request asks for. `searches` maps (key, came as a list) to the values given."""

    page: int
    per_page: int
    searches: Mapping[tuple[str, bool], list[str]]
    includes: frozenset[str]
    sort: str | None


def parse_query(pairs: Iterable[tuple[str, str]]) -> ListQuery:
    """Read the decoded query string; raises Refusal for an impossible page or page size."""
    plain: dict[str, str] = {}
    searches: defaultdict[tuple[str, bool], list[str]] = defaultdict(list)
    includes: set[str] = set()
    for key, value in pairs:
        found = _SEARCH.fullmatch(key)
        if found:
            searches[found[1], found[2] is not None].append(value)
        elif key == "include[]":
            includes.add(value)
        else:
            plain[key] = value
    page = _whole_number(plain.get("page", "1"), INVALID_PAGE, "page", least=0)
    per_page = _whole_number(plain.get("per_page", str(DEFAULT_PER_PAGE)), INVALID_PER_PAGE, "per_page", least=1)
    return ListQuery(max(page, 1), min(per_page, MAX_PER_PAGE), searches, frozenset(includes), plain.get("sort"))


def selected(resource: Resource, records: list[Json], query: ListQuery, *, max_inclusive: bool = False) -> list[Json]:
    """The rows of all pages, in order. Raises Refusal as `filters.select`."""
    if resource.has_vis_state and ("vis_state", False) not in query.searches:
        records = [record for record in records if record["vis_state"] != DELETED]
    return _ordered(resource, select(resource.name, records, query.searches, max_inclusive=max_inclusive), query.sort)


def page_of(records: list[Json], query: ListQuery) -> tuple[list[Json], Json]:
    """The rows of one page of `selected` rows and the paging figures. Past the end: no rows, `page` as asked."""
    start = (query.page - 1) * query.per_page
    paging = {"page": query.page, "pages": -(-len(records) // query.per_page), "per_page": query.per_page, "total": len(records)}
    return records[start : start + query.per_page], paging


def trimmed(resource: Resource, record: Json, includes: frozenset[str]) -> Json:
    """The record as it is sent: lines only where `include[]=lines` asks for them, in lists and single records alike."""
    if resource.name == "invoice" and "lines" not in includes:
        return {key: value for key, value in record.items() if key != "lines"}
    return record


def _ordered(resource: Resource, records: list[Json], sort: str | None) -> list[Json]:
    records = sorted(records, key=resource.order)
    name, _, direction = (sort or "").rpartition("_")
    key = _SORTS.get(resource.name, {}).get(name)
    if key is None or direction not in {"asc", "desc"}:
        return records
    return sorted(records, key=key, reverse=direction == "desc")


def _whole_number(text: str, errno: int, field: str, least: int) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < least:
        raise Refusal(422, errno, f"Invalid {field} number." if field == "page" else f"Invalid {field} value.", field, None, text)
    return int(text)
