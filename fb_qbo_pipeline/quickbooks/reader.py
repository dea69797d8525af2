"""Reads of a QuickBooks company: queries, single objects, preferences, exchange rates, changes.

Reads change nothing, so they are repeated until an answer comes: after a throttle when the company's limiter lets them,
otherwise with growing waits. They are metered by Intuit, so rows come in the largest pages and look-ups go together.
`QuickBooksReader` cannot write: whatever must not, such as a plan, is given this class.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from fb_qbo_pipeline.errors import RemoteRefusal, Unreachable
from fb_qbo_pipeline.http import Backoff, Json
from fb_qbo_pipeline.money import parse_decimal
from fb_qbo_pipeline.quickbooks.faults import Fault, Reaction
from fb_qbo_pipeline.quickbooks.query import PAGE, Select, in_groups, is_in
from fb_qbo_pipeline.quickbooks.transport import Answered, Call, Faulted, Transport

READ_ATTEMPTS = 6  # throttled each time, that is more than five minutes: then it is the monthly allowance, not the minute's
MOST_PAGES = 10_000  # of one query: ten million rows; a server that never comes to an end is not waited for
CDC_LIMIT = 1000  # objects in one answer; there is no second page
_HIGHEST_RATE = 10**9  # home currency units for one unit of another
_CLAMP = 100  # a server that cuts pages short cuts them at a round number
_LATER = "nothing is lost; run the same command again later. "
_ALLOWANCE = "Where it goes on being throttled, the app's monthly allowance of reads may be used up: Intuit's developer site shows it"
_STRANGE = "run `fb-qbo check`; if it goes on, report the answer in the audit log"
_COUNT_DIGITS = 12
_ANOTHER = "see whether QUICKBOOKS_API_URL, a proxy or a firewall answers instead of QuickBooks"
_OUTAGE = "Where that does not help, see Intuit's status page, and whether QUICKBOOKS_API_URL, a proxy or a firewall answers instead"


class ReadRefused(RemoteRefusal):
    """QuickBooks refused a read. The message names codes only; `fault` holds QuickBooks' own words."""

    def __init__(self, what: str, fault: Fault) -> None:
        super().__init__(f"QuickBooks refused to read {what}: {fault.summary}", "run `fb-qbo check`")
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Changes:
    """Objects that changed, by entity; a deleted transaction is a stub with `status: Deleted` and its Id.

    `complete` False: there were more than one answer holds. Ask for fewer entities, or read by other means.
    """

    by_entity: dict[str, list[Json]]
    complete: bool


class QuickBooksReader:
    """Reads one company. Every method raises Unreachable where no answer came after all attempts, ReadRefused where
    QuickBooks refused, ConnectionRequired or ConfigurationError where there is no access or no such company.
    """

    def __init__(self, transport: Transport, *, sleep: Callable[[float], None] = time.sleep, backoff: Backoff | None = None) -> None:
        self._transport = transport
        self._sleep = sleep
        self._backoff = backoff or Backoff()

    @property
    def realm_id(self) -> str:
        """The company's id."""
        return self._transport.realm_id

    def query(self, select: Select) -> list[Json]:
        """All rows of a query, each id once."""
        return list(self.rows(select))

    def rows(self, select: Select, *, most_pages: int = MOST_PAGES) -> Iterator[Json]:
        """The rows of a query page by page, each id once even where rows move between pages while they are read.

        Raises RemoteRefusal where the server ignores the position, or never comes to an end.
        """
        seen: set[str] = set()
        start = 1
        for _ in range(most_pages):
            page = self._page(select, start)
            known = len(seen)
            for row in page:
                key = str(row.get("Id", ""))
                if not key or key not in seen:
                    seen.add(key)
                    yield row
            # A short page is the last one. A short page of a round size may be a server's own, smaller limit.
            if not page or (len(page) < PAGE and len(page) % _CLAMP):
                return
            if len(seen) == known:
                raise RemoteRefusal(f"QuickBooks repeats its {select.entity} rows instead of going on after row {start - 1}", _ANOTHER)
            start += len(page)
        raise RemoteRefusal(f"QuickBooks gives more than {most_pages:,} pages of {select.entity}", _ANOTHER)

    def query_in(self, select: Select, prop: str, values: Iterable[str]) -> list[Json]:
        """All rows of `select` whose `prop` is one of `values`, in as few statements as addresses are long enough for."""
        unique = list(dict.fromkeys(values))
        return [row for group in in_groups(unique) for row in self.rows(select.also(is_in(prop, group)))]

    def count(self, select: Select) -> int:
        """The number of rows of a query."""
        response = self._query(select.entity, select.count())
        return _number(response.get("totalCount", 0))

    def read(self, entity: str, id: str, *, include: str | None = None) -> Json | None:
        """One object by id; None where QuickBooks has none (a deleted transaction). Inactive list members are returned."""
        params = {} if include is None else {"include": include}
        try:
            payload = self._get(f"{entity.lower()}/{id}", entity, "read", params)
        except ReadRefused as refused:
            if any(error.code == "610" for error in refused.fault.errors):
                return None
            raise
        return _member(payload, entity)

    def company_info(self) -> Json:
        """The company's own record."""
        return _member(self._get(f"companyinfo/{self.realm_id}", "CompanyInfo", "read"), "CompanyInfo")

    def preferences(self) -> Json:
        """The company's preferences."""
        return _member(self._get("preferences", "Preferences", "read"), "Preferences")

    def exchange_rate(self, code: str, day: date) -> Decimal:
        """Home currency units for one unit of currency `code` on `day`."""
        params = {"sourcecurrencycode": code, "asofdate": day.isoformat()}
        payload = _member(self._get("exchangerate", "ExchangeRate", "read", params), "ExchangeRate")
        try:
            rate = parse_decimal(payload.get("Rate"))
        except ValueError:
            rate = Decimal(0)
        if not 0 < rate < _HIGHEST_RATE:
            raise RemoteRefusal(f"QuickBooks gave no usable exchange rate of {code} on {day}", "enter the rate in QuickBooks")
        return rate

    def cdc(self, entities: Sequence[str], since: datetime) -> Changes:
        """What changed since an aware instant, at most 30 days ago. TaxCode, TaxRate and TaxAgency are not tracked by QuickBooks."""
        if since.tzinfo is None:
            raise ValueError("an instant for change data capture needs a time zone")
        params = {"entities": ",".join(entities), "changedSince": since.isoformat(timespec="seconds")}
        payload = self._get("cdc", ",".join(entities), "cdc", params)
        by_entity: dict[str, list[Json]] = {entity: [] for entity in entities}
        announced = 0
        for response in _objects(payload.get("CDCResponse")):
            for part in _objects(response.get("QueryResponse")):
                announced += _number(part.get("totalCount", 0))
                for entity in entities:
                    by_entity[entity] += _objects(part.get(entity))
        found = sum(len(objects) for objects in by_entity.values())
        return Changes(by_entity, complete=found < CDC_LIMIT and announced <= found)

    def _page(self, select: Select, start: int) -> list[Json]:
        return _objects(self._query(select.entity, select.page(start)).get(select.entity))  # no key: nothing found

    def _query(self, entity: str, statement: str) -> Json:
        return _member(self._get("query", entity, "query", {"query": statement}), "QueryResponse")

    def _get(self, path: str, entity: str, operation: str, params: dict[str, str] | None = None) -> Json:
        """An answer to a GET, repeated while repeating can help."""
        call = Call("read", "GET", path, entity, operation, params or {})
        last, throttled = "", False
        for attempt in range(1, READ_ATTEMPTS + 1):
            reply = self._transport.send(call)
            if isinstance(reply, Answered):
                return reply.payload
            throttled = isinstance(reply, Faulted) and reply.reaction is Reaction.THROTTLED
            if isinstance(reply, Faulted):
                if reply.reaction not in (Reaction.THROTTLED, Reaction.TRANSIENT):
                    raise ReadRefused(entity, reply.fault)
                last = reply.fault.summary
            else:
                last = reply.reason
            if not throttled and attempt < READ_ATTEMPTS:  # a throttled company waits in the limiter
                self._sleep(self._backoff.delay(attempt))
        raise Unreachable(
            f"QuickBooks gave no usable answer in {READ_ATTEMPTS} attempts to read {entity}; the last: {last}",
            _LATER + (_ALLOWANCE if throttled else _OUTAGE),
        )


def _member(payload: Json, name: str) -> Json:
    """The object that an answer holds under `name`."""
    found: Any = payload.get(name)
    if not isinstance(found, dict):
        raise RemoteRefusal(f"QuickBooks answered without {name}", _STRANGE)
    return found


def _objects(value: Any) -> list[Json]:
    """A list of objects, as answers hold them. One that is none of them is not passed over: it may stand for a document."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise RemoteRefusal("QuickBooks answered something else where a list of objects should be", _STRANGE)
    return value


def _number(value: Any) -> int:
    """A count of an answer."""
    text = str(value)
    if not (text.isdecimal() and len(text) <= _COUNT_DIGITS):
        raise RemoteRefusal("QuickBooks answered something else where a count should be", _STRANGE)
    return int(text)
