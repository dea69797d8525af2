"""The `search[…]` keys that FreshBooks knows for each resource, and what they compare.

A key that is not listed here is ignored without a word, as FreshBooks does: a typo yields the full list. A known key with a
value that cannot be read is refused. `_min` is inclusive, `_max` exclusive by the documentation (an SDK says otherwise: a switch).
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fb_qbo_pipeline.money import parse_decimal
from fb_qbo_pipeline.sandbox.freshbooks.refusals import Refusal
from fb_qbo_pipeline.sandbox.freshbooks.resources import Json
from fb_qbo_pipeline.sandbox.freshbooks.wire import amount_of

FILTER_ERROR_DATE, FILTER_ERROR_NUMBER, FILTER_ERROR_BOOLEAN = 1023, 1024, 1032
FILTER_ERROR_LIST, FILTER_ERROR_SCALAR = 1034, 1037

Column = Callable[[Json], Any]


def _number(text: str) -> int:
    return int(text)


def _decimal(text: str) -> Decimal:
    return parse_decimal(text)


def _boolean(text: str) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[text.lower()]


def _day(text: str) -> str:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise ValueError(text)
    return dt.date.fromisoformat(text).isoformat()


def _text(text: str) -> str:
    return text.casefold()


_READERS: dict[Callable[[str], Any], int] = {
    _number: FILTER_ERROR_NUMBER,
    _decimal: FILTER_ERROR_NUMBER,
    _boolean: FILTER_ERROR_BOOLEAN,
    _day: FILTER_ERROR_DATE,
    _text: FILTER_ERROR_SCALAR,
}


@dataclass(frozen=True, slots=True)
class Filter:
    """One key: the record's column, how the value is read, when it matches. `many`: the key takes a list, `search[key][]`."""

    column: Column
    read: Callable[[str], Any]
    matches: Callable[[Any, Any], bool]
    many: bool = False

    def values(self, key: str, texts: list[str]) -> list[Any]:
        """The wanted values; raises Refusal for one that cannot be read."""
        try:
            return [self.read(text) for text in texts]
        except (ValueError, KeyError):
            raise Refusal(422, _READERS[self.read], f"Invalid value for filter {key!r}.", key, "filter", ", ".join(texts)) from None


def _key(name: str) -> Column:
    return lambda record: record[name]


def _first_ten(name: str) -> Column:
    """The day of a date or of an Eastern date-time: filters on `updated` have day granularity."""
    return lambda record: (record[name] or "")[:10]


def _folded(name: str) -> Column:
    return lambda record: (record[name] or "").casefold()


def _amount(name: str) -> Column:
    return lambda record: amount_of(record[name])


def _equals(column: Column, read: Callable[[str], Any]) -> Filter:
    return Filter(column, read, lambda have, want: bool(have == want))


def _numbers(*names: str) -> dict[str, Filter]:
    return {name: _equals(_key(name), _number) for name in names}


def _texts(*names: str) -> dict[str, Filter]:
    return {name: _equals(_folded(name), _text) for name in names}


def _booleans(**columns: Column) -> dict[str, Filter]:
    return {name: _equals(column, _boolean) for name, column in columns.items()}


def _lists(**columns: str) -> dict[str, Filter]:
    return {name: Filter(_key(column), _number, lambda have, want: bool(have == want), many=True) for name, column in columns.items()}


def _like(**columns: str) -> dict[str, Filter]:
    return {name: Filter(_folded(column), _text, lambda have, want: want in have) for name, column in columns.items()}


def _between(name: str, column: Column, read: Callable[[str], Any]) -> dict[str, Filter]:
    return {
        f"{name}_min": Filter(column, read, lambda have, want: bool(have >= want)),
        f"{name}_max": Filter(column, read, lambda have, want: bool(have < want)),
    }


_UPDATED = _between("updated", _first_ten("updated"), _day)
_VISIBLE = _numbers("vis_state")

FILTERS: dict[str, dict[str, Filter]] = {
    "invoice": _VISIBLE
    | _UPDATED
    | _numbers("customerid", "invoiceid")
    | _texts("invoice_number", "v3_status")
    | _lists(customerids="customerid", invoiceids="invoiceid")
    | _booleans(
        paid=lambda record: record["payment_status"] in {"paid", "auto-paid"},
        outstanding=lambda record: amount_of(record["outstanding"]) > 0,
    )
    | _between("date", _first_ten("create_date"), _day),
    "payment": _VISIBLE
    | _UPDATED
    | _numbers("logid", "clientid", "invoiceid")
    | {"customerid": _equals(_key("clientid"), _number), "currency": _equals(lambda record: record["amount"]["code"].casefold(), _text)}
    | _texts("type")
    | _lists(logids="logid", clientids="clientid", customerids="clientid")
    | _booleans(from_credit=_key("from_credit"))
    | _between("date", _first_ten("date"), _day)
    | _between("amount", _amount("amount"), _decimal),
    "expense": _VISIBLE
    | _UPDATED
    | _numbers("expenseid", "clientid", "staffid", "profileid", "categoryid", "projectid")
    | _texts("vendor")
    | _lists(expenseids="expenseid", clientids="clientid", staffids="staffid", categoryids="categoryid")
    | _booleans(has_receipt=_key("has_receipt"))
    | _between("date", _first_ten("date"), _day)
    | _between("amount", _amount("amount"), _decimal),
    "category": _VISIBLE
    | _numbers("parentid")
    | _lists(categoryids="categoryid")
    | _like(name="category")
    | _booleans(is_editable=_key("is_editable")),
    "client": _VISIBLE
    | _UPDATED
    | _numbers("userid")
    | _texts("email", "username")
    | _lists(userids="userid")
    | _like(organization_like="organization", email_like="email", fname_like="fname", lname_like="lname", note_like="note"),
    "item": _VISIBLE | _UPDATED | _numbers("itemid") | _texts("sku") | _lists(itemids="itemid") | _like(description_like="description"),
    "tax": _UPDATED | _numbers("taxid") | _lists(taxids="taxid") | _like(name_like="name") | _booleans(compound=_key("compound")),
}


def select(
    resource: str, records: list[Json], searches: Mapping[tuple[str, bool], list[str]], *, max_inclusive: bool = False
) -> list[Json]:
    """The records that satisfy all known searches. A search is keyed by (key, whether it came as a list `[]`).

    Raises Refusal for a known key with an unreadable value, or with a list where one value is due and the reverse.
    """
    for (key, as_list), texts in searches.items():
        chosen = FILTERS[resource].get(key)
        if chosen is None:
            continue
        if as_list is not chosen.many:
            errno = FILTER_ERROR_LIST if chosen.many else FILTER_ERROR_SCALAR
            raise Refusal(422, errno, f"Filter {key!r} takes a {'list' if chosen.many else 'single value'}.", key, "filter", texts[0])
        wanted = chosen.values(key, texts if chosen.many else texts[-1:])
        equal_too = max_inclusive and key.endswith("_max")

        def keeps(record: Json, chosen: Filter = chosen, wanted: list[Any] = wanted, equal_too: bool = equal_too) -> bool:
            have = chosen.column(record)
            return any(chosen.matches(have, want) or (equal_too and have == want) for want in wanted)

        records = [record for record in records if keeps(record)]
    return records
