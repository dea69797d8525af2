"""What can still be told of a record that cannot be read: enough to show it to a person, never enough to post it.

One unusable field (a discount that is no number, a status that is missing) makes the whole record unusable, because nothing
is guessed. Its id, and where they are readable its date, number and amount, say which document a person has to open.
"""

from collections.abc import Callable
from typing import TypeVar

from fb_qbo_pipeline.freshbooks.fields import BadRecord, Fields
from fb_qbo_pipeline.freshbooks.parsing import read_status, read_vis_state
from fb_qbo_pipeline.freshbooks.records import Unreadable, VisState
from fb_qbo_pipeline.http import Json

_T = TypeVar("_T")

_IDS = {"invoice": ("id", "invoiceid"), "payment": ("id", "logid"), "expense": ("id", "expenseid")}
_DATES = {"invoice": "create_date", "payment": "date", "expense": "date"}
_NAMES = {"invoice": "organization", "expense": "vendor"}


def salvage(resource: str, payload: Json, bad: BadRecord) -> Unreadable | None:
    """What `payload`, refused with `bad`, still tells; None where it has no id, so that nothing could be noted about it."""

    def readable(read: Callable[[Fields], _T]) -> _T | None:
        try:
            return read(Fields(resource, payload))
        except BadRecord:
            return None

    record_id = readable(lambda fields: fields.id(*_IDS[resource]))
    if record_id is None:
        return None
    party = _NAMES.get(resource)
    return Unreadable(
        resource=resource,
        id=record_id,
        why=f"{bad.key} {bad.why}",
        date=readable(lambda fields: fields.optional_day(_DATES[resource])),
        amount=readable(lambda fields: fields.decimal("amount")),
        currency=readable(lambda fields: fields.currency("amount", "currency_code")) or "",
        number=readable(lambda fields: fields.text("invoice_number")) or "",
        party=readable(lambda fields: fields.text(party)) or "" if party is not None else "",
        status=readable(read_status) or "" if resource == "invoice" else "",
        invoice_id=readable(lambda fields: fields.optional_integer("invoiceid")) if resource == "payment" else None,
        vis_state=readable(read_vis_state) or VisState.ACTIVE,
    )
