import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fb_qbo_pipeline.money import ZERO
from fb_qbo_pipeline.sandbox.freshbooks.clock import Clock
from fb_qbo_pipeline.sandbox.freshbooks.payloads import Line
from fb_qbo_pipeline.sandbox.freshbooks.state import FreshBooks
from fb_qbo_pipeline.sandbox.freshbooks.totals import Rounding
from fb_qbo_pipeline_tests.sandbox_freshbooks.conftest import NOON

HUNDRED = (Line("Design", 1, "100.00"),)


def amounts(invoice: dict[str, Any]) -> tuple[str, str, str]:
    return tuple(invoice[key]["amount"] for key in ("amount", "paid", "outstanding"))


def test_an_invoice_has_its_totals_its_due_date_and_a_snapshot_of_its_client(account: FreshBooks, client_id: int) -> None:
    lines = [Line("Bowls", 4, "5.00", ("HST",), "Melamine"), Line("Mugs", 6, "4.00")]
    invoice = account.add_invoice(client_id, lines=lines, date="2026-03-01", number="A-1", discount_value="10", due_offset_days=14)
    assert amounts(invoice) == ("41.94", "0.00", "41.94")
    assert invoice["discount_total"]["amount"] == "-4.40"
    assert (invoice["id"], invoice["customerid"]) == (invoice["invoiceid"], client_id)
    assert (invoice["create_date"], invoice["due_date"], invoice["v3_status"]) == ("2026-03-01", "2026-03-15", "overdue")
    assert (invoice["invoice_number"], invoice["organization"], invoice["description"]) == ("A-1", "Acme", "Melamine")
    assert invoice["updated"] == "2026-03-16 12:00:00"
    assert invoice["version"] == "2026-03-16 12:00:00.000000"


def test_numbers_count_up_with_seven_digits_unless_one_is_given(account: FreshBooks, client_id: int) -> None:
    numbers = [account.add_invoice(client_id, lines=HUNDRED)["invoice_number"] for _ in range(2)]
    assert numbers == ["0000001", "0000002"]


def test_editing_lines_moves_the_totals_and_updated(account: FreshBooks, client_id: int) -> None:
    invoice = account.add_invoice(client_id, lines=HUNDRED)
    account.clock.advance(dt.timedelta(days=1))
    edited = account.edit_invoice(invoice["id"], lines=[Line("Design", "2.5", "100.00", ("HST",))], date="2026-02-01")
    assert amounts(edited) == ("282.50", "0.00", "282.50")
    assert (edited["create_date"], edited["due_date"], edited["updated"]) == ("2026-02-01", "2026-03-03", "2026-03-17 12:00:00")
    assert edited["created_at"] == invoice["created_at"]


def test_a_renamed_client_changes_current_organization_but_not_the_snapshot(account: FreshBooks, client_id: int) -> None:
    invoice = account.add_invoice(client_id, lines=HUNDRED)
    account.edit("client", client_id, organization="Acme Holdings")
    after = account.get("invoice", invoice["id"])
    assert (after["organization"], after["current_organization"]) == ("Acme", "Acme Holdings")
    assert after["updated"] == invoice["updated"]


def test_payments_move_paid_outstanding_and_states(account: FreshBooks, client_id: int) -> None:
    invoice = account.add_invoice(client_id, lines=HUNDRED)
    first = account.add_payment(invoice["id"], "40", "2026-03-14")
    part = account.get("invoice", invoice["id"])
    assert amounts(part) == ("100.00", "40.00", "60.00")
    assert (part["v3_status"], part["status"], part["date_paid"]) == ("partial", 2, "2026-03-14")

    account.add_payment(invoice["id"], "60", "2026-03-15", "PayPal")
    full = account.get("invoice", invoice["id"])
    assert (full["v3_status"], full["payment_status"], full["status"], full["date_paid"]) == ("paid", "paid", 4, "2026-03-15")

    account.delete("payment", first["id"])
    again = account.get("invoice", invoice["id"])
    assert amounts(again) == ("100.00", "60.00", "40.00")
    assert (again["v3_status"], again["status"]) == ("partial", 2)

    account.restore("payment", first["id"])
    assert account.get("invoice", invoice["id"])["v3_status"] == "paid"


def test_a_payment_that_moves_to_another_invoice_moves_both(account: FreshBooks, client_id: int) -> None:
    one, two = (account.add_invoice(client_id, lines=HUNDRED) for _ in range(2))
    payment = account.add_payment(one["id"], "100")
    account.edit_payment(payment["id"], invoice_id=two["id"], amount="30", date="2026-03-02")
    assert amounts(account.get("invoice", one["id"])) == ("100.00", "0.00", "100.00")
    assert amounts(account.get("invoice", two["id"])) == ("100.00", "30.00", "70.00")
    assert account.get("payment", payment["id"])["date"] == "2026-03-02"


def test_what_is_paid_in_excess_funds_a_credit(account: FreshBooks, client_id: int) -> None:
    invoice = account.add_invoice(client_id, lines=HUNDRED)
    payment = account.add_payment(invoice["id"], "130")
    surplus = account.view("payment")[-1]
    assert (payment["amount"]["amount"], surplus["amount"]["amount"]) == ("100.00", "30.00")
    assert (surplus["invoiceid"], surplus["creditid"]) == (None, payment["overpaymentid"])
    assert account.get("invoice", invoice["id"])["outstanding"]["amount"] == "0.00"


def test_an_applied_credit_is_a_payment_from_credit(account: FreshBooks, client_id: int) -> None:
    invoice = account.add_invoice(client_id, lines=HUNDRED)
    payment = account.add_payment(invoice["id"], "100", method="Credit", from_credit=True)
    assert payment["from_credit"]
    assert payment["creditid"] is not None
    assert account.get("invoice", invoice["id"])["v3_status"] == "paid"


@pytest.mark.parametrize("touches", [True, False])
def test_whether_a_payment_moves_the_invoices_updated_is_a_switch(touches: bool) -> None:
    account = FreshBooks(clock=Clock(NOON), payment_touches_invoice=touches)
    invoice = account.add_invoice(account.add_client()["id"], lines=HUNDRED)
    account.clock.advance(dt.timedelta(hours=1))
    account.add_payment(invoice["id"], "10")
    assert (account.get("invoice", invoice["id"])["updated"] != invoice["updated"]) is touches


def test_an_invoice_becomes_overdue_with_the_calendar_alone(account: FreshBooks, client_id: int) -> None:
    invoice = account.add_invoice(client_id, lines=HUNDRED, due_offset_days=0)
    assert invoice["v3_status"] == "sent"
    account.clock.advance(dt.timedelta(days=1))
    later = account.get("invoice", invoice["id"])
    assert (later["v3_status"], later["updated"]) == ("overdue", invoice["updated"])


def test_a_draft_has_no_fulfillment_date_until_it_is_sent(account: FreshBooks, client_id: int) -> None:
    invoice = account.add_invoice(client_id, lines=HUNDRED, status="draft")
    assert (invoice["v3_status"], invoice["status"], invoice["fulfillment_date"]) == ("draft", 1, None)
    sent = account.edit_invoice(invoice["id"], status="sent")
    assert (sent["v3_status"], sent["fulfillment_date"]) == ("sent", sent["create_date"])


def test_states_that_follow_from_payments_cannot_be_set(account: FreshBooks, client_id: int) -> None:
    with pytest.raises(ValueError, match="follow from payments"):
        account.add_invoice(client_id, lines=HUNDRED, status="paid")
    assert account.view("invoice") == []


def test_deleting_archiving_and_restoring_move_vis_state_and_updated(account: FreshBooks, client_id: int) -> None:
    invoice = account.add_invoice(client_id, lines=HUNDRED)["id"]
    for hour, (act, state) in enumerate(((account.archive, 2), (account.delete, 1), (account.restore, 0)), start=13):
        account.clock.advance(dt.timedelta(hours=1))
        act("invoice", invoice)
        after = account.get("invoice", invoice)
        assert (after["vis_state"], after["updated"]) == (state, f"2026-03-16 {hour}:00:00")


def test_a_deleted_tax_is_gone_and_documents_keep_its_name(account: FreshBooks, client_id: int) -> None:
    invoice = account.add_invoice(client_id, lines=[Line("Design", 1, "100.00", ("HST",))])
    account.delete("tax", account.view("tax")[0]["id"])
    assert account.view("tax") == []
    assert account.get("invoice", invoice["id"])["lines"][0]["taxName1"] == "HST"


def test_a_tax_name_with_two_rates_has_to_be_given_with_its_percent(account: FreshBooks, client_id: int) -> None:
    account.add_tax("HST", "15")
    with pytest.raises(ValueError, match="2 taxes named 'HST'"):
        account.add_invoice(client_id, lines=[Line("Design", 1, "100.00", ("HST",))])
    invoice = account.add_invoice(client_id, lines=[Line("Design", 1, "100.00", (("HST", "15"),))])
    assert invoice["amount"]["amount"] == "115.00"


def test_an_expense_keeps_three_decimals_and_its_taxes(account: FreshBooks) -> None:
    category = account.view("category")[0]["id"]
    expense = account.add_expense("39.991", category, "2026-03-01", vendor="Serano", taxes=[("HST", "4.60", "13")])
    assert (expense["amount"]["amount"], expense["taxAmount1"]["amount"], expense["taxPercent1"]) == ("39.991", "4.60", "13")
    edited = account.edit_expense(expense["id"], amount="20", taxes=(), date="2026-03-02", notes="Halved")
    assert (edited["amount"]["amount"], edited["taxName1"], edited["date"], edited["notes"]) == ("20.00", None, "2026-03-02", "Halved")


def test_the_rounding_order_can_be_switched(account: FreshBooks, client_id: int) -> None:
    lines = [Line("Pin", 1, "0.34", ("HST",))] * 3
    by_tax = account.add_invoice(client_id, lines=lines)
    account.rounding = Rounding.PER_LINE
    by_line = account.add_invoice(client_id, lines=lines)
    assert (by_tax["amount"]["amount"], by_line["amount"]["amount"]) == ("1.15", "1.14")


def test_what_was_handed_out_does_not_change_afterwards(account: FreshBooks, client_id: int) -> None:
    invoice = account.add_invoice(client_id, lines=HUNDRED)
    before = account.view("invoice")
    account.edit_invoice(invoice["id"], lines=[Line("Other", 2, "1.00")])
    account.add_payment(invoice["id"], "1")
    invoice["lines"].clear()
    assert before[0]["lines"][0]["name"] == "Design"
    assert before[0]["paid"]["amount"] == "0.00"
    assert len(account.get("invoice", invoice["id"])["lines"]) == 1


def test_documents_with_dependent_fields_are_not_edited_by_wire_keys(account: FreshBooks, client_id: int) -> None:
    invoice = account.add_invoice(client_id, lines=HUNDRED)
    with pytest.raises(ValueError, match="edit_invoice"):
        account.edit("invoice", invoice["id"], paid={"amount": "1", "code": "CAD"})
    with pytest.raises(KeyError):
        account.add_payment(1, "10")


def test_payments_from_many_threads_are_all_counted(account: FreshBooks, client_id: int) -> None:
    invoice_id = account.add_invoice(client_id, lines=HUNDRED)["id"]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: account.add_payment(invoice_id, "0.50"), range(100)))
    assert amounts(account.get("invoice", invoice_id)) == ("100.00", "50.00", "50.00")
    assert len({payment["id"] for payment in account.view("payment")}) == 100


STEPS = st.lists(st.tuples(st.sampled_from(["pay", "delete", "restore", "reprice"]), st.integers(1, 9000)), max_size=15)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(STEPS)
def test_paid_is_always_the_sum_of_the_payments_that_count(steps: list[tuple[str, int]]) -> None:
    account = FreshBooks(clock=Clock(NOON))
    invoice_id = account.add_invoice(account.add_client()["id"], lines=HUNDRED)["id"]
    for step, cents in steps:
        payments = account.view("payment")
        if step == "pay":
            account.add_payment(invoice_id, Decimal(cents) / 100)
        elif step == "reprice":
            account.edit_invoice(invoice_id, lines=[Line("Design", 1, Decimal(cents) / 100)])
        elif payments:
            getattr(account, step)("payment", payments[cents % len(payments)]["id"])
        invoice = account.get("invoice", invoice_id)
        counted = [p for p in account.view("payment") if p["vis_state"] != 1 and p["invoiceid"] == invoice_id]
        paid = sum((Decimal(p["amount"]["amount"]) for p in counted), ZERO)
        assert Decimal(invoice["paid"]["amount"]) == paid
        assert Decimal(invoice["outstanding"]["amount"]) == Decimal(invoice["amount"]["amount"]) - paid
