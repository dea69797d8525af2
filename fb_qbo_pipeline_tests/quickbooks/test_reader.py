import datetime as dt
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from fb_qbo_pipeline.errors import RemoteRefusal, Unreachable
from fb_qbo_pipeline.http import Reply
from fb_qbo_pipeline.quickbooks.query import Select
from fb_qbo_pipeline.quickbooks.reader import READ_ATTEMPTS, QuickBooksReader, ReadRefused
from fb_qbo_pipeline_tests.quickbooks.stand_ins import REALM, THROTTLE_XML, Company, expired_token, refusal, rows

NOTHING = Reply(200, {"QueryResponse": {}, "time": "2025-03-01T10:00:00.000-08:00"})
INFO = Reply(200, {"CompanyInfo": {"Id": "1", "CompanyName": "Acme"}})


def statements(company: Company) -> list[str]:
    return [parse_qs(urlsplit(url).query)["query"][0] for url in company.urls]


def test_pages_follow_each_other_until_a_short_one():
    company = Company(rows("Customer", range(1, 1001)), rows("Customer", range(1001, 1004)))
    assert len(company.client.query(Select("Customer"))) == 1003
    assert statements(company) == [
        "SELECT * FROM Customer ORDERBY Id STARTPOSITION 1 MAXRESULTS 1000",
        "SELECT * FROM Customer ORDERBY Id STARTPOSITION 1001 MAXRESULTS 1000",
    ]


def test_no_key_of_the_entity_means_nothing_found():
    company = Company(NOTHING)
    assert company.client.query(Select("Bill")) == []
    assert len(company.urls) == 1


def test_a_full_last_page_is_followed_by_an_empty_one():
    company = Company(rows("Bill", range(1000)), NOTHING)
    assert len(company.client.query(Select("Bill"))) == 1000


def test_a_server_that_cuts_pages_shorter_loses_no_rows():
    company = Company(rows("Bill", range(100)), rows("Bill", range(100, 150)))
    assert len(company.client.query(Select("Bill"))) == 150
    assert "STARTPOSITION 101" in statements(company)[1]


def test_a_row_that_moves_to_the_next_page_is_counted_once():
    company = Company(rows("Bill", range(1000)), rows("Bill", range(998, 1005)))
    found = [row["Id"] for row in company.client.query(Select("Bill"))]
    assert found == [str(number) for number in range(1005)]


def test_look_ups_of_many_values_go_together_and_each_value_once():
    numbers = [f"FB{number:04}" for number in range(300)]
    company = Company(NOTHING, NOTHING, NOTHING)
    company.client.query_in(Select("Invoice"), "DocNumber", numbers + numbers)
    asked = " ".join(statements(company))
    assert [asked.count(f"'{number}'") for number in numbers] == [1] * 300
    assert all(len(url) < 4000 for url in company.urls)


def test_a_query_keeps_special_characters_on_its_way():
    company = Company(NOTHING)
    company.client.query_in(Select("Customer"), "DisplayName", ["O'Neil & Søn + 50%"])
    assert "DisplayName IN ('O\\'Neil & Søn + 50%')" in statements(company)[0]
    assert "%5C%27" in company.urls[0]


def test_counts_are_read():
    assert Company(Reply(200, {"QueryResponse": {"totalCount": 42}})).client.count(Select("Invoice")) == 42


@pytest.mark.parametrize(
    "failure",
    [
        Reply(502, "<html>Bad Gateway</html>"),
        Reply(503, ""),
        Reply(200, '{"CompanyInfo": {"Id"'),
        refusal("10000", status=500),
        refusal("140"),
        requests.ReadTimeout(),
        requests.ConnectionError(),
        requests.exceptions.ChunkedEncodingError(),
    ],
)
def test_a_read_is_repeated_until_an_answer_comes(failure):
    company = Company(failure, failure, INFO)
    assert company.client.company_info()["CompanyName"] == "Acme"
    assert company.clock() == pytest.approx(1000 + 0.5 + 1.0)


def test_a_throttled_read_waits_for_the_companys_pause():
    company = Company(Reply(429, THROTTLE_XML), INFO)
    company.client.company_info()
    assert company.clock() == pytest.approx(1060, abs=0.01)


@pytest.mark.parametrize(
    ("status", "body", "remedy"),
    [(502, "<html>Bad Gateway</html>", "QUICKBOOKS_API_URL"), (200, "garbage", "QUICKBOOKS_API_URL"), (429, THROTTLE_XML, "allowance")],
)
def test_a_read_that_never_gets_an_answer_ends_with_a_remedy_for_what_came_last(status, body, remedy):
    company = Company(*[Reply(status, body)] * READ_ATTEMPTS)
    with pytest.raises(Unreachable, match=f"HTTP {status}") as ended:
        company.client.preferences()
    assert remedy in ended.value.remedy
    assert ("throttled" in ended.value.remedy) == (status == 429)


def test_a_read_with_an_expired_token_renews_it():
    company = Company(expired_token(), INFO)
    company.client.company_info()
    assert company.tokens.rejected == ["token-1"]


def test_a_refused_read_names_the_code_and_keeps_quickbooks_words_apart():
    company = Company(refusal("4001", "QueryValidationError: property 'Secret' is not queryable", message="Invalid query"))
    with pytest.raises(ReadRefused, match="4001 Invalid query") as caught:
        company.client.query(Select("Invoice"))
    assert "Secret" not in str(caught.value)
    assert "Secret" in caught.value.fault.words


def test_one_object_is_read_by_id():
    company = Company(Reply(200, {"Invoice": {"Id": "7", "TotalAmt": Decimal("10.10")}}))
    found = company.client.read("Invoice", "7")
    assert found == {"Id": "7", "TotalAmt": Decimal("10.10")}
    assert urlsplit(company.urls[0]).path == f"/v3/company/{REALM}/invoice/7"


@pytest.mark.parametrize("status", [400, 404])
def test_an_object_that_does_not_exist_is_none(status):
    assert Company(refusal("610", "Object Not Found", status=status)).client.read("Invoice", "7") is None


def test_an_exchange_rate_is_a_decimal():
    company = Company(Reply(200, '{"ExchangeRate": {"SourceCurrencyCode": "USD", "Rate": 1.400374}}'))
    assert company.client.exchange_rate("USD", dt.date(2025, 3, 1)) == Decimal("1.400374")
    assert "sourcecurrencycode=USD&asofdate=2025-03-01" in company.urls[0]


@pytest.mark.parametrize("rate", [{}, {"Rate": 0}, {"Rate": "n/a"}])
def test_an_unusable_exchange_rate_is_refused(rate):
    with pytest.raises(RemoteRefusal, match="exchange rate of USD"):
        Company(Reply(200, {"ExchangeRate": rate})).client.exchange_rate("USD", dt.date(2025, 3, 1))


def test_changes_are_sorted_by_entity_with_deleted_ones_as_stubs():
    stub = {"domain": "QBO", "status": "Deleted", "Id": "979"}
    answer = {"CDCResponse": [{"QueryResponse": [{"Invoice": [{"Id": "1"}, stub], "totalCount": 2}, {}]}]}
    company = Company(Reply(200, answer))
    changes = company.client.cdc(["Invoice", "Payment"], dt.datetime(2025, 3, 1, tzinfo=dt.UTC))
    assert changes.by_entity == {"Invoice": [{"Id": "1"}, stub], "Payment": []}
    assert changes.complete
    assert parse_qs(urlsplit(company.urls[0]).query)["changedSince"] == ["2025-03-01T00:00:00+00:00"]


@pytest.mark.parametrize("part", [{"Invoice": [{"Id": str(n)} for n in range(1000)]}, {"Invoice": [{"Id": "1"}], "totalCount": 5}])
def test_more_changes_than_an_answer_holds_are_not_complete(part):
    company = Company(Reply(200, {"CDCResponse": [{"QueryResponse": [part]}]}))
    assert not company.client.cdc(["Invoice"], dt.datetime(2025, 3, 1, tzinfo=dt.UTC)).complete


def test_changes_need_an_instant_with_a_time_zone():
    with pytest.raises(ValueError, match="time zone"):
        Company().client.cdc(["Invoice"], dt.datetime(2025, 3, 1))  # noqa: DTZ001


def test_an_answer_without_its_object_is_refused():
    with pytest.raises(RemoteRefusal, match="without CompanyInfo"):
        Company(Reply(200, {"time": "now"})).client.company_info()


def test_of_a_long_read_the_beginning_is_recorded():
    company = Company(rows("Bill", range(1, 1000)))
    company.client.query(Select("Bill"))
    exchange = company.exchanges[0]
    assert exchange.received is not None
    assert len(exchange.received) == 4000 < exchange.size
    assert (exchange.kind, exchange.operation, exchange.entity) == ("read", "query", "Bill")


def test_a_reader_has_no_way_to_write():
    assert not {"write", "batch"} & set(dir(QuickBooksReader))


def test_a_server_that_ignores_the_position_is_noticed():
    company = Company(rows("Bill", range(1000)), rows("Bill", range(1000)))
    with pytest.raises(RemoteRefusal, match="repeats its Bill rows instead of going on after row 1000"):
        company.client.query(Select("Bill"))


def test_pages_without_an_end_are_given_up():
    company = Company(*[rows("Bill", range(n * 100, n * 100 + 100)) for n in range(3)])
    with pytest.raises(RemoteRefusal, match="more than 3 pages of Bill"):
        list(company.client.rows(Select("Bill"), most_pages=3))


@pytest.mark.parametrize("listed", [[None], {"Id": "1"}, "none", [{"Id": "1"}, "2"], 7])
def test_rows_that_are_no_objects_are_refused_and_not_passed_over(listed):
    with pytest.raises(RemoteRefusal, match="where a list of objects should be"):
        Company(Reply(200, {"QueryResponse": {"Bill": listed}})).client.query(Select("Bill"))


@pytest.mark.parametrize("count", ["many", -1, 1.5, None, [1], "9" * 5000])
def test_a_count_that_is_none_is_refused(count):
    with pytest.raises(RemoteRefusal, match="where a count should be"):
        Company(Reply(200, {"QueryResponse": {"totalCount": count}})).client.count(Select("Bill"))


@pytest.mark.parametrize(
    "response", ["x", [None], {"QueryResponse": []}, [{"QueryResponse": [7]}], [{"QueryResponse": [{"Bill": [None]}]}], [[]]]
)
def test_changes_of_an_unknown_shape_are_refused(response):
    with pytest.raises(RemoteRefusal, match="QuickBooks answered something else"):
        Company(Reply(200, {"CDCResponse": response})).client.cdc(["Bill"], dt.datetime(2025, 3, 1, tzinfo=dt.UTC))


def test_an_exchange_rate_beyond_all_bounds_is_refused():
    with pytest.raises(RemoteRefusal, match="exchange rate of USD"):
        Company(Reply(200, '{"ExchangeRate": {"Rate": 1e27}}')).client.exchange_rate("USD", dt.date(2025, 3, 1))
