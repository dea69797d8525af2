"""What to do about each way in which a document can differ: the words that a person reads beside the difference.

An exception that is open about the document knows more and has its own remedy, so that is what is told. Where FreshBooks has
changed since the document was posted, a sync is the remedy, whatever differs.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from fb_qbo_pipeline.ledger.exceptions import OPEN
from fb_qbo_pipeline.ledger.posted import DELETED, POSTED, Posted
from fb_qbo_pipeline.mapping.documents import Code
from fb_qbo_pipeline.money import ZERO
from fb_qbo_pipeline.review.standing import Fate, Lost, Standing

Row = Mapping[Any, Any]

_HISTORY = "its audit history there shows what was changed"


@dataclass(frozen=True)
class Case:
    """One document and everything that bears on it.

    `ours`: its transactions in QuickBooks; `awaited`: payments of the invoice that are held or come later, and explain its
    balance; `lost`: what became of it where it was not found; `exception`: its unresolved one; `posted`: the ledger's memory.
    """

    row: Row
    ours: Sequence[Standing]
    held: bool
    awaited: Decimal = ZERO
    lost: Lost | None = None
    exception: Row | None = None
    posted: Posted | None = None
    voided: Sequence[Standing] = field(default=())

    @property
    def changed_in_freshbooks(self) -> bool:
        """Whether what stands in QuickBooks was made from another version than FreshBooks has now."""
        posted = self.posted
        return posted is not None and posted.state == POSTED and posted.fingerprint != self.row["fingerprint"]

    @property
    def sync(self) -> str:
        """The command that brings its day up to date."""
        day = self.row["partition_date"].isoformat()
        return f"fb-qbo sync --from {day} --to {day}"

    @property
    def trace(self) -> str:
        """The command that tells its story."""
        label = str(self.row["label"])
        return f'fb-qbo trace "{label}"' if " " in label else f"fb-qbo trace {label}"


def again(exception_id: object) -> str:
    """For a document that was deleted or voided in QuickBooks: make it again, or leave it out."""
    leave = f"fb-qbo exceptions ignore {exception_id} --reason WHY"
    return f"fb-qbo exceptions post {exception_id} makes it again; if it is meant to be gone: {leave}"


def missing(case: Case) -> str:
    """It should stand in QuickBooks, and does not."""
    exception, lost = _open(case), case.lost
    gone = bool(case.voided) or (lost is not None and lost.fate is Fate.DELETED)
    if gone and exception is not None and exception["code"] == Code.CHANGED_IN_QUICKBOOKS:
        return again(exception["id"])
    if exception is not None:
        return str(exception["remedy"])
    if gone:
        return f"{case.sync} makes it an exception with an ID; {again('ID')}"
    if lost is not None and lost.fate is Fate.UNMARKED:
        return f"Put the old memo back in QuickBooks ({_HISTORY}): by its marker it is recognised"
    if lost is not None and not case.changed_in_freshbooks:
        return f"Set its date back to {case.row['document_date']} in QuickBooks ({_HISTORY}), or date it so in FreshBooks"
    return f"{case.sync} posts it; if it stays missing: {case.trace}"


def double(case: Case, live: Sequence[Standing]) -> str:
    """It stands more than once."""
    known = case.posted.qbo_id if case.posted is not None and case.posted.state != DELETED else ""
    keep = next((one for one in live if one.qbo_id == known), live[0])
    rest = " and ".join(f"{one.entity} {one.qbo_id}" for one in live if one is not keep)
    return f"Delete {rest} in QuickBooks; keep {keep.entity} {keep.qbo_id}, which is kept true to FreshBooks"


def left_over(case: Case) -> str:
    """It stands although it is not in scope."""
    exception = _open(case)
    if exception is not None:
        return str(exception["remedy"])
    by_hand = "or void it in QuickBooks, or widen the settings (sales.statuses, start_date)"
    return f"{case.sync} takes it out or makes it an exception; {by_hand}"


def changed(case: Case, in_freshbooks: str) -> str:
    """A figure or field is another than FreshBooks'. `in_freshbooks`: what to do there if QuickBooks is right."""
    exception = _open(case)
    if exception is not None:
        return str(exception["remedy"])
    if case.changed_in_freshbooks:
        return f"It has changed in FreshBooks since it was posted: {case.sync}; if it stays: {case.trace}"
    return f"Undo the change in QuickBooks ({_HISTORY}); if QuickBooks is right, {in_freshbooks}"


def other_balance(case: Case) -> str:
    """Something else than FreshBooks' payments has been applied to it."""
    exception = _open(case)
    if exception is not None:
        return str(exception["remedy"])
    if case.changed_in_freshbooks:
        return f"It has changed in FreshBooks since it was posted: {case.sync}; if it stays: {case.trace}"
    return (
        "Compare its payments: take out or unapply in QuickBooks what was entered there alone, or enter it in FreshBooks; "
        f"what FreshBooks has and QuickBooks has not, a sync of its day posts (of the invoice: {case.sync})"
    )


def edited(case: Case) -> str:
    """Equal figures, but somebody has changed something else."""
    exception = _open(case)
    if exception is not None:
        return str(exception["remedy"])
    return f"Undo the change in QuickBooks ({_HISTORY}); if it is meant to be so, {case.sync} makes it an exception that can be ignored"


def stranger(one: Standing, day: dt.date | None) -> str:
    """It has our marker, and its FreshBooks document is not in the period. `day`: where FreshBooks dates it, None for nowhere."""
    if day is not None:
        first, last = sorted((one.date, day))
        return f"It has moved in FreshBooks: fb-qbo sync --from {first} --to {last} moves it in QuickBooks, too"
    return f"Void {one.entity} {one.qbo_id} in QuickBooks; if it is to stay, take the marker (fb:…) out of its memo there"


def _open(case: Case) -> Row | None:
    return case.exception if case.exception is not None and case.exception["status"] == OPEN else None
