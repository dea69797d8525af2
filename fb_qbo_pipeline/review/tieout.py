"""The tie-out: FreshBooks in scope, QuickBooks, held, and what is left; per kind of document and period.

FreshBooks in scope − QuickBooks − held = difference, and the difference has to be 0.00. Amounts of different currencies
are never added. This is computed from the ledger: what FreshBooks said when it was last read, and what QuickBooks returned
when it was last written, or has shown since where a person has changed or deleted a document there. `review.reconcile` asks
both sides anew.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.ledger.sums import DaySums, Unequal
from fb_qbo_pipeline.money import ZERO

KINDS = {"invoice": "sales", "payment": "payments", "expense": "expenses"}


@dataclass
class Line:
    """One line of a tie-out: counts and money.

    `held` is what is missing in QuickBooks because of held documents: what remains is the difference. `held_money` is the whole
    money of those documents as FreshBooks has them, `held_booked` what stands of them in QuickBooks in an earlier version.
    """

    period: str
    kind: str
    currency: str
    documents: int = 0
    freshbooks: Decimal = ZERO
    posted: int = 0
    quickbooks: Decimal = ZERO
    held_documents: int = 0
    held: Decimal = ZERO
    differing: list[str] = field(default_factory=list)
    held_money: Decimal = ZERO
    held_booked: Decimal = ZERO

    @property
    def difference(self) -> Decimal:
        """What is neither in QuickBooks nor held."""
        return self.freshbooks - self.quickbooks - self.held

    @property
    def agrees(self) -> bool:
        """Whether nothing is left over."""
        return self.difference == ZERO and not self.differing


def by_day(day: dt.date) -> str:
    """A period a day."""
    return day.isoformat()


def by_month(day: dt.date) -> str:
    """A period a month."""
    return f"{day:%Y-%m}"


def tie_out(ledger: Ledger, start: dt.date, end: dt.date, period: Callable[[dt.date], str] = by_month) -> list[Line]:
    """The lines of the partitions from `start` to `end`, by period, kind and currency."""
    lines: dict[tuple[str, str, str], Line] = {}

    def line_of(one: DaySums | Unequal) -> Line:
        key = (period(one.day), KINDS[one.source], one.currency)
        return lines.setdefault(key, Line(*key))

    with ledger.begin() as tx:
        sums, unequal = tx.sums.by_day(start, end), tx.sums.unequal(start, end)
    for day in sums:
        line = line_of(day)
        line.documents += day.documents
        line.freshbooks += day.freshbooks
        line.posted += day.posted
        line.quickbooks += day.quickbooks
        line.held_documents += day.held_documents
        line.held += day.held
        line.held_money += day.held_money
        line.held_booked += day.held_money - day.held
    for one in unequal:
        line_of(one).differing.append(_told(one))
    return [lines[key] for key in sorted(lines)]


def _told(one: Unequal) -> str:
    told = f"{one.source} {one.label}: {one.freshbooks:,.2f} in FreshBooks, {one.quickbooks:,.2f} in QuickBooks"
    return f"{told} ({one.drift} there)" if one.drift else told


def totals(lines: Iterable[Line]) -> list[Line]:
    """The lines added up over kinds and periods, one for each currency."""
    sums: dict[str, Line] = {}
    for line in lines:
        total = sums.setdefault(line.currency, Line("total", "all", line.currency))
        total.documents += line.documents
        total.freshbooks += line.freshbooks
        total.posted += line.posted
        total.quickbooks += line.quickbooks
        total.held_documents += line.held_documents
        total.held += line.held
        total.held_money += line.held_money
        total.held_booked += line.held_booked
        total.differing += line.differing
    return [sums[currency] for currency in sorted(sums)]


def by_period(lines: Iterable[Line]) -> dict[str, list[Line]]:
    """The lines of each period."""
    grouped: defaultdict[str, list[Line]] = defaultdict(list)
    for line in lines:
        grouped[line.period].append(line)
    return dict(grouped)


def to_json(line: Line) -> dict[str, Any]:
    """Plain JSON; money as text, exact."""
    return {
        "period": line.period,
        "kind": line.kind,
        "currency": line.currency,
        "freshbooks_documents": line.documents,
        "freshbooks": f"{line.freshbooks:.2f}",
        "quickbooks_documents": line.posted,
        "quickbooks": f"{line.quickbooks:.2f}",
        "held_documents": line.held_documents,
        "held": f"{line.held:.2f}",
        "held_money": f"{line.held_money:.2f}",
        "difference": f"{line.difference:.2f}",
        "differing": line.differing,
    }
