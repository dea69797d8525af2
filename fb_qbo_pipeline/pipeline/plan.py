"""What a sync of a range would do: the same reading, mapping and deciding, without the writes.

QuickBooks is only read, and finance's list of exceptions stays as it is. What is read from FreshBooks is kept, as in every
look; the days that it changes are noted, so that the next sync does not take it for known.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain

from fb_qbo_pipeline.mapping.documents import Outcome
from fb_qbo_pipeline.money import round_half_up
from fb_qbo_pipeline.pipeline.preflight import require_valid_settings
from fb_qbo_pipeline.pipeline.runtime import Runtime
from fb_qbo_pipeline.pipeline.stage import SOURCES, restage
from fb_qbo_pipeline.posting.decisions import decide_range
from fb_qbo_pipeline.posting.plan import Action, Step
from fb_qbo_pipeline.posting.poster import Progress


@dataclass(frozen=True, slots=True)
class Planned:
    """One document that a sync would touch or hold. `becomes` is the QuickBooks document, `code` and `remedy` of the exception."""

    action: str
    source: str
    source_id: int
    number: str
    date: dt.date
    amount: Decimal
    currency: str
    becomes: str
    code: str
    reason: str
    party: str = ""
    remedy: str = ""


def plan(runtime: Runtime, start: dt.date, end: dt.date, progress: Progress | None = None) -> Iterator[Planned]:
    """What a sync of the days from `start` to `end` would do, oldest first. Unchanged documents are left out."""
    report = progress or (lambda _done, _all: None)
    runtime.catch_up()
    require_valid_settings(runtime)
    for first, last in restage(runtime, start, end):
        for source in SOURCES:
            closed_until = runtime.mirror.company().preferences.closed_until
            decisions = decide_range(runtime.ledger, runtime.books, runtime.integration, source, first, last, closed_until)
            for step in chain.from_iterable(decisions.pieces):
                planned = _planned(step)
                if planned is not None:
                    yield planned
        report((last - start).days + 1, (end - start).days + 1)


def _planned(step: Step) -> Planned | None:
    row = step.row
    if step.ignored:
        return None
    code, remedy, reason, action = "", "", step.reason, Action.CREATE.value if step.replaces else step.action.value
    if row["outcome"] == Outcome.HELD:
        problem = row["problems"][0]
        action, code, reason, remedy = Action.HOLD.value, problem["code"], problem["reason"], problem["remedy"]
    elif step.problem is not None:
        code, reason, remedy = step.problem.code.value, step.problem.reason, step.problem.remedy
    elif step.action in (Action.UNCHANGED, Action.NOTHING):
        return None
    reason = "; ".join(text for text in (reason, *row["notes"]) if text)
    becomes = f"{row['entity']} {row['number'] or ''}".strip() if row["entity"] else ""
    amount = round_half_up(row["amount"])
    return Planned(
        action=action,
        source=row["source"],
        source_id=row["source_id"],
        number=row["label"],
        date=row["document_date"],
        amount=amount,
        currency=row["currency"],
        becomes=becomes,
        code=code,
        reason=reason,
        party=row["party"],
        remedy=remedy,
    )
