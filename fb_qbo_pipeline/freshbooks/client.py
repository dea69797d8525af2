"""A thin FreshBooks client: it only reads, pages through lists, and repeats what failed on the way.

FreshBooks' official Python SDK takes an error body under HTTP 200 for an empty list and does not renew tokens, so it is not used.
Reads are free of side effects: throttling, 5xx, time-outs and bodies that are not JSON are all repeated.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote, urlsplit

import requests

from fb_qbo_pipeline.errors import ConfigurationError, Unreachable
from fb_qbo_pipeline.freshbooks.errors import (
    FreshBooksError,
    FreshBooksRefusal,
    NotFound,
    Reaction,
    classify,
    exception_for,
    parse_error,
    unknown_account,
)
from fb_qbo_pipeline.freshbooks.paging import Page, all_rows
from fb_qbo_pipeline.freshbooks.resources import SYSTEMS, Resource
from fb_qbo_pipeline.http import (
    CONNECT_SECONDS,
    READ_SECONDS,
    RENEWALS,
    TRANSPORT_ERRORS,
    Attempt,
    Backoff,
    BearerAuth,
    Json,
    Recorder,
    describe,
    loads,
    new_session,
    retry_after,
    utc_now,
)
from fb_qbo_pipeline.redaction import redact_url

_log = logging.getLogger(__name__)

TRIES = 6
_COUNT_DIGITS = 12  # of a number of rows or pages; a longer one counts nothing
PER_PAGE = 100  # FreshBooks caps silently at 100
_OUTAGE = Backoff(base=0.5)
_THROTTLED = Backoff(base=2.0)  # without a Retry-After: the limit is not published, one of about 100 a minute is reported

Params = Sequence[tuple[str, str]]


class TokenSource(Protocol):
    """Where access tokens come from (`oauth.Authorizer`)."""

    def access_token(self) -> str:
        """A token that is good now."""
        ...

    def renew(self, rejected: str) -> str:
        """Another one, after a 401."""
        ...


@dataclass(frozen=True, slots=True)
class _Answer:
    """One attempt's outcome: a `body`, an `error` that FreshBooks stated, or neither (`reason` says what happened instead)."""

    body: Json | None = None
    error: FreshBooksError | None = None
    reason: str = ""
    wait: float | None = None


class FreshBooksClient:
    """Reads one FreshBooks account."""

    def __init__(
        self,
        base_url: str,
        account_id: str,
        authorizer: TokenSource,
        *,
        session: requests.Session | None = None,
        sleep: Callable[[float], None] = time.sleep,
        recorder: Recorder | None = None,
    ) -> None:
        if urlsplit(base_url).scheme not in {"http", "https"}:
            raise ConfigurationError(
                f"FRESHBOOKS_API_URL is not an http address: {redact_url(base_url)}", "set it, or remove it for the public host"
            )
        self.account_id = account_id
        self._base_url = base_url.rstrip("/")
        self._authorizer = authorizer
        self._session = session or new_session()
        self._sleep = sleep
        self._recorder = recorder
        self._account_seen = False

    def get(self, path: str, params: Params = (), *, subject: str = "", scope: str = "") -> Json:
        """The JSON object at `path` (from the host on), numbers as Decimal. `subject` and `scope` serve the error message.

        Raises FreshBooksRefusal (or NoAccess, NotFound), ConnectionRequired, or Unreachable after `TRIES` failed tries.
        """
        url = f"{self._base_url}/{path.lstrip('/')}"
        renewals = 0
        tries = 0
        while True:
            token = self._authorizer.access_token()
            answer = self._attempt(url, params, token)
            if answer.body is not None:
                return answer.body
            if answer.error is not None:
                reaction = classify(answer.error)
                if reaction is Reaction.RENEW_TOKEN and renewals < RENEWALS:
                    self._authorizer.renew(token)
                    renewals += 1
                    continue
                if reaction is not Reaction.RETRY:
                    raise exception_for(answer.error, subject or path, scope)
            tries += 1
            reason = answer.reason or (answer.error.words if answer.error else "")
            if tries >= TRIES:
                raise Unreachable(
                    f"FreshBooks ({urlsplit(url).netloc}) gave no usable answer for {subject or path} in {TRIES} tries; the last: {reason}",
                    "check the network, FRESHBOOKS_API_URL and FreshBooks' status page, then run again",
                )
            throttled = answer.error is not None and answer.error.status == 429
            delay = (_THROTTLED if throttled else _OUTAGE).delay(tries, answer.wait)
            _log.warning("FreshBooks, %s, try %d of %d: %s; again in %.1f s", subject or path, tries, TRIES, reason, delay)
            self._sleep(delay)

    def read(self, resource: Resource, record_id: int | str) -> Json | None:
        """One record, also a deleted one; None where FreshBooks has none.

        A wrong account id answers 404 as well. So the first absence is believed only once a list shows that the account is there.
        """
        subject = f"{resource.name} {record_id}"
        params = [("include[]", include) for include in resource.includes]
        try:
            body = self.get(f"{self._path(resource)}/{record_id}", params, subject=subject, scope=resource.scope)
        except NotFound:
            if not self._account_seen:
                self._page(resource, [], 1, per_page=1)
            return None
        record = _result(body).get(resource.singular)
        if not isinstance(record, dict):
            raise _unexpected(subject, resource.singular)
        return record

    def list(self, resource: Resource, filters: Params = (), includes: Sequence[str] | None = None) -> Iterator[Json]:
        """All rows of a list, each once, read page by page as they are taken. `includes` defaults to the resource's.

        A row should be an object; one that is not comes as it is, because it stands for a record: parsing it says so.

        `filters` are pairs such as ("search[date_min]", "2025-01-01"). FreshBooks ignores unknown ones and gives everything:
        callers filter the rows once more. Raises as `get`, and ConfigurationError where the account has no such list.
        """
        params = [*filters, *(("include[]", include) for include in (resource.includes if includes is None else includes))]
        return all_rows(lambda number: self._page(resource, params, number), resource.row_id, resource.plural)

    def system(self) -> Json:
        """The account's own record: name, base currency, country. Raises ConfigurationError where there is no such account."""
        subject = f"account {self.account_id}"
        try:
            body = self.get(self._path(SYSTEMS) + "/" + quote(self.account_id, safe=""), subject=subject, scope=SYSTEMS.scope)
        except NotFound:
            raise unknown_account(self.account_id) from None
        record = _result(body).get(SYSTEMS.singular)
        if not isinstance(record, dict):
            raise _unexpected(subject, SYSTEMS.singular)
        return record

    def _page(self, resource: Resource, params: Params, number: int, per_page: int = PER_PAGE) -> Page:
        paging = [("page", str(number)), ("per_page", str(per_page))]
        try:
            body = self.get(self._path(resource), [*params, *paging], subject=resource.plural, scope=resource.scope)
        except NotFound:
            raise unknown_account(self.account_id) from None
        result = _result(body)
        rows = result.get(resource.plural)
        if not isinstance(rows, list):
            raise _unexpected(resource.plural, resource.plural)
        self._account_seen = True
        return Page(rows, _count(result.get("per_page")), _count(result.get("pages")), _count(result.get("total")))

    def _path(self, resource: Resource) -> str:
        return f"accounting/account/{quote(self.account_id, safe='')}/{resource.path}"

    def _attempt(self, url: str, params: Params, token: str) -> _Answer:
        started = time.perf_counter()
        status: int | None = None
        content = b""
        sent = url
        try:
            response = self._session.get(
                url,
                params=list(params),
                auth=BearerAuth(token),
                headers={"Accept": "application/json"},
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,  # none is documented
            )
        except TRANSPORT_ERRORS as error:
            answer = _Answer(reason=describe(error))
            sent = error.request.url or url if error.request is not None else url
        else:
            status, content, sent = response.status_code, response.content, response.url
            answer = _understand(response)
        if self._recorder is not None:
            problem = answer.reason or (answer.error.words if answer.error else "")
            seconds = time.perf_counter() - started
            self._recorder(Attempt("freshbooks", "GET", redact_url(sent), status, seconds, len(content), problem))
        return answer


def _understand(response: requests.Response) -> _Answer:
    """An answer's meaning. A body that is no JSON object (an edge's HTML page, a cut answer) is a failure on the way."""
    status = response.status_code
    wait = retry_after(response.headers, utc_now())
    body: object = None
    if response.content.strip():
        try:
            body = loads(response.content)
        except ValueError:
            body = None
        if not isinstance(body, dict) and status not in {401, 429}:
            return _Answer(reason=f"status {status} with a body that is no JSON object", wait=wait)
    error = parse_error(status, response.headers, body)
    if error is not None:
        return _Answer(error=error, wait=wait)
    if not 200 <= status < 300:
        return _Answer(reason=f"status {status}, which is no answer to a read", wait=wait)
    if isinstance(body, dict):
        return _Answer(body=body)
    return _Answer(reason=f"status {status} with an empty body", wait=wait)


def _result(body: Json) -> Json:
    response = body.get("response")
    result = response.get("result") if isinstance(response, dict) else None
    return result if isinstance(result, dict) else {}


def _count(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isdecimal() and len(text) <= _COUNT_DIGITS else None


def _unexpected(subject: str, key: str) -> FreshBooksRefusal:
    error = FreshBooksError(200, (), (f"the answer has no {key!r}",))
    return FreshBooksRefusal(
        error, f"FreshBooks answered {subject} in an unknown shape: {error.words}", "check that FRESHBOOKS_API_URL is FreshBooks' API"
    )
