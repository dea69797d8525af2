import datetime as dt
from decimal import Decimal

import pytest

from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline_tests.sandbox_quickbooks.asgi import Api, Clock, Json, update


def test_a_number_that_is_taken_is_refused_with_the_id_of_its_holder(api: Api) -> None:
    customer = api.customer()
    first = api.write("Invoice", api.invoice(customer, DocNumber="FB7"))
    error = api.refuse("Invoice", api.invoice(customer, DocNumber="fb7"))
    assert error["code"] == "6140"
    assert error["Detail"].endswith(f"DocNumber=fb7 is assigned to TxnType=Invoice with TxnId={first['Id']}")


def test_numbers_are_compared_within_one_type_of_transaction(api: Api) -> None:
    customer, vendor = api.customer(), api.vendor()
    api.write("Invoice", api.invoice(customer, DocNumber="7"))
    assert api.write("SalesReceipt", api.invoice(customer, DocNumber="7"))["DocNumber"] == "7"
    assert api.write("Bill", api.bill(vendor, DocNumber="7"))["DocNumber"] == "7"
    assert api.refuse("Bill", api.bill(vendor, DocNumber="7"))["code"] == "6140"


def test_a_number_may_be_doubled_where_it_is_allowed_or_nobody_warns(api: Api) -> None:
    customer = api.customer()
    body = api.invoice(customer, DocNumber="7")
    api.write("Invoice", body)
    api.write("Invoice", body, include="allowduplicatedocnum")
    api.company.warn_duplicate_numbers = False
    api.write("Invoice", body)
    assert api.query("select count(*) from Invoice where DocNumber = '7'") == {"totalCount": 3}


def test_an_update_keeps_its_own_number_and_frees_the_old_one(api: Api) -> None:
    customer = api.customer()
    invoice = api.write("Invoice", api.invoice(customer, DocNumber="7"))
    same = api.write("Invoice", update(invoice, DocNumber="7"))
    api.write("Invoice", update(same, DocNumber="8"))
    assert api.write("Invoice", api.invoice(customer, DocNumber="7"))["DocNumber"] == "7"


def test_quickbooks_numbers_sales_forms_itself_while_custom_numbers_are_off(api: Api) -> None:
    api.company.custom_numbers = False
    customer = api.customer()
    assert api.refuse("Invoice", api.invoice(customer, api.line(item="Products")))["code"] == "2500"
    numbers = [
        api.write("Invoice", api.invoice(customer))["DocNumber"],
        api.write("SalesReceipt", api.invoice(customer))["DocNumber"],
        api.write("Invoice", api.invoice(customer, DocNumber="5000"))["DocNumber"],
        api.write("Invoice", api.invoice(customer))["DocNumber"],
    ]
    assert numbers == ["1001", "1002", "5000", "1003"]  # a refusal and a number that was sent use none up
    assert "DocNumber" not in api.write("Bill", api.bill(api.vendor()))


def test_an_automatic_number_stays_on_a_full_update_without_it(api: Api) -> None:
    api.company.custom_numbers = False
    customer = api.customer()
    invoice = api.write("Invoice", api.invoice(customer))
    changed = api.write("Invoice", {**api.invoice(customer), "Id": invoice["Id"], "SyncToken": "0"})
    assert changed["DocNumber"] == invoice["DocNumber"]


@pytest.mark.parametrize(("day", "code"), [("2025-12-31", "6210"), ("2026-01-01", None)])
def test_the_closed_period_takes_no_new_documents(day: str, code: str | None) -> None:
    api = Api(QuickBooks(close_date=dt.date(2025, 12, 31), clock=Clock()))
    body = api.invoice(api.customer(), TxnDate=day)
    if code is None:
        api.write("Invoice", body)
    else:
        error = api.refuse("Invoice", body)
        assert error["code"] == code
        assert "through through the QBO Services API" in error["Detail"]


def test_a_document_in_the_closed_period_can_not_be_changed_moved_voided_or_deleted(api: Api) -> None:
    invoice = api.write("Invoice", api.invoice(api.customer(), TxnDate="2025-12-01"))
    token = {"Id": invoice["Id"], "SyncToken": "0"}
    api.company.close_date = dt.date(2025, 12, 31)
    assert api.refuse("Invoice", update(invoice, PrivateNote="x"))["code"] == "6210"
    assert api.refuse("Invoice", update(invoice, TxnDate="2026-01-05"))["code"] == "6210"
    assert api.refuse("Invoice", token, operation="void")["code"] == "6210"
    assert api.refuse("Invoice", token, operation="delete")["code"] == "6210"


@pytest.mark.parametrize(
    ("term", "due", "expected"),
    [("Net 15", None, "2026-02-16"), ("Net 15", "2026-05-01", "2026-05-01"), (None, None, "2026-03-03")],
)
def test_a_due_date_is_as_sent_or_follows_the_term(api: Api, term: str | None, due: str | None, expected: str) -> None:
    more: Json = {"SalesTermRef": api.ref("Term", term)} if term else {}
    if due:
        more["DueDate"] = due
    assert api.write("Invoice", api.invoice(api.customer(), **more))["DueDate"] == expected


def test_a_bill_without_term_is_due_on_its_date(api: Api) -> None:
    assert api.write("Bill", api.bill(api.vendor()))["DueDate"] == "2026-02-01"


def test_home_amounts_appear_where_multicurrency_is_on(world: Api) -> None:
    customer = world.customer(CurrencyRef={"value": "USD"})
    body = world.invoice(customer, CurrencyRef={"value": "USD"}, ExchangeRate=Decimal("1.4"))
    invoice = world.write("Invoice", body)
    assert (invoice["TotalAmt"], invoice["HomeTotalAmt"], invoice["HomeBalance"]) == (113, Decimal("158.20"), Decimal("158.20"))
