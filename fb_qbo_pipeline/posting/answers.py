"""Whether an answer to a write can be believed. No I/O.

A proxy, a cache or a fault of the service can answer with anything: a total in words, the neighbour's document, an id that
another one has. What is not the document that was sent, as QuickBooks writes documents, is no answer: the outcome is unknown
and looked up, and the ledger never holds what nobody can have meant.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from fb_qbo_pipeline.ledger.outbox import Entry
from fb_qbo_pipeline.mapping.documents import Json
from fb_qbo_pipeline.money import ZERO
from fb_qbo_pipeline.posting.verify import has_marker, money

_DIGITS = 15  # before the point; QuickBooks' own limit is 99,999,999,999.99
_DECIMALS = 30  # after the point; unit prices and rates have up to 16
_NUMBER = re.compile(r"[0-9]{1,20}")  # what the ids and tokens of transactions are
_TEXTS = ("DocNumber", "PrivateNote", "TxnDate", "DueDate", "status")
_OBJECTS = ("CurrencyRef", "CustomerRef", "VendorRef", "DepartmentRef", "ClassRef", "MetaData", "TxnTaxDetail")
_LONGEST = 5000  # characters; a memo has up to 4,000


def oddity(entity: Json) -> str:
    """Why a transaction cannot be one as QuickBooks writes them, in words without its content; empty where it can."""
    for name, value in (("Id", entity.get("Id")), ("SyncToken", entity.get("SyncToken", "0"))):
        if isinstance(value, bool) or not isinstance(value, str | int) or not _NUMBER.fullmatch(str(value)):
            return f"its {name} is none"
    for name in _TEXTS:
        value = entity.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, str | int) or len(str(value)) > _LONGEST):
            return f"its {name} is no text"
    for name in _OBJECTS:
        if not isinstance(entity.get(name), dict | None):
            return f"its {name} is no object"
    for path in (("TotalAmt",), ("TxnTaxDetail", "TotalTax")):
        try:
            amount = money(entity, *path)
        except ValueError:
            return f"its {path[-1]} is no amount"
        if not _reasonable(amount):
            return f"its {path[-1]} is beyond all bounds"
    lines = entity.get("Line")
    if lines is not None and not (isinstance(lines, list) and all(map(_is_line, lines))):
        return "its Line is no list of lines"
    return "" if _has_reasonable_numbers(entity) else "a number in it is beyond all bounds"


def _reasonable(number: Decimal) -> bool:
    return number.is_finite() and number.adjusted() < _DIGITS and int(number.as_tuple().exponent) >= -_DECIMALS


def _is_line(line: Any) -> bool:
    if not isinstance(line, dict):
        return False
    links = line.get("LinkedTxn")
    return links is None or (isinstance(links, list) and all(isinstance(link, dict) for link in links))


def _has_reasonable_numbers(value: Any) -> bool:
    """Whether every fraction can be written out: 1e999999999 has a billion digits."""
    if isinstance(value, dict):
        return all(map(_has_reasonable_numbers, value.values()))
    if isinstance(value, list):
        return all(map(_has_reasonable_numbers, value))
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        return not isinstance(value, float)
    return _reasonable(Decimal(value))


def disbelief(entry: Entry, body: Json, entity: Json) -> str:
    """Why the answer to a write cannot be about it, in words without its content; empty where it can.

    A shortened answer (without a total, as batches are known to give) is judged by what it has.
    """
    odd = oddity(entity)
    if odd:
        return odd
    if entry.operation == "delete":
        return "" if _is_same(body, entity) and str(entity.get("status")).casefold() == "deleted" else "it is not the deleted one"
    if entry.operation != "create" and not _is_same(body, entity):
        return "it is another transaction"
    if entry.operation == "void":
        return "" if money(entity, "TotalAmt") == ZERO else "it is not void"
    marker = marker_in(body)
    if marker and "PrivateNote" in entity and not has_marker(entity, marker):
        return "it is another document"
    return ""


def marker_in(body: Json) -> str:
    """The marker that a request writes into the memo; empty where it leaves the memo alone."""
    return str(body.get("PrivateNote") or "").split(" ", 1)[0]


def is_shortened(entry: Entry, entity: Json) -> bool:
    """Whether an answer has to be read in full before it can be compared: no total, or nothing that says whose it is."""
    if entry.operation not in ("create", "update"):
        return False
    return "TotalAmt" not in entity or (entry.operation == "create" and "PrivateNote" not in entity)


def _is_same(body: Json, entity: Json) -> bool:
    return str(entity.get("Id")) == str(body.get("Id"))


def shared_ids(answers: Iterable[tuple[Entry, Json]], owners: Mapping[tuple[str, str], tuple[str, int]]) -> set[int]:
    """The entries of creations whose answer gives an id that another document has, in the same answer or in the ledger.

    `owners`: the FreshBooks record by entity and QuickBooks id.
    """
    created = [(entry, (entry.entity, str(entity["Id"]))) for entry, entity in answers if entry.operation == "create"]
    times = Counter(key for _, key in created)
    return {
        entry.id
        for entry, key in created
        if times[key] > 1 or owners.get(key, (entry.source, entry.source_id)) != (entry.source, entry.source_id)
    }
