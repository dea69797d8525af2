"""Checks of JSON values, and the combinators that make entity schemas out of them.

QuickBooks knows every key of every object and refuses the rest (2010), counts characters (2050), and wants real numbers,
booleans and ISO dates. A check takes a value and the path of its key, returns the cleaned value or raises a Refusal;
`None` as a result means "as if it had not been sent", which is how read-only properties and empty references behave.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from fb_qbo_pipeline.sandbox.quickbooks.refusals import Json, Refusal

Check = Callable[[Any, str], Any]

_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(Z|[+-]\d{2}:\d{2})?$")
_EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+$")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_MAX_AMOUNT = Decimal("9999999999")  # ten integer digits ("10.5 format")


def _wrong_type(where: str, wanted: str) -> Refusal:
    return Refusal("2120", f"Invalid Type : {where} has to be {wanted}", where)


def ignored(_value: Any, _where: str) -> None:
    """A read-only property: accepted, never used."""


def text(longest: int, *, name: bool = False) -> Check:
    """A string of at most `longest` characters; a name may hold no colon, tab or newline either."""

    def check(value: Any, where: str) -> str:
        if not isinstance(value, str):
            raise _wrong_type(where, "a string")
        if len(value) > longest:
            limits = f"Min:0 Max:{longest} supplied length:{len(value)}"
            raise Refusal("2050", f"String length is either shorter or longer than supported by specification. {limits}", where)
        if _CONTROL.search(value) or (name and any(mark in value for mark in ":\t\n\r")):
            raise Refusal("2040", f"Invalid String : {where} holds characters that are not allowed", where)
        return value.strip() if name else value

    return check


def flag(value: Any, where: str) -> bool:
    """A JSON boolean."""
    if not isinstance(value, bool):
        raise _wrong_type(where, "true or false")
    return value


def whole(value: Any, where: str) -> int:
    """A JSON integer."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refusal("2080", f"Invalid Number : {where} has to be a whole number", where)
    return value


def number(value: Any, where: str) -> Decimal:
    """A JSON number of any precision, as a Decimal. Strings are refused."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise Refusal("2100", f"Invalid Decimal Format : {where} has to be a number", where)
    exact = Decimal(value)
    if not exact.is_finite():
        raise Refusal("2100", f"Invalid Decimal Format : {where} has to be a number", where)
    return exact


def amount(value: Any, where: str) -> Decimal:
    """An amount of money: at most two decimals and ten integer digits. Scaled to two decimals."""
    exact = number(value, where)
    if abs(exact) > _MAX_AMOUNT:
        raise Refusal("2140", f"Invalid Amount : {where} is out of range", where)
    scaled = exact.quantize(Decimal("0.01"))
    if scaled != exact:
        raise Refusal("2110", f"Invalid Decimal : {where} has more precision than allowed", where)
    return scaled


def date(value: Any, where: str) -> str:
    """An ISO date, with or without an offset; returned without it."""
    found = _DATE.match(value) if isinstance(value, str) else None
    try:
        return dt.date.fromisoformat(found.group(1)).isoformat() if found else _bad_date(where)
    except ValueError:
        return _bad_date(where)


def _bad_date(where: str) -> str:
    raise Refusal("2060", f"Invalid Date Format : {where} has to be YYYY-MM-DD", where)


def one_of(*values: str) -> Check:
    """A member of an enumeration, spelt exactly."""
    allowed = frozenset(values)

    def check(value: Any, where: str) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise Refusal("2170", f"Invalid Enumeration : {value}", where)
        return value

    return check


def record(kind: str, keys: Mapping[str, Check], *, empty_is_absent: bool = False) -> Check:
    """An object with these keys and no others. `kind` is the class that QuickBooks names in its complaint."""

    def check(value: Any, where: str) -> Json | None:
        if not isinstance(value, dict):
            raise _wrong_type(where, "an object")
        cleaned: Json = {}
        for key, item in value.items():
            rule = keys.get(key)
            if rule is None:
                raise unknown_property(key, kind)
            if item is not None and (result := rule(item, key)) is not None:
                cleaned[key] = result
        return cleaned if cleaned or not empty_is_absent else None

    return check


def unknown_property(key: str, kind: str) -> Refusal:
    """2010: a key that the class does not have; keys are case-sensitive."""
    field = f'Unrecognized field "{key}" (class com.intuit.schema.finance.v3.{kind}), not marked as ignorable'
    return Refusal("2010", f"Property Name:{field} specified is unsupported or invalid", key)


def listed(check_member: Check) -> Check:
    """An array whose members all pass `check_member`."""

    def check(value: Any, where: str) -> list[Any]:
        if not isinstance(value, list):
            raise _wrong_type(where, "an array")
        return [check_member(member, where) for member in value]

    return check


def reference(*, numeric: bool = True, also: frozenset[str] = frozenset()) -> Check:
    """`{"value": id, "name": …}`: ids are strings of digits (2030 otherwise); names are not looked at.

    A reference without a value counts as absent.
    """

    def check(value: Any, where: str) -> Json | None:
        if not isinstance(value, dict):
            raise _wrong_type(where, "a reference")
        for key in value:
            if key not in ("value", "name", "type"):
                raise unknown_property(key, "ReferenceType")
        target = value.get("value")
        if target is None or target == "":
            return None
        if not isinstance(target, str):
            raise _wrong_type(where, "a reference whose value is a string")
        if numeric and not target.isdigit() and target not in also:
            raise Refusal("2030", f"Invalid ID : Ids need to be a valid number. Supplied value:{target}", where)
        return {key: value[key] for key in ("value", "type") if value.get(key) is not None}

    return check


def email(longest: int = 100) -> Check:
    """`{"Address": …}`, one address or several with commas."""
    length = text(longest)

    def address(value: Any, where: str) -> str | None:
        checked: str = length(value, where).strip()
        if checked and not all(_EMAIL.match(part.strip()) for part in checked.split(",")):
            raise Refusal("2210", f"Invalid Email Address : {where} is not a valid e-mail address", where)
        return checked or None

    return record("EmailAddress", {"Address": address, "Id": ignored, "Default": ignored, "Tag": ignored}, empty_is_absent=True)
