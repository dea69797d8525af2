"""What every document carries at its top, and the two conditions that hold for every document: currency and open period.

The date is always sent (QuickBooks would take its server's), and currency only where multicurrency is on: a single-currency
company refuses some of these keys, and a multicurrency one assumes the home currency where they are missing.
"""

import datetime as dt
from typing import Any

from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Code, Json, Problem, Source, marker
from fb_qbo_pipeline.mapping.numbers import document_number, full_number
from fb_qbo_pipeline.mapping.text import legal_text

NOTE_LENGTH = 4000


def ref(value: str) -> dict[str, Any]:
    """A reference as QuickBooks writes it."""
    return {"value": value}


def header(context: Context, source: Source, source_id: int, day: dt.date, currency: str, remark: str = "") -> Json:
    """TxnDate, PrivateNote (marker and remark) and, where multicurrency is on, CurrencyRef and the symbolic ExchangeRate."""
    note = marker(context.integration.freshbooks.account_id, source, source_id)
    if remark:
        note = f"{note} | {remark}"
    return {
        "TxnDate": day.isoformat(),
        "PrivateNote": legal_text(note, NOTE_LENGTH),
        **currency_fields(context, day, currency),
    }


def currency_fields(context: Context, day: dt.date, currency: str) -> Json:
    """CurrencyRef, and ExchangeRate for a foreign currency; nothing where multicurrency is off."""
    preferences = context.company.preferences
    if not preferences.multicurrency:
        return {}
    code = currency.upper()
    fields: Json = {"CurrencyRef": ref(code)}
    if code != preferences.home_currency.upper():
        fields["ExchangeRate"] = f"@rate/{code}/{day.isoformat()}"
    return fields


def numbering(source: Source, prefix: str, number: str, *, auto_number: bool = False) -> tuple[str | None, str]:
    """The DocNumber, and the remark for the memo where it does not show the whole FreshBooks number."""
    full = full_number(prefix, number)
    remark = f"FreshBooks {source.value} {full}"
    if auto_number:
        return None, remark
    short = document_number(prefix, number)
    return short, "" if short == full else remark


def currency_problem(currency: str, context: Context) -> Problem | None:
    """A foreign currency in a company without multicurrency."""
    preferences = context.company.preferences
    if preferences.multicurrency or currency.upper() == preferences.home_currency.upper():
        return None
    return Problem(
        Code.CURRENCY_OFF,
        f"the document is in {currency.upper()}, but the QuickBooks company only keeps {preferences.home_currency.upper()}",
        "switch on multicurrency in QuickBooks (Account and settings › Advanced › Currency; it cannot be undone), or enter it by hand",
    )


def period_problem(day: dt.date, context: Context) -> Problem | None:
    """A date in a period that is closed in QuickBooks (on or before its closing date)."""
    closed = context.company.preferences.closed_until
    if closed is None or day > closed:
        return None
    return Problem(
        Code.CLOSED_PERIOD,
        f"the document's date {day.isoformat()} is in a closed period: the books are closed up to {closed.isoformat()}",
        "move QuickBooks' closing date back and retry, or change the date in FreshBooks; documents are never re-dated",
    )
