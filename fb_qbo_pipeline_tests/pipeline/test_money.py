"""Payments, expenses, currencies and closed periods through both sandboxes: where the money comes to stand."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from fb_qbo_pipeline.pipeline.plan import plan
from fb_qbo_pipeline.pipeline.reconcile import reconcile
from fb_qbo_pipeline.sandbox.freshbooks.clock import Clock
from fb_qbo_pipeline.sandbox.freshbooks.state import FreshBooks
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline.sandbox.sample_country import country_named, integration
from fb_qbo_pipeline_tests.pipeline.world import NOW, START, TODAY, World, day, line

D = Decimal


def planned(world: World) -> list[tuple[str, str, str]]:
    with world.runtime() as runtime:
        return [(one.action, one.source, one.code) for one in plan(runtime, START, TODAY)]


# Payments and the days of their invoices


def test_a_payment_whose_invoice_is_of_a_day_not_synced_is_no_alarm_and_follows_with_that_day(world: World) -> None:
    invoice = world.invoice("100.00", on=day(3))
    payment = world.payment(invoice, "113.00", on=day(15))
    world.sync(day(10), day(20))
    assert not world.held()
    assert world.count() == {}
    with world.runtime() as runtime:
        result = reconcile(runtime, day(10), day(20))
    assert (result.agrees, result.lines) == (True, [])
    world.sync(day(1), day(5))
    assert world.touched() == [day(15)]
    world.sync(day(15), day(15))
    assert world.document("payment", payment)["UnappliedAmt"] == 0
    assert world.document("invoice", invoice)["Balance"] == 0


def test_a_payment_older_than_its_invoice_follows_it(world: World) -> None:
    invoice = world.invoice("100.00", on=day(18))
    payment = world.payment(invoice, "13.00", on=day(2))
    world.sync(day(1), day(10))
    world.sync(day(11), day(20))
    assert not world.held()
    world.sync(day(2), day(2))
    assert world.document("payment", payment)["TxnDate"] == "2026-03-02"
    assert world.document("invoice", invoice)["Balance"] == D("100.00")


def test_a_payment_waits_for_an_invoice_of_a_day_to_come(world: World) -> None:
    invoice = world.invoice("100.00", on=TODAY + dt.timedelta(days=2))
    world.payment(invoice, "113.00", on=day(15))
    world.follow()
    assert not world.held()
    world.freshbooks.clock.set(NOW + dt.timedelta(days=2))
    world.look()
    world.sync(TODAY, TODAY + dt.timedelta(days=2))
    world.follow()
    assert world.document("invoice", invoice)["Balance"] == 0


def test_an_earlier_payment_that_is_lowered_lets_a_later_one_pay_more(world: World) -> None:
    """Together they paid too much; what the later one pays depends on the earlier one, days before."""
    invoice = world.invoice("100.00", on=day(5))
    first, second = world.payment(invoice, "53.00", on=day(6)), world.payment(invoice, "60.00", on=day(12))
    world.follow()
    world.freshbooks.edit_payment(first, amount="63.00")
    world.follow()
    assert not world.held()
    assert world.document("payment", second)["UnappliedAmt"] == D("10.00")
    world.freshbooks.edit_payment(first, amount="50.00")
    world.follow()
    assert not world.held()
    assert world.document("payment", second)["UnappliedAmt"] == 0
    assert world.document("invoice", invoice)["Balance"] == D("3.00")


def test_a_payment_that_pays_nothing_of_its_invoice_any_more_is_taken_off_it(world: World) -> None:
    invoice = world.invoice("100.00", on=day(5))
    first, second = world.payment(invoice, "13.00", on=day(6)), world.payment(invoice, "100.00", on=day(12))
    world.follow()
    world.freshbooks.edit_payment(second, amount="20.00")
    world.follow()
    world.freshbooks.edit_payment(first, amount="113.00")
    world.follow()
    world.follow()
    assert not world.held()
    assert (world.document("payment", second)["Line"], world.document("payment", second)["UnappliedAmt"]) == ([], D("20.00"))
    assert world.document("invoice", invoice)["Balance"] == 0


def test_what_was_paid_beyond_the_invoice_is_in_the_books_as_unapplied(world: World) -> None:
    """FreshBooks keeps it as a payment of its own, which funds a credit."""
    invoice = world.invoice("100.00", on=day(5))
    world.payment(invoice, "120.00", on=day(10), method="PayPal")
    assert [action for action, _, _ in planned(world)] == ["create", "create", "create"]
    world.follow()
    assert not world.held()
    assert world.balances()["PayPal Clearing"] == D("120.00")
    assert world.balances()["Accounts Receivable (A/R)"] == D("-7.00")
    assert world.document("invoice", invoice)["Balance"] == 0
    assert sorted(row["UnappliedAmt"] for row in world.quickbooks.rows("Payment")) == [0, D("7.00")]
    with world.runtime() as runtime:
        assert reconcile(runtime, START, TODAY).agrees


def test_a_surplus_waits_with_its_invoice(world: World) -> None:
    invoice = world.invoice("100.00", on=day(5), taxes=(("Unheard of", "3"),))
    world.payment(invoice, "120.00", on=day(10))
    world.follow()
    assert sorted(world.codes()) == ["unmapped_tax", "waiting_for_invoice", "waiting_for_invoice"]
    world.freshbooks.edit_invoice(invoice, lines=[line("100.00")])
    world.follow()
    assert not world.held()
    assert world.balances()["Undeposited Funds"] == D("120.00")


def test_a_receipt_takes_the_account_of_a_payment_from_after_the_days_that_are_synced(world: World) -> None:
    world.settings["sales"]["post_as"] = "sales_receipt"
    world.payment(world.invoice("100.00", on=day(5)), "113.00", on=day(15), method="PayPal")
    world.sync(day(1), day(6))
    assert world.balances()["PayPal Clearing"] == D("113.00")


@pytest.mark.parametrize(("second", "codes"), [("PayPal", []), ("Check", ["several_deposit_accounts"])])
def test_a_receipt_paid_in_two_parts_needs_one_account_for_both(world: World, second: str, codes: list[str]) -> None:
    world.settings["sales"]["post_as"] = "sales_receipt"
    invoice = world.invoice("100.00")
    world.payment(invoice, "13.00", method="PayPal")
    world.payment(invoice, "100.00", method=second)
    world.follow()
    assert world.codes() == codes
    assert world.count() == ({"SalesReceipt": 1} if not codes else {})


# Expenses


def test_an_expense_that_becomes_a_refund_changes_from_a_bill_to_a_vendor_credit_and_back(world: World) -> None:
    expense = world.expense("56.50")
    world.follow()
    before = world.balances()
    world.freshbooks.edit_expense(expense, amount="-56.50", taxes=(("HST", "-6.50", "13"),))
    counts = world.follow()
    assert world.count() == {"VendorCredit": 1}
    assert (counts.voided["bill"], counts.created["vendor_credit"]) == (1, 1)
    assert world.balances() == {account: -amount for account, amount in before.items()}
    world.freshbooks.edit_expense(expense, amount="56.50", taxes=(("HST", "6.50", "13"),))
    world.follow()
    assert (world.count(), world.balances(), world.held()) == ({"Bill": 1}, before, [])


# Closed periods


@pytest.mark.parametrize("change", ["delete", "move"])
def test_what_stands_in_a_closed_period_is_held_and_never_touched(world: World, change: str) -> None:
    invoice = world.invoice(on=day(5))
    world.follow()
    world.quickbooks.close_date = day(6)
    if change == "delete":
        world.freshbooks.delete("invoice", invoice)
    else:
        world.freshbooks.edit_invoice(invoice, date=day(12))
    writes = world.quickbooks.counters.writes
    world.look()
    world.sync(fresh=True)
    assert world.codes() == ["closed_period"]
    assert world.quickbooks.counters.writes == writes
    world.quickbooks.close_date = None
    world.sync(fresh=True)
    assert not world.held()
    assert world.document("invoice", invoice)["TotalAmt"] == (0 if change == "delete" else D("113.00"))


def test_a_new_document_in_a_closed_period_is_held_before_anything_is_sent(world: World) -> None:
    world.quickbooks.close_date = day(6)
    world.expense(on=day(6))
    world.expense("11.30", on=day(7), taxes=(("HST", "1.30", "13"),))
    counts = world.sync()
    assert world.codes() == ["closed_period"]
    assert (counts.created["bill"], world.count()) == (1, {"Bill": 1})


# Plans


def test_a_plan_tells_what_a_sync_then_does_and_leaves_the_exceptions_alone(world: World) -> None:
    ignored = world.invoice(taxes=(("Unheard of", "3"),), on=day(4))
    world.follow()
    with world.ledger.begin() as tx:
        tx.exceptions.set_status(world.held()[0]["id"], "ignored", "entered by hand")
    world.payment(world.invoice("100.00", on=day(5)), "50.00")
    world.invoice(taxes=(("Eco Levy", "2"),), on=day(6))
    plan_of_all = planned(world)
    assert plan_of_all == [("create", "invoice", ""), ("hold", "invoice", "unmapped_tax"), ("create", "payment", "")]
    assert [row["source_id"] for row in world.held()] == [ignored]
    counts = world.follow()
    assert (counts.created["invoice"], counts.created["payment"]) == (1, 1)
    assert world.codes() == ["unmapped_tax", "unmapped_tax"]
    assert planned(world) == [("hold", "invoice", "unmapped_tax")]


# Currencies


def abroad(make_world: Callable[..., World], **settings: Any) -> World:
    """A Canadian company that keeps several currencies."""
    world = make_world(settings=integration(country_named("ca"), START) | settings)
    world.quickbooks.multicurrency = True
    return world


def test_foreign_documents_balance_at_the_rates_of_their_days(make_world: Callable[..., World]) -> None:
    world = abroad(make_world)
    world.quickbooks.exchange_rates |= {
        ("USD", "2026-03-05"): D("1.40"),
        ("USD", "2026-03-10"): D("1.35"),
        ("USD", "2026-03-07"): D("1.38"),
    }
    client = world.client(currency_code="USD")
    invoice = world.invoice("100.00", client=client, currency="USD")
    payment = world.payment(invoice, "113.00")
    world.expense("56.50", currency="USD")
    world.follow()
    assert not world.held()
    posted = world.document("invoice", invoice)
    assert (posted["CurrencyRef"]["value"], posted["ExchangeRate"], posted["HomeTotalAmt"]) == ("USD", D("1.40"), D("158.20"))
    assert world.document("payment", payment)["ExchangeRate"] == D("1.35")
    assert posted["Balance"] == 0
    balances = world.balances()
    assert balances["Undeposited Funds"] == D("152.55")
    assert balances["Exchange Gain or Loss"] == D("5.65")
    assert balances["Accounts Payable (A/P)"] == D("-77.97")
    assert sum(balances.values()) == 0
    with world.runtime() as runtime:
        assert reconcile(runtime, START, TODAY).agrees


def test_a_currency_without_a_rate_holds_its_documents_and_not_the_run(make_world: Callable[..., World]) -> None:
    world = abroad(make_world)
    world.invoice("100.00", client=world.client(currency_code="USD"), currency="USD", on=day(4))
    fine = world.invoice("100.00", on=day(5))
    world.fail(status=400, code="610", dialect="json", path="/exchangerate", count=None)
    world.follow()
    assert world.codes() == ["currency_off"]
    assert "exchange rate of USD for 2026-03-04" in world.held()[0]["reason"]
    assert world.document("invoice", fine)["TotalAmt"] == D("113.00")


def test_an_account_of_a_third_currency_holds_the_payment(make_world: Callable[..., World]) -> None:
    world = abroad(make_world)
    account = world.quickbooks.named("Account", "Undeposited Funds")
    world.quickbooks.edit("Account", account["Id"], CurrencyRef=world.quickbooks.currency_ref("USD"))
    world.payment(world.invoice("100.00"), "113.00")
    world.follow()
    assert world.codes() == ["currency_off"]


# Countries


@pytest.mark.parametrize(
    ("country", "tax", "expected"),
    [
        ("gb", ("VAT", "20"), {"Advertising": D("100.00"), "Tax:VAT 20.0% purchases": D("20.00"), "Accounts Payable (A/P)": D("-120.00")}),
        ("us", ("Sales Tax", "20"), {"Advertising": D("120.00"), "Accounts Payable (A/P)": D("-120.00")}),
    ],
)
def test_purchase_tax_is_apart_where_the_country_has_one_and_part_of_the_cost_where_it_has_not(
    make_world: Callable[..., World], country: str, tax: tuple[str, str], expected: dict[str, Decimal]
) -> None:
    chosen = country_named(country)
    freshbooks = FreshBooks(currency=chosen.currency, clock=Clock(NOW))
    world = make_world(settings=integration(chosen, START), freshbooks=freshbooks, quickbooks=QuickBooks(chosen.quickbooks))
    world.expense("120.00", taxes=((tax[0], "20.00", tax[1]),))
    refund = world.expense("-12.00", taxes=((tax[0], "-2.00", tax[1]),))
    world.follow()
    assert not world.held()
    assert world.count() == {"Bill": 1, "VendorCredit": 1}
    assert world.document("expense", refund)["TotalAmt"] == D("12.00")
    assert world.balances() == {account: amount * D("0.9") for account, amount in expected.items()}
