"""The tie-out: FreshBooks in scope, QuickBooks, held, and what is left; per kind of document and period.

FreshBooks in scope − QuickBooks − held = difference, and the difference has to be 0.00. Amounts of different currencies
are never added. This is computed from the ledger: what FreshBooks said when it was last read, and what QuickBooks returned
when it was last written. `review.reconcile` asks both sides anew.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.ledger.posted import DELETED, POSTED, VOIDED, Posted
from fb_qbo_pipeline.mapping.documents import Outcome
from fb_qbo_pipeline.money import ZERO, round_half_up

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
    with ledger.begin() as tx:
        held = {(row["source"], row["source_id"]) for row in tx.exceptions.unresolved()}
        for source, kind in KINDS.items():
            rows = tx.staging.in_partitions(source, start, end)
            posted = tx.posted.by_ids(source, [row["source_id"] for row in rows])
            for row in rows:
                standing = posted.get(row["source_id"])
                if not _counts(row, standing):
                    continue
                key = (period(row["partition_date"]), kind, row["currency"])
                _add(lines.setdefault(key, Line(*key)), row, standing, held=(source, row["source_id"]) in held)
    return [lines[key] for key in sorted(lines)]


def _counts(row: Any, standing: Posted | None) -> bool:
    """In scope, or standing in QuickBooks although it is not; what the settings keep there counts on neither side."""
    if row["outcome"] == Outcome.KEPT:
        return False
    in_scope = row["outcome"] in (Outcome.DOCUMENT, Outcome.HELD)
    return in_scope or (standing is not None and standing.state == POSTED)


def _add(line: Line, row: Any, standing: Posted | None, *, held: bool) -> None:
    """Count a row. What is neither booked nor held by an exception stays a difference: that would be a fault of the pipeline."""
    in_scope = row["outcome"] in (Outcome.DOCUMENT, Outcome.HELD)
    amount = round_half_up(row["amount"]) if in_scope else ZERO
    booked = ZERO
    if standing is not None and standing.state not in (VOIDED, DELETED):
        booked = standing.signed_total
        line.posted += 1
    line.documents += in_scope
    line.freshbooks += amount
    line.quickbooks += booked
    if in_scope and (held or row["outcome"] == Outcome.HELD):
        line.held_documents += 1
        line.held += amount - booked
        line.held_money += amount
        line.held_booked += booked
    elif booked != amount:
        line.differing.append(f"{row['source']} {row['label']}: {amount} in FreshBooks, {booked} in QuickBooks")


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
