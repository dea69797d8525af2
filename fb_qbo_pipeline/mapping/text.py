"""Names, texts and numbers in the form that QuickBooks accepts and that stays the same on every run.

QuickBooks never truncates: one character too many refuses the whole document (2050), a colon in a name means a level of a
hierarchy, and control characters are refused (2040). FreshBooks' texts know none of this. Numbers lose their trailing
zeros, so that FreshBooks' "4" and "4.000" give the same document and nothing is updated for nothing.
"""

import hashlib
import re
import unicodedata
from decimal import Decimal

from fb_qbo_pipeline.money import ZERO, round_half_up

NAME_LENGTH = 100  # of items, given, family and company names; display names may be longer, but older documentation says 100
EMAIL_LENGTH = 100
_JOINERS = {"\u200c", "\u200d"}  # format characters that are part of spelling (Persian, Indic scripts)
# RFC 822's unquoted form, which QuickBooks holds addresses to (2210): atoms with single dots, ASCII, a domain of two labels or more.
_ATOM, _LABEL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+", r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]")


def printable(text: str, kept: str = "") -> str:
    """`text` with control characters as blanks and invisible format characters dropped; those in `kept` stay."""
    if text.isprintable():  # nearly always, and a character at a time is slow
        return text
    characters = []
    for character in text:
        category = unicodedata.category(character)
        if character in kept or character in _JOINERS:
            characters.append(character)
        elif category in {"Cc", "Zl", "Zp"}:
            characters.append(" ")
        elif category not in {"Cf", "Cs"}:
            characters.append(character)
    return "".join(characters)


def _clean_name(text: str) -> str:
    return " ".join(printable(text).replace(":", " ").split())


def legal_name(text: str) -> str:
    """`text` as a QuickBooks name: no colon, tab, newline or control character, trimmed, blanks collapsed, at most 100 characters.

    '' where nothing is left. Different texts may give the same name; see `distinct_name`.
    """
    return _clean_name(text)[:NAME_LENGTH].rstrip()


def distinct_name(text: str) -> str:
    """`legal_name(text)` that no other text shares: where a character had to go, a short digest of the text is appended.

    Only case and blanks are no difference, as QuickBooks compares names without them.
    """
    plain = " ".join(text.split())
    name = _clean_name(text)
    if name == plain and len(name) <= NAME_LENGTH:
        return name
    tail = f" #{digest(plain.casefold(), 8)}"
    return (name[: NAME_LENGTH - len(tail)].rstrip() + tail).strip()


def digest(text: str, length: int) -> str:
    """The first `length` hexadecimal digits, in capitals, of a digest of `text`: the same on every machine and run."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length].upper()


def legal_text(text: str, length: int) -> str:
    """A description or memo: line breaks kept, other control characters out, at most `length` characters."""
    lines = printable(text.replace("\r\n", "\n").replace("\r", "\n"), kept="\n")
    return lines.strip()[:length].rstrip()


def legal_email(text: str) -> str:
    """The e-mail address if it is one address of a plausible form and length, otherwise ''."""
    address = text.strip()
    return address if len(address) <= EMAIL_LENGTH and _EMAIL.fullmatch(address) else ""


def plain_number(number: Decimal) -> Decimal:
    """`number` without trailing zeros and without an exponent: 4.000 → 4, 1E+2 → 100."""
    return number.normalize() + ZERO  # the sum has no exponent above that of zero


def decimals(number: Decimal) -> int:
    """Digits behind the point that `number` is written with; negative for 1E+2."""
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int), "amounts are finite numbers"
    return -exponent


def cents(amount: Decimal) -> Decimal:
    """`amount` rounded half-up to two decimals; never a negative zero."""
    return round_half_up(amount) + ZERO


def shown(amount: Decimal, currency: str) -> str:
    """An amount for a message: 1,234.50 CAD."""
    return f"{cents(amount):,} {currency}"
