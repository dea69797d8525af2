"""New records in FreshBooks' wire shape, before anything happened to them.

Numbers are strings, ids come twice, and "none" is null, '' or 0 by field (and, for a line's tax names, by chance):
the shapes are FreshBooks', so that a reader meets here what it will meet there.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fb_qbo_pipeline.money import parse_decimal
from fb_qbo_pipeline.sandbox.freshbooks.clock import eastern_text, utc_text
from fb_qbo_pipeline.sandbox.freshbooks.resources import ACTIVE, Json
from fb_qbo_pipeline.sandbox.freshbooks.totals import PricedLine
from fb_qbo_pipeline.sandbox.freshbooks.wire import Number, amount_of, money, plain, stamp, version_stamp

ExpenseTax = tuple[str, Number, Number | None]  # name, the part of the amount that is tax, percent (None: not given)


@dataclass(frozen=True, slots=True)
class Line:
    """An invoice line as a user enters it.

    `taxes` holds at most two: a tax's name where the account has one tax of that name, or (name, percent).
    `expense_id` rebills an expense.
    """

    name: str
    quantity: Number = 1
    unit_cost: Number = 0
    taxes: Sequence[str | tuple[str, Number]] = ()
    description: str = ""
    compounded: bool = False
    expense_id: int = 0


def client(ids: Json, account_id: str, currency: str, instant: dt.datetime) -> Json:
    """A client without a name."""
    texts = dict.fromkeys(("organization", "fname", "lname", "email", "username", "bus_phone", "mob_phone", "fax"), "")
    addresses = {f"{kind}_{part}": "" for kind in "ps" for part in ("street", "street2", "city", "province", "code", "country")}
    unset = ("home_phone", "note", "vat_name", "company_industry", "company_size", "has_retainer", "retainer_id", "last_activity")
    tokens = ("last_login", "direct_link_token", "statement_token", "subdomain")
    return {
        **ids,
        "accounting_systemid": account_id,
        **texts,
        **addresses,
        **dict.fromkeys((*unset, *tokens)),
        "vat_number": "",
        "currency_code": currency,
        "language": "en",
        "allow_late_fees": True,
        "allow_late_notifications": True,
        "allow_email_include_pdf": False,
        "pref_email": True,
        "pref_gmail": False,
        "notified": False,
        "num_logins": 0,
        "level": 0,
        "role": "client",
        "signup_date": utc_text(instant),
        "vis_state": ACTIVE,
        **stamp(instant),
    }


def item(ids: Json, account_id: str, name: str, unit_cost: Json, instant: dt.datetime) -> Json:
    """An item without SKU, stock and taxes."""
    return {
        **ids,
        "accounting_systemid": account_id,
        "name": name,
        "description": "",
        "qty": "1",
        "inventory": None,
        "sku": None,
        "unit_cost": unit_cost,
        "tax1": 0,
        "tax2": 0,
        "vis_state": ACTIVE,
        **stamp(instant),
    }


def tax(ids: Json, account_id: str, name: str, percent: Number, instant: dt.datetime) -> Json:
    """A tax; it has no vis_state, because deleting one removes it."""
    return {
        **ids,
        "accounting_systemid": account_id,
        "name": name,
        "amount": plain(percent),
        "number": None,
        "compound": False,
        **stamp(instant),
    }


def category(ids: Json, name: str, parent_id: int | None, instant: dt.datetime) -> Json:
    """An expense category. It has `updated_at` and no filter on it."""
    return {
        **ids,
        "category": name,
        "parentid": parent_id,
        "is_editable": False,
        "is_cogs": False,
        "transaction_posted": True,
        "created_at": eastern_text(instant),
        "updated_at": eastern_text(instant),
        "vis_state": ACTIVE,
    }


def payment(ids: Json, account_id: str, amount: Json, date: str, method: str, instant: dt.datetime) -> Json:
    """A payment that belongs to nothing yet."""
    return {
        **ids,
        "accounting_systemid": account_id,
        "amount": amount,
        "clientid": None,
        "invoiceid": None,
        "creditid": None,
        "overpaymentid": None,
        "bulk_paymentid": None,
        "from_credit": False,
        "type": method,
        "gateway": None,
        "orderid": None,
        "transactionid": None,
        "date": date,
        "note": "",
        "send_client_notification": None,
        "vis_state": ACTIVE,
        **stamp(instant),
    }


def expense(ids: Json, account_id: str, amount: Json, date: str, category_id: int, instant: dt.datetime) -> Json:
    """An expense without vendor and taxes; its amount includes whatever tax it has."""
    nothing = dict.fromkeys(("accountid", "background_jobid", "converse_projectid", "modern_projectid", "ext_accountid"))
    flags = ("billable", "from_bulk_import", "has_receipt", "include_receipt", "is_cogs", "isduplicate", "potential_bill_payment")
    return {
        **ids,
        "accounting_systemid": account_id,
        "amount": amount,
        "date": date,
        "categoryid": category_id,
        "vendor": None,
        "notes": "",
        "clientid": 0,
        "invoiceid": None,
        "staffid": 1,
        "projectid": 0,
        "profileid": None,
        "transactionid": None,
        "account_name": "",
        "bank_name": "",
        "bill_matches": [],
        "compounded_tax": False,
        "ext_invoiceid": 0,
        "ext_systemid": 0,
        "markup_percent": "0",
        "status": 0,
        **nothing,
        **expense_taxes((), amount["code"]),
        **dict.fromkeys(flags, False),
        "vis_state": ACTIVE,
        **version_stamp(instant),
    }


def expense_taxes(taxes: Sequence[ExpenseTax], currency: str) -> Json:
    """The six fields of an expense's taxes, null where there is none. Raises ValueError above two."""
    if len(taxes) > 2:
        raise ValueError("an expense has at most two taxes")
    fields: Json = dict.fromkeys(f"{key}{number}" for key in ("taxName", "taxAmount", "taxPercent") for number in (1, 2))
    for number, (name, amount, percent) in enumerate(taxes, start=1):
        fields[f"taxName{number}"] = name
        fields[f"taxAmount{number}"] = money(amount, currency)
        fields[f"taxPercent{number}"] = None if percent is None else plain(percent)
    return fields


def invoice(ids: Json, account_id: str, currency: str, instant: dt.datetime) -> Json:
    """An invoice without client, date, state, lines and totals; `FreshBooks.add_invoice` gives it those."""
    texts = dict.fromkeys(("address", "payment_details", "vat_number", "notes", "description"), "")
    dates = ("create_date", "generation_date", "fulfillment_date", "date_paid")
    unset = ("return_uri", "terms", "po_number", "vat_name", "discount_description", "deposit_amount", "deposit_percentage")
    return {
        **ids,
        "accountid": account_id,
        "accounting_systemid": account_id,
        "currency_code": currency,
        "language": "en",
        "template": "clean-grouped",
        **texts,
        **dict.fromkeys((*dates, *unset)),
        "auto_bill": False,
        "basecampid": 0,
        "due_offset_days": 0,
        "discount_value": "0",
        "estimateid": 0,
        "ext_archive": 0,
        "gmail": False,
        "ownerid": 1,
        "parent": 0,
        "sentid": 1,
        "show_attachments": False,
        "lines": [],
        "created_at": eastern_text(instant),
        "vis_state": ACTIVE,
        **version_stamp(instant),
    }


def invoice_line(
    entry: Line, taxes: Sequence[tuple[str, Decimal]], number: int, invoice_id: int, currency: str, instant: dt.datetime
) -> Json:
    """One line on the wire. It names its product and taxes by text; `taxAmountN` is the percent, whatever its name says.

    A tax that is not there has the name null or '' (both are seen) and the percent "0".
    """
    nameless = None if number % 2 else ""
    named: list[tuple[str | None, str]] = [(name, plain(percent)) for name, percent in taxes]
    (name1, percent1), (name2, percent2) = [*named, (nameless, "0"), (nameless, "0")][:2]
    priced = PricedLine(parse_decimal(entry.quantity), parse_decimal(entry.unit_cost))
    return {
        "lineid": number,
        "invoiceid": invoice_id,
        "type": 1 if entry.expense_id else 0,
        "name": entry.name,
        "description": entry.description,
        "qty": plain(entry.quantity),
        "unit_cost": money(entry.unit_cost, currency),
        "amount": money(priced.amount, currency),
        "taxName1": name1,
        "taxAmount1": percent1,
        "taxNumber1": None,
        "taxName2": name2,
        "taxAmount2": percent2,
        "taxNumber2": None,
        "compounded_tax": entry.compounded,
        "expenseid": entry.expense_id,
        "taskno": number,
        "date": None,
        "basecampid": 0,
        "modern_project_id": None,
        "modern_time_entries": [],
        "retainer_id": None,
        "retainer_period_id": None,
        **stamp(instant),
    }


def priced_line(line: Json) -> PricedLine:
    """What counts of a line on the wire."""
    pairs: list[tuple[Any, str]] = [(line["taxName1"], line["taxAmount1"]), (line["taxName2"], line["taxAmount2"])]
    taxes = tuple((name, parse_decimal(percent)) for name, percent in pairs if name)
    return PricedLine(parse_decimal(line["qty"]), amount_of(line["unit_cost"]), taxes, line["compounded_tax"])
