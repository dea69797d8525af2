"""The company's resources: from an HTTP request to a status and a body, with replays of request ids.

Successes are answered with 200 and kept under their request id; refusals are not kept, so a corrected request may use the
same id, and a repeated wrong one is refused again.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

import simplejson

from fb_qbo_pipeline.sandbox.quickbooks import batch, changes, fields, ledger, operations, query, taxservice
from fb_qbo_pipeline.sandbox.quickbooks.company import company_info, preferences
from fb_qbo_pipeline.sandbox.quickbooks.currency import exchange_rate
from fb_qbo_pipeline.sandbox.quickbooks.refusals import Json, Refusal, unsupported
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline.sandbox.quickbooks.store import LISTS, TRANSACTIONS

LONGEST_REQUEST_ID, LONGEST_BATCH_REQUEST_ID = 50, 36
ENTITIES = {entity.lower(): entity for entity in (*TRANSACTIONS, *LISTS)}


class Answer(NamedTuple):
    """What goes back over the wire."""

    status: int
    body: bytes


@dataclass(frozen=True)
class Request:
    """A request within a company: `path` is what follows the realm, split at slashes."""

    method: str
    path: tuple[str, ...]
    params: Mapping[str, str] = field(default_factory=dict)
    content_type: str = ""
    body: bytes = b""

    @property
    def request_id(self) -> str:
        """The request id, "" where none was sent."""
        return self.params.get("requestid", "")

    @property
    def is_batch(self) -> bool:
        """Whether this is a batch."""
        return self.path == ("batch",)

    @property
    def writes_names(self) -> bool:
        """Whether names are written, which QuickBooks does one at a time."""
        if self.method != "POST":
            return False
        if self.is_batch:
            return batch.writes_names(self.body)
        return ENTITIES.get(self.path[0]) in ("Customer", "Vendor", "Employee", "Item", "Account")


def handle(company: QuickBooks, request: Request, *, only: int | None = None, throttled: Callable[[], bool] = lambda: False) -> Answer:
    """Answer a request. `only` and `throttled` are for batches (see `batch.run_batch`). Raises nothing."""
    with company.lock:
        try:
            key = _replay_key(company, request)
            if key and key in company.replies:
                company.counters.replays += 1
                return Answer(*company.replies[key])
            content = _routed(company, request, only, throttled)
        except Refusal as refusal:
            return refused(company, refusal)
        answer = Answer(200, dump({**content, "time": company.timestamp(milliseconds=True)}))
        if key:
            company.replies[key] = answer
        return answer


def refused(company: QuickBooks, refusal: Refusal) -> Answer:
    """A refusal in the service's dialect."""
    return Answer(refusal.status, dump({"Fault": refusal.fault(), "time": company.timestamp(milliseconds=True)}))


def dump(content: Json) -> bytes:
    """JSON with Decimals as numbers."""
    return simplejson.dumps(content, use_decimal=True).encode()


def _parsed(body: bytes) -> Any:
    """The JSON of a body, numbers as Decimal; None where it is no JSON (which the resource then refuses)."""
    try:
        return simplejson.loads(body, use_decimal=True)
    except ValueError:
        return None


def _json(request: Request) -> Any:
    if request.content_type.partition(";")[0].strip().lower() != "application/json":
        raise Refusal("1050", "Invalid content type : send application/json", "Content-Type")
    parsed = _parsed(request.body)
    if parsed is None:
        raise Refusal("2010", "Request has invalid or unsupported property : the body is not valid JSON in UTF-8")
    return parsed


def _replay_key(company: QuickBooks, request: Request) -> tuple[str, ...] | None:
    """The key of a single write in the store of answers; raises Refusal 2130 for an id that is too long."""
    if request.method != "POST" or not request.request_id or request.path == ("query",):
        return None
    longest = LONGEST_BATCH_REQUEST_ID if request.is_batch else LONGEST_REQUEST_ID
    if len(request.request_id) > longest:
        raise Refusal("2130", f"Invalid Request Id Format : at most {longest} characters are allowed", "requestid")
    if request.is_batch or not company.honours_request_id:
        return None  # batches keep their answers by item
    return (request.request_id,)


def _routed(company: QuickBooks, request: Request, only: int | None, throttled: Callable[[], bool]) -> Json:
    resource = request.path[0] if request.path else ""
    if resource in _RESOURCES:
        handler, methods = _RESOURCES[resource]
        if request.method not in methods:
            raise unsupported(f"{request.method} {resource}")
        return handler(company, request)
    if request.is_batch and request.method == "POST":
        return batch.run_batch(company, _json(request), request.request_id, only=only, throttled=throttled)
    entity = ENTITIES.get(resource)
    if entity is None or len(request.path) > 2:
        detail = f"System Failure Error: Could not find resource for relative : /{'/'.join(request.path)}"
        raise Refusal("10000", detail, status=404, kind="SystemFault")
    if request.method == "GET" and len(request.path) == 2:
        return {entity: operations.read(company, entity, request.path[1])}
    if request.method == "POST" and len(request.path) == 1:
        options = {"operation": request.params.get("operation", ""), "include": request.params.get("include", "")}
        return {entity: operations.write(company, entity, _json(request), **options)}
    raise unsupported(f"{request.method} {resource}")


def _query(company: QuickBooks, request: Request) -> Json:
    text = request.params.get("query", "")
    if request.method == "POST":
        if request.content_type.partition(";")[0].strip().lower() not in ("application/text", "text/plain"):
            raise Refusal("1050", "Invalid content type : send application/text", "Content-Type")
        text = request.body.decode(errors="replace")
    return {"QueryResponse": query.run(company, text)}


def _changes(company: QuickBooks, request: Request) -> Json:
    return {"CDCResponse": [changes.changed_since(company, request.params.get("entities", ""), request.params.get("changedSince", ""))]}


def _company_info(company: QuickBooks, _request: Request) -> Json:
    company.counters.reads += 1
    return {"CompanyInfo": company_info(company)}


def _preferences(company: QuickBooks, _request: Request) -> Json:
    company.counters.reads += 1
    return {"Preferences": preferences(company)}


_SET_RATE = fields.record(
    "ExchangeRate",
    {
        "SourceCurrencyCode": fields.text(3),
        "TargetCurrencyCode": fields.text(3),
        "Rate": fields.number,
        "AsOfDate": fields.date,
        **dict.fromkeys(("SyncToken", "Id", "sparse", "domain", "MetaData"), fields.ignored),
    },
)


def _exchange_rate(company: QuickBooks, request: Request) -> Json:
    """Read the rate of a day, or set it."""
    if request.method == "POST":
        company.counters.writes += 1
        body = _SET_RATE(_json(request), "ExchangeRate")
        code, day = body.get("SourceCurrencyCode", ""), body.get("AsOfDate") or company.today().isoformat()
        if "Rate" not in body:
            raise Refusal("2020", "Required parameter Rate is missing in the request", "Rate")
        company.exchange_rates[code, day] = Decimal(body["Rate"])
    else:
        company.counters.reads += 1
        code = request.params.get("sourcecurrencycode", "")
        day = fields.date(request.params.get("asofdate") or company.today().isoformat(), "asofdate")
    rate = exchange_rate(company, code, dt.date.fromisoformat(day))
    content = {"SourceCurrencyCode": code, "TargetCurrencyCode": company.home_currency, "Rate": rate, "AsOfDate": day, "domain": "QBO"}
    return {"ExchangeRate": {**content, "MetaData": {"LastUpdatedTime": company.timestamp()}}}


def _tax_service(company: QuickBooks, request: Request) -> Json:
    if request.path != ("taxservice", "taxcode"):
        raise unsupported("/".join(request.path))
    return taxservice.create_tax_code(company, _json(request))


def _report(company: QuickBooks, request: Request) -> Json:
    if request.path != ("reports", "TrialBalance"):
        raise unsupported("/".join(request.path))
    until = fields.date(request.params.get("end_date") or company.today().isoformat(), "end_date")
    return ledger.trial_balance_report(company, dt.date.fromisoformat(until))


_RESOURCES: dict[str, tuple[Callable[[QuickBooks, Request], Json], tuple[str, ...]]] = {
    "query": (_query, ("GET", "POST")),
    "cdc": (_changes, ("GET",)),
    "companyinfo": (_company_info, ("GET",)),
    "preferences": (_preferences, ("GET",)),
    "exchangerate": (_exchange_rate, ("GET", "POST")),
    "taxservice": (_tax_service, ("POST",)),
    "reports": (_report, ("GET",)),
}
