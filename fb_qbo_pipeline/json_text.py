"""JSON with exact numbers: Decimals out as plain numbers, numbers in as Decimal or int, never float."""

import hashlib
import math
import re
from decimal import Decimal
from typing import Any

import simplejson

# Made once. Looking into every value for a named tuple, and for a circle, takes longer than writing it: there are none.
_ENCODER = simplejson.JSONEncoder(
    use_decimal=True,
    ensure_ascii=False,
    sort_keys=True,
    separators=(",", ":"),
    namedtuple_as_object=False,
    check_circular=False,
    allow_nan=False,
)
_DECODER = simplejson.JSONDecoder(parse_float=Decimal)  # making one takes as long as reading a short value

# Postgres keeps a JSON number as NUMERIC and refuses what does not fit; whatever a service sends has to be kept all the same.
_MOST_DIGITS = 1000
_EXTREME = re.compile(r"E[+-][0-9]{4}|[0-9]{1000}")


def dump_json(value: Any) -> str:
    """JSON text with stable key order, so that equal values give equal text. A named tuple is a list, as any tuple.

    A number that no database keeps (not finite, or of more than a thousand digits) is written as a text.
    """
    try:
        text = _ENCODER.encode(value)
    except ValueError:
        return _ENCODER.encode(_keepable(value))
    return _ENCODER.encode(_keepable(value)) if _EXTREME.search(text) else text


def _keepable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _keepable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_keepable(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Decimal) and (not value.is_finite() or abs(value.adjusted()) >= _MOST_DIGITS or len(str(value)) >= _MOST_DIGITS):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() >= 3 * _MOST_DIGITS:
        return hex(value)
    return value


def load_json(value: str | bytes) -> Any:
    """The value of JSON text."""
    return _DECODER.decode(value if isinstance(value, str) else value.decode())


def fingerprint(value: Any) -> str:
    """A short, stable identity of a JSON value's content."""
    return hashlib.sha256(dump_json(value).encode()).hexdigest()[:32]
