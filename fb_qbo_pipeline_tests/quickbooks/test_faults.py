import pytest
from hypothesis import given
from hypothesis import strategies as st

from fb_qbo_pipeline.http import loads
from fb_qbo_pipeline.quickbooks.faults import (
    TABLE,
    Assigned,
    Fault,
    FaultError,
    Reaction,
    assigned_transaction,
    classify,
    fault_in,
    name_owner,
    read_answer,
)
from fb_qbo_pipeline_tests.quickbooks.stand_ins import THROTTLE_XML, expired_token, refusal

NAME_TAKEN = "The name supplied already exists. : Another customer, vendor or employee is already using this \nname."


def fault(code: str, detail: str = "", *, status: int = 400, kind: str = "ValidationFault") -> Fault:
    return Fault(status, kind, (FaultError(code, "message", detail),))


def test_the_services_dialect_is_read():
    answer = read_answer(400, refusal("6240", NAME_TAKEN).content().decode())
    assert answer == Fault(400, "ValidationFault", (FaultError("6240", "no", NAME_TAKEN, ""),))


def test_the_gateways_dialect_is_read_with_nulls_as_nothing():
    answer = read_answer(401, expired_token().content().decode())
    message = "message=AuthenticationFailed; errorCode=003200; statusCode=401"
    assert answer == Fault(401, "AUTHENTICATION", (FaultError("3200", message, "Token expired", ""),))


def test_the_xml_dialect_is_read():
    answer = read_answer(429, THROTTLE_XML)
    assert isinstance(answer, Fault)
    assert (answer.type, answer.errors[0].code) == ("SERVICE", "3001")
    assert answer.errors[0].detail == "The request limit was reached.  Try again later"


def test_xml_entities_and_elements_are_read():
    error = '<Error code="2500" element="Line"><Message>A &amp; B</Message><Detail>&lt;x&gt;</Detail></Error>'
    body = f'<Fault type="ValidationFault">{error}</Fault>'
    assert read_answer(400, body) == Fault(400, "ValidationFault", (FaultError("2500", "A & B", "<x>", "Line"),))


@pytest.mark.parametrize("body", ["", "<html><body>Bad Gateway</body></html>", '{"Invoice": {"Id": "1"', "null", "[]", "<IntuitResponse/>"])
def test_a_body_without_words_is_a_fault_without_errors(body):
    assert read_answer(200, body) == Fault(200, "")


def test_a_fault_within_200_is_a_fault():
    answer = read_answer(200, refusal("6000", "Business Validation Error: Select a bank account").content().decode())
    assert isinstance(answer, Fault)
    assert classify(answer) is Reaction.REFUSED
    assert answer.words == "Select a bank account"


def test_a_null_fault_within_200_is_none():
    assert read_answer(200, '{"fault": null, "QueryResponse": {}}') == {"fault": None, "QueryResponse": {}}


def test_an_answer_holds_decimals():
    answer = read_answer(200, '{"Invoice": {"TotalAmt": 100.10}}')
    assert isinstance(answer, dict)
    assert str(answer["Invoice"]["TotalAmt"]) == "100.10"


@pytest.mark.parametrize(("code", "read"), [("003001", "3001"), (3001, "3001"), (" 3001 ", "3001"), (None, "3200")])
def test_codes_have_no_leading_zeros_and_are_found_in_the_message(code, read):
    error = {"message": "message=AuthenticationFailed; errorCode=003200; statusCode=401", "code": code}
    found = fault_in({"fault": {"error": [error], "type": "SERVICE"}}, 401)
    assert found is not None
    assert found.errors[0].code == read


def test_a_single_error_that_is_not_in_a_list_is_read():
    assert fault_in({"Fault": {"Error": {"code": "6140"}}}) == Fault(200, "", (FaultError("6140", ""),))


@pytest.mark.parametrize(
    ("code", "detail", "reaction"),
    [
        ("3001", "", Reaction.THROTTLED),
        ("3200", "Token expired", Reaction.RENEW_TOKEN),
        ("100", "AuthenticationErrorGeneral: SRV-110-Authentication Failure", Reaction.RENEW_TOKEN),
        ("3100", "", Reaction.RECONNECT),
        ("120", "-11014-You do not have access to use QuickBooks Online Plus.", Reaction.RECONNECT),
        ("6190", "Subscription period has ended", Reaction.SUSPENDED),
        ("130", "", Reaction.TRANSIENT),
        ("10000", "System Failure Error: something", Reaction.TRANSIENT),
        ("600", "", Reaction.DUPLICATE_REQUEST),
        ("5010", "You and Pat were working on this at the same time.", Reaction.STALE),
        ("610", "Object Not Found : Another user has deleted this transaction.", Reaction.GONE),
        ("610", "Object Not Found : Something you're trying to use has been made inactive.", Reaction.INACTIVE_REFERENCE),
        ("2500", "Invalid Reference Id : Names element id 583 not found", Reaction.INACTIVE_REFERENCE),
        ("2500", "An item in this transaction is set up as a category instead of a product or service.", Reaction.REFUSED),
        ("6240", NAME_TAKEN, Reaction.DUPLICATE_NAME),
        ("6140", "You must specify a different number.", Reaction.DUPLICATE_NUMBER),
        ("6000", "You can only add or edit one name at a time. Please try again.", Reaction.NAME_BUSY),
        ("6000", "you need to activate this item before updating the quantity", Reaction.INACTIVE_REFERENCE),
        ("6000", "The account period has closed", Reaction.CLOSED_PERIOD),
        ("6000", "You can only use one foreign currency per transaction.", Reaction.REFUSED),
        ("6210", "The account period has closed and the account books cannot be updated", Reaction.CLOSED_PERIOD),
        ("6210", "Duplicate Document Number Error", Reaction.DUPLICATE_NUMBER),
        ("6540", "This transaction has been deposited.", Reaction.LOCKED),
        ("6480", "", Reaction.LOCKED),
        ("6450", "", Reaction.LOCKED),
        ("6070", "Amount is not equal to UnitPrice * Qty. Supplied value:1", Reaction.REFUSED),
        ("5030", "This feature is not included", Reaction.REFUSED),
        ("99999", "never heard of", Reaction.REFUSED),
    ],
)
def test_a_code_with_its_words_decides_the_reaction(code, detail, reaction):
    assert classify(fault(code, detail)) is reaction


@pytest.mark.parametrize(
    ("status", "reaction"),
    [
        (200, Reaction.TRANSIENT),
        (302, Reaction.TRANSIENT),
        (400, Reaction.TRANSIENT),
        (401, Reaction.RENEW_TOKEN),
        (403, Reaction.RECONNECT),
        (404, Reaction.WRONG_COMPANY),
        (408, Reaction.TRANSIENT),
        (429, Reaction.THROTTLED),
        (500, Reaction.TRANSIENT),
        (502, Reaction.TRANSIENT),
        (504, Reaction.TRANSIENT),
    ],
)
def test_without_words_the_status_decides(status, reaction):
    assert classify(Fault(status, "")) is reaction


def test_a_throttle_may_come_as_403():
    assert classify(fault("3001", status=403, kind="SERVICE")) is Reaction.THROTTLED


def test_a_missing_object_may_come_as_404():
    assert classify(fault("610", "Object Not Found", status=404)) is Reaction.INACTIVE_REFERENCE


def test_a_validation_fault_is_definite_under_any_status_but_429():
    assert classify(fault("6070", status=500)) is Reaction.REFUSED
    assert classify(fault("5020", status=403)) is Reaction.REFUSED
    assert classify(fault("6070", status=429)) is Reaction.THROTTLED


def test_a_system_fault_leaves_the_outcome_unknown():
    assert classify(fault("77777", status=200, kind="SystemFault")) is Reaction.TRANSIENT


def test_of_several_errors_the_one_that_can_be_repaired_decides():
    both = Fault(400, "ValidationFault", (FaultError("2010", "unsupported"), FaultError("6140", "Duplicate Document Number Error")))
    assert classify(both) is Reaction.DUPLICATE_NUMBER


def test_every_row_of_the_table_names_its_source_and_writes_its_text_in_lower_case():
    assert all(row.source and row.codes and row.text == row.text.casefold() for row in TABLE)


def test_no_row_is_hidden_by_an_earlier_one():
    for index, row in enumerate(TABLE):
        for earlier in TABLE[:index]:
            assert not (earlier.text == row.text and earlier.codes & row.codes)
            assert earlier.text or not row.codes & earlier.codes


def test_the_transaction_that_has_the_number_is_read_from_the_detail():
    detail = (
        "Duplicate Document Number Error : You must specify a different number. This number has already been used. "
        "DocNumber=FB-7 is assigned to TxnType=Bill with TxnId=17250"
    )
    assert assigned_transaction(fault("6140", detail)) == Assigned("Bill", "17250")
    assert assigned_transaction(fault("6140", "TxnType=Sales Receipt with TxnId=9")) == Assigned("SalesReceipt", "9")
    assert assigned_transaction(fault("6140", "This number has already been used.")) is None
    assert assigned_transaction(fault("6000", detail)) is None


def test_the_owner_of_a_name_is_read_from_the_detail():
    assert name_owner(fault("6240", f"{NAME_TAKEN} Id=42")) == "42"
    assert name_owner(fault("6240", "The customer ID is: 43")) == "43"
    assert name_owner(fault("6240", NAME_TAKEN)) is None


def test_a_summary_leaves_out_the_details_because_they_quote_the_companys_data():
    quoting = fault("6140", "DocNumber=SECRET-1 is assigned to TxnType=Bill with TxnId=1")
    assert "SECRET" not in quoting.summary
    assert "SECRET" not in repr(quoting)
    assert "SECRET" in quoting.words


@given(st.integers(200, 599), st.text())
def test_any_body_is_read_without_an_error(status, body):
    answer = read_answer(status, body)
    if isinstance(answer, Fault):
        assert classify(answer) in Reaction
    else:
        assert answer == loads(body)
