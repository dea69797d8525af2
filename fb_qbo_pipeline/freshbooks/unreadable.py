"""What can still be told of a record that cannot be read: enough to show it to a person, never enough to post it.

One unusable field (a discount that is no number, a status that is missing) makes the whole record unusable, because nothing
is guessed. Its id, and where they are readable its date, number and amount, say which document a person has to open.

A record without a usable id is shown, too. It stands under a number of our own, below zero (FreshBooks' are above), that
follows from its content: the same record has the same number in every reading, and one that was corrected is another record.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from fb_qbo_pipeline.freshbooks.fields import BadRecord, Fields
from fb_qbo_pipeline.freshbooks.parsing import read_status, read_vis_state
from fb_qbo_pipeline.freshbooks.records import Unreadable, VisState
from fb_qbo_pipeline.json_text import dump_json, fingerprint, load_json

_T = TypeVar("_T")


class _Keys(NamedTuple):
    """Where a resource's record says what it is; '' where it does not."""

    ids: tuple[str, str]
    date: str = ""
    number: str = ""
    party: str = ""


_KEYS = {
    "invoice": _Keys(("id", "invoiceid"), "create_date", "invoice_number", "organization"),
    "payment": _Keys(("id", "logid"), "date"),
    "expense": _Keys(("id", "expenseid"), "date", "", "vendor"),
    "client": _Keys(("id", "userid"), "", "", "organization"),
    "item": _Keys(("id", "itemid"), "", "name"),
    "category": _Keys(("id", "categoryid"), "", "category"),
    "tax": _Keys(("id", "taxid"), "", "name"),
}
_VOLATILE = frozenset({"updated"})  # says when, not what
_HALF = 2**62


def salvage(resource: str, payload: Any, bad: BadRecord) -> Unreadable:
    """What `payload`, refused with `bad`, still tells. Its `id` is below zero where it has none."""

    def readable(read: Callable[[Fields], _T]) -> _T | None:
        try:
            return read(Fields(resource, payload))
        except BadRecord:
            return None

    def text(key: str) -> str:
        return readable(lambda fields: fields.text(key)) or "" if key else ""

    keys = _KEYS[resource]
    ids = (readable(lambda fields, key=key: fields.id(key)) for key in keys.ids)  # type: ignore[misc]
    record_id = next((one for one in ids if one is not None), None)
    return Unreadable(
        resource=resource,
        id=record_id if record_id is not None else stand_in_id(payload),
        why=f"{bad.key} {bad.why}",
        date=readable(lambda fields: fields.optional_day(keys.date)) if keys.date else None,
        amount=readable(lambda fields: fields.decimal("amount")),
        currency=readable(lambda fields: fields.currency("amount", "currency_code")) or "",
        number=text(keys.number),
        party=text(keys.party),
        status=readable(read_status) or "" if resource == "invoice" else "",
        invoice_id=readable(lambda fields: fields.optional_integer("invoiceid")) if resource == "payment" else None,
        vis_state=readable(read_vis_state) or VisState.ACTIVE,
    )


def stand_in_id(payload: Any) -> int:
    """The number, below zero, of a record that has no usable one: it follows from all that the record holds but the time of change."""
    content = {key: value for key, value in payload.items() if key not in _VOLATILE} if isinstance(payload, dict) else payload
    return -1 - int(fingerprint(_canonical(load_json(dump_json(content)))), 16) % _HALF


def _canonical(value: Any) -> Any:
    """The same for 1E+2, 100 and 100.0: the database gives numbers back in another spelling."""
    if isinstance(value, dict):
        return {key: _canonical(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_canonical(inner) for inner in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else value.normalize()
    return value
