"""What FreshBooks calls an invoice's state: five overlapping fields, of which only `v3_status` follows payments and dates.

`status` is a number that lags (a partially paid invoice still says 2, sent); `display_status` is what was done to the
document; `overdue` in `v3_status` hides `partial`, and shows even on an invoice over 0.00.
"""

import datetime as dt
from decimal import Decimal

from fb_qbo_pipeline.sandbox.freshbooks.resources import Json

_CLEARED: Json = {
    "display_status": "sent",
    "status": 2,
    "dispute_status": None,
    "last_order_status": None,
    "autobill_status": None,
    "deposit_status": "none",
}
# What `add_invoice(status=…)` may say, as the fields that FreshBooks keeps for it. `paid`, `partial` and `overdue` are
# not among them: they follow from payments and the due date.
_OWN_FIELDS: dict[str, Json] = {
    "draft": {"display_status": "draft", "status": 1},
    "created": {"display_status": "created", "status": 1},
    "sent": {},
    "viewed": {"display_status": "viewed", "status": 3},
    "disputed": {"dispute_status": "disputed", "status": 0},
    "resolved": {"dispute_status": "resolved"},
    "pending": {"last_order_status": "pending"},
    "declined": {"last_order_status": "declined"},
    "success": {"last_order_status": "success"},
    "retry": {"autobill_status": "retry", "status": 6},
    "failed": {"autobill_status": "failed", "status": 7},
    "deposit_partial": {"deposit_status": "partial"},
    "deposit_paid": {"deposit_status": "paid"},
}
SETTABLE: dict[str, Json] = {name: {**_CLEARED, **fields} for name, fields in _OWN_FIELDS.items()}


def payment_status(amount: Decimal, paid: Decimal, *, auto_bill: bool) -> str:
    """unpaid, partial, paid or auto-paid. An invoice over 0.00 stays unpaid."""
    if amount > 0 and paid >= amount:
        return "auto-paid" if auto_bill else "paid"
    return "partial" if paid > 0 else "unpaid"


def v3_status(invoice: Json, today: dt.date) -> str:
    """The state that the user interface shows, on the business's day `today`."""
    if invoice["display_status"] in {"draft", "created"}:
        return str(invoice["display_status"])
    if invoice["dispute_status"]:
        return str(invoice["dispute_status"])
    if invoice["payment_status"] in {"paid", "auto-paid"}:
        return str(invoice["payment_status"]).replace("-", "")
    special = invoice["last_order_status"] or invoice["autobill_status"]
    if special:
        return str(special)
    if dt.date.fromisoformat(invoice["due_date"]) < today:
        return "overdue"
    if invoice["deposit_status"] != "none":
        return f"deposit_{invoice['deposit_status']}"
    return "partial" if invoice["payment_status"] == "partial" else str(invoice["display_status"])
