"""A client that calls an ASGI app in process: no sockets, no threads, one event loop per call."""

import asyncio
import base64
import datetime as dt
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import simplejson

from fb_qbo_pipeline.sandbox.quickbooks.app import create_app
from fb_qbo_pipeline.sandbox.quickbooks.oauth import Authority
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks

Json = dict[str, Any]
NOW = dt.datetime(2026, 3, 10, 18, 0, tzinfo=dt.UTC)


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: dt.datetime = NOW

    def __call__(self) -> dt.datetime:
        return self.now


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return simplejson.loads(self.body, use_decimal=True)

    @property
    def error(self) -> Json:
        error: Json = self.json["Fault"]["Error"][0]
        return error


async def call(app: Any, method: str, path: str, query: str, headers: Json, body: bytes) -> Reply:
    """One request; headers and body as sent by the app, whole or not."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "server": ("testserver", 80),
        "client": ("testclient", 1),
    }
    sent: list[Json] = []

    async def receive() -> Json:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Json) -> None:
        sent.append(message)

    await app(scope, receive, send)
    head = sent[0]
    return Reply(
        head["status"], {name.decode(): value.decode() for name, value in head["headers"]}, b"".join(m.get("body", b"") for m in sent[1:])
    )


class Api:
    """A connected client of a sandbox company."""

    def __init__(self, company: QuickBooks | None = None, oauth: Authority | None = None, **options: Any) -> None:
        self.company = company or QuickBooks(clock=Clock())
        self.oauth = oauth or Authority(self.company.realm_id)
        self.app = create_app(self.company, oauth=self.oauth, **options)
        self.token = self.tokens(refresh_token="sandbox-refresh").json["access_token"]

    def tokens(self, secret: str = "sandbox-secret", **form: str) -> Reply:
        basic = base64.b64encode(f"sandbox-client:{secret}".encode()).decode()
        form.setdefault("grant_type", "refresh_token")
        return asyncio.run(
            call(self.app, "POST", "/oauth2/v1/tokens/bearer", "", {"Authorization": f"Basic {basic}"}, urlencode(form).encode())
        )

    def request(
        self, method: str, path: str, body: Any = None, headers: Any = None, realm: str = "", **params: str
    ) -> Coroutine[Any, Any, Reply]:
        """The coroutine of a request."""
        raw = body if isinstance(body, bytes) else b"" if body is None else simplejson.dumps(body, use_decimal=True).encode()
        heads = {
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/json",
            "Content-Type": "application/json",
            **(headers or {}),
        }
        params.setdefault("minorversion", "75")
        return call(self.app, method, f"/v3/company/{realm or self.company.realm_id}/{path}", urlencode(params), heads, raw)

    def send(self, method: str, path: str, body: Any = None, headers: Any = None, realm: str = "", **params: str) -> Reply:
        return asyncio.run(self.request(method, path, body, headers, realm, **params))

    def together(self, requests: Iterable[Coroutine[Any, Any, Reply]]) -> list[Reply]:
        """Several requests at once."""

        async def gather() -> list[Reply]:
            return list(await asyncio.gather(*requests))

        return asyncio.run(gather())

    def write(self, entity: str, body: Json, **params: str) -> Json:
        """A write that has to succeed; returns the object."""
        reply = self.send("POST", entity.lower(), body, **params)
        assert reply.status == 200, reply.body
        row: Json = reply.json[entity]
        return row

    def refuse(self, entity: str, body: Any, **params: str) -> Json:
        """A write that has to be refused; returns the error."""
        reply = self.send("POST", entity.lower(), body, **params)
        assert reply.status == 400, reply.body
        return reply.error

    def query(self, text: str) -> Json:
        reply = self.send("GET", "query", query=text)
        assert reply.status == 200, reply.body
        response: Json = reply.json["QueryResponse"]
        return response

    def batch(self, *items: Json, request_id: str = "") -> Reply:
        params = {"requestid": request_id} if request_id else {}
        return self.send("POST", "batch", {"BatchItemRequest": list(items)}, **params)

    # ------------------------------------------------------------------------------------------------------ short bodies

    def ref(self, entity: str, name: str) -> Json:
        return {"value": self.company.named(entity, name)["Id"]}

    def customer(self, name: str = "Acme", **more: Any) -> Json:
        return {"value": self.write("Customer", {"DisplayName": name, **more})["Id"]}

    def vendor(self, name: str = "Paper Mill", **more: Any) -> Json:
        return {"value": self.write("Vendor", {"DisplayName": name, **more})["Id"]}

    def code(self, name: str = "HST ON") -> Json:
        """A tax code's reference: in the US TAX or NON."""
        return {"value": name} if self.company.is_us else self.ref("TaxCode", name)

    def line(self, amount: str = "100.00", code: str | None = "HST ON", item: str = "Services", **detail: Any) -> Json:
        """A sales line; in the US the code defaults to none."""
        content: Json = {"ItemRef": self.ref("Item", item), **detail}
        if code is not None and not (self.company.is_us and code == "HST ON"):
            content["TaxCodeRef"] = self.code(code)
        return {"DetailType": "SalesItemLineDetail", "Amount": Decimal(amount), "SalesItemLineDetail": content}

    def expense(self, amount: str = "100.00", code: str | None = "HST ON", account: str = "Office Supplies", **detail: Any) -> Json:
        content: Json = {"AccountRef": self.ref("Account", account), **detail}
        if code is not None:
            content["TaxCodeRef"] = self.code(code)
        return {"DetailType": "AccountBasedExpenseLineDetail", "Amount": Decimal(amount), "AccountBasedExpenseLineDetail": content}

    def invoice(self, customer: Json, *lines: Json, **more: Any) -> Json:
        return {"CustomerRef": customer, "TxnDate": "2026-02-01", "Line": list(lines or [self.line()]), **more}

    def bill(self, vendor: Json, *lines: Json, **more: Any) -> Json:
        return {"VendorRef": vendor, "TxnDate": "2026-02-01", "Line": list(lines or [self.expense()]), **more}

    def payment(self, customer: Json, amount: str, *invoices: tuple[str, str], **more: Any) -> Json:
        lines = [{"Amount": Decimal(part), "LinkedTxn": [{"TxnId": invoice, "TxnType": "Invoice"}]} for invoice, part in invoices]
        return {"CustomerRef": customer, "TotalAmt": Decimal(amount), "TxnDate": "2026-02-10", "Line": lines, **more}


def update(row: Json, **changes: Any) -> Json:
    """A sparse update of a row."""
    return {"Id": row["Id"], "SyncToken": row["SyncToken"], "sparse": True, **changes}


def tax_line(rate_id: str, amount: str, net: str | None = None, percent: str | None = None) -> Json:
    detail: Json = {"TaxRateRef": {"value": rate_id}, "PercentBased": True}
    if net is not None:
        detail["NetAmountTaxable"] = Decimal(net)
    if percent is not None:
        detail["TaxPercent"] = Decimal(percent)
    return {"Amount": Decimal(amount), "DetailType": "TaxLineDetail", "TaxLineDetail": detail}
