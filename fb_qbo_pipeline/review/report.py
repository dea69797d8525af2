"""The sync report that people get once a day: what was written, what is held and what to do about it, what differs.

It is computed from the ledger alone and costs no call to either service. The difference is that of the days that were synced
in the period; `fb-qbo reconcile` proves any period by asking both sides.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from fb_qbo_pipeline.ledger.exceptions import IGNORED, OPEN
from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.money import ZERO, round_half_up
from fb_qbo_pipeline.posting.counts import Counts
from fb_qbo_pipeline.review.tieout import tie_out, totals
from fb_qbo_pipeline.review.words import called, counted

MOST_LISTED = 50  # exceptions of one code in a report; `fb-qbo exceptions` has all


@dataclass
class SyncReport:
    """What happened to one integration after `since`, up to `until`. `differences` are by currency, of the days that were synced."""

    integration: str
    since: dt.datetime
    until: dt.datetime
    counts: Counts = field(default_factory=Counts)
    days: tuple[dt.date, dt.date] | None = None
    exceptions: list[Mapping[Any, Any]] = field(default_factory=list)
    ignored: int = 0
    differences: dict[str, Decimal] = field(default_factory=dict)
    differing: list[str] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Whether nothing differs between the two sides in what was synced."""
        return not self.differing and not any(self.differences.values())


def report_is_due(now: dt.datetime, last: dt.datetime, hour: int) -> bool:
    """Whether the report of the day of `now` (company time) is to be sent: it is `hour` o'clock, and none was sent since."""
    today = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    return last < today <= now


def sync_report(ledger: Ledger, since: dt.datetime, until: dt.datetime) -> SyncReport:
    """The report of a period, from the ledger."""
    report = SyncReport(ledger.integration, since, until)
    with ledger.begin() as tx:
        steps = tx.reports_between(since, until)
        unresolved = tx.exceptions.unresolved()
    for step in steps:
        report.counts.add(Counts.from_json(step["counts"]))
    report.exceptions = [row for row in unresolved if row["status"] == OPEN]
    report.ignored = sum(row["status"] == IGNORED for row in unresolved)
    if steps:
        report.days = min(step["partition_start"] for step in steps), max(step["partition_end"] for step in steps)
        for line in totals(tie_out(ledger, *report.days)):
            report.differences[line.currency] = line.difference
            report.differing += line.differing
    return report


def report_text(report: SyncReport, ui: str = "", *, details: bool = True) -> tuple[str, str]:
    """Subject and text. Without `details`, for a chat: counts, codes and amounts, but no document and no reason."""
    held = len(report.exceptions)
    state = "all agrees" if report.agrees else "FRESHBOOKS AND QUICKBOOKS DIFFER"
    exceptions = counted(held, "exception") if held else "no exceptions"
    subject = f"FreshBooks to QuickBooks, {report.integration}: {state}, {exceptions} open"
    lines = [f"From {report.since:%Y-%m-%d %H:%M} to {report.until:%Y-%m-%d %H:%M} ({report.until:%Z})", "", *_written(report.counts)]
    lines += ["", *_difference(report, details=details), "", *_held(report, details=details)]
    if ui:
        lines += ["", f"{ui}/assets/{report.integration}/reconciliation"]
    return subject, "\n".join(lines)


def _written(counts: Counts) -> list[str]:
    lines = []
    for word, counts_by_kind in (("created", counts.created), ("updated", counts.updated), ("voided", counts.voided)):
        for kind, count in sorted(counts_by_kind.items()):
            if count:
                lines.append(f"  {counted(count, kind.replace('_', ' '))} {word}")
    if not lines:
        return ["Nothing was written to QuickBooks."]
    return ["Written to QuickBooks:", *lines, f"  {_money(counts.money)} in all"]


def _difference(report: SyncReport, *, details: bool) -> list[str]:
    if report.days is None:
        return ["No document was read: nothing has changed."]
    period = f"documents dated {report.days[0]} to {report.days[1]}"
    if report.agrees:
        return [f"Difference between FreshBooks and QuickBooks, {period}, held ones apart: 0.00"]
    lines = [f"DIFFERENCE between FreshBooks and QuickBooks, {period}: {_money(report.differences)}; run: fb-qbo reconcile"]
    return lines + ([f"  {text}" for text in report.differing[:MOST_LISTED]] if details else [])


def _held(report: SyncReport, *, details: bool) -> list[str]:
    ignored = f" ({report.ignored:,} more {'is' if report.ignored == 1 else 'are'} ignored)" if report.ignored else ""
    if not report.exceptions:
        return [f"No document is held back{ignored}."]
    by_code: defaultdict[str, list[Mapping[Any, Any]]] = defaultdict(list)
    for row in report.exceptions:
        by_code[row["code"]].append(row)
    lines = [f"Held back, not in QuickBooks as they should be{ignored}:"]
    for code, rows in sorted(by_code.items(), key=lambda item: (-len(item[1]), item[0])):
        amounts: defaultdict[str, Decimal] = defaultdict(Decimal)
        for row in rows:
            amounts[row["currency"]] += row["amount"]
        lines.append(f"  {code}: {counted(len(rows), 'document')}, {_money(amounts)}")
        lines += _documents(rows) if details else []
    return lines


def _documents(rows: Sequence[Mapping[Any, Any]]) -> list[str]:
    lines = []
    for row in rows[:MOST_LISTED]:
        amount = f"{round_half_up(row['amount']):,.2f} {row['currency']}"
        name = called(row["source"], row["number"], row["source_id"], row["party"])
        whose = f", {row['party']}" if row["party"] and row["party"] not in name else ""
        lines += [f"    {name}{whose}, {row['document_date']}, {amount}: {row['reason']}", f"      → {row['remedy']}"]
    if len(rows) > MOST_LISTED:
        lines.append(f"    …and {len(rows) - MOST_LISTED:,} more: fb-qbo exceptions")
    return lines


def _money(amounts: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{round_half_up(amount):,.2f} {currency}" for currency, amount in sorted(amounts.items())) or f"{ZERO:.2f}"
