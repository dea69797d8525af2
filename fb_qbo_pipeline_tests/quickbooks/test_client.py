from decimal import Decimal

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from fb_qbo_pipeline.http import Reply, loads
from fb_qbo_pipeline.quickbooks.client import (
    ALLOW_DUPLICATE_NUMBER,
    BatchItem,
    Done,
    Refused,
    Throttled,
    Unknown,
    voiding,
)
from fb_qbo_pipeline.quickbooks.faults import Reaction
from fb_qbo_pipeline_tests.quickbooks.stand_ins import THROTTLE_XML, Company, expired_token, refusal

MADE = Reply(200, {"Invoice": {"Id": "1", "SyncToken": "0", "TotalAmt": Decimal("10.50")}})
ITEMS = [BatchItem("a", "create", "Invoice", {"DocNumber": "1"}), BatchItem("b", "create", "Bill", {"DocNumber": "2"})]


def batched(*responses: dict[str, object]) -> Reply:
    return Reply(200, {"BatchItemResponse": list(responses), "time": "2025-03-01T10:00:00.000-08:00"})


def test_a_write_returns_the_object_as_quickbooks_has_it():
    assert Company(MADE).client.write("Invoice", {}, request_id="r") == Done({"Id": "1", "SyncToken": "0", "TotalAmt": Decimal("10.50")})


def test_the_entity_is_lower_case_in_the_address():
    company = Company(Reply(200, {"SalesReceipt": {"Id": "1"}}))
    company.client.write("SalesReceipt", {}, request_id="r")
    assert "/salesreceipt?" in company.urls[0]


def test_money_travels_as_plain_numbers():
    company = Company(MADE)
    company.client.write("Invoice", {"Line": [{"Amount": Decimal("1E+2")}]}, request_id="r")
    assert company.bodies == ['{"Line":[{"Amount":100}]}']


@pytest.mark.parametrize(
    ("operation", "include", "query"),
    [
        (None, None, "?minorversion=75&requestid=r"),
        ("create", None, "?minorversion=75&requestid=r"),
        ("update", None, "?minorversion=75&requestid=r"),
        ("delete", None, "?operation=delete&minorversion=75&requestid=r"),
        ("void", None, "?operation=void&minorversion=75&requestid=r"),
        ("update", "void", "?operation=update&include=void&minorversion=75&requestid=r"),
        ("create", ALLOW_DUPLICATE_NUMBER, "?include=allowduplicatedocnum&minorversion=75&requestid=r"),
    ],
)
def test_operations_are_named_in_the_address(operation, include, query):
    company = Company(MADE)
    company.client.write("Invoice", {"Id": "1"}, request_id="r", operation=operation, include=include)
    assert company.urls[0].endswith("/invoice" + query)


@pytest.mark.parametrize(
    ("reply", "reaction"),
    [
        (refusal("6140", "assigned to TxnType=Invoice with TxnId=5"), Reaction.DUPLICATE_NUMBER),
        (refusal("6000", "Make sure all your transactions have a GST/HST rate before you save.", status=200), Reaction.REFUSED),
        (refusal("6210"), Reaction.CLOSED_PERIOD),
        (refusal("5010"), Reaction.STALE),
        (refusal("6190"), Reaction.SUSPENDED),
        (refusal("600"), Reaction.DUPLICATE_REQUEST),
    ],
)
def test_a_refusal_is_a_value_with_what_to_do(reply, reaction):
    company = Company(reply)
    answer = company.client.write("Invoice", {}, request_id="r")
    assert isinstance(answer, Refused)
    assert answer.reaction is reaction
    assert len(company.urls) == 1


@pytest.mark.parametrize(
    "reply",
    [
        Reply(502, "<html/>"),
        Reply(504, ""),
        Reply(200, ""),
        Reply(200, '{"Invoice": {"Id": "1"'),
        Reply(200, {"time": "now"}),
        Reply(200, {"Invoice": {"TotalAmt": 1}}),
        refusal("10000", status=500),
        refusal("130"),
        requests.ReadTimeout(),
        requests.ConnectionError(),
    ],
)
def test_a_write_whose_outcome_is_unknown_is_attempted_exactly_once(reply):
    company = Company(reply)
    answer = company.client.write("Invoice", {}, request_id="r")
    assert isinstance(answer, Unknown)
    assert not answer.not_sent
    assert len(company.urls) == 1


def test_a_throttled_write_is_not_repeated_either():
    company = Company(Reply(429, THROTTLE_XML))
    assert isinstance(company.client.write("Invoice", {}, request_id="r"), Throttled)
    assert len(company.urls) == 1


def test_a_connection_that_could_not_be_opened_is_said_to_be_unsent():
    answer = Company(requests.ConnectTimeout()).client.write("Invoice", {}, request_id="r")
    assert answer == Unknown("the connection timed out", not_sent=True)


def test_a_deletion_is_done_with_a_stub():
    stub = {"domain": "QBO", "status": "Deleted", "Id": "129"}
    answer = Company(Reply(200, {"Bill": stub})).client.write("Bill", {"Id": "129", "SyncToken": "0"}, request_id="r", operation="delete")
    assert answer == Done(stub)


@pytest.mark.parametrize("request_id", ["", "x" * 51])
def test_a_request_id_that_quickbooks_would_refuse_is_refused_before(request_id):
    company = Company()
    with pytest.raises(ValueError, match="request id"):
        company.client.write("Invoice", {}, request_id=request_id)
    assert company.urls == []


def test_a_batch_names_every_item_and_the_request():
    company = Company(batched({"bId": "a", "Invoice": {"Id": "1"}}, {"bId": "b", "Bill": {"Id": "2"}}))
    void = BatchItem("c", "update", "Payment", {"Id": "5", "SyncToken": "1", "sparse": True}, options="void")
    company.client.batch([*ITEMS, void], request_id="batch-1")
    assert company.urls[0].endswith("/batch?minorversion=75&requestid=batch-1")
    assert loads(company.bodies[0]) == {
        "BatchItemRequest": [
            {"bId": "a", "operation": "create", "Invoice": {"DocNumber": "1"}},
            {"bId": "b", "operation": "create", "Bill": {"DocNumber": "2"}},
            {"bId": "c", "operation": "update", "Payment": {"Id": "5", "SyncToken": "1", "sparse": True}, "optionsData": "void"},
        ]
    }


def test_items_of_a_batch_succeed_and_fail_one_by_one_in_any_order():
    error = {"Message": "Duplicate Document Number Error", "Detail": "", "code": "6140", "element": ""}
    company = Company(batched({"bId": "b", "Fault": {"type": "ValidationFault", "Error": [error]}}, {"bId": "a", "Invoice": {"Id": "1"}}))
    answers = company.client.batch(ITEMS, request_id="batch-1")
    assert list(answers) == ["a", "b"]
    assert answers["a"] == Done({"Id": "1"})
    assert isinstance(answers["b"], Refused)
    assert answers["b"].reaction is Reaction.DUPLICATE_NUMBER


def test_an_item_that_the_answer_does_not_mention_is_unknown():
    answers = Company(batched({"bId": "a", "Invoice": {"Id": "1"}})).client.batch(ITEMS, request_id="batch-1")
    assert isinstance(answers["a"], Done)
    assert isinstance(answers["b"], Unknown)


def test_an_answer_to_an_item_that_was_not_sent_is_dropped():
    answers = Company(batched({"bId": "z", "Invoice": {"Id": "1"}})).client.batch(ITEMS, request_id="batch-1")
    assert {bid: type(answer) for bid, answer in answers.items()} == {"a": Unknown, "b": Unknown}


def test_an_item_that_is_answered_twice_is_unknown():
    reply = batched({"bId": "a", "Invoice": {"Id": "1"}}, {"bId": "a", "Invoice": {"Id": "2"}}, {"bId": "b", "Bill": {"Id": "3"}})
    answers = Company(reply).client.batch(ITEMS, request_id="batch-1")
    assert isinstance(answers["a"], Unknown)
    assert isinstance(answers["b"], Done)


def test_an_item_answered_with_another_entity_is_unknown():
    answers = Company(batched({"bId": "a", "Bill": {"Id": "1"}}, {"bId": "b"})).client.batch(ITEMS, request_id="batch-1")
    assert {type(answer) for answer in answers.values()} == {Unknown}


def test_a_throttled_item_pauses_the_company():
    throttle = {"bId": "b", "Fault": {"type": "SERVICE", "Error": [{"Message": "ThrottleExceeded", "code": "003001"}]}}
    company = Company(batched({"bId": "a", "Invoice": {"Id": "1"}}, throttle), MADE)
    answers = company.client.batch(ITEMS, request_id="batch-1")
    assert isinstance(answers["b"], Throttled)
    company.client.write("Invoice", {}, request_id="r")
    assert company.clock() == pytest.approx(1060, abs=0.01)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(504, ""), Unknown),
        (requests.ReadTimeout(), Unknown),
        (Reply(200, {"time": "now"}), Unknown),
        (Reply(429, THROTTLE_XML), Throttled),
        (refusal("1040", "Batch size exceeds allowed limit"), Refused),
    ],
)
def test_what_befalls_a_whole_batch_befalls_every_item(reply, kind):
    answers = Company(reply).client.batch(ITEMS, request_id="batch-1")
    assert [type(answer) for answer in answers.values()] == [kind, kind]


def test_a_batch_goes_out_again_after_a_401_with_the_same_request_id():
    company = Company(expired_token(), batched({"bId": "a", "Invoice": {"Id": "1"}}))
    assert isinstance(company.client.batch(ITEMS, request_id="batch-1")["a"], Done)
    assert company.urls[0] == company.urls[1]
    assert company.bodies[0] == company.bodies[1]


@pytest.mark.parametrize(
    ("bids", "request_id", "words"),
    [
        ([], "r", "1 to 30 items"),
        ([str(number) for number in range(31)], "r", "1 to 30 items"),
        (["a", "a"], "r", "unique"),
        (["x" * 11], "r", "unique"),
        (["a"], "r" * 37, "36 characters"),
    ],
)
def test_a_batch_that_quickbooks_would_refuse_is_refused_before(bids, request_id, words):
    company = Company()
    with pytest.raises(ValueError, match=words):
        company.client.batch([BatchItem(bid, "create", "Invoice", {}) for bid in bids], request_id=request_id)
    assert company.urls == []


@given(
    st.lists(
        st.sampled_from(
            [
                {"bId": "a", "Invoice": {"Id": "1"}},
                {"bId": "b"},
                {"bId": 7},
                {},
                {"bId": "b", "Fault": {}},
                {"bId": "b", "Fault": None},
                None,
                3,
            ]
        )
    )
)
def test_every_item_gets_one_answer_whatever_comes_back(responses):
    answers = Company(Reply(200, {"BatchItemResponse": responses})).client.batch(ITEMS, request_id="batch-1")
    assert list(answers) == ["a", "b"]
    assert not isinstance(answers["b"], Done)


def test_invoices_and_receipts_are_voided_each_in_its_way_and_bills_not_at_all():
    invoice, payment = voiding("Invoice", "1", "2"), voiding("Payment", "3", "4")
    assert invoice is not None
    assert payment is not None
    assert (invoice.operation, invoice.include, invoice.body) == ("void", None, {"Id": "1", "SyncToken": "2"})
    assert (payment.operation, payment.include) == ("update", "void")
    assert payment.body == {"Id": "3", "SyncToken": "4", "sparse": True}
    assert voiding("Bill", "5", "6") is None
