"""From an intended document to the request body: symbolic references become QuickBooks ids. No I/O."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from fb_qbo_pipeline.mapping.documents import Json

# Where references stand and how they begin: a customer's text that happens to begin with "@" is never taken for one.
_KEYS = frozenset({"value", "TxnId", "ExchangeRate"})
_BEGINNINGS = ("@customer/", "@vendor/", "@item/", "@invoice/", "@rate/")

LookUp = Callable[[str], str | Decimal | None]


class MissingReference(Exception):
    """A symbolic reference has no id yet; `reference` is its text after the "@"."""

    def __init__(self, reference: str) -> None:
        super().__init__(reference)
        self.reference = reference


def resolve(body: Json, look_up: LookUp) -> Json:
    """A copy of `body` in which every symbolic reference is what `look_up` knows for its text after the "@".

    Raises MissingReference where it knows nothing.
    """
    return {key: _resolve(key, value, look_up) for key, value in body.items()}


def _resolve(key: str, value: Any, look_up: LookUp) -> Any:
    if isinstance(value, dict):
        return resolve(value, look_up)
    if isinstance(value, list | tuple):
        return [_resolve(key, inner, look_up) for inner in value]
    if isinstance(value, str) and key in _KEYS and value.startswith(_BEGINNINGS):
        found = look_up(value[1:])
        if found is None:
            raise MissingReference(value[1:])
        return found
    return value
