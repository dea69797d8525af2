import datetime as dt
from typing import Any

import pytest

from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline_tests.sandbox_quickbooks.asgi import Api, Clock


@pytest.fixture
def books(api: Api) -> Api:
    """Two customers, four invoices of 113, 226, 339 and 452, on the first days of February."""
    acme, oak = api.customer("Adam's Candy"), api.customer("Oak \\ Elm")
    for number, customer in enumerate((acme, oak, acme, oak), start=1):
        line = api.line(f"{number}00.00")
        api.write("Invoice", api.invoice(customer, line, DocNumber=f"FB{number}", TxnDate=f"2026-02-0{number}"))
    return api


def ids(api: Api, text: str) -> list[str]:
    response = api.query(text)
    return [row["Id"] for row in next((rows for rows in response.values() if isinstance(rows, list)), [])]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select * from Invoice", ["1", "2", "3", "4"]),
        ("SELECT * FROM invoice WHERE docnumber = 'fb2'", ["2"]),
        ("select * from Invoice where Id = '3'", ["3"]),
        ("select * from Invoice where Id in ('1','4','9')", ["1", "4"]),
        ("select * from Invoice where TotalAmt > '226'", ["3", "4"]),
        ("select * from Invoice where TotalAmt <= 226.00", ["1", "2"]),
        ("select * from Invoice where Balance >= '339.00' and TxnDate < '2026-02-04'", ["3"]),
        ("select * from Invoice where TxnDate >= '2026-02-02' and TxnDate <= '2026-02-03'", ["2", "3"]),
        ("select * from Invoice where CustomerRef = '2'", ["1", "3"]),
        ("select * from Invoice where DocNumber like 'FB%'", ["1", "2", "3", "4"]),
        ("select * from Invoice where DocNumber like '%3'", ["3"]),
        ("select * from Invoice where DocNumber like 'F%4'", ["4"]),
        ("select * from Invoice where DocNumber like 'B'", []),
        ("select * from Invoice where DocNumber in ('FB1', 'FB4')", ["1", "4"]),
        ("select * from Invoice orderby TotalAmt desc", ["4", "3", "2", "1"]),
        ("select * from Invoice ORDER BY TxnDate DESC, Id", ["4", "3", "2", "1"]),
        ("select * from Invoice orderby CustomerRef, Id desc", ["3", "1", "4", "2"]),
        ("select * from Invoice orderby Id startposition 2 maxresults 2", ["2", "3"]),
        ("select * from Invoice startposition 9", []),
        ("select * from Invoice where MetaData.LastUpdatedTime >= '2026-03-10T10:00:00-08:00'", ["1", "2", "3", "4"]),
        ("select * from Invoice where MetaData.LastUpdatedTime > '2026-03-10T18:00:00Z'", []),
        ("select * from Customer where DisplayName = 'Adam\\'s Candy'", ["2"]),
        ("select * from Customer where DisplayName = 'oak \\\\ elm'", ["3"]),
        ("select * from Payment", []),
    ],
)
def test_a_statement_finds_its_rows(books: Api, text: str, expected: list[str]) -> None:
    assert ids(books, text) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "4000"),
        ("delete from Invoice", "4000"),
        ("select * Invoice", "4000"),
        ("select * from Invoice where DocNumber = FB1", "4000"),
        ("select * from Invoice where DocNumber = 'FB1", "4000"),
        ("select * from Invoice where DocNumber <> 'FB1'", "4000"),
        ("select * from Invoice where DocNumber = 'a' or DocNumber = 'b'", "4000"),
        ("select * from Invoice where (DocNumber = 'a')", "4000"),
        ("select * from Invoice where DocNumber = 'Adam's'", "4000"),
        ("select * from Invoice where", "4000"),
        ("select * from Invoice maxresults ten", "4000"),
        ("select * from Invoices", "4001"),
        ("select * from JournalEntry", "4001"),
        ("select * from Invoice where PrivateNote like 'fb:%'", "4001"),
        ("select * from Invoice where Line.Amount = '1'", "4001"),
        ("select * from Payment where PrivateNote = 'x'", "4001"),
        ("select * from Invoice orderby PrivateNote", "4001"),
        ("select * from Invoice where Id > '1'", "4001"),
        ("select * from Invoice where TotalAmt = 'many'", "4001"),
        ("select * from Invoice where TxnDate = '2026-99-01'", "4001"),
        ("select * from Invoice startposition 0", "4001"),
        ("select * from Invoice maxresults 1001", "4001"),
        ("select * from Invoice maxresults 0", "4001"),
    ],
)
def test_a_statement_outside_the_grammar_is_refused(books: Api, text: str, code: str) -> None:
    reply = books.send("GET", "query", query=text)
    assert (reply.status, reply.error["code"]) == (400, code)


def test_the_complaint_about_a_page_is_quickbooks_own(books: Api) -> None:
    error = books.send("GET", "query", query="select * from Invoice startposition 0").error
    assert error["Detail"] == "QueryValidationError: value 0 is too small. Min allowed value is 1"


def test_an_answer_tells_its_page_and_nothing_where_nothing_is_found(books: Api) -> None:
    page = books.query("select * from Invoice orderby Id startposition 2 maxresults 2")
    assert (page["startPosition"], page["maxResults"], len(page["Invoice"])) == (2, 2, 2)
    assert books.query("select * from Bill") == {}


def test_count_counts_without_pages(books: Api) -> None:
    assert books.query("select count(*) from Invoice where CustomerRef = '2'") == {"totalCount": 2}


def test_a_page_holds_a_hundred_unless_asked_and_a_thousand_at_most(api: Api) -> None:
    for number in range(1100):
        api.company.add("Vendor", DisplayName=f"Vendor {number}", CurrencyRef={"value": "CAD"}, Balance=0)
    assert api.query("select * from Vendor")["maxResults"] == 100
    assert api.query("select * from Vendor maxresults 1000")["maxResults"] == 1000
    assert api.query("select * from Vendor startposition 1001 maxresults 1000")["maxResults"] == 100


def test_columns_give_partial_objects_with_their_id(books: Api) -> None:
    row = books.query("select DocNumber, MetaData.CreateTime from Invoice maxresults 1")["Invoice"][0]
    assert row.keys() == {"Id", "DocNumber", "MetaData", "domain", "sparse"}
    assert row["sparse"] is True


def test_inactive_members_show_only_when_asked_for(api: Api) -> None:
    api.company.deactivate("Class", api.ref("Class", "Retail")["value"])
    assert ids(api, "select * from Class") == ["2"]
    assert ids(api, "select * from Class where Active = false") == ["1"]
    assert ids(api, "select * from Class where Active in (true, false)") == ["1", "2"]


def test_a_statement_may_be_posted_as_text(books: Api) -> None:
    body = b"select * from Invoice where DocNumber = 'FB3'"
    reply = books.send("POST", "query", body, headers={"Content-Type": "application/text"})
    assert reply.json["QueryResponse"]["Invoice"][0]["Id"] == "3"
    assert books.send("POST", "query", body).error["code"] == "1050"


@pytest.mark.parametrize("entity", ["CompanyInfo", "Preferences"])
def test_the_company_itself_can_be_queried(api: Api, entity: str) -> None:
    assert api.query(f"select * from {entity}")["maxResults"] == 1


def test_a_new_row_may_show_late_in_queries_but_not_by_id() -> None:
    clock = Clock()
    api = Api(QuickBooks(query_lag=5.0, clock=clock))
    customer = api.customer()
    assert api.query("select * from Customer") == {}
    assert api.send("GET", f"customer/{customer['value']}").status == 200
    clock.now += dt.timedelta(seconds=5)
    assert api.query("select * from Customer")["maxResults"] == 1


def test_the_tax_lists_of_the_united_states_hold_tax_and_non(us: Api) -> None:
    codes: list[dict[str, Any]] = us.query("select * from TaxCode")["TaxCode"]
    assert {code["Id"]: code["TaxGroup"] for code in codes} == {"TAX": False, "NON": False, "2": True, "3": True}
