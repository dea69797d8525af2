"""The sample company's special documents: those that test a rule, and those that are meant to become exceptions.

Each is one of its kind and dated by its distance from today, so that it can be pointed at in a demo.
"""

import datetime as dt
from decimal import Decimal
from typing import NamedTuple

from fb_qbo_pipeline.money import round_half_up
from fb_qbo_pipeline.sandbox.freshbooks.payloads import Line
from fb_qbo_pipeline.sandbox.freshbooks.resources import Json
from fb_qbo_pipeline.sandbox.freshbooks.wire import amount_of
from fb_qbo_pipeline.sandbox.sample_studio import Studio
from fb_qbo_pipeline.sandbox.sample_text import LONG_DESCRIPTION, LONG_LINE_NAME, UNMAPPED_CATEGORY

UNMAPPED_TAX = ("Eco Levy", "2")


class ExpectedException(NamedTuple):
    """A document that is meant to be held: source (invoice, payment, expense), FreshBooks id, code."""

    source: str
    source_id: int
    code: str


def add_special_documents(studio: Studio) -> tuple[ExpectedException, ...]:
    """Add them all; what cannot be posted comes back."""
    _add_before_start(studio)
    _add_odd_invoices(studio)
    _add_deleted_and_archived(studio)
    _add_rebilled_expense(studio)
    return (*_unmapped_tax(studio), *_duplicate_number(studio), *_applied_credit(studio), *_unmapped_category(studio))


def _invoice(studio: Studio, days_ago: int, *lines: Line, client: int = 0, **details: object) -> Json:
    day = studio.today - dt.timedelta(days=days_ago)
    studio.at(day)
    return studio.account.add_invoice(studio.clients[client][0], lines=lines, date=day, **details)  # type: ignore[arg-type]


def _pay(studio: Studio, invoice: Json, days_ago: int) -> Json:
    return studio.pay(invoice["id"], amount_of(invoice["amount"]), studio.today - dt.timedelta(days=days_ago))


def _taxed(studio: Studio, name: str, quantity: str, unit_cost: str, description: str = "", *, client: int = 0) -> Line:
    """A line with the taxes that services carry for that client."""
    return Line(name, quantity, unit_cost, studio.clients[client][1], description)


# What cannot be posted


def _unmapped_tax(studio: Studio) -> tuple[ExpectedException, ...]:
    """A tax that integration.yaml does not map; the invoice is paid, so its payment waits for it."""
    studio.account.add_tax(*UNMAPPED_TAX)
    invoice = _invoice(studio, 40, Line("Mugs", 24, "9.95", (UNMAPPED_TAX,)), number="2001", client=25)
    payment = _pay(studio, invoice, 30)
    return (
        ExpectedException("invoice", invoice["id"], "unmapped_tax"),
        ExpectedException("payment", payment["id"], "waiting_for_invoice"),
    )


def _duplicate_number(studio: Studio) -> tuple[ExpectedException, ...]:
    """Two invoices of one number: FreshBooks allows it. The later one is held."""
    _pay(studio, _invoice(studio, 75, _taxed(studio, "Logo design", "1", "1250.00"), number="2002"), 60)
    second = _invoice(studio, 33, _taxed(studio, "Consulting", "2.5", "145.00", client=8), number="2002", client=8)
    return (ExpectedException("invoice", second["id"], "duplicate_number"),)


def _applied_credit(studio: Studio) -> tuple[ExpectedException, ...]:
    """An invoice paid half in cash, half by a credit; integration.yaml names no account for credits."""
    invoice = _invoice(studio, 50, _taxed(studio, "Photography", "1", "850.00"), number="2003", due_offset_days=60)
    half = round_half_up(amount_of(invoice["amount"]) / 2)
    studio.pay(invoice["id"], half, studio.today - dt.timedelta(days=35))
    day = studio.today - dt.timedelta(days=34)
    studio.at(day)
    rest = amount_of(invoice["amount"]) - half
    credit = studio.account.add_payment(invoice["id"], rest, day, "Credit", from_credit=True)
    return (ExpectedException("payment", credit["id"], "credit_without_account"),)


def _unmapped_category(studio: Studio) -> tuple[ExpectedException, ...]:
    """Two expenses in a category that integration.yaml does not map."""
    held = []
    for days_ago, vendor in ((58, "Pixelforge Software"), (12, None)):
        day = studio.today - dt.timedelta(days=days_ago)
        studio.at(day)
        held.append(studio.add_expense(UNMAPPED_CATEGORY, day, vendor))
    return tuple(ExpectedException("expense", expense["id"], "unmapped_category") for expense in held)


# What is unusual, yet posts


def _add_before_start(studio: Studio) -> None:
    """Documents dated before the integration start date: out of scope, although one of them is paid after it."""
    for days_ago in (400, 380, 366):
        invoice = _invoice(studio, days_ago, _taxed(studio, "Hosting", "12", "39.99"), number=f"{990 - days_ago}")
    _pay(studio, invoice, 340)
    day = studio.today - dt.timedelta(days=370)
    studio.at(day)
    studio.add_expense("Advertising", day, "Adwell Media")


def _add_odd_invoices(studio: Studio) -> None:
    """Numbers, texts and amounts at the edge of what QuickBooks takes."""
    _invoice(studio, 90, _taxed(studio, "Web design", "0.333", "95.00"), number="RETAINER-2024/PHASE-2-FINAL")  # more than 21 characters
    _invoice(studio, 85, _taxed(studio, "Mise en page", "7.125", "64.00", client=5), number="É-17/b", client=5)
    _invoice(studio, 80, Line("Logo design", 1, 0, (), "Goodwill"), number="2004")  # over 0.00
    _invoice(studio, 70, _taxed(studio, LONG_LINE_NAME, "1", "18450.00", LONG_DESCRIPTION, client=20), number="2005", client=20)
    _invoice(studio, 65, _taxed(studio, "", "1", "75.00"), Line("", 1, 0, (), "Delivered by hand"), number="2006")
    several = [_taxed(studio, f"Sticker design {letter}", "1.005", "3.33") for letter in "ABCDEFGHIJKL"]
    _pay(studio, _invoice(studio, 45, *several, number="2007", discount_value="33.3"), 20)  # rounding differs by model
    _invoice(studio, 15, _taxed(studio, "Web development", "3.5", "110.00", client=3), number="2008", client=3, status="disputed")


def _add_deleted_and_archived(studio: Studio) -> None:
    """Deleted documents, one of them paid and one whose number was used again; archived ones, which still count."""
    account = studio.account
    wrong = _invoice(studio, 100, _taxed(studio, "Illustration", "2", "88.33"), number="2009")
    paid = _invoice(studio, 99, _taxed(studio, "Copywriting", "4", "72.50"), number="2010")
    _pay(studio, paid, 95)
    bounced_on = _invoice(studio, 98, _taxed(studio, "Brand guidelines", "1", "2400.00"), number="2011")
    bounced = _pay(studio, bounced_on, 90)
    old = _invoice(studio, 300, _taxed(studio, "Domain renewal", "3", "17.49"), number="2012")
    _pay(studio, old, 290)
    expenses = []
    for category, vendor in (("Advertising", "Adwell Media"), ("Insurance", "Harrow Insurance")):
        studio.at(studio.today - dt.timedelta(days=97))
        expenses.append(studio.add_expense(category, studio.today - dt.timedelta(days=97), vendor))
    studio.at(studio.today - dt.timedelta(days=82))
    account.delete("invoice", wrong["id"])
    account.delete("invoice", paid["id"])
    account.delete("payment", bounced["id"])
    account.delete("expense", expenses[0]["id"])
    account.archive("invoice", old["id"])
    account.archive("expense", expenses[1]["id"])
    account.archive("client", studio.clients[-2][0])
    _pay(studio, bounced_on, 78)
    _invoice(studio, 77, _taxed(studio, "Illustration", "3", "88.33"), number="2009")


def _add_rebilled_expense(studio: Studio) -> None:
    """An expense that was charged on: the invoice's line points to it."""
    day = studio.today - dt.timedelta(days=52)
    studio.at(day)
    expense = studio.add_expense("Travel/Airfare", day, "SkyBridge Air")
    line = Line("Airfare", 1, round_half_up(amount_of(expense["amount"]) * Decimal("1.1")), (), "Site visit", expense_id=expense["id"])
    invoice = _invoice(studio, 48, line, number="2013", client=30)
    studio.account.edit_expense(expense["id"], billable=True, invoiceid=invoice["id"], status=2, clientid=invoice["customerid"])
