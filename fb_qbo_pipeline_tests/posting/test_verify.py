"""Whether what came back is what was intended."""

import copy
import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fb_qbo_pipeline.mapping.documents import Document, Entity, Source
from fb_qbo_pipeline.posting.verify import content, differences, has_marker, is_void, money, stands

D = Decimal
BODY: dict[str, Any] = {
    "CustomerRef": {"value": "58"},
    "TxnDate": "2026-03-05",
    "DocNumber": "FB1",
    "PrivateNote": "fb:A/invoice/1",
    "Line": [
        {
            "Amount": D("100.00"),
            "DetailType": "SalesItemLineDetail",
            "SalesItemLineDetail": {"ItemRef": {"value": "21"}, "Qty": D("1"), "UnitPrice": D("100")},
        }
    ],
    "TxnTaxDetail": {"TotalTax": D("13.00")},
}
ANSWER: dict[str, Any] = {
    **BODY,
    "Id": "130",
    "SyncToken": "0",
    "CustomerRef": {"value": "58", "name": "Acme Ltd"},
    "CurrencyRef": {"value": "CAD", "name": "Canadian Dollar"},
    "Line": [
        {**BODY["Line"][0], "Id": "1", "LineNum": 1, "Amount": 100},
        {"Amount": 100, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}},
    ],
    "TxnTaxDetail": {"TotalTax": 13, "TaxLine": []},
    "TotalAmt": D("113.0"),
    "Balance": D("113"),
    "LinkedTxn": [],
}


def _document(**other: Any) -> Document:
    values: dict[str, Any] = {
        "source": Source.INVOICE,
        "source_id": 1,
        "entity": Entity.INVOICE,
        "date": dt.date(2026, 3, 5),
        "number": "FB1",
        "currency": "CAD",
        "total": D("113.00"),
        "tax": D("13.00"),
        "body": BODY,
    }
    return Document(**(values | other))


def _answer(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(ANSWER) | changes


def test_an_answer_as_intended_has_no_differences() -> None:
    assert differences(_document(), ANSWER) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"TotalAmt": D("113.01")}, "total"),
        ({"TotalAmt": None}, "total"),
        ({"TxnTaxDetail": {"TotalTax": D("12.99")}}, "tax"),
        ({"DocNumber": "FB2"}, "number"),
        ({"CurrencyRef": {"value": "USD"}}, "currency"),
    ],
)
def test_each_difference_is_named(changes: dict[str, Any], field: str) -> None:
    assert [difference.field for difference in differences(_document(), _answer(**changes))] == [field]


def test_a_number_that_quickbooks_gave_is_no_difference() -> None:
    assert differences(_document(number=None), _answer(DocNumber="1041")) == []


def test_a_payment_has_neither_tax_nor_number() -> None:
    payment = _document(entity=Entity.PAYMENT, total=D("60.00"), number=None)
    assert differences(payment, {"TotalAmt": 60, "CurrencyRef": {"value": "CAD"}}) == []


def test_a_repaired_document_may_have_another_tax_but_no_other_total() -> None:
    assert differences(_document(), _answer(TxnTaxDetail={"TotalTax": D("12.99")}), repaired=True) == []
    assert differences(_document(), _answer(TotalAmt=D("112.99")), repaired=True) != []


def test_an_absent_amount_is_zero() -> None:
    assert money({}, "TxnTaxDetail", "TotalTax") == 0
    assert money({"TxnTaxDetail": None}, "TxnTaxDetail", "TotalTax") == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"SyncToken": "4"},
        {"Balance": D("53.00")},
        {"LinkedTxn": [{"TxnId": "9", "TxnType": "Payment"}]},
        {"MetaData": {"LastUpdatedTime": "2026-03-06T00:00:00-08:00"}},
        {"CustomerRef": {"value": "58", "name": "Acme Limited"}},
        {"TotalAmt": D("113.00")},
    ],
)
def test_what_quickbooks_changes_by_itself_is_no_change_of_content(changes: dict[str, Any]) -> None:
    assert content(_answer(**changes)) == content(ANSWER)


@pytest.mark.parametrize(
    "changes",
    [
        {"DueDate": "2026-04-05"},
        {"CustomerRef": {"value": "59"}},
        {"PrivateNote": "mine"},
        {"TotalAmt": D("113.01")},
        {"Line": []},
        {"TxnTaxDetail": {"TotalTax": D("12")}},
    ],
)
def test_what_a_person_changes_is_a_change_of_content(changes: dict[str, Any]) -> None:
    assert content(_answer(**changes)) != content(ANSWER)


def test_the_links_of_a_payment_are_no_content() -> None:
    payment = {"TotalAmt": 60, "UnappliedAmt": 0, "Line": [{"Amount": 60, "LinkedTxn": [{"TxnId": "130"}]}]}
    assert content(payment) == content(payment | {"UnappliedAmt": 60, "Line": []})


def test_a_transaction_is_as_asked_for_whatever_quickbooks_adds() -> None:
    assert stands(BODY | {"Id": "130", "SyncToken": "0", "sparse": True}, ANSWER)


@pytest.mark.parametrize(
    "changes",
    [
        {"TxnDate": "2026-03-06"},
        {"Line": [BODY["Line"][0]] * 2},
        {"TxnTaxDetail": {"TotalTax": D("12.99")}},
        {"CustomerMemo": {"value": "x"}},
    ],
)
def test_a_transaction_is_not_as_asked_for_where_anything_differs(changes: dict[str, Any]) -> None:
    assert not stands(BODY | changes, ANSWER)


@pytest.mark.parametrize("note", ["fb:A/invoice/12", "fb:A/invoice/12 | 000012", "see fb:A/invoice/12", "Voided - fb:A/invoice/12"])
def test_a_marker_is_found_in_the_memo(note: str) -> None:
    assert has_marker({"PrivateNote": note}, "fb:A/invoice/12")


@pytest.mark.parametrize(
    "note", ["fb:A/invoice/123", "fb:AA/invoice/12", "xfb:A/invoice/12", "fb:A/invoice/12/3", "fb:A/payment/12", "", None]
)
def test_another_marker_is_not_taken_for_it(note: str | None) -> None:
    assert not has_marker({"PrivateNote": note}, "fb:A/invoice/12")


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_two_documents_never_share_a_marker(one: int, other: int) -> None:
    assert has_marker({"PrivateNote": f"fb:A/invoice/{one}"}, f"fb:A/invoice/{other}") is (one == other)


def test_a_void_is_told_by_its_amount_and_its_memo() -> None:
    assert is_void({"TotalAmt": 0, "PrivateNote": "Voided - fb:A/invoice/1"})
    assert not is_void({"TotalAmt": 0, "PrivateNote": "fb:A/invoice/1"})
    assert not is_void({"TotalAmt": 1, "PrivateNote": "voided later"})
