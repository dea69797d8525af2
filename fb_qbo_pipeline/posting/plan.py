"""What to do about each staged record, decided from the record, what stands in QuickBooks, and the settings. No I/O.

New → create; same fingerprint → nothing; changed → update; deleted in FreshBooks → void. So a repeated run does nothing.
What stands in a closed period is left alone, whatever became of it in FreshBooks.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fb_qbo_pipeline.ledger.posted import DELETED, POSTED, VOIDED, Posted
from fb_qbo_pipeline.mapping.documents import Code, Document, Entity, Outcome, Problem
from fb_qbo_pipeline.mapping.rows import document_from_json

_BILLS = {Entity.BILL.value, Entity.VENDOR_CREDIT.value}  # what an expense becomes, by its sign


class Action(StrEnum):
    """What a record needs."""

    CREATE = "create"
    UPDATE = "update"
    VOID = "void"
    UNCHANGED = "unchanged"
    HOLD = "hold"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Step:
    """The decision about one staged row. `document` is set for CREATE and UPDATE, `problem` for HOLD, `reason` says why.

    `ignored`: a person has chosen to leave the document alone.
    """

    action: Action
    row: Mapping[Any, Any]
    posted: Posted | None = None
    document: Document | None = None
    problem: Problem | None = None
    reason: str = ""
    ignored: bool = False

    @property
    def source(self) -> str:
        """The FreshBooks resource: invoice, payment or expense."""
        return str(self.row["source"])

    @property
    def source_id(self) -> int:
        """The FreshBooks id."""
        return int(self.row["source_id"])

    @property
    def replaces(self) -> bool:
        """Whether the document goes so that another one, of another type, can take its place."""
        return self.action is Action.VOID and Outcome(self.row["outcome"]) is Outcome.DOCUMENT


def decide(row: Mapping[Any, Any], posted: Posted | None, on_delete: str, closed_until: dt.date | None = None) -> Step:
    """The step for one staged row; `posted` is what stands in QuickBooks for it, if anything.

    The row's own date has been compared with the closing date by the mapping; here it is the date of what stands there.
    """
    step = _decide(row, posted, on_delete)
    if step.action not in (Action.UPDATE, Action.VOID) or posted is None or closed_until is None or posted.document_date > closed_until:
        return step
    problem = Problem(
        Code.CLOSED_PERIOD,
        f"It stands in QuickBooks on {posted.document_date.isoformat()}, in a period that is closed up to {closed_until.isoformat()}, "
        f"and is not changed there: {step.reason}",
        "Move QuickBooks' closing date back and run: fb-qbo exceptions retry; or enter a correction in an open period and ignore this",
    )
    return Step(Action.HOLD, row, posted, problem=problem)


def _decide(row: Mapping[Any, Any], posted: Posted | None, on_delete: str) -> Step:
    outcome = Outcome(row["outcome"])
    if posted is not None and posted.state == DELETED:
        posted = None
    if outcome is Outcome.DOCUMENT:
        return _document(row, posted)
    if posted is None or posted.state == VOIDED or outcome is Outcome.WAITING:
        return Step(Action.NOTHING, row, posted, reason=str(row["reason"]))
    if outcome is Outcome.DELETED:
        if on_delete == "void":
            return Step(Action.VOID, row, posted, reason="deleted in FreshBooks")
        return Step(Action.NOTHING, row, posted, reason="deleted in FreshBooks; on_delete is keep")
    if outcome is Outcome.OUT_OF_SCOPE:
        problem = Problem(
            Code.LEFT_SCOPE,
            f"It was synced and stands in QuickBooks, but is no longer picked up: {row['reason']}",
            "Void it in QuickBooks if it should not be in the books, or widen the settings (statuses, start_date)",
        )
        return Step(Action.HOLD, row, posted, problem=problem)
    return Step(Action.NOTHING, row, posted, reason="held; the earlier version stands in QuickBooks")


def _document(row: Mapping[Any, Any], posted: Posted | None) -> Step:
    document = document_from_json(row["document"])
    if posted is None:
        return Step(Action.CREATE, row, None, document, reason="new")
    if posted.entity != document.entity.value:
        return _other_type(row, posted, document)
    if posted.state == POSTED and posted.fingerprint == row["fingerprint"]:
        return Step(Action.UNCHANGED, row, posted, document)
    reason = "restored in FreshBooks" if posted.state == VOIDED else "changed in FreshBooks or by the settings"
    return Step(Action.UPDATE, row, posted, document, reason=reason)


def _other_type(row: Mapping[Any, Any], posted: Posted, document: Document) -> Step:
    """What stands in QuickBooks is of another type: an expense changed its sign, or the settings changed what sales become.

    A changed setting rewrites nothing by itself; but an amount that differs is never passed over.
    """
    if posted.state == VOIDED:
        return Step(Action.CREATE, row, None, document, reason="new")
    if {posted.entity, document.entity.value} == _BILLS:
        return Step(
            Action.VOID, row, posted, reason=f"its sign has changed: a {document.entity.value} takes the place of the {posted.entity}"
        )
    if posted.total == document.total:
        return Step(Action.UNCHANGED, row, posted, document, reason=f"stands in QuickBooks as {posted.entity}")
    problem = Problem(
        Code.TOTAL_MISMATCH,
        f"It stands in QuickBooks as {posted.entity} over {posted.total}, from before sales.post_as was changed, and FreshBooks' total "
        f"is {document.total} now",
        "Correct it by hand in QuickBooks and ignore this, or set sales.post_as back for a while",
    )
    return Step(Action.HOLD, row, posted, problem=problem)
