"""Stand-ins of this room's tests: a token source, answers in FreshBooks' envelopes, and payloads to be varied."""

from urllib.parse import parse_qsl, urlsplit

import requests

from fb_qbo_pipeline.freshbooks.client import FreshBooksClient
from fb_qbo_pipeline.http import FakeTransport, Reply

ACCOUNT = "ACM123"
BASE = "https://api.freshbooks.example"


class Tokens:
    """Counts renewals; the n-th token is "token-n"."""

    def __init__(self) -> None:
        self.renewals: list[str] = []

    def access_token(self) -> str:
        return f"token-{len(self.renewals)}"

    def renew(self, rejected: str) -> str:
        self.renewals.append(rejected)
        return self.access_token()


def client(transport: FakeTransport, *, slept=None, recorder=None, tokens=None) -> FreshBooksClient:
    return FreshBooksClient(
        BASE,
        ACCOUNT,
        tokens or Tokens(),
        session=transport.session(),
        sleep=(slept if slept is not None else []).append,
        recorder=recorder,
    )


def result(**content: object) -> Reply:
    return Reply(200, {"response": {"result": content}})


def query(request: requests.PreparedRequest) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(request.url or "").query)


def page_number(request: requests.PreparedRequest) -> int:
    return int(dict(query(request))["page"])


def served(plural: str, rows: list[dict], *, cap: int = 100, **counts: object):
    """An answerer that pages `rows` as FreshBooks does; `counts` replaces what it says about itself (None leaves a key out)."""

    def answer(request: requests.PreparedRequest) -> Reply:
        number = page_number(request)
        size = min(cap, int(dict(query(request))["per_page"]))
        said = {"page": number, "pages": -(-len(rows) // size), "per_page": size, "total": len(rows)} | counts
        said = {key: value for key, value in said.items() if value is not None}
        return result(**{plural: rows[(number - 1) * size : number * size]}, **said)

    return answer


def money(amount, code="CAD"):
    return {"amount": amount, "code": code}


def line(**changes):
    return {
        "lineid": 1,
        "type": 0,
        "name": "Consulting",
        "description": None,
        "qty": "2.5",
        "unit_cost": money("40.00"),
        "amount": money("100.00"),
        "taxName1": "HST",
        "taxAmount1": "13",
        "taxName2": None,
        "taxAmount2": "0",
        "compounded_tax": False,
        "expenseid": 0,
    } | changes


def invoice(**changes):
    return {
        "id": 501,
        "invoiceid": 501,
        "invoice_number": "0000501",
        "customerid": 42,
        "create_date": "2025-02-03",
        "due_date": "2025-03-05",
        "currency_code": "CAD",
        "amount": money("101.70"),
        "paid": money("50.00"),
        "outstanding": money("51.70"),
        "discount_value": "10",
        "discount_total": money("-10.00"),
        "v3_status": "partial",
        "status": 2,
        "vis_state": 0,
        "organization": "Northwind",
        "fname": "",
        "lname": None,
        "street": "1 Main St",
        "city": "Toronto",
        "province": "ON",
        "code": "M5V 1A1",
        "country": "Canada",
        "notes": None,
        "terms": None,
        "po_number": None,
        "lines": [line()],
    } | changes


def payment(**changes):
    return {
        "id": 9,
        "logid": 9,
        "invoiceid": 501,
        "creditid": None,
        "clientid": 42,
        "amount": money("50.00"),
        "date": "2025-02-04",
        "type": "Credit Card",
        "from_credit": False,
        "note": "",
        "vis_state": 0,
    } | changes


def expense(**changes):
    return {
        "id": 77,
        "expenseid": 77,
        "amount": money("39.991"),
        "date": "2025-02-05",
        "categoryid": 2003174,
        "vendor": None,
        "taxName1": "GST",
        "taxPercent1": "5",
        "taxAmount1": money("1.70"),
        "taxName2": "",
        "taxPercent2": None,
        "taxAmount2": None,
        "notes": "",
        "clientid": 0,
        "invoiceid": None,
        "vis_state": 2,
    } | changes
