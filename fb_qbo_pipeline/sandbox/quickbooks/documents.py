"""What all transactions share: a draft and its result, dates and closed periods, document numbers, home amounts.

Each kind of transaction is a pure function from a `Draft` to a `Posted`: the content of its row, and the new versions of
the other rows that it changes (a payment changes its invoices). Nothing is stored before every rule has passed.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from fb_qbo_pipeline.sandbox.quickbooks.currency import home_amount, settle_currency
from fb_qbo_pipeline.sandbox.quickbooks.lines import feature
from fb_qbo_pipeline.sandbox.quickbooks.refusals import Json, Refusal
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks, open_period
from fb_qbo_pipeline.sandbox.quickbooks.store import SALES

VOIDED = "Voided"


@dataclass(frozen=True, slots=True)
class Draft:
    """A create (`previous` None) or an update as the rules see it: `body` holds everything that the client may set."""

    company: QuickBooks
    entity: str
    row_id: str
    body: Json
    previous: Json | None = None
    allow_duplicate: bool = False  # include=allowduplicatedocnum


@dataclass(slots=True)
class Posted:
    """The content of the new row, and new versions of other rows as (entity, row)."""

    content: Json
    others: list[tuple[str, Json]] = field(default_factory=list)


def header(draft: Draft, party: Json | None) -> Json:
    """TxnDate, DocNumber, location, currency and memo of a transaction; raises Refusal (6210, 6140, 2410, 5030…)."""
    company, body = draft.company, dict(draft.body)
    body.setdefault("TxnDate", company.today().isoformat())
    open_period(company, body["TxnDate"], draft.previous["TxnDate"] if draft.previous else None)
    feature(company, body, "DepartmentRef", "Department", on=company.locations)
    content: Json = {key: body[key] for key in ("TxnDate", "DepartmentRef", "PrivateNote", "CustomField") if key in body}
    content |= settle_currency(company, body, party)
    number = document_number(draft)
    if number is not None:
        content["DocNumber"] = number
    return content


def document_number(draft: Draft) -> str | None:
    """The DocNumber as sent; raises Refusal 6140 where it is taken and QuickBooks minds. None: none, or one is given on storing.

    Sales forms are numbered by QuickBooks while custom numbers are off; a number that is sent all the same is kept, and
    is not looked at for duplicates. Numbers are compared within one type of transaction.
    """
    company, number = draft.company, draft.body.get("DocNumber")
    automatic = numbered_by_quickbooks(company, draft.entity)
    if automatic and not number and draft.previous:
        number = draft.previous.get("DocNumber")
    if not number or draft.entity == "Payment":
        return None
    taken = company.numbered(draft.entity, number) - {draft.row_id}
    if taken and company.warn_duplicate_numbers and not automatic and not draft.allow_duplicate:
        first = min(taken, key=int)
        detail = (
            "Duplicate Document Number Error : You must specify a different number. This number has already been used. "
            f"DocNumber={number} is assigned to TxnType={draft.entity} with TxnId={first}"
        )
        raise Refusal("6140", detail, "DocNumber")
    return str(number)


def numbered_by_quickbooks(company: QuickBooks, entity: str) -> bool:
    """Whether a transaction without a number gets the next automatic one."""
    return entity in SALES and not company.custom_numbers


def due_date(draft: Draft, day: str, term: Json | None) -> str:
    """The DueDate: as sent, or the date plus the term's days."""
    if draft.body.get("DueDate"):
        return str(draft.body["DueDate"])
    days = int(term.get("DueDays", 0)) if term else 0
    return (dt.date.fromisoformat(day) + dt.timedelta(days=days)).isoformat()


def with_home_amounts(company: QuickBooks, content: Json, keys: Iterable[tuple[str, str]]) -> Json:
    """Add amounts in the home currency, e.g. ("HomeTotalAmt", "TotalAmt"), where multicurrency is on."""
    if company.multicurrency:
        content |= {home: home_amount(content, content[own]) for home, own in keys}
    return content


def is_voided(row: Json) -> bool:
    """Whether a stored object is a transaction that was voided."""
    return row.get("TotalAmt") == 0 and str(row.get("PrivateNote", "")).startswith(VOIDED)


def voided_note(previous: Json) -> str:
    """The memo of a voided transaction: marked, with what it said before."""
    note = previous.get("PrivateNote", "")
    return note if note.startswith(VOIDED) else f"{VOIDED} - {note}" if note else VOIDED
