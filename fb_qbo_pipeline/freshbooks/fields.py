"""Reads single fields of a FreshBooks payload: numbers that are strings, three ways to say "none", dates with a time part.

Whatever is unusable raises BadRecord, which names resource, id and key but never the value: that is customer data.
"""

import datetime as dt
import re
from decimal import Decimal
from typing import Any

from fb_qbo_pipeline.errors import PipelineError
from fb_qbo_pipeline.money import ZERO, parse_decimal

_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ T].*)?", re.DOTALL)
_CURRENCY = re.compile(r"[A-Z]{3}")
_LARGEST_ID = 2**63 - 1  # FreshBooks' ids, and the ledger's columns, are of 64 bits
_LARGEST_AMOUNT = Decimal(10) ** 12  # so that a quantity times a price times a rate keeps its cents: Decimal counts 28 digits
_LARGEST_PERCENT = 1000
_MOST_PLACES = 20
_NO_DAY = "0000-00-00"
_YES, _NO = {"true", "1", "yes"}, {"false", "0", "no", ""}


class BadRecord(PipelineError):
    """A record that cannot be used: `key` is missing or unreadable. `record_id` is '' where the id itself is."""

    def __init__(self, resource: str, record_id: str, key: str, why: str) -> None:
        name = f"{resource} {record_id}" if record_id else f"{resource} without an id"
        super().__init__(f"FreshBooks {name}: {key} {why}", "open the record in FreshBooks, correct it and save it; then run again")
        self.resource = resource
        self.record_id = record_id
        self.key = key
        self.why = why


class Fields:
    """The fields of one payload. `prefix` names the place of a nested one ("lines[2].") in errors.

    `key` arguments may be several: the first that is not blank counts (FreshBooks names some things twice).
    """

    def __init__(self, resource: str, payload: Any, record_id: str = "", prefix: str = "") -> None:
        self._resource = resource
        self._record_id = record_id
        self._prefix = prefix
        if not isinstance(payload, dict):
            raise self.bad("record", "is no JSON object")
        self._payload: dict[str, Any] = payload

    def bad(self, key: str, why: str) -> BadRecord:
        """The error for `key`."""
        return BadRecord(self._resource, self._record_id, self._prefix + key, why)

    def id(self, *keys: str) -> int:
        """The record's own id; errors raised later name it."""
        number = self.integer(*keys)
        self._record_id = str(number)
        return number

    def nested(self, key: str) -> list["Fields"]:
        """The rows of a list. A list that was not included at all is an error: it is not an empty one."""
        rows = self._payload.get(key)
        if not isinstance(rows, list):
            raise self.bad(key, "is missing")
        return [Fields(self._resource, row, self._record_id, f"{self._prefix}{key}[{index}].") for index, row in enumerate(rows, 1)]

    def raw(self, *keys: str) -> Any:
        """The first value that is not blank (null or ''), None if all are."""
        for key in keys:
            value = self._payload.get(key)
            if value is not None and (not isinstance(value, str) or value.strip()):
                return value
        return None

    def text(self, *keys: str) -> str:
        """Text without surrounding blanks; '' for none. A number counts as its digits; a list, an object or a boolean is no text."""
        value = self.raw(*keys)
        if value is None:
            return ""
        if not isinstance(value, str | int | Decimal) or isinstance(value, bool):
            raise self.bad(keys[0], "is no text")
        return str(value).strip()

    def decimal(self, *keys: str) -> Decimal | None:
        """A number, from a string, a number or FreshBooks' money object; None for none."""
        value = self.raw(*keys)
        if isinstance(value, dict):
            value = value.get("amount")
            if value is None or value == "":
                return None
        if value is None:
            return None
        try:
            number = parse_decimal(value)
        except ValueError:
            raise self.bad(keys[0], "is not a number") from None
        exponent = number.as_tuple().exponent
        if abs(number) >= _LARGEST_AMOUNT or (isinstance(exponent, int) and exponent < -_MOST_PLACES):
            raise self.bad(keys[0], "is larger, or has more decimals, than any amount")
        return number

    def amount(self, *keys: str) -> Decimal:
        """A number that has to be there."""
        value = self.decimal(*keys)
        if value is None:
            raise self.bad(keys[0], "is missing")
        return value

    def amount_or_zero(self, *keys: str) -> Decimal:
        """A number; zero for none."""
        return self.decimal(*keys) or ZERO

    def percent(self, *keys: str) -> Decimal:
        """A percentage that something is computed with; zero for none."""
        value = self.amount_or_zero(*keys)
        if abs(value) >= _LARGEST_PERCENT:
            raise self.bad(keys[0], "is no percentage")
        return value

    def currency(self, money_key: str, *code_keys: str) -> str:
        """The currency of a document: its own key, otherwise the code within its money. Upper case."""
        money = self._payload.get(money_key)
        code = self.text(*code_keys) or ((money.get("code") if isinstance(money, dict) else None) or "")
        if not isinstance(code, str) or not code.strip():
            raise self.bad("currency", "is missing")
        if not _CURRENCY.fullmatch(code.strip().upper()):
            raise self.bad("currency", "is no code of three letters")
        return code.strip().upper()

    def integer(self, *keys: str) -> int:
        """An id that has to be there."""
        value = self.optional_integer(*keys)
        if value is None:
            raise self.bad(keys[0], "is missing")
        return value

    def optional_integer(self, *keys: str) -> int | None:
        """An id, or a whole number above 0; None for null, '' and 0 alike."""
        for key in keys:
            value = self.raw(key)
            if value is None:
                continue
            try:
                number = parse_decimal(value)
            except ValueError:
                raise self.bad(key, "is not a whole number") from None
            if not 0 <= number <= _LARGEST_ID or number != number.to_integral_value():
                raise self.bad(key, "is not a whole number of at most 64 bits")
            if number:
                return int(number)
        return None

    def day(self, *keys: str) -> dt.date:
        """A date that has to be there; a time part is dropped."""
        value = self.optional_day(*keys)
        if value is None:
            raise self.bad(keys[0], "is missing")
        return value

    def optional_day(self, *keys: str) -> dt.date | None:
        """A date; None for null, '' and the zero date."""
        text = self.text(*keys)
        if not text or text.startswith(_NO_DAY):
            return None
        match = _DAY.fullmatch(text)
        try:
            if match:
                return dt.date.fromisoformat(match[1])
        except ValueError:
            pass
        raise self.bad(keys[0], "is not a date")

    def flag(self, *keys: str) -> bool:
        """A boolean, also as 1 or "true"; false for none."""
        value = self.raw(*keys)
        text = str(value if value is not None else "").strip().lower()
        if text not in _YES | _NO:
            raise self.bad(keys[0], "is neither true nor false")
        return text in _YES
