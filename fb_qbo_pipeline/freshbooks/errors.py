"""FreshBooks' error bodies, all seven shapes, read into one; and what the caller should do about each.

    A1  {"response": {"errors": [{"errno", "field", "message", …}]}}       accounting; also under HTTP 200; also an object, or key `error`
    A2  {"code", "message", "details": [{"reason", "metadata": {…}}]}      accounting, newer API version
    B   {"errors": {"message", "status", "details": […]}}                  accounting by business
    C   {"error": "…"} | {"message": "…"} | {"errno", "error": {field: …}}  projects and time tracking
    E   {"errno", "message", "details": ["…"]} | {"code", "details": [{"fieldViolations": […]}]}   events
    P   {"error_type", "message", "errors": [{"error_type", "message", "field"}]}                   online payments
    F   {"error": "unauthenticated", "error_description": "…"}             gateway, answers for every family

An error body under HTTP 200 is how gated features answer: read naively, it is an empty list.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any

from fb_qbo_pipeline.errors import ConfigurationError, ConnectionRequired, PipelineError, RemoteRefusal
from fb_qbo_pipeline.redaction import redact

_LONGEST_CODE = 50
_LONGEST_MESSAGE = 300
_LONGEST_READ = 2000  # characters of a message that patterns are run over
_MOST_PARTS = 20  # errors of one answer that are told
_SCOPE = re.compile(r"user:[a-z_]+:(?:read|write)")

# errno of the accounting family (FreshBooks' error table, and recorded answers of gated features)
_UNEXPECTED = "500"
_CONFLICT = "409"
_UNKNOWN = frozenset({"1011", "1012"})  # DeletedResource, UnknownResource
_ACCESS = frozenset({"1003", "1042", "7005", "12001", "31001", "41001", "41101"})  # AccessDenied, InactiveAccount, plan limits and gates
_UNAUTHENTICATED = frozenset({"unauthenticated", "unauthorized", "invalid_token"})


@dataclass(frozen=True, slots=True)
class FreshBooksError:
    """An error answer. `codes` are errno numbers or error words as text, `field` the first field that is named."""

    status: int
    codes: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    field: str | None = None

    @property
    def words(self) -> str:
        """FreshBooks' own words, for a message to people."""
        text = "; ".join(self.messages) or f"status {self.status}"
        return f"{text} [{', '.join(self.codes)}]" if self.codes else text


class Reaction(StrEnum):
    """What the caller should do about an error."""

    RETRY = "retry"
    RENEW_TOKEN = "renew_token"  # noqa: S105 - the name of a reaction
    NO_ACCESS = "no_access"  # gated by plan, role or scope: a person has to act
    NOT_FOUND = "not_found"
    REFUSE = "refuse"


class FreshBooksRefusal(RemoteRefusal):
    """FreshBooks said no for good. `error` is what it said."""

    def __init__(self, error: FreshBooksError, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.error = error


class NoAccess(FreshBooksRefusal):
    """The connection may not read this resource: missing scope, role or plan."""


class NotFound(FreshBooksRefusal):
    """FreshBooks has no such record."""


@dataclass(frozen=True, slots=True)
class _Part:
    code: object = None
    message: object = None
    field: object = None


def parse_error(status: int, headers: Mapping[str, str], body: object) -> FreshBooksError | None:
    """Read an answer's error; None where it is none. `body` is the parsed JSON, None where the body was empty or not JSON.

    Messages are FreshBooks' texts without secrets, cut to a readable length; the `value` of a field is customer data and left out.
    """
    parts = list(islice(_parts(body), _MOST_PARTS)) if isinstance(body, dict) else []
    if status < 400 and not parts:
        return None
    codes = [str(part.code)[:_LONGEST_CODE] for part in parts if part.code not in (None, "")]
    challenge = re.search(r'error="?([a-z_]{1,50})', headers.get("WWW-Authenticate", ""))
    if challenge:
        codes.append(challenge[1])
    messages = [redact(str(part.message)[:_LONGEST_READ])[:_LONGEST_MESSAGE] for part in parts if part.message]
    fields = [str(part.field) for part in parts if part.field]
    return FreshBooksError(status, tuple(dict.fromkeys(codes)), tuple(dict.fromkeys(messages)), fields[0] if fields else None)


def _parts(body: dict[str, Any]) -> Iterator[_Part]:
    """The single errors of a body in any shape; nothing for a body that is no error."""
    response = body.get("response")
    if isinstance(response, dict):
        yield from _accounting(response.get("errors") or response.get("error"))
    elif "error_type" in body:
        yield _Part(body["error_type"], body.get("message"))
        yield from _accounting(body.get("errors"))
    elif isinstance(body.get("errors"), dict):
        outer = body["errors"]
        yield from _detailed(outer.get("status"), outer.get("message"), outer.get("details"))
    elif "errors" in body:
        yield from _accounting(body["errors"])
    elif "code" in body and ("message" in body or "details" in body):
        yield from _detailed(None, body.get("message"), body.get("details"))
    elif isinstance(body.get("error"), dict):
        for field, message in body["error"].items():
            yield _Part(body.get("errno"), f"{field}: {message}", field)
    elif "error" in body:
        text = str(body["error"])
        yield _Part(text if re.fullmatch(r"[a-z_]+", text) else None, body.get("error_description") or text)
    elif "errno" in body:
        yield from _detailed(body["errno"], body.get("message"), body.get("details"))
    elif "message" in body:
        yield _Part(message=body["message"])


def _accounting(errors: object) -> Iterator[_Part]:
    """Shapes A1 and P: a list of errors, a single one, or a text."""
    for error in errors if isinstance(errors, list) else [errors] if errors else []:
        if isinstance(error, dict):
            yield _Part(error.get("errno") or error.get("error_type"), error.get("message"), error.get("field"))
        else:
            yield _Part(message=error)


def _detailed(code: object, message: object, details: object) -> Iterator[_Part]:
    """Shapes A2, B and E: the real text is in `details`, if there are any; the outer message only repeats the status."""
    found: list[_Part] = []
    for detail in details if isinstance(details, list) else []:
        if not isinstance(detail, dict):
            found.append(_Part(code, detail))
            continue
        violations = detail.get("fieldViolations")
        listed = [each for each in violations if isinstance(each, dict)] if isinstance(violations, list) else []
        found += [_Part(code, each.get("description"), each.get("field")) for each in listed]
        reason, metadata = detail.get("reason"), detail.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        if reason or metadata:
            number = reason if str(reason).isdigit() else code
            found.append(_Part(number, metadata.get("message") or reason, metadata.get("field")))
    yield from found or [_Part(code, message)]


def classify(error: FreshBooksError) -> Reaction:
    """What to do about `error` of a read. The HTTP status decides where it is an error status, otherwise the codes."""
    codes = set(error.codes)
    if error.status in {408, 409, 425, 429} or error.status >= 500:
        return Reaction.RETRY
    if error.status == 401 or codes & _UNAUTHENTICATED or any(message.startswith("invalid_token") for message in error.messages):
        return Reaction.RENEW_TOKEN
    if error.status in {402, 403}:
        return Reaction.NO_ACCESS
    if error.status == 404 or codes & _UNKNOWN:
        return Reaction.NOT_FOUND
    if codes & _ACCESS or any("do not have access" in message.lower() for message in error.messages):
        return Reaction.NO_ACCESS
    if codes & {_UNEXPECTED, _CONFLICT}:
        return Reaction.RETRY
    return Reaction.REFUSE


def exception_for(error: FreshBooksError, subject: str, scope: str = "") -> PipelineError:
    """The exception for an error that will not go away. `subject` says what was read, `scope` what reading it needs."""
    reaction = classify(error)
    if reaction is Reaction.RENEW_TOKEN:
        return ConnectionRequired(
            f"FreshBooks does not accept the access token for {subject}, not even a fresh one", "run: fb-qbo connect freshbooks"
        )
    if reaction is Reaction.NO_ACCESS:
        return NoAccess(error, f"FreshBooks gives no access to {subject}: {error.words}", _access_remedy(error, scope))
    if reaction is Reaction.NOT_FOUND:
        return NotFound(error, f"FreshBooks does not find {subject}: {error.words}")
    return FreshBooksRefusal(
        error, f"FreshBooks refuses to give {subject}: {error.words}", "this is not a passing condition: report it with these words"
    )


def _access_remedy(error: FreshBooksError, scope: str) -> str:
    named = sorted({found for message in error.messages for found in _SCOPE.findall(message)})
    if scope and (not named or scope in named):
        named = [scope]
    scopes = f"the scope {', '.join(named)}" if named else "its scopes"
    return (
        f"give the OAuth app {scopes} in the FreshBooks developer portal and run: fb-qbo connect freshbooks, as the owner or an admin; "
        "or the FreshBooks plan does not include it"
    )


def unknown_account(account_id: str) -> ConfigurationError:
    """The account itself is not found: its id is wrong, or another login's."""
    return ConfigurationError(
        f"freshbooks.account_id: FreshBooks knows no account {account_id!r} for this login",
        "set freshbooks.account_id in integration.yaml to the account's id, such as ABC123 (the number in the address bar is the "
        "business id, another thing), and connect as a member of that business",
    )
