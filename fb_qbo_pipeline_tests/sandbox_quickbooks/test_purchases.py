from decimal import Decimal
from typing import Any

import pytest

from fb_qbo_pipeline_tests.sandbox_quickbooks.asgi import Api, Json


def item_expense(api: Api, item: str = "Services", amount: str = "100.00", **detail: Any) -> Json:
    content = {"ItemRef": api.ref("Item", item), "TaxCodeRef": api.code(), **detail}
    return {"DetailType": "ItemBasedExpenseLineDetail", "Amount": Decimal(amount), "ItemBasedExpenseLineDetail": content}


def test_a_bill_comes_back_with_its_balance_and_payable_account(api: Api) -> None:
    bill = api.write(
        "Bill", api.bill(api.vendor(), DocNumber="EXP-1", PrivateNote="fb:A/expense/1", DepartmentRef=api.ref("Department", "Toronto"))
    )
    assert (bill["TotalAmt"], bill["Balance"], bill["DocNumber"]) == (113, 113, "EXP-1")
    assert bill["APAccountRef"]["name"] == "Accounts Payable (A/P)"
    assert bill["DepartmentRef"]["name"] == "Toronto"
    detail = bill["Line"][0]["AccountBasedExpenseLineDetail"]
    assert (detail["AccountRef"]["name"], detail["BillableStatus"]) == ("Office Supplies", "NotBillable")


def test_a_vendor_credit_has_positive_amounts(api: Api) -> None:
    assert api.write("VendorCredit", api.bill(api.vendor()))["TotalAmt"] == 113
    assert api.refuse("VendorCredit", api.bill({"value": "2"}, api.expense("-1.00")))["code"] == "6000"


@pytest.mark.parametrize(
    ("detail", "code"),
    [
        ({"AccountRef": {"value": "999"}}, "2500"),
        ({"AccountRef": None}, "6440"),
        ({"BillableStatus": "Billable"}, "6310"),
        ({"BillableStatus": "HasBeenBilled"}, "2170"),
        ({"CustomerRef": {"value": "99"}}, "2500"),
        ({"ClassRef": {"value": "99"}}, "2500"),
    ],
)
def test_an_expense_line_is_checked(api: Api, detail: Json, code: str) -> None:
    assert api.refuse("Bill", api.bill(api.vendor(), api.expense(**detail)))["code"] == code


@pytest.mark.parametrize("account", ["Accounts Payable (A/P)", "Accounts Receivable (A/R)"])
def test_receivables_and_payables_are_no_expense_accounts(api: Api, account: str) -> None:
    assert api.refuse("Bill", api.bill(api.vendor(), api.expense(account=account)))["code"] == "6430"


def test_an_unknown_or_inactive_account_is_told_apart(api: Api) -> None:
    body = api.bill(api.vendor())
    api.company.deactivate("Account", api.ref("Account", "Office Supplies")["value"])
    assert api.refuse("Bill", body)["code"] == "610"


def test_a_bill_needs_its_vendor_and_lines(api: Api) -> None:
    assert api.refuse("Bill", {"Line": [api.expense()]})["element"] == "VendorRef"
    assert api.refuse("Bill", {"VendorRef": api.vendor()})["element"] == "Line"
    assert api.refuse("Bill", api.bill({"value": "99"}))["Detail"] == "Invalid Reference Id : Names element id 99 not found"
    assert api.refuse("Bill", api.bill({"value": "2"}, api.line()))["code"] == "2170"


def test_a_bill_line_on_an_item_needs_one_that_can_be_purchased(api: Api) -> None:
    vendor = api.vendor()
    bill = api.write("Bill", api.bill(vendor, item_expense(api, Qty=Decimal(1), UnitPrice=Decimal(100))))
    assert bill["Line"][0]["ItemBasedExpenseLineDetail"]["ItemRef"]["name"] == "Services"
    assert api.refuse("Bill", api.bill(vendor, item_expense(api, "Discount")))["code"] == "6000"
    assert api.refuse("Bill", api.bill(vendor, item_expense(api, "Products")))["code"] == "2500"
    assert api.refuse("Bill", api.bill(vendor, item_expense(api, Qty=Decimal(2), UnitPrice=Decimal(100))))["code"] == "6070"


def test_small_plans_lack_bills_or_items_on_them(api: Api) -> None:
    vendor = api.vendor()
    api.company.plan = "Essentials"
    api.write("Bill", api.bill(vendor))
    assert api.refuse("Bill", api.bill(vendor, item_expense(api)))["code"] == "5030"
    api.company.plan = "Simple Start"
    assert api.refuse("Bill", api.bill(vendor))["code"] == "5030"


@pytest.mark.parametrize("tracking", ["line", "transaction"])
def test_a_class_stands_on_expense_lines_however_classes_are_tracked(api: Api, tracking: Any) -> None:
    api.company.class_tracking = tracking
    bill = api.write("Bill", api.bill(api.vendor(), api.expense(ClassRef=api.ref("Class", "Retail"))))
    assert bill["Line"][0]["AccountBasedExpenseLineDetail"]["ClassRef"]["name"] == "Retail"
    assert api.refuse("Bill", api.bill({"value": "2"}, ClassRef=api.ref("Class", "Retail")))["code"] == "2010"


@pytest.mark.parametrize(
    ("kind", "account", "code"),
    [
        ("Check", "Chequing", None),
        ("CreditCard", "Visa", None),
        ("Cash", "Undeposited Funds", None),
        ("Check", "Visa", "6430"),
        ("CreditCard", "Chequing", "6430"),
    ],
)
def test_a_paid_expense_leaves_an_account_of_its_kind(api: Api, kind: str, account: str, code: str | None) -> None:
    body = {
        "PaymentType": kind,
        "AccountRef": api.ref("Account", account),
        "Line": [api.expense()],
        "EntityRef": {**api.vendor(), "type": "Vendor"},
    }
    if code:
        assert api.refuse("Purchase", body)["code"] == code
    else:
        assert api.write("Purchase", body)["TotalAmt"] == 113


def test_a_bill_can_be_deleted_but_not_voided(api: Api) -> None:
    bill = api.write("Bill", api.bill(api.vendor()))
    token = {"Id": bill["Id"], "SyncToken": "0"}
    assert api.refuse("Bill", token, operation="void")["code"] == "500"
    assert api.write("Bill", token, operation="delete")["status"] == "Deleted"
