"""Whether what came back from QuickBooks is what was intended. No I/O.

A total is computed by QuickBooks, whatever was sent: so every answer is compared, always, and a difference is repaired or
undone, never left in the books unseen.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fb_qbo_pipeline.json_text import fingerprint
from fb_qbo_pipeline.mapping.documents import Document, Entity, Json
from fb_qbo_pipeline.money import ZERO, parse_decimal

_CONTENT = ("TxnDate", "DueDate", "DocNumber", "PrivateNote", "CustomerMemo", "TotalAmt", "GlobalTaxCalculation", "DepositToAccountRef")
_REFS = ("CustomerRef", "VendorRef", "CurrencyRef", "DepartmentRef", "ClassRef")
_CLEARED = ("DepartmentRef", "ClassRef", "CustomerMemo")  # by a full update without them; QuickBooks fills in none of these itself
_NOT_CONTENT = frozenset({"Id", "LineNum", "LinkedTxn", "LineEx", "name"})


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of the answer that is not as intended."""

    field: str
    intended: str
    found: str


def money(entity: Json, *path: str) -> Decimal:
    """An amount of an answer; zero where it is absent, as QuickBooks leaves empty attributes out."""
    value: Any = entity
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return ZERO if value is None else parse_decimal(value)


def differences(document: Document, entity: Json, *, repaired: bool = False) -> list[Difference]:
    """What differs between the intent and the answer: total, tax, currency and number.

    `repaired`: the rounding product carries what QuickBooks' tax is off, so the tax is not compared.
    """
    found: list[Difference] = []

    def compare(field: str, intended: object, actual: object) -> None:
        if intended != actual:
            found.append(Difference(field, str(intended), str(actual)))

    compare("total", document.total, money(entity, "TotalAmt"))
    if document.entity is not Entity.PAYMENT:
        if not repaired:
            compare("tax", document.tax, money(entity, "TxnTaxDetail", "TotalTax"))
        if document.number is not None:
            compare("number", document.number, entity.get("DocNumber"))
    currency = (entity.get("CurrencyRef") or {}).get("value")  # an object, or absent (`answers.oddity`)
    if currency is not None:
        compare("currency", document.currency, currency)
    return found


def content(entity: Json) -> str:
    """Identity of what a person could change in a transaction: the same as long as nobody edited it.

    Leaves out what QuickBooks changes by itself: tokens, times, balances, links of payments, names beside ids.
    """
    kept: Json = {name: entity[name] for name in _CONTENT if name in entity}
    kept |= {name: (entity[name] or {}).get("value") for name in _REFS if isinstance(entity.get(name), dict)}
    kept["tax"] = money(entity, "TxnTaxDetail", "TotalTax")
    kept["lines"] = [_plain(line) for line in entity.get("Line") or [] if line.get("DetailType") != "SubTotalLineDetail"]
    if "UnappliedAmt" in entity:  # the lines of a payment are its links, which QuickBooks changes when an invoice is voided
        del kept["lines"]
    return fingerprint(_numbers(kept))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items() if key not in _NOT_CONTENT}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value


def _numbers(value: Any) -> Any:
    """Numbers in one spelling: 100, 100.0 and 100.00 are the same content."""
    if isinstance(value, dict):
        return {key: _numbers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_numbers(inner) for inner in value]
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return format(Decimal(value).normalize(), "f")
    return value


def has_marker(entity: Json, marker: str) -> bool:
    """Whether a transaction's memo holds exactly this marker (`fb:A/invoice/12` is not in `fb:A/invoice/123`)."""
    return re.search(rf"(?<!\S){re.escape(marker)}(?![\w/])", str(entity.get("PrivateNote") or "")) is not None


MARKER = re.compile(r"(?<!\S)fb:(?P<account>[^/\s]+)/(?P<source>invoice|payment|expense)/(?P<id>\d+)(?![\w/])")


def is_void(entity: Json) -> bool:
    """Whether a transaction was voided: QuickBooks keeps it with zero amounts and says so in the memo."""
    return money(entity, "TotalAmt") == ZERO and "voided" in str(entity.get("PrivateNote") or "").casefold()


def stands(body: Json, entity: Json, *, repaired: bool = False) -> bool:
    """Whether a transaction already is what a request body asks for: everything asked for is found in it.

    Tells, after a lost answer, whether a change was carried out. QuickBooks adds keys and a subtotal line of its own.
    What a full update leaves out has to be gone. `repaired`: as in `differences`.
    """
    if body.get("sparse") is False and any(name in entity and name not in body for name in _CLEARED):
        return False
    asked = {key: value for key, value in body.items() if key not in ("Id", "SyncToken", "sparse", "TxnTaxDetail", "ExchangeRate")}
    if (
        not repaired
        and "TxnTaxDetail" in body
        and "TotalTax" in body["TxnTaxDetail"]
        and money(body, "TxnTaxDetail", "TotalTax") != money(entity, "TxnTaxDetail", "TotalTax")
    ):
        return False
    return _within(_numbers(asked), _numbers(entity))


def _within(asked: Any, found: Any) -> bool:
    if isinstance(asked, dict):
        return isinstance(found, dict) and all(_within(value, found.get(key)) for key, value in asked.items())
    if isinstance(asked, list):
        if not isinstance(found, list):
            return not asked and found is None
        lines = [line for line in found if not (isinstance(line, dict) and line.get("DetailType") == "SubTotalLineDetail")]
        return len(asked) == len(lines) and all(map(_within, asked, lines))
    if isinstance(asked, str) and isinstance(found, str):
        return asked.strip() == found.strip()
    return bool(asked == found)
