"""The checks that finance reads: one sentence each, evaluated for every day, also in a run over a range.

Dagster plans a check for every day of a run, but stores the returned result without a day, and the days stay planned for
ever; so each day's evaluation is logged by itself, and the returned result sums the run up. That is undocumented behaviour
of public classes (`AssetCheckEvaluation`), so a test pins it.

An evaluation is an event, 10 to 50 ms each: hence few checks, each on the asset whose step has just computed what it is
about, and never one for each document. `review.findings` has the rules.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from fb_qbo_pipeline.assets.describe import findings_metadata, tie_out_table
from fb_qbo_pipeline.review import findings
from fb_qbo_pipeline.review.findings import Books, Finding
from fb_qbo_pipeline.review.tieout import Line, by_period, totals

Metadata = dict[str, Any]
WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR


@dataclass(frozen=True)
class Rule:
    """A check: its name, the sentence that a controller reads, how bad a failure is, what to do then, how it is found.

    A warning is a document that waits for a person; an error says that the books are not what they should be.
    """

    name: str
    sentence: str
    severity: dg.AssetCheckSeverity
    next: str
    find: Callable[[Books], list[Finding]]

    def spec(self, asset: dg.AssetKey) -> dg.AssetCheckSpec:
        """As Dagster has it."""
        return dg.AssetCheckSpec(self.name, asset=asset, description=f"{self.sentence} If not: {self.next}")


_SETTINGS = "correct integration.yaml or the documents, as the table says; the next look tries them again"

NOTHING_IS_HELD = Rule(
    "no_document_is_held",
    "No document is held back: neither by its mapping nor by QuickBooks. What a person ignores does not count.",
    WARN,
    "work through the table, or ignore a document with a reason: fb-qbo exceptions",
    findings.held,
)
SALES_ARE_MAPPED = Rule(
    "taxes_and_products_are_mapped",
    "Every tax on an invoice is mapped to a QuickBooks tax code of the same rate, and every product to an item.",
    WARN,
    _SETTINGS,
    findings.unmapped_sales,
)
DEPOSITS_ARE_MAPPED = Rule(
    "payments_have_an_account",
    "Every payment has an account of QuickBooks to go to; applied credits, too.",
    WARN,
    _SETTINGS,
    findings.unmapped_payments,
)
EXPENSES_ARE_MAPPED = Rule(
    "taxes_and_categories_are_mapped",
    "Every tax on an expense is mapped to a QuickBooks tax code of the same rate, and every category to an account of the right type.",
    WARN,
    _SETTINGS,
    findings.unmapped_expenses,
)
PAYMENTS_ARE_LINKED = Rule(
    "payments_settle_their_invoices",
    "Every payment in QuickBooks is linked to its invoice, in full.",
    WARN,
    "apply the amounts in QuickBooks, as the table says",
    findings.unlinked_payments,
)
CLEARING_IS_EXPLAINED = Rule(
    "clearing_accounts_are_explained",
    "What FreshBooks received by each method is on its clearing account, or held.",
    ERROR,
    "materialize the day again; compare the payments in the table with the account in QuickBooks",
    findings.unexplained_clearing,
)
ALL_POSTED_OR_HELD = Rule(
    "every_document_is_posted_or_held",
    "Every document in scope stands in QuickBooks, or is held with a reason.",
    ERROR,
    "materialize the day again; if it stays: fb-qbo trace NUMBER",
    findings.neither_posted_nor_held,
)
BALANCES_ARE_EQUAL = Rule(
    "open_balances_are_equal",
    "Every invoice is open in QuickBooks by what is open in FreshBooks, but for payments that are held or come later.",
    ERROR,
    "look for payments that were made in QuickBooks alone; then: fb-qbo reconcile",
    findings.unequal_balances,
)
NUMBERS_ARE_UNIQUE = Rule(
    "numbers_are_unique",
    "No two documents have the same number.",
    WARN,
    "renumber one of them in FreshBooks",
    findings.duplicate_numbers,
)
NOTHING_IN_A_CLOSED_PERIOD = Rule(
    "nothing_is_new_in_a_closed_period",
    "Nothing is new or changed in a period that is closed in QuickBooks.",
    WARN,
    "reopen the period in QuickBooks for the sync, or date the document later in FreshBooks, or ignore it with a reason",
    findings.in_closed_period,
)
NO_FALLBACK = Rule(
    "no_fallback_was_used",
    "No document was posted on the default product or the default vendor.",
    WARN,
    "name what is missing, as the table says; posted documents follow",
    findings.fallbacks,
)
BOTH_SIDES_AGREE = "freshbooks_and_quickbooks_agree"
BOTH_SIDES_AGREE_SENTENCE = (
    "FreshBooks in scope, less what is held, equals QuickBooks: to the cent, for sales, payments and expenses. "
    "If not: fb-qbo reconcile reads both sides anew and names every document."
)

QUIET_DAYS = 7  # without a new or changed record, a person should look whether FreshBooks is still used, or still connected
FEED_IS_FRESH = "feed_is_fresh"
FEED_IS_FRESH_SENTENCE = (
    f"FreshBooks has told something new of invoices, payments and expenses within {QUIET_DAYS} days; backfills do not count. "
    "If not: look into FreshBooks whether nothing was entered, or the wrong account is connected: fb-qbo check"
)

STAGED = {"invoice": (SALES_ARE_MAPPED,), "payment": (DEPOSITS_ARE_MAPPED,), "expense": (EXPENSES_ARE_MAPPED,)}
POSTED = {"invoice": (), "payment": (PAYMENTS_ARE_LINKED, CLEARING_IS_EXPLAINED), "expense": ()}
RECONCILED = (NOTHING_IS_HELD, ALL_POSTED_OR_HELD, BALANCES_ARE_EQUAL, NUMBERS_ARE_UNIQUE, NOTHING_IN_A_CLOSED_PERIOD, NO_FALLBACK)


@dataclass(frozen=True)
class Verdict:
    """A check's result for one day."""

    passed: bool
    metadata: Metadata = field(default_factory=dict)


def apply(context: dg.AssetExecutionContext, rules: Sequence[Rule], books: Books, days: Sequence[dt.date]) -> list[dg.AssetCheckResult]:
    """Log each rule's verdict on each day, and return those on the run."""
    results = []
    for rule in rules:
        found = rule.find(books)
        verdicts = {day: Verdict(False, findings_metadata(named, rule.next)) for day, named in by_day_of(found).items()}
        results.append(report(context, rule.name, days, verdicts, findings_metadata(found, rule.next), rule.severity))
    return results


def freshness(latest: Mapping[str, dt.datetime], now: dt.datetime) -> dg.AssetCheckResult:
    """Whether each resource has changed lately. `latest`: when a look last found a change."""
    quiet = {resource: (now - instant).days for resource, instant in latest.items()}
    stale = sorted(resource for resource, days in quiet.items() if days >= QUIET_DAYS)
    metadata: Metadata = {f"days since the latest {resource}": days for resource, days in quiet.items()}
    if stale:
        metadata["nothing new of"] = ", ".join(f"{resource}s" for resource in stale)
    return dg.AssetCheckResult(check_name=FEED_IS_FRESH, passed=not stale, severity=WARN, metadata=metadata)


def agreement(context: dg.AssetExecutionContext, lines: Sequence[Line], books: Books, days: Sequence[dt.date]) -> dg.AssetCheckResult:
    """Log for each day whether both sides agree, with the tie-out and the documents whose totals differ."""
    differing = by_day_of(findings.unequal_totals(books))
    per_day = by_period(lines)
    verdicts = {}
    for day in days:
        of_day = per_day.get(day.isoformat(), [])
        if not all(line.agrees for line in of_day):
            tie_out = {"tie-out": dg.MarkdownMetadataValue(tie_out_table(of_day))}
            verdicts[day] = Verdict(False, tie_out | findings_metadata(differing.get(day, []), "fb-qbo reconcile"))
    summary = {"tie-out": dg.MarkdownMetadataValue(tie_out_table(totals(lines)))}
    return report(context, BOTH_SIDES_AGREE, days, verdicts, summary, ERROR)


def by_day_of(found: Sequence[Finding]) -> dict[dt.date, list[Finding]]:
    """Findings by partition."""
    of_day: defaultdict[dt.date, list[Finding]] = defaultdict(list)
    for one in found:
        of_day[one.day].append(one)
    return dict(of_day)


def report(
    context: dg.AssetExecutionContext,
    name: str,
    days: Sequence[dt.date],
    verdicts: Mapping[dt.date, Verdict],
    summary: Metadata,
    severity: dg.AssetCheckSeverity,
) -> dg.AssetCheckResult:
    """Log the verdict of each of `days` (those not in `verdicts` passed) and return the result of the run."""
    failed = [day for day in days if not verdicts.get(day, Verdict(True)).passed]
    for day in days:
        verdict = verdicts.get(day, Verdict(True))
        context.op_execution_context.log_event(  # accepted at run time, though not declared
            dg.AssetCheckEvaluation(  # type: ignore[arg-type]
                asset_key=context.asset_key,
                check_name=name,
                passed=verdict.passed,
                severity=severity,
                metadata=verdict.metadata,
                partition=day.isoformat(),
            )
        )
    return dg.AssetCheckResult(check_name=name, passed=not failed, severity=severity, metadata=summary | {"days that fail": len(failed)})
