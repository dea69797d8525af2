"""QuickBooks' faults: four dialects read into one shape, and one table of what to do about each.

The service answers in JSON with capitalised keys, its gateway in JSON with lower-case keys, the throttle and some
authentication errors in XML whatever was asked for, and proxies in HTML or with nothing at all. A fault may also come
under HTTP 200, for a whole request or for one item of a batch. Codes are written "3001" or "003001".

Sources of the table: Intuit's error-code page, and payloads quoted by integrators where the page gives no text.
A code without a row is a refusal with QuickBooks' own words; an answer whose words cannot be read leaves the outcome unknown.

Words are in the company's language. Where a row needs them, what follows from the code and the situation alone is told by
`may_be_busy`, `may_be_gone` and `may_be_about_tax`; what still rests on English words only names a hold otherwise (decision 20).
"""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from fb_qbo_pipeline.http import Json, loads

_LONGEST_CODE = 50
_LONGEST_TEXT = 2000  # characters of a message or a detail; patterns are run over it
_LONGEST_XML = 20_000  # as above, of a body that is no JSON


class Reaction(StrEnum):
    """What the caller should do about a fault."""

    RENEW_TOKEN = "renew_token"  # noqa: S105 - the name of a reaction
    RECONNECT = "reconnect"  # the app has no access to the company: a person connects it again
    WRONG_COMPANY = "wrong_company"  # the address holds no such company or resource
    SUSPENDED = "suspended"  # the subscription ended: nothing can be written until it is renewed
    THROTTLED = "throttled"  # wait, then the same request with the same request id
    TRANSIENT = "transient"  # outcome unknown: the same request with the same request id, later
    DUPLICATE_REQUEST = "duplicate_request"  # something like it exists: look it up, never send it under a new request id
    STALE = "stale"  # read the object again, then decide anew
    GONE = "gone"  # the transaction itself was deleted in QuickBooks
    DUPLICATE_NAME = "duplicate_name"  # look the name up among customers, vendors and employees, inactive ones too
    DUPLICATE_NUMBER = "duplicate_number"  # look the transaction up (`assigned_transaction`)
    NAME_BUSY = "name_busy"  # another name is being written: the same again, alone
    INACTIVE_REFERENCE = "inactive_reference"  # an account, item, name, class or tax code is inactive or missing
    CLOSED_PERIOD = "closed_period"  # the books are closed for that date
    TAX_REFUSED = "tax_refused"  # QuickBooks does not take the tax amounts: it may compute its own
    LOCKED = "locked"  # deposited, matched with the bank or linked: a person has to undo that first
    REFUSED = "refused"  # repeating it would be refused again


@dataclass(frozen=True, slots=True)
class FaultError:
    """One error of a fault. `code` has no leading zeros; any part may be ''. The detail may quote the company's data."""

    code: str
    message: str
    detail: str = field(default="", repr=False)
    element: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A refusal. `status` is HTTP's (200 for an item of a batch); without `errors` the body could not be read."""

    status: int
    type: str
    errors: tuple[FaultError, ...] = ()

    @property
    def summary(self) -> str:
        """Codes, messages and status: fit for logs, because details, which quote the company's data, are left out."""
        told = "; ".join(f"{error.code} {error.message}".strip() for error in self.errors)
        return f"{told or 'no readable fault'} (HTTP {self.status})"

    @property
    def words(self) -> str:
        """QuickBooks' own words for finance; they may quote the company's data, so they belong in no log."""
        told = [" ".join((error.detail or error.message).split()) for error in self.errors]
        return "; ".join(text.removeprefix("Business Validation Error: ") for text in told if text) or f"HTTP status {self.status}"


class Row(NamedTuple):
    """One rule. `text` has to occur in the error's message or detail, in any case; `source` is where the rule is from."""

    codes: frozenset[str]
    reaction: Reaction
    source: str
    text: str = ""


def _row(codes: str, reaction: Reaction, source: str, text: str = "") -> Row:
    return Row(frozenset(codes.split()), reaction, source, text)


# In order of precedence: where a fault lists several errors, the first row that any of them meets decides.
TABLE: tuple[Row, ...] = (
    _row("3001", Reaction.THROTTLED, "error codes, ThrottleExceeded: HTTP 429, in older payloads 403"),
    _row("100 110 270 3200 3202", Reaction.RENEW_TOKEN, "error codes, AuthenticationFailed; 270 from integrators"),
    _row("3100", Reaction.RECONNECT, "error codes, ApplicationAuthorizationFailed: not connected, or keys of the other environment"),
    _row("120", Reaction.RECONNECT, "error codes, Authorization Failure: the connecting user has lost the administrator's role"),
    _row("6190", Reaction.SUSPENDED, "error codes, Invalid Company Status"),
    _row("130 140 150", Reaction.TRANSIENT, "error codes: wrong cluster, company locked out, company under maintenance"),
    _row("600 630", Reaction.DUPLICATE_REQUEST, "error codes, Duplicate Request ID and Duplicate Object"),
    _row("5010", Reaction.STALE, "error codes, Stale Object Error"),
    _row("610", Reaction.GONE, "error codes, Object Not Found", "deleted this transaction"),
    _row("6240", Reaction.DUPLICATE_NAME, "error codes, Duplicate Name Exists Error"),
    _row("6140", Reaction.DUPLICATE_NUMBER, "error codes, Duplicate Document Number Error"),
    _row("6210", Reaction.DUPLICATE_NUMBER, "Intuit's blog of 2017-06-08 gives duplicates this code", "duplicate document number"),
    _row("6000", Reaction.NAME_BUSY, "integrators: concurrent writes of names", "one name at a time"),
    _row("6200 6210", Reaction.CLOSED_PERIOD, "error codes, Account Period Closed"),
    _row("6000", Reaction.CLOSED_PERIOD, "integrators: the closing date as a business validation", "period has closed"),
    _row("6000", Reaction.CLOSED_PERIOD, "integrators: the closing date as a business validation", "period closed"),
    _row("6110 6120 6450", Reaction.LOCKED, "error codes: a settled card transaction cannot be changed, deleted or voided"),
    _row("6540 6480", Reaction.LOCKED, "error codes: deposited, or matched with a bank feed"),
    _row("800 6400", Reaction.LOCKED, "error codes: other transactions depend on it"),
    _row("2500", Reaction.REFUSED, "integrators: a category in the place of a product is there, but never usable", "as a category"),
    _row("610 2500 6250", Reaction.INACTIVE_REFERENCE, "error codes, Object Not Found, Invalid Reference Id and invalid customer"),
    _row("6000", Reaction.INACTIVE_REFERENCE, "integrators: an inactive item", "need to activate this item"),
    _row("6000", Reaction.INACTIVE_REFERENCE, "integrators: 610's sentence as a business validation", "made inactive"),
    _row("6000", Reaction.TAX_REFUSED, "integrators: an error while calculating tax; without the amounts QuickBooks computes them", "tax"),
    _row("5020 5030", Reaction.REFUSED, "error codes: the user's role or the plan does not include the feature"),
    _row("1000 1010 1020 4002 10000", Reaction.TRANSIENT, "error codes: failed inside the service; resubmit"),
)

_BUSINESS_RULE, _NOT_FOUND = "6000", "610"

# The gateway's and proxies' statuses where no row matches. 408 and 3xx are no decision of the service.
_BY_STATUS = {
    401: Reaction.RENEW_TOKEN,
    403: Reaction.RECONNECT,
    404: Reaction.WRONG_COMPANY,
    408: Reaction.TRANSIENT,
    429: Reaction.THROTTLED,
}


def _meets(error: FaultError, row: Row) -> bool:
    return error.code in row.codes and row.text in f"{error.message} {error.detail}".casefold()


def classify(fault: Fault) -> Reaction:
    """What to do about `fault`: by the table, then by the HTTP status, then by whether it could be read at all."""
    for row in TABLE:
        if any(_meets(error, row) for error in fault.errors):
            return row.reaction
    kind = fault.type.casefold()
    if kind == "validationfault" and fault.errors and fault.status != 429:
        return Reaction.REFUSED
    if fault.status in _BY_STATUS:
        return _BY_STATUS[fault.status]
    if not fault.errors or kind == "systemfault" or fault.status >= 500:
        return Reaction.TRANSIENT
    return Reaction.REFUSED


def may_be_busy(fault: Fault) -> bool:
    """Whether a refused write of a name (customer, vendor, item…) may only have met another one that was being written.

    QuickBooks has one code for that and for every other business rule, and says which in the company's language. The answer
    to a single name being what it is, repeating it some seconds later costs little, and tells.
    """
    return any(error.code == _BUSINESS_RULE for error in fault.errors)


def may_be_gone(fault: Fault) -> bool:
    """Whether a void or deletion may have been refused because the transaction is not there; reading it tells."""
    return any(error.code == _NOT_FOUND for error in fault.errors)


def may_be_about_tax(fault: Fault) -> bool:
    """Whether a new document with tax amounts may have been refused for them: by the code alone, whatever the language."""
    return any(error.code == _BUSINESS_RULE for error in fault.errors)


def read_answer(status: int, body: str) -> Json | Fault:
    """An answer's JSON object, or the fault that the body or the status tells of."""
    payload = _json_object(body)
    if payload is None:
        return _xml_fault(status, body)
    fault = fault_in(payload, status)
    if fault is not None:
        return fault
    return payload if 200 <= status < 300 else Fault(status, "")


def fault_in(payload: Json, status: int = 200) -> Fault | None:
    """The fault within a JSON answer or within one item of a batch's answer, in either spelling; None without one."""
    fault = next((payload[key] for key in ("Fault", "fault") if isinstance(payload.get(key), dict)), None)
    if fault is None:
        return None
    errors = fault.get("Error") or fault.get("error") or []
    listed = errors if isinstance(errors, list) else [errors]
    return Fault(status, _text(fault.get("type")), tuple(_json_error(error) for error in listed if isinstance(error, dict)))


def _json_object(body: str) -> Json | None:
    try:
        payload = loads(body)
    except ValueError:
        return None
    return payload if isinstance(payload, dict) else None


def _json_error(error: dict[str, Any]) -> FaultError:
    lower = {key.casefold(): _text(value) for key, value in error.items()}
    return _error(lower.get("code", ""), lower.get("message", ""), lower.get("detail", ""), lower.get("element", ""))


# XML is read by patterns: the bodies are tiny and may be cut short, and a parser would bring entity expansion with it.
_XML_FAULT_TYPE = re.compile(r"<Fault\b[^>]*\btype=[\"']([^\"']*)", re.IGNORECASE)
_XML_ERROR = re.compile(r"<Error\b([^>]*)>(.*?)</Error>", re.IGNORECASE | re.DOTALL)
_CODE_IN_MESSAGE = re.compile(r"errorCode=(\w+)")


def _xml_fault(status: int, body: str) -> Fault:
    body = body[:_LONGEST_XML]
    kind = _XML_FAULT_TYPE.search(body)
    errors = tuple(
        _error(_attribute(attributes, "code"), _tag(inner, "Message"), _tag(inner, "Detail"), _attribute(attributes, "element"))
        for attributes, inner in _XML_ERROR.findall(body)
    )
    return Fault(status, kind.group(1) if kind else "", errors)


def _attribute(attributes: str, name: str) -> str:
    found = re.search(rf"\b{name}=[\"']([^\"']*)", attributes, re.IGNORECASE)
    return html.unescape(found.group(1)) if found else ""


def _tag(inner: str, name: str) -> str:
    found = re.search(rf"<{name}\b[^>]*>(.*?)</{name}>", inner, re.IGNORECASE | re.DOTALL)
    return html.unescape(found.group(1)).strip() if found else ""


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _error(code: str, message: str, detail: str, element: str) -> FaultError:
    """One error with its code normalised; the gateway's code is also within its message (`errorCode=003200`)."""
    if not code.strip():
        message = message[:_LONGEST_TEXT]
        within = _CODE_IN_MESSAGE.search(message)
        code = within.group(1) if within else ""
    return FaultError(code.strip().lstrip("0")[:_LONGEST_CODE], message[:_LONGEST_TEXT], detail[:_LONGEST_TEXT], element[:_LONGEST_TEXT])


class Assigned(NamedTuple):
    """The transaction that a duplicate-number fault names. `type` is an entity's name, such as Bill."""

    type: str
    id: str


# "DocNumber=… is assigned to TxnType=Bill with TxnId=17250": in 6140's detail since the end of 2020.
_ASSIGNED = re.compile(r"TxnType=\s*([A-Za-z][A-Za-z ]*?)\s+with\s+TxnId=\s*(\d+)")
# "… Id=42" or "The customer ID is: 42": in some of 6240's details.
_TAKEN = re.compile(r"\bID(?:\s+is\s*:|\s*=)\s*(\d+)", re.IGNORECASE)


def _details(fault: Fault, code: str) -> Iterable[str]:
    return (f"{error.message} {error.detail}" for error in fault.errors if error.code == code)


def assigned_transaction(fault: Fault) -> Assigned | None:
    """The transaction that has the number already, from the detail of a 6140; None where QuickBooks does not say."""
    found = next((match for text in _details(fault, "6140") if (match := _ASSIGNED.search(text))), None)
    return Assigned(found.group(1).replace(" ", ""), found.group(2)) if found else None


def name_owner(fault: Fault) -> str | None:
    """The id of the record that has the name already, from the detail of a 6240; None where QuickBooks does not say."""
    return next((match.group(1) for text in _details(fault, "6240") if (match := _TAKEN.search(text))), None)
