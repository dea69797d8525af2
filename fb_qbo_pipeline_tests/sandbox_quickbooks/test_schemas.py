from decimal import Decimal
from typing import Any

import pytest

from fb_qbo_pipeline_tests.sandbox_quickbooks.asgi import Api, Json


def line(**changes: Any) -> Json:
    return {"DetailType": "SalesItemLineDetail", "Amount": 1, "SalesItemLineDetail": {"ItemRef": {"value": "1"}}, **changes}


@pytest.mark.parametrize(
    ("changes", "code", "element"),
    [
        ({"Memo": "x"}, "2010", "Memo"),
        ({"docNumber": "1"}, "2010", "docNumber"),
        ({"Line": [line(Total=1)]}, "2010", "Total"),
        ({"Line": [line(SalesItemLineDetail={"ItemRef": {"value": "1"}, "Amount": 1})]}, "2010", "Amount"),
        ({"CustomerRef": {"value": "1", "id": "1"}}, "2010", "id"),
        ({"BillAddr": {"Line6": "x"}}, "2010", "Line6"),
        ({"TxnTaxDetail": {"Total": 1}}, "2010", "Total"),
        ({"CustomerRef": {"value": "Acme"}}, "2030", "CustomerRef"),
        ({"CustomerRef": {"value": 1}}, "2120", "CustomerRef"),
        ({"CustomerRef": "1"}, "2120", "CustomerRef"),
        ({"Line": [line(SalesItemLineDetail={"ItemRef": {"value": "Services"}})]}, "2030", "ItemRef"),
        ({"DocNumber": 1234}, "2120", "DocNumber"),
        ({"DocNumber": "F" * 22}, "2050", "DocNumber"),
        ({"PrivateNote": "n" * 4001}, "2050", "PrivateNote"),
        ({"PrivateNote": "a\x07"}, "2040", "PrivateNote"),
        ({"CustomerMemo": {"value": "n" * 1001}}, "2050", "value"),
        ({"Line": [line(Description="d" * 4001)]}, "2050", "Description"),
        ({"BillAddr": {"PostalCode": "1" * 31}}, "2050", "PostalCode"),
        ({"Line": [line(Amount="1.00")]}, "2100", "Amount"),
        ({"Line": [line(Amount=Decimal("1.001"))]}, "2110", "Amount"),
        ({"Line": [line(Amount=Decimal("99999999999"))]}, "2140", "Amount"),
        ({"Line": [line(Amount=True)]}, "2100", "Amount"),
        ({"Line": [line(LineNum="1")]}, "2080", "LineNum"),
        ({"Line": {}}, "2120", "Line"),
        ({"Line": [line(DetailType="SalesLine")]}, "2170", "DetailType"),
        ({"GlobalTaxCalculation": "TaxIncluded"}, "2170", "GlobalTaxCalculation"),
        ({"TxnDate": "2026/02/01"}, "2060", "TxnDate"),
        ({"TxnDate": "2026-02-30"}, "2060", "TxnDate"),
        ({"ApplyTaxAfterDiscount": "true"}, "2120", "ApplyTaxAfterDiscount"),
        ({"BillEmail": {"Address": "nobody"}}, "2210", "Address"),
        ({"BillEmail": {"Address": f"{'a' * 100}@b.co"}}, "2050", "Address"),
    ],
)
def test_a_value_outside_the_schema_is_refused_with_its_code_and_element(api: Api, changes: Json, code: str, element: str) -> None:
    error = api.refuse("Invoice", {"CustomerRef": {"value": "1"}, "Line": [line()], **changes})
    assert (error["code"], error["element"]) == (code, element)
    assert api.company.rows("Invoice") == []


def test_the_complaint_about_an_unknown_property_names_it_and_its_class(api: Api) -> None:
    error = api.refuse("Invoice", {"Line": [line(SalesItemLineDetail={"Amount": 1})]})
    assert 'Unrecognized field "Amount"' in error["Detail"]
    assert "SalesItemLineDetail" in error["Detail"]


def test_read_only_properties_are_accepted_and_have_no_effect(api: Api) -> None:
    body = api.invoice(api.customer(), TotalAmt=1, Balance=1, domain="QBO", MetaData={"CreateTime": "1999"}, LinkedTxn=[], HomeTotalAmt=9)
    invoice = api.write("Invoice", body)
    assert (invoice["TotalAmt"], invoice["Balance"]) == (113, 113)
    assert invoice["MetaData"]["CreateTime"].startswith("2026-03-10")


def test_a_null_counts_as_absent_on_create(api: Api) -> None:
    body = api.invoice(api.customer(), DocNumber=None, DepartmentRef={"value": None}, PrivateNote=None)
    invoice = api.write("Invoice", body)
    assert not {"DocNumber", "DepartmentRef", "PrivateNote"} & invoice.keys()


@pytest.mark.parametrize("body", [b"{", b"", b"[1]", b'"x"', b'{"DocNumber": "\xff"}'])
def test_a_body_that_is_no_json_object_is_refused(api: Api, body: bytes) -> None:
    assert api.refuse("Invoice", body)["code"] == "2010"


def test_a_date_with_an_offset_is_taken_as_the_date(api: Api) -> None:
    assert api.write("Invoice", api.invoice(api.customer(), TxnDate="2026-02-03-08:00"))["TxnDate"] == "2026-02-03"


@pytest.mark.parametrize(
    ("entity", "body"),
    [
        ("Customer", {"DisplayName": "A:B"}),
        ("Vendor", {"DisplayName": "A\tB"}),
        ("Item", {"Name": "A\nB", "Type": "Service"}),
        ("Account", {"Name": "A:B", "AccountType": "Bank"}),
    ],
)
def test_a_name_holds_no_colon_tab_or_newline(api: Api, entity: str, body: Json) -> None:
    assert api.refuse(entity, body)["code"] == "2040"
