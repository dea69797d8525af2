import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from fb_qbo_pipeline.errors import ConfigurationError, ConnectionRequired
from fb_qbo_pipeline.http import Reply
from fb_qbo_pipeline.quickbooks.client import Done, QuickBooksClient, Refused, Unknown
from fb_qbo_pipeline.quickbooks.faults import assigned_transaction, name_owner
from fb_qbo_pipeline.quickbooks.limits import Limiter
from fb_qbo_pipeline.quickbooks.transport import Timeouts
from fb_qbo_pipeline_tests.quickbooks.stand_ins import REALM, THROTTLE_XML, Company, Tokens, expired_token

MADE = Reply(200, {"Invoice": {"Id": "1", "SyncToken": "0"}}, {"intuit_tid": "1-abc"})


def write(company: Company):
    return company.client.write("Invoice", {"DocNumber": "FB1"}, request_id="r-1")


def test_a_request_carries_token_version_request_id_and_the_wish_for_json():
    company = Company(MADE)
    write(company)
    request = company.transport.requests[0]
    address = urlsplit(request.url or "")
    assert address.path == f"/v3/company/{REALM}/invoice"
    assert parse_qs(address.query) == {"minorversion": ["75"], "requestid": ["r-1"]}
    assert request.headers["Authorization"] == "Bearer token-1"
    assert request.headers["Accept"] == "application/json"
    assert request.headers["Content-Type"].startswith("application/json")
    assert company.bodies == ['{"DocNumber":"FB1"}']


@pytest.mark.parametrize("rejections", [1, 2])
def test_after_a_401_the_same_request_goes_out_again_with_a_new_token(rejections: int):
    company = Company(*[expired_token()] * rejections, MADE)
    assert isinstance(write(company), Done)
    tokens = [f"token-{n}" for n in range(1, rejections + 2)]
    assert company.tokens.rejected == tokens[:-1]
    assert [request.headers["Authorization"] for request in company.transport.requests] == [f"Bearer {token}" for token in tokens]
    assert len(set(company.urls)) == len(set(company.bodies)) == 1


def test_a_token_that_is_refused_however_fresh_needs_a_person():
    company = Company(*[expired_token()] * 3)
    with pytest.raises(ConnectionRequired, match="fb-qbo connect quickbooks"):
        write(company)
    assert len(company.urls) == 3


def test_an_app_without_access_to_the_company_needs_a_person():
    error = {"message": "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403", "code": "3100"}
    with pytest.raises(ConnectionRequired, match="no access"):
        write(Company(Reply(403, {"fault": {"error": [error], "type": "SERVICE"}})))


def test_an_unknown_company_is_a_wrong_setting():
    with pytest.raises(ConfigurationError, match="realm_id"):
        write(Company(Reply(404, "<html/>")))


def test_an_address_without_a_scheme_is_a_wrong_setting():
    with pytest.raises(ConfigurationError, match="QUICKBOOKS_API_URL"):
        QuickBooksClient("quickbooks.example", REALM, Tokens(), limiter=Limiter())


def test_a_throttle_pauses_the_company_for_a_minute():
    company = Company(Reply(429, THROTTLE_XML), MADE)
    write(company)
    write(company)
    assert company.clock() == pytest.approx(1060, abs=0.01)


def test_a_throttle_that_says_how_long_is_believed():
    company = Company(Reply(429, THROTTLE_XML, {"Retry-After": "7"}), MADE)
    write(company)
    write(company)
    assert company.clock() == pytest.approx(1007, abs=0.01)


def test_every_attempt_is_recorded_with_what_support_asks_for():
    company = Company(expired_token(), MADE)
    write(company)
    first, second = company.exchanges
    assert (first.status, second.status) == (401, 200)
    assert (second.kind, second.method, second.entity, second.operation, second.request_id) == ("write", "POST", "Invoice", "create", "r-1")
    assert second.sent == '{"DocNumber":"FB1"}'
    assert second.received is not None
    assert '"SyncToken"' in second.received
    assert second.intuit_tid == "1-abc"
    assert "requestid=r-1" in second.url


def test_a_lost_answer_is_recorded_with_its_reason():
    company = Company(requests.ReadTimeout("https://quickbooks.example/?query=secret"))
    write(company)
    assert (company.exchanges[0].status, company.exchanges[0].error) == (None, "no answer in time")


def test_no_record_shows_a_token():
    echo = Reply(400, {"Fault": {"Error": [{"Message": "x", "Detail": "Authorization: Bearer token-1-secret", "code": "2010"}]}})
    company = Company(echo)
    write(company)
    assert "token-1-secret" not in (company.exchanges[0].received or "")


def test_a_printed_record_shows_no_customers_data():
    company = Company(Reply(200, {"Invoice": {"Id": "1", "CustomerMemo": {"value": "private words"}}}))
    company.client.write("Invoice", {"PrivateNote": "private words"}, request_id="r-1")
    assert "private words" not in repr(company.exchanges[0])


def test_a_recorder_that_fails_stops_the_write():
    company = Company(MADE)

    def fail(_exchange):
        raise OSError("disk full")

    client = QuickBooksClient(
        "https://quickbooks.example", REALM, Tokens(), limiter=company.limiter, session=company.transport.session(), recorder=fail
    )
    with pytest.raises(OSError, match="disk full"):
        client.write("Invoice", {}, request_id="r-1")


@pytest.fixture
def closed_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def test_a_refused_connection_was_certainly_not_sent(closed_port):
    client = QuickBooksClient(f"http://127.0.0.1:{closed_port}", REALM, Tokens(), limiter=Limiter())
    answer = client.write("Invoice", {}, request_id="r-1")
    assert isinstance(answer, Unknown)
    assert answer.not_sent


class _Scripted(BaseHTTPRequestHandler):
    """Hangs up, cuts the answer short or takes too long, as the entity's name says."""

    release = threading.Event()

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if "hangup" in self.path:
            self.close_connection = True
        elif "cut" in self.path:
            self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"Cut": {"Id"')
            self.close_connection = True
        elif "moved" in self.path:
            self.wfile.write(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
        else:
            self.release.wait(5)

    def log_message(self, *args):
        """Quiet."""


@pytest.fixture
def flawed():
    server = HTTPServer(("127.0.0.1", 0), _Scripted)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    _Scripted.release.clear()
    session = requests.Session()
    address = f"http://127.0.0.1:{server.server_port}"
    yield QuickBooksClient(address, REALM, Tokens(), limiter=Limiter(), session=session, timeouts=Timeouts(write=0.1))
    _Scripted.release.set()
    session.close()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("entity", "reason"),
    [("Hangup", "the connection failed"), ("Cut", "the answer was cut off"), ("Slow", "no answer in time"), ("Moved", "HTTP 302")],
)
def test_an_answer_that_is_lost_on_a_real_connection_leaves_the_outcome_unknown(flawed, entity, reason):
    answer = flawed.write(entity, {}, request_id="r-1")
    assert isinstance(answer, Unknown)
    assert reason in answer.reason
    assert not answer.not_sent


@pytest.mark.parametrize(
    ("asked", "pause"), [("1e999999", 600), ("Infinity", 600), ("NaN", 60), ("sNaN", 60), ("-5", 60), ("0", 60), ("soon", 60), ("7", 7)]
)
def test_a_pause_is_bounded_whatever_is_asked_for(asked: str, pause: float):
    company = Company(Reply(429, THROTTLE_XML, {"Retry-After": asked}), MADE)
    company.client.read("Invoice", "1")
    assert company.clock() == pytest.approx(1000 + pause, abs=0.01)


@pytest.mark.parametrize(
    "body",
    [
        "<Error>" * 200_000,
        "<Error>" + "<Message>" * 200_000 + "</Error>",
        '<IntuitResponse><Fault type="' * 50_000,
        '{"Fault": {"type": "ValidationFault", "Error": [{"code": "6140", "Detail": "TxnType=A' + " " * 300_000 + '"}]}}',
        '{"Fault": {"type": "ValidationFault", "Error": [{"code": "6140", "Detail": "' + "\\\\" * 100_000 + '"}]}}',
        '{"Fault": {"type": "ValidationFault", "Error": [{"Message": "' + "errorCode=" * 50_000 + '"}]}}',
    ],
)
def test_patterns_over_a_long_fault_take_no_time(body: str):
    started = time.process_time()
    company = Company(Reply(400, body))
    answer = write(company)
    assert isinstance(answer, Refused | Unknown)
    assert answer.fault is not None
    assigned_transaction(answer.fault)
    name_owner(answer.fault)
    assert len(answer.fault.words) < 10_000
    assert time.process_time() - started < 1
