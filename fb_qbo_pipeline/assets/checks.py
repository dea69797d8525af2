"""The checks that finance reads: one sentence each, evaluated for every day, also in a run over a range.

Dagster plans a check for every day of a run, but stores the returned result without a day, and the days stay planned for
ever; so each day's evaluation is logged by itself, and the returned result sums the run up. That is undocumented behaviour
of public classes (`AssetCheckEvaluation`), so a test pins it. Nothing here is computed twice: assets hand over what they
have decided.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

Metadata = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """A check's result for one day."""

    passed: bool
    metadata: Metadata = field(default_factory=dict)


NO_DOCUMENT_IS_HELD = "no_document_is_held"
BOTH_SIDES_AGREE = "freshbooks_and_quickbooks_agree"

DESCRIPTIONS = {
    NO_DOCUMENT_IS_HELD: "No document is held back: every document in scope could be mapped. Held ones are listed with reason and remedy.",
    BOTH_SIDES_AGREE: "FreshBooks in scope, less what is held, equals QuickBooks: to the cent, for sales, payments and expenses.",
}


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
