import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from fb_qbo_pipeline.freshbooks.records import Invoice, Payment, VisState
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Code, Entity, Mapped, Outcome
from fb_qbo_pipeline.mapping.invoices import map_invoice
from fb_qbo_pipeline.mapping.payments import map_payment, open_before
from fb_qbo_pipeline.quickbooks import company as qbo
from fb_qbo_pipeline_tests.mapping.builders import ACCOUNTS, DAY, PAYMENTS, D, company, context, invoice, line, payment

BILLED = invoice(line("100.00"))


def mapped(one: Payment, *others: Payment, sold: Invoice = BILLED, where: Context | None = None) -> Mapped:
    where = where or context()
    siblings = [*others, one]
    return map_payment(one, sold, siblings, map_invoice(sold, siblings, where), where)


def codes(decision: Mapped) -> list[Code]:
    assert decision.outcome is Outcome.HELD
    return [problem.code for problem in decision.problems]


def lines(decision: Mapped) -> list[Any]:
    assert decision.document is not None
    found: list[Any] = decision.document.body.get("Line", [])
    return found


def body(decision: Mapped) -> dict[str, Any]:
    assert decision.document is not None
    return decision.document.body


def test_a_payment_is_linked_to_its_invoice_and_nothing_else_is_sent() -> None:
    decision = mapped(payment("40.00", method="PayPal"))
    assert decision.document is not None
    assert decision.document.body == {
        "CustomerRef": {"value": "@customer/client/7"},
        "TotalAmt": D("40.00"),
        "TxnDate": "2025-03-15",
        "PrivateNote": "fb:ABC123/payment/501",
        "DepositToAccountRef": {"value": "2"},
        "Line": [{"Amount": D("40.00"), "LinkedTxn": [{"TxnId": "@invoice/1001", "TxnType": "Invoice"}]}],
    }
    assert decision.document.entity is Entity.PAYMENT
    assert decision.document.requires_invoice == 1001
    assert [party.key for party in decision.document.parties] == ["client/7"]
    assert (decision.label, decision.party) == ("0000042", "Acme Ltd")


@pytest.mark.parametrize(
    ("change", "account"),
    [
        ({}, "1"),
        ({"method": "paypal"}, "2"),
        ({"method": "Bitcoin"}, "1"),
        ({"from_credit": True}, "3"),
        ({"from_credit": True, "method": "PayPal"}, "3"),
    ],
)
def test_the_clearing_account_follows_the_method(change: dict[str, Any], account: str) -> None:
    where = context(payments=PAYMENTS | {"credit_account": "Customer Credits"})
    decision = mapped(payment(**change), where=where)
    assert decision.document is not None
    assert decision.document.body["DepositToAccountRef"] == {"value": account}


@pytest.mark.parametrize(
    ("one", "payments", "code"),
    [
        (payment(from_credit=True), {}, Code.CREDIT_WITHOUT_ACCOUNT),
        (payment(), {"deposit_account": "Advertising"}, Code.WRONG_ACCOUNT_TYPE),
        (payment(), {"deposit_account": "Old Bank"}, Code.INACTIVE_REFERENCE),
        (payment("-5.00"), {}, Code.NEGATIVE_AMOUNT),
        (payment(currency="USD"), {}, Code.CURRENCY_OFF),
    ],
)
def test_what_cannot_be_recorded_is_held(one: Payment, payments: dict[str, Any], code: Code) -> None:
    assert codes(mapped(one, where=context(payments=PAYMENTS | payments))) == [code]


def test_a_wrong_account_is_named_with_the_setting_to_change() -> None:
    where = context(payments=PAYMENTS | {"by_method": {"PayPal": "Advertising"}})
    problem = mapped(payment(method="PayPal"), where=where).problems[0]
    assert "Advertising" in problem.reason
    assert "payments.by_method.PayPal" in problem.remedy


def test_a_prepayment_that_funds_a_credit_is_explained() -> None:
    decision = map_payment(payment(invoice_id=None, credit_id=9), None, [], None, context())
    assert codes(decision) == [Code.CREDIT_WITHOUT_ACCOUNT]
    assert "funds a credit" in decision.problems[0].reason
    assert decision.party == "Acme Ltd"


def test_a_prepayment_before_the_start_date_is_out_of_scope() -> None:
    early = payment(invoice_id=None, credit_id=9, date=dt.date(2024, 12, 31))
    assert map_payment(early, None, [], None, context()).outcome is Outcome.OUT_OF_SCOPE


def test_a_payment_before_the_start_date_of_an_invoice_in_scope_is_recorded() -> None:
    assert mapped(payment(date=dt.date(2024, 12, 31))).outcome is Outcome.DOCUMENT


def test_a_payment_of_an_invoice_that_does_not_exist_waits() -> None:
    assert codes(map_payment(payment(), None, [], None, context())) == [Code.WAITING_FOR_INVOICE]


@pytest.mark.parametrize(
    ("one", "sold", "outcome"),
    [
        (payment(vis_state=VisState.DELETED), BILLED, Outcome.DELETED),
        (payment("0.00"), BILLED, Outcome.OUT_OF_SCOPE),
        (payment(), replace(BILLED, status="draft"), Outcome.OUT_OF_SCOPE),
        (payment(), replace(BILLED, date=dt.date(2024, 1, 1)), Outcome.OUT_OF_SCOPE),
        (payment(), replace(BILLED, vis_state=VisState.DELETED), Outcome.OUT_OF_SCOPE),
    ],
)
def test_scope_follows_the_payment_and_its_invoice(one: Payment, sold: Invoice, outcome: Outcome) -> None:
    assert mapped(one, sold=sold).outcome is outcome


def test_payments_are_out_of_scope_without_their_section_and_with_sales_receipts() -> None:
    assert mapped(payment(), where=context(payments=None)).outcome is Outcome.OUT_OF_SCOPE
    assert mapped(payment(), where=context(sales={"post_as": "sales_receipt"})).outcome is Outcome.OUT_OF_SCOPE


def test_a_payment_waits_for_an_invoice_that_is_held_and_names_why() -> None:
    decision = mapped(payment(), sold=invoice(line("100.00", name="Hosting")))
    assert codes(decision) == [Code.WAITING_FOR_INVOICE]
    assert "inactive_reference" in decision.problems[0].reason


def test_a_payment_waits_for_an_invoice_that_was_held_after_it_was_mapped() -> None:
    where = context()
    sale = replace(map_invoice(BILLED, [], where), outcome=Outcome.HELD)
    assert codes(map_payment(payment(), BILLED, [], sale, where)) == [Code.WAITING_FOR_INVOICE]


def test_a_new_payment_of_an_invoice_in_a_closed_period_is_not_held_by_the_invoice() -> None:
    where = context(books=company(closed_until=DAY))
    assert mapped(payment(date=DAY + dt.timedelta(days=9)), where=where).outcome is Outcome.DOCUMENT
    closed = mapped(payment(date=DAY), where=where)
    assert codes(closed) == [Code.CLOSED_PERIOD]
    assert closed.document is not None


def test_payments_are_applied_in_the_order_of_date_and_id_and_never_above_the_invoice() -> None:
    first = payment("60.00", id=9, date=DAY)
    second = payment("30.00", id=2, date=DAY + dt.timedelta(days=1))
    third = payment("30.00", id=3, date=DAY + dt.timedelta(days=1))
    fourth = payment("5.00", id=4, date=DAY + dt.timedelta(days=2))
    everyone = (fourth, third, second, first)
    applied = [lines(mapped(one, *(other for other in everyone if other is not one))) for one in (first, second, third, fourth)]
    assert [found[0]["Amount"] for found in applied[:3]] == [D("60.00"), D("30.00"), D("10.00")]
    assert applied[3] == []


def test_what_is_paid_too_much_stays_unapplied_and_is_noted() -> None:
    decision = mapped(payment("130.00"))
    assert decision.document is not None
    assert decision.document.total == D("130.00")
    assert lines(decision)[0]["Amount"] == D("100.00")
    assert "30.00 CAD" in decision.document.notes[0]


def test_refunds_do_not_reopen_what_earlier_payments_paid() -> None:
    one = payment("50.00", id=3)
    assert open_before(one, [payment("100.00", id=1), payment("-20.00", id=2), one], D("100.00")) == 0


def test_a_foreign_payment_carries_the_invoices_currency() -> None:
    where = context(books=company(multicurrency=True))
    decision = mapped(payment(currency="USD"), sold=invoice(line("100.00"), currency="USD"), where=where)
    assert decision.document is not None
    assert decision.document.body["CurrencyRef"] == {"value": "USD"}
    assert decision.document.body["ExchangeRate"] == "@rate/USD/2025-03-15"
    assert decision.document.body["CustomerRef"] == {"value": "@customer/client/7/USD"}


@pytest.mark.parametrize("method", ["credit_card", "Credit-Card", "CREDITCARD"])
def test_a_method_spelt_another_way_finds_its_clearing_account(method: str) -> None:
    where = context(payments=PAYMENTS | {"by_method": {"Credit Card": "PayPal Clearing"}})
    assert mapped(payment(method=method), where=where).document is not None
    assert body(mapped(payment(method=method), where=where))["DepositToAccountRef"] == {"value": "2"}


@pytest.mark.parametrize("method", ["", "-", "Card"])
def test_a_method_that_nobody_named_goes_to_the_default_account(method: str) -> None:
    where = context(payments=PAYMENTS | {"by_method": {"Credit Card": "PayPal Clearing", "?": "Customer Credits"}})
    assert body(mapped(payment(method=method), where=where))["DepositToAccountRef"] == {"value": "1"}


def test_a_payment_that_is_all_overpaid_says_that_nothing_is_applied() -> None:
    """A sparse update without lines would leave an earlier link to the invoice in place."""
    decision = mapped(payment("30.00", id=2), payment("100.00", id=1))
    assert body(decision)["Line"] == []
    assert body(decision)["TotalAmt"] == D("30.00")


IN_DOLLARS = qbo.Account("11", "Dollar Bank", "Dollar Bank", "Bank", "", "USD", True)
IN_EUROS = qbo.Account("12", "Euro Bank", "Euro Bank", "Bank", "", "EUR", True)


@pytest.mark.parametrize(
    ("account", "currency", "taken"),
    [
        ("Dollar Bank", "USD", True),
        ("Undeposited Funds", "USD", True),  # QuickBooks converts into the home currency
        ("Undeposited Funds", "CAD", True),
        ("Dollar Bank", "CAD", False),
        ("Euro Bank", "USD", False),
    ],
)
def test_an_account_takes_its_own_currency_and_the_home_currency_s_account_takes_all(account: str, currency: str, taken: bool) -> None:
    books = replace(company(multicurrency=True), accounts=(*ACCOUNTS, IN_DOLLARS, IN_EUROS))
    where = context(payments=PAYMENTS | {"deposit_account": account}, books=books)
    decision = mapped(payment(currency=currency), sold=invoice(line("100.00"), currency=currency), where=where)
    if taken:
        assert decision.outcome is Outcome.DOCUMENT
    else:
        assert codes(decision) == [Code.CURRENCY_OFF]
        assert account in decision.problems[0].reason
        assert "payments.deposit_account" in decision.problems[0].remedy
