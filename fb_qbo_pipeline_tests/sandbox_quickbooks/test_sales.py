from decimal import Decimal
from typing import Any

import pytest

from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline_tests.sandbox_quickbooks.asgi import Api, Clock, Json, update


def test_an_invoice_comes_back_with_everything_that_quickbooks_fills_in(api: Api) -> None:
    customer = api.customer(PrimaryEmailAddr={"Address": "a@b.co"}, BillAddr={"Line1": "1 Road"})
    invoice = api.write("Invoice", {"CustomerRef": customer, "Line": [api.line()]})
    assert invoice["Id"] == "1"
    assert invoice["SyncToken"] == "0"
    assert (invoice["domain"], invoice["sparse"]) == ("QBO", False)
    assert invoice["TxnDate"] == "2026-03-10"  # the server's date, in its own time zone
    assert invoice["DueDate"] == "2026-04-09"  # thirty days: the company's default term
    assert (invoice["TotalAmt"], invoice["Balance"], invoice["Deposit"]) == (113, 113, 0)
    assert invoice["CustomerRef"] == {**customer, "name": "Acme"}
    assert invoice["CurrencyRef"] == {"value": "CAD", "name": "Canadian Dollar"}
    assert invoice["BillEmail"] == {"Address": "a@b.co"}
    assert invoice["BillAddr"] == {"Line1": "1 Road"}
    assert (invoice["PrintStatus"], invoice["EmailStatus"]) == ("NeedToPrint", "NotSet")
    assert invoice["LinkedTxn"] == []
    assert "DocNumber" not in invoice
    item, subtotal = invoice["Line"]
    assert (item["Id"], item["LineNum"]) == ("1", 1)
    assert item["SalesItemLineDetail"]["ItemRef"] == {"value": "1", "name": "Services"}
    assert (subtotal["DetailType"], subtotal["Amount"]) == ("SubTotalLineDetail", 100)


@pytest.mark.parametrize(
    ("quantity", "price", "amount", "accepted"),
    [
        ("128.35", "14.50", "1861.08", True),  # 1861.075 rounds half-up
        ("128.35", "14.50", "1861.07", False),
        ("12.95", "75", "970.88", False),
        ("12.95", "75", "971.25", True),
        ("3", "33.333", "100.00", True),
        ("3", "33.333", "99.99", False),
        ("1", "-0.125", "-0.13", True),
        ("1", "-0.125", "-0.12", False),
        ("0", "5", "0.00", True),
    ],
)
def test_the_amount_is_exactly_quantity_times_price_rounded_half_up(
    api: Api, quantity: str, price: str, amount: str, accepted: bool
) -> None:
    line = api.line(amount, Qty=Decimal(quantity), UnitPrice=Decimal(price))
    body = api.invoice(api.customer(), api.line("1000.00"), line)
    if accepted:
        assert api.write("Invoice", body)["Line"][1]["Amount"] == Decimal(amount)
    else:
        assert api.refuse("Invoice", body)["code"] == "6070"


def test_the_complaint_about_an_amount_shows_it_with_thousands_separators(api: Api) -> None:
    body = api.invoice(api.customer(), api.line("1861.07", Qty=Decimal("128.35"), UnitPrice=Decimal("14.5")))
    assert api.refuse("Invoice", body)["Detail"] == "Amount is not equal to UnitPrice * Qty. Supplied value:1,861.07"


def bad_reference(api: Api, key: str, value: str) -> Json:
    return api.invoice(api.customer(), **{key: {"value": value}})


@pytest.mark.parametrize(("key", "kind"), [("CustomerRef", "Names"), ("DepartmentRef", "Departments"), ("SalesTermRef", "Terms")])
def test_a_reference_to_nothing_is_refused_in_quickbooks_words(api: Api, key: str, kind: str) -> None:
    error = api.refuse("Invoice", bad_reference(api, key, "9999"))
    assert (error["code"], error["Detail"]) == ("2500", f"Invalid Reference Id : {kind} element id 9999 not found")


@pytest.mark.parametrize(("entity", "name"), [("Customer", "Acme"), ("Item", "Services"), ("Class", "Retail"), ("Department", "Toronto")])
def test_a_reference_to_something_inactive_is_refused(api: Api, entity: str, name: str) -> None:
    body = api.invoice(api.customer(), api.line(ClassRef=api.ref("Class", "Retail")), DepartmentRef=api.ref("Department", "Toronto"))
    api.company.deactivate(entity, api.ref(entity, name)["value"])
    error = api.refuse("Invoice", body)
    assert error["code"] == "610"
    assert "made inactive" in error["Detail"]


def test_a_category_is_no_product(api: Api) -> None:
    error = api.refuse("Invoice", api.invoice(api.customer(), api.line(item="Products")))
    assert error["code"] == "2500"
    assert "set up as a category" in error["Detail"]


@pytest.mark.parametrize(
    ("body", "code", "element"),
    [
        ({"Line": [{"DetailType": "DescriptionOnly"}]}, "2020", "CustomerRef"),
        ({"CustomerRef": {"value": "2"}}, "2020", "Line"),
        ({"CustomerRef": {"value": "2"}, "Line": []}, "2020", "Line"),
        ({"CustomerRef": {"value": "2"}, "Line": [{"Amount": 1}]}, "2020", "Line.DetailType"),
        ({"CustomerRef": {"value": "2"}, "Line": [{"DetailType": "SalesItemLineDetail"}]}, "2020", "Line.Amount"),
        (
            {"CustomerRef": {"value": "2"}, "Line": [{"DetailType": "AccountBasedExpenseLineDetail", "Amount": 1}]},
            "2170",
            "DetailType",
        ),
    ],
)
def test_what_an_invoice_needs_is_asked_for(api: Api, body: Json, code: str, element: str) -> None:
    api.customer()
    error = api.refuse("Invoice", body)
    assert (error["code"], error["element"]) == (code, element)


def test_a_negative_line_is_fine_but_a_negative_total_is_not(api: Api) -> None:
    customer = api.customer()
    discounted = api.invoice(customer, api.line("100.00"), api.line("-10.00", item="Discount"))
    assert api.write("Invoice", discounted)["TotalAmt"] == Decimal("101.70")
    error = api.refuse("Invoice", api.invoice(customer, api.line("10.00"), api.line("-10.01")))
    assert error["code"] == "6000"


def test_a_description_line_has_no_amount(api: Api) -> None:
    note = {"DetailType": "DescriptionOnly", "Description": "thanks", "Amount": 5, "DescriptionLineDetail": {}}
    invoice = api.write("Invoice", api.invoice(api.customer(), api.line(), note))
    assert invoice["TotalAmt"] == 113
    assert "Amount" not in invoice["Line"][1]


@pytest.mark.parametrize(
    ("discount", "total"),
    [
        ({"Amount": 20, "DiscountLineDetail": {"PercentBased": False}}, "90.40"),
        ({"DiscountLineDetail": {"PercentBased": True, "DiscountPercent": 10}}, "101.70"),
    ],
)
def test_a_document_discount_reduces_what_is_taxed(api: Api, discount: Json, total: str) -> None:
    body = api.invoice(api.customer(), api.line(), {"DetailType": "DiscountLineDetail", **discount})
    assert api.write("Invoice", body)["TotalAmt"] == Decimal(total)


@pytest.mark.parametrize(
    ("discount", "code"),
    [
        ({"DiscountLineDetail": {"PercentBased": True}}, "6090"),
        ({"Amount": 101, "DiscountLineDetail": {"PercentBased": False}}, "6000"),
        ({"Amount": -1, "DiscountLineDetail": {"PercentBased": False}}, "2290"),
        ({"Amount": 1, "DiscountLineDetail": {"PercentBased": False, "DiscountAccountRef": {"value": "7"}}}, "6430"),
    ],
)
def test_a_document_discount_that_makes_no_sense_is_refused(api: Api, discount: Json, code: str) -> None:
    body = api.invoice(api.customer(), api.line(), {"DetailType": "DiscountLineDetail", **discount})
    assert api.refuse("Invoice", body)["code"] == code


def test_a_class_goes_on_lines_or_on_the_document_as_the_company_tracks_it(api: Api) -> None:
    customer, retail = api.customer(), api.ref("Class", "Retail")
    on_line, on_document = api.invoice(customer, api.line(ClassRef=retail)), api.invoice(customer, ClassRef=retail)
    assert api.write("Invoice", on_line)["Line"][0]["SalesItemLineDetail"]["ClassRef"]["name"] == "Retail"
    assert api.refuse("Invoice", on_document)["code"] == "5030"
    api.company.class_tracking = "transaction"
    assert api.write("Invoice", on_document)["ClassRef"]["name"] == "Retail"
    assert api.refuse("Invoice", on_line)["code"] == "5030"


def test_a_class_or_location_whose_feature_is_off_is_refused_or_dropped(api: Api) -> None:
    api.company.class_tracking, api.company.locations = "off", False
    customer = api.customer()
    located = api.invoice(customer, DepartmentRef=api.ref("Department", "Toronto"))
    classed = api.invoice(customer, api.line(ClassRef=api.ref("Class", "Retail")))
    assert api.refuse("Invoice", located)["code"] == "5030"
    assert api.refuse("Invoice", classed)["code"] == "5030"
    api.company.off_features = "dropped"
    assert "DepartmentRef" not in api.write("Invoice", located)
    assert "ClassRef" not in api.write("Invoice", classed)["Line"][0]["SalesItemLineDetail"]


def test_an_unknown_class_is_called_by_quickbooks_word_for_it(api: Api) -> None:
    error = api.refuse("Invoice", api.invoice(api.customer(), api.line(ClassRef={"value": "999999"})))
    assert error["Detail"] == "Invalid Reference Id : Klasses element id 999999 not found"


@pytest.mark.parametrize("linked", [True, False])
def test_card_payment_on_an_invoice_needs_quickbooks_payments(linked: bool) -> None:
    api = Api(QuickBooks(online_payments=linked, clock=Clock()))
    invoice = api.write("Invoice", api.invoice(api.customer(), AllowOnlineCreditCardPayment=True))
    assert invoice["AllowOnlineCreditCardPayment"] is linked


def test_sending_by_email_needs_an_address(api: Api) -> None:
    assert api.refuse("Invoice", api.invoice(api.customer(), EmailStatus="NeedToSend"))["code"] == "6000"


@pytest.mark.parametrize(
    ("account", "code"), [("Undeposited Funds", None), ("PayPal Clearing", None), ("Services", "6430"), ("Visa", "6430")]
)
def test_a_sales_receipt_is_deposited_to_a_bank_or_other_current_asset(api: Api, account: str, code: str | None) -> None:
    body = api.invoice(api.customer(), DepositToAccountRef=api.ref("Account", account))
    if code:
        assert api.refuse("SalesReceipt", body)["code"] == code
    else:
        receipt = api.write("SalesReceipt", body)
        assert (receipt["Balance"], receipt["DepositToAccountRef"]["name"]) == (0, account)


def test_a_sales_receipt_without_customer_or_account_goes_to_undeposited_funds(api: Api) -> None:
    receipt = api.write("SalesReceipt", {"Line": [api.line()]})
    assert receipt["DepositToAccountRef"]["name"] == "Undeposited Funds"


@pytest.mark.parametrize(("entity", "missing"), [("CreditMemo", "CustomerRef"), ("RefundReceipt", "DepositToAccountRef")])
def test_credits_and_refunds_ask_for_what_they_need(api: Api, entity: str, missing: str) -> None:
    assert api.refuse(entity, {"Line": [api.line()]})["element"] == missing


def test_a_credit_memo_keeps_its_remaining_credit(api: Api) -> None:
    memo = api.write("CreditMemo", api.invoice(api.customer()))
    assert (memo["RemainingCredit"], memo["Balance"]) == (113, 113)


def test_voiding_an_invoice_zeroes_it_keeps_its_memo_and_frees_its_payments(api: Api) -> None:
    customer = api.customer()
    invoice = api.write("Invoice", api.invoice(customer, api.line(Qty=1, UnitPrice=100), PrivateNote="fb:A/invoice/1", DocNumber="FB1"))
    payment = api.write("Payment", api.payment(customer, "50.00", (invoice["Id"], "50.00")))
    current = api.send("GET", f"invoice/{invoice['Id']}").json["Invoice"]
    voided = api.write("Invoice", {"Id": current["Id"], "SyncToken": current["SyncToken"]}, operation="void")
    assert (voided["TotalAmt"], voided["Balance"], voided["TxnTaxDetail"]["TotalTax"]) == (0, 0, 0)
    assert voided["Line"][0]["SalesItemLineDetail"]["Qty"] == 0
    assert voided["PrivateNote"] == "Voided - fb:A/invoice/1"
    assert voided["LinkedTxn"] == []
    freed = api.send("GET", f"payment/{payment['Id']}").json["Payment"]
    assert (freed["UnappliedAmt"], freed["Line"]) == (50, [])


@pytest.mark.parametrize("updates", [False, True])
def test_a_voided_invoice_counts_again_after_a_change_or_cannot_be_changed(api: Api, updates: bool) -> None:
    api.company.updates_voided = updates
    body = api.invoice(api.customer())
    current = api.write("Invoice", body)
    voided = api.write("Invoice", {"Id": current["Id"], "SyncToken": current["SyncToken"]}, operation="void")
    again = body | {"Id": voided["Id"], "SyncToken": voided["SyncToken"], "PrivateNote": "fb:A/invoice/1"}
    if updates:
        assert api.write("Invoice", again)["TotalAmt"] == current["TotalAmt"]
    else:
        assert api.refuse("Invoice", again)["code"] == "6000"


def test_a_sales_receipt_is_voided_by_an_update_that_includes_it(api: Api) -> None:
    receipt = api.write("SalesReceipt", {"Line": [api.line()]})
    token = {"Id": receipt["Id"], "SyncToken": "0", "sparse": True}
    assert api.refuse("SalesReceipt", token, operation="void")["code"] == "500"
    voided = api.write("SalesReceipt", token, operation="update", include="void")
    assert (voided["TotalAmt"], voided["PrivateNote"]) == (0, "Voided")


@pytest.mark.parametrize("allowed", [True, False])
def test_deleting_a_paid_invoice_frees_the_payment_or_is_refused(api: Api, allowed: bool) -> None:
    api.company.deletes_paid_invoices = allowed
    customer = api.customer()
    invoice = api.write("Invoice", api.invoice(customer))
    payment = api.write("Payment", api.payment(customer, "113.00", (invoice["Id"], "113.00")))
    token = {"Id": invoice["Id"], "SyncToken": "1"}
    if not allowed:
        assert api.refuse("Invoice", token, operation="delete")["code"] == "6000"
        return
    assert api.write("Invoice", token, operation="delete") == {"domain": "QBO", "status": "Deleted", "Id": invoice["Id"]}
    assert api.send("GET", f"invoice/{invoice['Id']}").error["code"] == "610"
    assert api.send("GET", f"payment/{payment['Id']}").json["Payment"]["UnappliedAmt"] == 113


def test_an_invoice_can_not_fall_below_what_was_paid_on_it_nor_change_its_customer(api: Api) -> None:
    customer = api.customer()
    invoice = api.write("Invoice", api.invoice(customer))
    api.write("Payment", api.payment(customer, "100.00", (invoice["Id"], "100.00")))
    current = api.send("GET", "invoice/1").json["Invoice"]
    assert api.refuse("Invoice", update(current, Line=[api.line("50.00")]))["code"] == "6000"
    assert api.refuse("Invoice", update(current, CustomerRef=api.customer("Other")))["code"] == "6000"
    assert api.write("Invoice", update(current, Line=[api.line("200.00")]))["Balance"] == 126


def lines_of(row: Json) -> list[tuple[Any, Any]]:
    return [(line["Id"], line["Amount"]) for line in row["Line"] if "Id" in line]


def test_lines_keep_their_ids_on_an_update_and_new_ones_get_new_ids(api: Api) -> None:
    invoice = api.write("Invoice", api.invoice(api.customer(), api.line("1.00"), api.line("2.00")))
    assert lines_of(invoice) == [("1", 1), ("2", 2)]
    changed = api.write("Invoice", update(invoice, Line=[api.line("9.00"), {**api.line("2.50"), "Id": "2"}]))
    assert lines_of(changed) == [("3", 9), ("2", Decimal("2.50"))]
