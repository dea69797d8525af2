"""How an invoice changes: pure functions from an invoice on the wire to the next one.

Kept apart from the account, so that the rules (snapshot of the client, due date from an offset, totals, what payments do)
read without locks and ids in between.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from fb_qbo_pipeline.money import parse_decimal, total
from fb_qbo_pipeline.sandbox.freshbooks import payloads, states
from fb_qbo_pipeline.sandbox.freshbooks.payloads import Line
from fb_qbo_pipeline.sandbox.freshbooks.resources import DELETED, Json
from fb_qbo_pipeline.sandbox.freshbooks.totals import Rounding, add_up
from fb_qbo_pipeline.sandbox.freshbooks.wire import amount_of, changed, money, plain, version_stamp

# Invoice key → the client's key that it copies at issue.
_SNAPSHOT = {key: key for key in ("organization", "fname", "lname", "vat_name", "vat_number")} | {
    part: f"p_{part}" for part in ("street", "street2", "city", "province", "code", "country")
}
_PAID_NUMBERS = {"paid": 4, "auto-paid": 5}


def edited(record: Json, changes: Json, clients: Mapping[int, Json], taxes: Iterable[Json], now: dt.datetime) -> Json:
    """The invoice with `changes`, in the words of `FreshBooks.add_invoice`; totals are not yet settled.

    Lines are replaced as a whole. Raises KeyError for an unknown client, ValueError for an unknown field, status or tax.
    """
    rest = dict(changes)
    result = dict(record)
    if "client_id" in rest:
        client = clients[rest.pop("client_id")]
        result |= {"customerid": client["id"], **{key: client[source] for key, source in _SNAPSHOT.items()}}
    if "status" in rest:
        result |= _state_fields(rest.pop("status"))
    if "discount_value" in rest:
        result["discount_value"] = plain(rest.pop("discount_value"))
    if "number" in rest:
        result["invoice_number"] = rest.pop("number")
    if "lines" in rest:
        result["lines"] = _wire_lines(rest.pop("lines"), list(taxes), result, now)
        result["description"] = result["lines"][0]["description"] if result["lines"] else ""
    date = dt.date.fromisoformat(str(rest.pop("date", record["create_date"])))
    offset = int(rest.pop("due_offset_days", record["due_offset_days"]))
    result |= {"create_date": f"{date}", "due_offset_days": offset, "due_date": f"{date + dt.timedelta(days=offset)}"}
    result["fulfillment_date"] = None if result["display_status"] in {"draft", "created"} else f"{date}"
    return {**changed(result, rest), **version_stamp(now)}


def settled(record: Json, payments: Iterable[Json], rounding: Rounding) -> Json:
    """The invoice with totals from its lines, and paid, outstanding and payment states from its payments.

    `outstanding` is amount − paid; it is negative where an invoice was made smaller than what had been paid.
    """
    code = record["currency_code"]
    sums = add_up([payloads.priced_line(line) for line in record["lines"]], parse_decimal(record["discount_value"]), rounding)
    counted = [payment for payment in payments if payment["vis_state"] != DELETED]
    paid = total(amount_of(payment["amount"]) for payment in counted)
    state = states.payment_status(sums.amount, paid, auto_bill=record["auto_bill"])
    return {
        **record,
        "amount": money(sums.amount, code),
        "discount_total": money(sums.discount, code),
        "paid": money(paid, code),
        "outstanding": money(sums.amount - paid, code),
        "net_paid_amount": money(paid, code),
        "payment_status": state,
        "status": _PAID_NUMBERS.get(state) or _number_when_open(record),
        "date_paid": max((payment["date"] for payment in counted), default=None),
    }


def _number_when_open(record: Json) -> int:
    """What was paid once and is open again goes back to what was last done to the document."""
    if record["status"] in _PAID_NUMBERS.values():
        return 3 if record["display_status"] == "viewed" else 2
    return int(record["status"])


def _state_fields(name: str) -> Json:
    if name not in states.SETTABLE:
        raise ValueError(f"status {name!r} cannot be set; paid, partial and overdue follow from payments and the due date")
    return states.SETTABLE[name]


def _wire_lines(lines: Sequence[Line], taxes: Sequence[Json], invoice: Json, now: dt.datetime) -> list[Json]:
    return [
        payloads.invoice_line(line, _line_taxes(line, taxes), number, invoice["id"], invoice["currency_code"], now)
        for number, line in enumerate(lines, start=1)
    ]


def _line_taxes(line: Line, known: Sequence[Json]) -> list[tuple[str, Decimal]]:
    if len(line.taxes) > 2:
        raise ValueError("a line has at most two taxes")
    taxes: list[tuple[str, Decimal]] = []
    for tax in line.taxes:
        if isinstance(tax, str):
            found = [record["amount"] for record in known if record["name"] == tax]
            if len(found) != 1:
                raise ValueError(f"the account has {len(found)} taxes named {tax!r}: give the line (name, percent)")
            taxes.append((tax, parse_decimal(found[0])))
        else:
            taxes.append((tax[0], parse_decimal(tax[1])))
    return taxes
