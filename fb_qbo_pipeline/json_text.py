"""JSON with exact numbers: Decimals out as plain numbers, numbers in as Decimal or int, never float."""

import hashlib
from decimal import Decimal
from typing import Any

import simplejson

# Made once. Looking into every value for a named tuple, and for a circle, takes longer than writing it: there are none.
_ENCODER = simplejson.JSONEncoder(
    use_decimal=True, ensure_ascii=False, sort_keys=True, separators=(",", ":"), namedtuple_as_object=False, check_circular=False
)
_DECODER = simplejson.JSONDecoder(parse_float=Decimal)  # making one takes as long as reading a short value


def dump_json(value: Any) -> str:
    """JSON text with stable key order, so that equal values give equal text. A named tuple is a list, as any tuple."""
    return _ENCODER.encode(value)


def load_json(value: str | bytes) -> Any:
    """The value of JSON text."""
    return _DECODER.decode(value if isinstance(value, str) else value.decode())


def fingerprint(value: Any) -> str:
    """A short, stable identity of a JSON value's content."""
    return hashlib.sha256(dump_json(value).encode()).hexdigest()[:32]
