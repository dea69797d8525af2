from decimal import Decimal
from typing import Any

import pytest

from fb_qbo_pipeline_tests.sandbox_quickbooks.asgi import Api, Json, update


def invoice_of(api: Api, customer: Json, **more: object) -> Json:
    return api.write("Invoice", api.invoice(customer, **more))


def read(api: Api, entity: str, row: Json) -> Any:
    return api.send("GET", f"{entity.lower()}/{row['Id']}").json[entity]


def test_a_payment_lowers_the_balance_and_links_both_ways(api: Api) -> None:
    customer = api.customer()
    invoice = invoice_of(api, customer, DocNumber="FB1")
    payment = api.write("Payment", api.payment(customer, "60.00", (invoice["Id"], "50.00"), PrivateNote="fb:A/payment/1"))
    assert (payment["TotalAmt"], payment["UnappliedAmt"]) == (60, 10)
    assert payment["DepositToAccountRef"]["name"] == "Undeposited Funds"
    assert payment["Line"][0]["LinkedTxn"] == [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]
    assert "DocNumber" not in payment
    paid = read(api, "Invoice", invoice)
    assert (paid["Balance"], paid["SyncToken"]) == (63, "1")
    assert paid["LinkedTxn"] == [{"TxnId": payment["Id"], "TxnType": "Payment"}]


def test_a_payment_without_lines_stays_unapplied(api: Api) -> None:
    assert api.write("Payment", api.payment(api.customer(), "60.00"))["UnappliedAmt"] == 60


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"TotalAmt": None}, "6000", "You must set a transaction amount."),
        ({"TotalAmt": -1, "Line": []}, "6000", "0 or greater"),
        ({"CustomerRef": None}, "2020", "CustomerRef"),
        ({"TotalAmt": 50}, "6000", "greater than the payment"),
        ({"DocNumber": "P1"}, "2010", "DocNumber"),
        ({"PaymentRefNum": "1" * 22}, "2050", "21"),
    ],
)
def test_a_payment_that_makes_no_sense_is_refused(api: Api, changes: Json, code: str, words: str) -> None:
    customer = api.customer()
    invoice = invoice_of(api, customer)
    error = api.refuse("Payment", {**api.payment(customer, "100.00", (invoice["Id"], "100.00")), **changes})
    assert error["code"] == code
    assert words in error["Detail"]
    assert read(api, "Invoice", invoice)["Balance"] == 113


def test_more_than_the_open_balance_can_not_be_applied(api: Api) -> None:
    customer = api.customer()
    invoice = invoice_of(api, customer)
    assert api.refuse("Payment", api.payment(customer, "200.00", (invoice["Id"], "113.01")))["code"] == "6000"
    api.write("Payment", api.payment(customer, "100.00", (invoice["Id"], "100.00")))
    assert api.refuse("Payment", api.payment(customer, "20.00", (invoice["Id"], "13.01")))["code"] == "6000"


def test_an_invoice_of_another_customer_can_not_be_paid(api: Api) -> None:
    invoice = invoice_of(api, api.customer())
    error = api.refuse("Payment", api.payment(api.customer("Other"), "10.00", (invoice["Id"], "10.00")))
    assert error["code"] == "6000"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ({"Amount": 1, "LinkedTxn": [{"TxnId": "99", "TxnType": "Invoice"}]}, "610"),
        ({"Amount": 1, "LinkedTxn": [{"TxnId": "1", "TxnType": "Bill"}]}, "620"),
        ({"Amount": 1, "LinkedTxn": []}, "2600"),
        ({"LinkedTxn": [{"TxnId": "1", "TxnType": "Invoice"}]}, "2020"),
        ({"Amount": -1, "LinkedTxn": [{"TxnId": "1", "TxnType": "Invoice"}]}, "2290"),
    ],
)
def test_a_line_that_links_nothing_sensible_is_refused(api: Api, line: Json, code: str) -> None:
    assert api.refuse("Payment", api.payment(api.customer(), "10.00", Line=[line]))["code"] == code


@pytest.mark.parametrize(("account", "accepted"), [("Chequing", True), ("Customer Credits", True), ("Services", False), ("Visa", False)])
def test_money_is_deposited_to_a_bank_or_other_current_asset(api: Api, account: str, accepted: bool) -> None:
    body = api.payment(api.customer(), "10.00", DepositToAccountRef=api.ref("Account", account))
    if accepted:
        assert api.write("Payment", body)["DepositToAccountRef"]["name"] == account
    else:
        assert api.refuse("Payment", body)["code"] == "6430"


def test_an_update_gives_back_what_was_applied_before_it_applies_anew(api: Api) -> None:
    customer = api.customer()
    first, second = invoice_of(api, customer), invoice_of(api, customer)
    payment = api.write("Payment", api.payment(customer, "113.00", (first["Id"], "113.00")))
    moved = api.write("Payment", update(payment, Line=api.payment(customer, "113.00", (second["Id"], "113.00"))["Line"]))
    assert (read(api, "Invoice", first)["Balance"], read(api, "Invoice", second)["Balance"]) == (113, 0)
    assert read(api, "Invoice", first)["LinkedTxn"] == []
    lowered = api.write("Payment", update(moved, TotalAmt=100, Line=api.payment(customer, "100.00", (second["Id"], "100.00"))["Line"]))
    assert (lowered["UnappliedAmt"], read(api, "Invoice", second)["Balance"]) == (0, 13)


def test_a_full_update_without_lines_unapplies(api: Api) -> None:
    customer = api.customer()
    invoice = invoice_of(api, customer)
    payment = api.write("Payment", api.payment(customer, "113.00", (invoice["Id"], "113.00")))
    loose = api.write("Payment", {**api.payment(customer, "113.00"), "Id": payment["Id"], "SyncToken": "0"})
    assert (loose["UnappliedAmt"], read(api, "Invoice", invoice)["Balance"]) == (113, 113)


@pytest.mark.parametrize("way", ["void", "delete"])
def test_voiding_or_deleting_a_payment_opens_its_invoices_again(api: Api, way: str) -> None:
    customer = api.customer()
    invoice = invoice_of(api, customer)
    payment = api.write("Payment", api.payment(customer, "113.00", (invoice["Id"], "113.00")))
    token = {"Id": payment["Id"], "SyncToken": "0", "sparse": True}
    if way == "delete":
        assert api.write("Payment", token, operation="delete")["status"] == "Deleted"
    else:
        voided = api.write("Payment", token, operation="update", include="void")
        assert (voided["TotalAmt"], voided["UnappliedAmt"], voided["PrivateNote"]) == (0, 0, "Voided")
    opened = read(api, "Invoice", invoice)
    assert (opened["Balance"], opened["LinkedTxn"]) == (113, [])


def test_a_credit_memo_is_applied_by_a_payment_of_nothing(api: Api) -> None:
    customer = api.customer()
    invoice = invoice_of(api, customer)
    memo = api.write("CreditMemo", api.invoice(customer, api.line("50.00", "Exempt")))
    credit = {"Amount": 50, "LinkedTxn": [{"TxnId": memo["Id"], "TxnType": "CreditMemo"}]}
    body = api.payment(customer, "0.00", (invoice["Id"], "50.00"))
    body["Line"].append(credit)
    payment = api.write("Payment", body)
    assert (payment["TotalAmt"], payment["UnappliedAmt"]) == (0, 0)
    assert (read(api, "Invoice", invoice)["Balance"], read(api, "CreditMemo", memo)["RemainingCredit"]) == (63, 0)
    assert api.refuse("Payment", body)["code"] == "6000"  # nothing of the credit is left


def test_a_payment_in_a_bank_deposit_can_not_be_changed_voided_or_deleted(api: Api) -> None:
    payment = api.write("Payment", api.payment(api.customer(), "10.00"))
    api.company.deposited.add(payment["Id"])
    token = {"Id": payment["Id"], "SyncToken": "0", "sparse": True}
    assert api.refuse("Payment", update(payment, TotalAmt=11))["code"] == "6540"
    assert api.refuse("Payment", token, operation="update", include="void")["code"] == "6540"
    assert api.refuse("Payment", token, operation="delete")["code"] == "6540"


def test_the_customers_balance_follows_invoices_and_payments(api: Api) -> None:
    customer = api.customer()
    invoice = invoice_of(api, customer)
    api.write("Payment", api.payment(customer, "120.00", (invoice["Id"], "100.00")))
    assert api.send("GET", f"customer/{customer['value']}").json["Customer"]["Balance"] == Decimal("-7.00")
