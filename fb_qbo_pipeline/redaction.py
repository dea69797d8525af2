"""Removes secrets from text, headers and addresses before they reach a log, an error or the audit.

One module, so that one set of tests holds for every place that writes. It errs towards hiding: a word too many is harmless.
`code` is hidden in addresses and form bodies only (there it is an authorization code); in JSON both services use that key
for currencies, postal codes and fault numbers.
"""

import logging
import re
from collections.abc import Mapping
from typing import NamedTuple

HIDDEN = "[hidden]"

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
    """Redacts a log record's message and traceback. Attach it to handlers: a logger's filter does not see its children's records."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place; never drops one."""
        record.msg, record.args = redact(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True
