"""JSON as QuickBooks is sent it: Decimals as plain numbers.

QuickBooks expects amounts as JSON numbers. A Decimal's own text may have an exponent (1E+2), which is valid JSON but not
what QuickBooks' documents show, and a float may stand a fraction of a cent away from what was meant: the first is written
out, the second refused. Keys keep their order, so that the same body gives the same bytes when a request is repeated.
The text is ASCII, because Intuit's documents disagree on the encoding (UTF-8, or ISO-8859-1 for US companies).
"""

from decimal import Decimal
from typing import Any

import simplejson

from fb_qbo_pipeline.http import Json

# As the one of `json_text`, it looks for neither named tuples nor circles; Decimals come to it as text that is written as it is.
_ENCODER = simplejson.JSONEncoder(use_decimal=False, separators=(",", ":"), namedtuple_as_object=False, check_circular=False)


def dumps(body: Json) -> str:
    """`body` as JSON text. Raises TypeError on a float, ValueError on a Decimal that is not finite."""
    return _ENCODER.encode(_plain(body))


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(member) for member in value]
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError("a number in a request to QuickBooks is not finite")
        return simplejson.RawJSON(format(value, "f"))
    if isinstance(value, float):
        raise TypeError("a float in a request to QuickBooks; money is Decimal")
    return value
