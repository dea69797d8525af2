"""Removes secrets from text, headers and addresses before they reach a log, an error, an event or the audit.

One module, so that one set of tests holds for every place that writes. It errs towards hiding: a word too many is harmless.
There are two ways. The secrets in use are known by value (`remember`) and removed whoever quotes them, in the spellings that
addresses, forms, JSON and Basic credentials have. What is not known is found by what stands before it.
`code` is hidden in addresses and form bodies only (there it is an authorization code); in JSON both services use that key
for currencies, postal codes and fault numbers.
"""

import base64
import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

from fb_qbo_pipeline.escaping import one_line, terminal

HIDDEN = "[hidden]"
SHORTEST = 8  # characters; a shorter secret cannot be told from a word
MOST_TOKENS = 200  # that are remembered; each refresh brings two, and the older ones are dead

_lock = threading.Lock()
_settings: dict[str, None] = {}
_tokens: dict[str, None] = {}  # oldest first
_values: tuple[str, ...] = ()  # all spellings of both, the longest first


def remember(*secrets: str | None) -> None:
    """Know these secrets by value from now on; what is short or None is left out."""
    _remember(_settings, (secret for secret in secrets if secret and len(secret) >= SHORTEST))


def remember_token(*tokens: str) -> None:
    """As `remember`, for what is replaced before long: only the newest `MOST_TOKENS` are known."""
    _remember(_tokens, (token for token in tokens if len(token) >= SHORTEST))


def remember_app(client_id: str, client_secret: str) -> None:
    """The secret of an OAuth app, also as Basic credentials carry it."""
    remember(client_secret, base64.b64encode(f"{client_id}:{client_secret}".encode()).decode() if client_secret else None)


def forget_all() -> None:
    """Know nothing any more; for tests."""
    global _values
    with _lock:
        _settings.clear()
        _tokens.clear()
        _values = ()


def _remember(known: dict[str, None], secrets: Iterable[str]) -> None:
    global _values
    with _lock:
        added = [secret for secret in secrets if secret not in known]
        for secret in added:
            known[secret] = None
        while len(_tokens) > MOST_TOKENS:
            del _tokens[next(iter(_tokens))]
        if added:
            spellings = {spelling for secret in (*_settings, *_tokens) for spelling in _spellings(secret)}
            _values = tuple(sorted(spellings, key=len, reverse=True))


def _spellings(secret: str) -> set[str]:
    found = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    try:
        encoded = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    except UnicodeEncodeError:  # half a surrogate pair, which no address can hold
        return found
    return found | encoded | {re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), text) for text in encoded}


def without_values(text: str) -> str:
    """`text` without the secrets that are known by value. Looking for one takes a microsecond or two in 30 KB."""
    for value in _values:
        if value in text:
            text = text.replace(value, HIDDEN)
    return text


_NAMES = (
    r"(?:access_token|refresh_token|id_token|direct_link_token|statement_token|download_token|token|client_secret|secret_key"
    r"|secret|password|verifier|jwt)"
)


class _Rule(NamedTuple):
    """What to hide. Where none of `signs` is in the folded text the pattern cannot match: most bodies are long and hold no secret."""

    signs: tuple[str, ...]
    pattern: re.Pattern[str]
    replacement: str


_RULES = (
    # Authorization: Bearer abc, {'Authorization': 'Basic abc'}, and the scheme on its own
    _Rule(
        ("author",),
        re.compile(r"(?i)(\bauthorization\b[\"']?\s*[:=]\s*[\"']?)(?:(bearer|basic)\s+)?[^\s\"',;}]+"),
        rf"\1\2 {HIDDEN}",
    ),
    _Rule(("bearer", "bas"), re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    # "refresh_token": "abc", 'refresh_token': 'abc', and JSON within a JSON string; not QuickBooks' SyncToken
    _Rule(
        ('"token', "'token", "_token", "secret", "password", "ver", "jwt"),
        re.compile(r"(?is)(\\*[\"']" + _NAMES + r"\\*[\"']\s*:\s*)(?P<quote>\\*[\"'])(?:(?!(?P=quote))(?:\\.|.))*"),
        rf"\1\g<quote>{HIDDEN}",
    ),
    # refresh_token=abc in an address, a form body or a message
    _Rule(("=",), re.compile(r"(?i)(\b" + _NAMES + r"\s*=\s*)[^\s&#,;\"'})]+"), rf"\1{HIDDEN}"),
    _Rule(("code=", "state="), re.compile(r"(?i)((?:^|[?&\"'])(?:code|state)=)[^\s&#\"']+"), rf"\1{HIDDEN}"),
    # a password within an address, as in postgresql://user:password@host
    _Rule(("://",), re.compile(r"(\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+@"), rf"\1{HIDDEN}@"),
    # a JSON web token on its own
    _Rule(("eyj",), re.compile(r"\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,4}"), HIDDEN),
)
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "x-freshbooks-hmac-sha256"})


def redact(text: str) -> str:
    """`text` without bearer and basic credentials, tokens, client secrets, authorization codes and passwords in addresses."""
    text = without_values(text)
    folded = text.casefold()
    for rule in _RULES:
        if any(sign in folded for sign in rule.signs):
            text = rule.pattern.sub(rule.replacement, text)
    return text


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """HTTP headers with the secret ones hidden and the others redacted; names keep their spelling."""
    return {name: HIDDEN if name.lower() in _SECRET_HEADERS else redact(str(value)) for name, value in headers.items()}


def redact_url(url: str) -> str:
    """An address without the secrets in its query or user part; the rest, encoded brackets included, stays as sent."""
    return redact(url)


class RedactingFilter(logging.Filter):
    """Redacts a log record's message and traceback. Attach it to handlers: a logger's filter does not see its children's records.

    A message is one line: a name from outside writes none of its own.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place; never drops one."""
        record.msg, record.args = one_line(re.sub(r"\s*\n\s*", " ", redact(record.getMessage()))), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = terminal(redact(record.exc_text))
        return True


_made_before: Any = None


def guard_process() -> None:
    """From now on no log record of this process, and nothing that Python prints of an error, holds a secret that is known.

    Every process calls it once as it begins, whichever program it is: Dagster's handlers, and those of libraries, are not ours.
    """
    global _made_before
    with _lock:
        if _made_before is not None:
            return
        _made_before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(_record)
    if sys.excepthook is sys.__excepthook__:  # whoever has put one of his own there logs by it
        sys.excepthook = _print_redacted
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = lambda caught: _print_redacted(caught.exc_type, caught.exc_value, caught.exc_traceback)


def release_process() -> None:
    """Take `guard_process` back; for tests."""
    global _made_before
    with _lock:
        logging.setLogRecordFactory(_made_before or logging.LogRecord)
        _made_before = None


def _record(*arguments: Any, **options: Any) -> logging.LogRecord:
    record: logging.LogRecord = _made_before(*arguments, **options)
    try:
        said = record.getMessage()
    except Exception:  # noqa: BLE001 - arguments that do not fit: logging would print them
        said, record.args = f"{record.msg} (its arguments do not fit)", None
        record.msg = said
    redacted = redact(said)
    if redacted != said:
        record.msg, record.args = redacted, None
    if record.exc_info and record.exc_info[0] is not None:
        told = logging.Formatter().formatException(record.exc_info)
        if (redacted := redact(told)) != told:
            record.exc_text = redacted
    return record


def _print_redacted(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if not issubclass(kind, SystemExit):
        sys.stderr.write(redact("".join(traceback.format_exception(kind, error, trace))))
