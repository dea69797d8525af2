from decimal import Decimal

import pytest
import requests

from fb_qbo_pipeline.errors import ConfigurationError, ConnectionRequired, RemoteRefusal, Unreachable
from fb_qbo_pipeline.freshbooks.client import TRIES, FreshBooksClient
from fb_qbo_pipeline.freshbooks.errors import NoAccess
from fb_qbo_pipeline.freshbooks.resources import CLIENTS, INVOICES, ITEMS, PAYMENTS
from fb_qbo_pipeline.http import FakeTransport, Reply
from fb_qbo_pipeline_tests.freshbooks.stand_ins import ACCOUNT, Tokens, client, query, result, served

EMPTY = result(invoices=[], page=1, pages=0, per_page=100, total=0)
UNAUTHENTICATED = Reply(401, {"error": "unauthenticated", "error_description": "This action requires authentication to continue."})
NOT_FOUND = Reply(404, {"response": {"errors": [{"errno": 1012, "message": "Invoice not found."}]}})


def listed(subject, resource=INVOICES, filters=()):
    return list(subject.list(resource, filters))


def test_a_list_is_asked_for_with_a_bearer_a_hundred_a_page_and_encoded_brackets():
    transport = FakeTransport([EMPTY])
    assert listed(client(transport), filters=[("search[date_min]", "2025-01-01"), ("search[invoiceids][]", "7")]) == []
    request = transport.requests[0]
    assert request.headers["Authorization"] == "Bearer token-0"
    assert "Content-Type" not in request.headers
    assert request.url == (
        f"https://api.freshbooks.example/accounting/account/{ACCOUNT}/invoices/invoices"
        "?search%5Bdate_min%5D=2025-01-01&search%5Binvoiceids%5D%5B%5D=7&include%5B%5D=lines&page=1&per_page=100"
    )


def test_money_without_quotes_is_read_exactly():
    transport = FakeTransport([Reply(200, '{"response": {"result": {"client": {"id": 5, "amount": 10.10}}}}')])
    assert client(transport).read(CLIENTS, 5) == {"id": 5, "amount": Decimal("10.10")}


def test_all_pages_are_read_although_the_page_size_is_capped_below_what_was_asked():
    rows = [{"id": number} for number in range(1, 41)]
    transport = FakeTransport(served("payments", rows, cap=15))
    assert listed(client(transport), PAYMENTS) == rows
    assert [dict(query(request))["page"] for request in transport.requests] == ["1", "2", "3"]


def test_ids_under_their_other_name_also_tell_rows_apart():
    rows = [{"logid": 1}, {"logid": 2}, {"logid": 1}]
    assert listed(client(FakeTransport(served("payments", rows))), PAYMENTS) == rows[:2]


def test_an_error_under_status_200_is_not_an_empty_list():
    gated = Reply(200, {"response": {"errors": [{"errno": 12001, "message": "You do not have access to items."}]}})
    with pytest.raises(NoAccess, match="You do not have access to items"):
        listed(client(FakeTransport([gated])), ITEMS)


@pytest.mark.parametrize(
    "body",
    [
        {"response": {"result": {}}},
        {"response": {}},
        {},
        {"response": {"result": {"invoices": None}}},
    ],
)
def test_an_answer_without_the_list_is_an_error(body):
    with pytest.raises(RemoteRefusal, match="unknown shape"):
        listed(client(FakeTransport([Reply(200, body)])))


@pytest.mark.parametrize(
    "failure",
    [
        Reply(429, "slow down"),
        Reply(429, ""),
        Reply(500, {"message": "There was an error accessing your account data."}),
        Reply(502, "<html>Bad gateway</html>"),
        Reply(200, "<html>Just a moment…</html>"),
        Reply(403, "<html>blocked by the edge</html>"),
        Reply(200, '{"response": {"result": {"invo'),
        Reply(200, ""),
        Reply(200, "[1, 2]"),
        Reply(200, {"response": {"errors": [{"errno": 500, "message": "unexpected"}]}}),
        requests.ConnectTimeout(),
        requests.ReadTimeout(),
        requests.ConnectionError(),
        requests.exceptions.ChunkedEncodingError(),
    ],
)
def test_failures_on_the_way_are_repeated_after_growing_waits(failure):
    slept: list[float] = []
    assert listed(client(FakeTransport([failure, failure, EMPTY]), slept=slept)) == []
    assert len(slept) == 2
    assert 0 < slept[0] < slept[1]


def test_the_wait_that_freshbooks_asks_for_is_kept():
    slept: list[float] = []
    listed(client(FakeTransport([Reply(429, "", {"Retry-After": "59"}), EMPTY]), slept=slept))
    assert slept == [59.0]


def test_without_a_retry_after_throttling_is_waited_out_for_longer_than_a_minute_limit_may_need():
    slept: list[float] = []
    with pytest.raises(Unreachable):
        listed(client(FakeTransport(lambda _request: Reply(429, "")), slept=slept))
    assert sum(slept) > 30
    assert max(slept) <= 60


def test_a_lasting_outage_names_the_host_and_what_happened_last():
    transport = FakeTransport(lambda _request: Reply(503, "<html>"))
    with pytest.raises(Unreachable, match=r"api\.freshbooks\.example.*invoices in 6 tries; the last: status 503"):
        listed(client(transport))
    assert len(transport.requests) == TRIES


def test_a_refusal_is_not_repeated():
    transport = FakeTransport([Reply(422, {"response": {"errors": [{"errno": 1023, "message": "Bad date.", "field": "date_min"}]}})])
    with pytest.raises(RemoteRefusal, match=r"Bad date\. \[1023\]"):
        listed(client(transport))
    assert len(transport.requests) == 1


@pytest.mark.parametrize("rejections", [1, 2])
def test_a_rejected_token_is_renewed_and_the_request_repeated(rejections: int):
    transport, tokens = FakeTransport([*[UNAUTHENTICATED] * rejections, EMPTY]), Tokens()
    assert listed(client(transport, tokens=tokens)) == []
    assert tokens.renewals == [f"token-{n}" for n in range(rejections)]
    assert transport.requests[-1].headers["Authorization"] == f"Bearer token-{rejections}"


def test_a_token_that_is_rejected_however_fresh_asks_for_a_person():
    transport = FakeTransport([UNAUTHENTICATED] * 3)
    with pytest.raises(ConnectionRequired, match="fb-qbo connect freshbooks") as caught:
        listed(client(transport))
    assert "token-1" not in str(caught.value)


def test_a_rejected_token_with_a_page_instead_of_json_is_renewed_as_well():
    assert listed(client(FakeTransport([Reply(401, "<html>Unauthorized</html>"), EMPTY]))) == []


def test_a_list_that_is_not_found_is_a_wrong_account_id():
    with pytest.raises(ConfigurationError, match=r"freshbooks\.account_id"):
        listed(client(FakeTransport([NOT_FOUND])))


def test_a_record_that_is_not_found_is_none_once_the_account_is_known_to_exist():
    transport = FakeTransport([EMPTY, NOT_FOUND, NOT_FOUND])
    subject = client(transport)
    listed(subject)
    assert subject.read(INVOICES, 7) is None
    assert subject.read(INVOICES, 8) is None


def test_the_first_absence_is_believed_only_after_the_account_has_shown_itself():
    transport = FakeTransport([NOT_FOUND, EMPTY, NOT_FOUND])
    subject = client(transport)
    assert subject.read(INVOICES, 7) is None
    assert subject.read(INVOICES, 8) is None
    assert len(transport.requests) == 3


def test_a_record_of_a_wrong_account_is_not_taken_for_a_deleted_one():
    with pytest.raises(ConfigurationError, match=r"freshbooks\.account_id"):
        client(FakeTransport([NOT_FOUND, NOT_FOUND])).read(INVOICES, 7)


def test_a_single_invoice_is_read_with_its_lines():
    transport = FakeTransport([result(invoice={"id": 7, "lines": []})])
    assert client(transport).read(INVOICES, 7) == {"id": 7, "lines": []}
    assert query(transport.requests[0]) == [("include[]", "lines")]


def test_the_accounts_own_record_is_found_by_its_id():
    transport = FakeTransport([result(system={"accountid": ACCOUNT, "currency_code": "CAD"}), NOT_FOUND])
    subject = client(transport)
    assert subject.system()["currency_code"] == "CAD"
    assert (transport.requests[0].url or "").endswith(f"/accounting/account/{ACCOUNT}/systems/systems/{ACCOUNT}")
    with pytest.raises(ConfigurationError, match="ACM123"):
        subject.system()


def test_every_attempt_is_recorded_with_what_it_cost_and_how_it_failed():
    records: list = []
    body = '{"response": {"result": {"invoices": []}}}'
    listed(
        client(FakeTransport([requests.ReadTimeout(), Reply(429, ""), Reply(200, body)]), recorder=records.append),
        filters=[("token", "abcdef")],
    )
    assert [(each.status, each.size, each.error) for each in records] == [
        (None, 0, "no answer in time"),
        (429, 0, "status 429"),
        (200, len(body), ""),
    ]
    assert {(each.service, each.method) for each in records} == {("freshbooks", "GET")}
    assert all(each.seconds >= 0 for each in records)
    assert not [each for each in records if "abcdef" in each.url]


def test_an_address_that_is_no_http_address_is_a_wrong_setting():
    with pytest.raises(ConfigurationError, match="FRESHBOOKS_API_URL"):
        FreshBooksClient("api.freshbooks.com", ACCOUNT, Tokens())


@pytest.mark.parametrize("body", ["", "{}", {"response": {"result": {"invoices": []}}}])
def test_a_redirect_is_neither_followed_nor_taken_for_an_answer(body):
    moved = Reply(302, body, {"Location": "https://elsewhere.example/steal"})
    transport = FakeTransport([moved] * TRIES)
    with pytest.raises(Unreachable, match="status 302"):
        listed(client(transport))
    assert {request.url.split("/accounting")[0] for request in transport.requests} == {"https://api.freshbooks.example"}


def test_counts_beyond_all_bounds_count_nothing():
    page = result(invoices=[{"id": 1}], per_page="9" * 5000, pages="9" * 5000, total="1" * 5000)
    empty = result(invoices=[])
    assert listed(client(FakeTransport([page, empty]))) == [{"id": 1}]
