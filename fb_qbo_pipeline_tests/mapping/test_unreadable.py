import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from fb_qbo_pipeline.freshbooks.fields import Fields
from fb_qbo_pipeline.freshbooks.parsing import read_status
from fb_qbo_pipeline.freshbooks.records import Unreadable, VisState
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Code, Mapped, Outcome
from fb_qbo_pipeline.mapping.invoices import map_invoice
from fb_qbo_pipeline.mapping.payments import map_payment
from fb_qbo_pipeline.mapping.unreadable import map_unreadable
from fb_qbo_pipeline_tests.mapping.builders import DAY, D, company, context, integration, invoice, line, payment

INVOICE = Unreadable("invoice", 1001, "discount_value is not a number", DAY, D("113.00"), "USD", "42", "Acme", "sent")


def mapped(record: Unreadable, where: Context | None = None, day: dt.date = DAY, sale: Mapped | None = None) -> Mapped:
    return map_unreadable(record, day, where or context(), sale)


def test_it_is_held_with_everything_that_is_still_known() -> None:
    decision = mapped(INVOICE)
    assert (decision.label, decision.party, decision.amount, decision.currency) == ("42", "Acme", D("113.00"), "USD")
    (problem,) = decision.problems
    assert problem.code is Code.REFUSED
    assert problem.reason == "FreshBooks' record of invoice 1001 cannot be read: discount_value is not a number"


def test_what_is_not_known_counts_as_nothing_in_the_home_currency() -> None:
    decision = mapped(Unreadable("expense", 7, "amount is missing"))
    assert (decision.label, decision.party, decision.amount, decision.currency) == ("7", "", D("0"), "CAD")


@pytest.mark.parametrize(
    ("change", "day", "outcome"),
    [
        ({"vis_state": VisState.DELETED}, DAY, Outcome.DELETED),
        ({"status": "draft"}, DAY, Outcome.OUT_OF_SCOPE),
        ({"status": ""}, DAY, Outcome.HELD),
        ({"status": "auto_paid"}, DAY, Outcome.HELD),  # as read_status gives "auto-paid"; the settings say autopaid
        ({"status": "autopaid"}, DAY, Outcome.HELD),
        ({}, dt.date(2024, 12, 31), Outcome.OUT_OF_SCOPE),
    ],
)
def test_the_settings_leave_it_out_as_they_would_a_readable_one(change: dict[str, Any], day: dt.date, outcome: Outcome) -> None:
    assert mapped(replace(INVOICE, **change), day=day).outcome is outcome


@pytest.mark.parametrize("spelling", ["auto-paid", "auto_paid", "Auto-Paid", "AUTOPAID", "draft", "disputed"])
def test_a_status_is_picked_up_alike_in_every_spelling_whether_its_invoice_can_be_read_or_not(spelling: str) -> None:
    status = read_status(Fields("invoice", {"v3_status": spelling}))
    readable = map_invoice(invoice(line("100.00"), status=status), [], context())
    unreadable = mapped(replace(INVOICE, status=status))
    assert (readable.outcome is Outcome.OUT_OF_SCOPE) == (unreadable.outcome is Outcome.OUT_OF_SCOPE)
    assert readable.reason == unreadable.reason


@pytest.mark.parametrize("resource", ["invoice", "payment", "expense"])
def test_a_deleted_record_of_a_workflow_that_is_off_is_no_deletion(resource: str) -> None:
    on = integration(expenses=None) if resource == "expense" else integration(sales=None, payments=None)
    record = Unreadable(resource, 7, "date is missing", DAY, vis_state=VisState.DELETED)
    assert mapped(record, Context(on, company(), {}, [], {})).outcome is Outcome.OUT_OF_SCOPE


def test_the_payment_of_an_invoice_that_is_kept_is_kept_whether_it_can_be_read_or_not() -> None:
    where = context(on_delete="keep")
    sale = map_invoice(invoice(line("100.00"), vis_state=VisState.DELETED), [], where)
    readable = map_payment(payment(), None, [], sale, where)
    unreadable = mapped(Unreadable("payment", 501, "note is no text", DAY, D("100.00"), "CAD", invoice_id=1001), where, sale=sale)
    assert (readable.outcome, readable.reason) == (unreadable.outcome, unreadable.reason)
    assert unreadable.outcome is Outcome.KEPT


@pytest.mark.parametrize("resource", ["invoice", "payment", "expense"])
def test_a_workflow_that_is_off_holds_nothing(resource: str) -> None:
    on = integration(expenses=None) if resource == "expense" else integration(sales=None, payments=None)
    where = Context(on, company(), {}, [], {})
    assert mapped(Unreadable(resource, 7, "date is missing"), where).outcome is Outcome.OUT_OF_SCOPE


def test_a_payment_follows_its_invoice_out_of_scope_and_takes_its_name() -> None:
    payment = Unreadable("payment", 7, "amount is missing", DAY, invoice_id=1001)
    sale = map_invoice(invoice(line("100.00")), [], context())
    draft = map_invoice(invoice(line("100.00"), status="draft"), [], context())
    assert mapped(payment, sale=draft).outcome is Outcome.OUT_OF_SCOPE
    assert (mapped(payment, sale=sale).outcome, mapped(payment, sale=sale).label) == (Outcome.HELD, "0000042")
    assert mapped(payment, context(sales={"post_as": "sales_receipt"})).outcome is Outcome.OUT_OF_SCOPE
