"""What to do about each staged record, decided from the record, what stands in QuickBooks, and the settings. No I/O.

New → create; same fingerprint → nothing; changed → update; deleted in FreshBooks → void. So a repeated run does nothing.
Restored in FreshBooks → the voided document goes and a new one takes its place and number: nothing says that QuickBooks takes
changes of a voided transaction, nor that it takes a number twice.
What stands there unknown to the ledger is taken over; what a person typed or changed there is never written over or doubled.
What stands in a closed period is left alone, whatever became of it in FreshBooks.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from fb_qbo_pipeline.ledger.found import Found
from fb_qbo_pipeline.ledger.posted import DELETED, DIFFERS, GONE_BY_HAND, VOIDED, VOIDED_BY_HAND, Posted
from fb_qbo_pipeline.mapping.documents import Code, Document, Entity, Json, Outcome, Problem
from fb_qbo_pipeline.mapping.rows import document_from_json

_BILLS = {Entity.BILL.value, Entity.VENDOR_CREDIT.value}  # what an expense becomes, by its sign


class Action(StrEnum):
    """What a record needs."""

    CREATE = "create"
    ADOPT = "adopt"
    UPDATE = "update"
    VOID = "void"
    UNCHANGED = "unchanged"
    HOLD = "hold"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Step:
    """The decision about one staged row. `document` is set for CREATE, ADOPT and UPDATE, `problem` for HOLD, `reason` says why.

    `standing`: the transaction that an ADOPT takes over, once it has been read.
    `ignored`: a person has chosen to leave the document alone.
    `undoes`: a VOID takes back what another deployment had posted before: nothing of it stays in the books.
    """

    action: Action
    row: Mapping[Any, Any]
    posted: Posted | None = None
    document: Document | None = None
    problem: Problem | None = None
    reason: str = ""
    standing: Json = field(default_factory=dict, repr=False)
    ignored: bool = False
    undoes: bool = False

    @property
    def source(self) -> str:
        """The FreshBooks resource: invoice, payment or expense."""
        return str(self.row["source"])

    @property
    def source_id(self) -> int:
        """The FreshBooks id."""
        return int(self.row["source_id"])

    @property
    def writes(self) -> bool:
        """Whether something is to be written to QuickBooks, or taken over from it."""
        return self.action in (Action.CREATE, Action.ADOPT, Action.UPDATE, Action.VOID)

    @property
    def replaces(self) -> bool:
        """Whether the document goes so that another one can take its place."""
        return self.action is Action.VOID and Outcome(self.row["outcome"]) is Outcome.DOCUMENT


def decide(
    row: Mapping[Any, Any],
    posted: Posted | None,
    *,
    twin: Found | None = None,
    double: Found | None = None,
    held: Mapping[Any, Any] | None = None,
    closed_until: dt.date | None = None,
) -> Step:
    """The step for one staged row.

    `posted` is what stands in QuickBooks for it, if anything; `twin` a transaction there that is none of ours and looks like it;
    `double` one with its marker that stands beside what the ledger has posted: another deployment has posted the record, too;
    `held` its open exception: what QuickBooks has made something else of is not sent again just so.
    `closed_until` is QuickBooks' closing date, None where the books are open: here it concerns what stands there,
    since the row's own date has been compared with it by the mapping.
    """
    step = _decide(row, posted, twin) if double is None or posted is None else _doubled_by_us(row, posted, double)
    if step.action is Action.UPDATE and posted is not None and held is not None and _came_back_different(row, posted, held):
        return Step(Action.HOLD, row, posted, problem=Problem(Code.TOTAL_MISMATCH, held["reason"], held["remedy"]))
    if step.action not in (Action.UPDATE, Action.VOID) or posted is None or closed_until is None or posted.document_date > closed_until:
        return step
    problem = Problem(
        Code.CLOSED_PERIOD,
        f"It stands in QuickBooks on {posted.document_date.isoformat()}, in a period that is closed up to {closed_until.isoformat()}, "
        f"and is not changed there: {step.reason}",
        "Move QuickBooks' closing date back and run: fb-qbo exceptions retry; or enter a correction in an open period and ignore this",
    )
    return Step(Action.HOLD, row, posted, problem=problem)


def _came_back_different(row: Mapping[Any, Any], posted: Posted, held: Mapping[Any, Any]) -> bool:
    """Whether just this content has been sent, and QuickBooks has made something else of it, so that the exception is about it."""
    same = held["fingerprint"] == row["fingerprint"]
    return same and posted.fingerprint == DIFFERS and held["code"] == Code.TOTAL_MISMATCH


def _decide(row: Mapping[Any, Any], posted: Posted | None, twin: Found | None) -> Step:
    outcome = Outcome(row["outcome"])
    if posted is not None and posted.state == DELETED:
        posted = None
    if outcome is Outcome.KEPT:
        return Step(Action.NOTHING, row, posted, reason=str(row["reason"]))
    if posted is not None and posted.drift and outcome is not Outcome.HELD:
        return _drifted(row, posted)
    if outcome is Outcome.DOCUMENT:
        return _document(row, posted, twin)
    if posted is None or posted.state == VOIDED or outcome is Outcome.WAITING:
        return Step(Action.NOTHING, row, posted, reason=str(row["reason"]))
    if outcome is Outcome.DELETED:
        return Step(Action.VOID, row, posted, reason="deleted in FreshBooks")
    if outcome is Outcome.OUT_OF_SCOPE:
        problem = Problem(
            Code.LEFT_SCOPE,
            f"It was synced and stands in QuickBooks, but is no longer picked up: {row['reason']}",
            "Void it in QuickBooks if it should not be in the books, or widen the settings (statuses, start_date)",
        )
        return Step(Action.HOLD, row, posted, problem=problem)
    return Step(Action.NOTHING, row, posted, reason="held; the earlier version stands in QuickBooks")


def _document(row: Mapping[Any, Any], posted: Posted | None, twin: Found | None) -> Step:
    document = document_from_json(row["document"])
    if posted is None:
        if twin is not None:
            return Step(Action.HOLD, row, None, problem=_doubled(row, twin))
        return Step(Action.CREATE, row, None, document, reason="new")
    if posted.state == VOIDED:
        if not posted.fingerprint:
            return Step(Action.HOLD, row, posted, problem=changed_by_hand(VOIDED_BY_HAND))
        return Step(Action.VOID, row, posted, reason="restored in FreshBooks: a new document takes the place of the voided one")
    if posted.entity != document.entity.value:
        return _other_type(row, posted, document)
    if not posted.fingerprint:
        return Step(Action.ADOPT, row, posted, document, reason="stands in QuickBooks already, with our marker")
    if posted.fingerprint == row["fingerprint"]:
        return Step(Action.UNCHANGED, row, posted, document)
    return Step(Action.UPDATE, row, posted, document, reason="changed in FreshBooks or by the settings")


def _drifted(row: Mapping[Any, Any], posted: Posted) -> Step:
    if row["outcome"] == Outcome.DELETED.value and posted.drift in (GONE_BY_HAND, VOIDED_BY_HAND):
        return Step(Action.NOTHING, row, posted, reason="deleted in FreshBooks, and by hand in QuickBooks")
    if row["outcome"] == Outcome.DOCUMENT.value and row["fingerprint"] != posted.fingerprint and posted.drift != GONE_BY_HAND:
        # Perhaps it is our own change, which a restored backup does not know.
        return Step(Action.ADOPT, row, posted, document_from_json(row["document"]), reason="changed on both sides, or by us")
    return Step(Action.HOLD, row, posted, problem=changed_by_hand(posted.drift))


def changed_by_hand(what: str) -> Problem:
    """The exception about a document that a person has changed in QuickBooks; `what`: which change (`Posted.drift`)."""
    if what in (GONE_BY_HAND, VOIDED_BY_HAND):
        word = "deleted" if what == GONE_BY_HAND else "voided"
        return Problem(
            Code.CHANGED_IN_QUICKBOOKS,
            f"It was {word} in QuickBooks after it was posted, and FreshBooks still has it; nothing is made again by itself",
            "To have it in QuickBooks again: fb-qbo exceptions post, with the id of this exception. "
            "If it should not be there: delete it in FreshBooks, or ignore this with a reason",
        )
    return Problem(
        Code.CHANGED_IN_QUICKBOOKS,
        f"A person has changed it in QuickBooks since it was posted ({what}); nothing is overwritten",
        "Undo the change in QuickBooks and run: fb-qbo exceptions retry; if it is meant to be so, ignore this with a reason",
    )


def _doubled_by_us(row: Mapping[Any, Any], posted: Posted, double: Found) -> Step:
    """A record that two deployments have posted: the later transaction goes, and only its own maker takes it back.

    The other one looks after its writes as we do. So where ours is the earlier one, it is that one's to go; if it stays, a person is told.
    """
    if _later(posted.qbo_id, double.qbo_id):
        reason = f"another deployment had posted it as {double.entity} {double.qbo_id}: ours is taken back"
        return Step(Action.VOID, row, posted, reason=reason, undoes=True)
    problem = Problem(
        Code.CHANGED_IN_QUICKBOOKS,
        f"It stands in QuickBooks twice, as {posted.entity} {posted.qbo_id} and as {double.entity} {double.qbo_id}, with the same marker: "
        "another deployment posts into this company, or a request was carried out twice",
        f"Delete {double.entity} {double.qbo_id} in QuickBooks (the next look sees it), and see that only one deployment posts",
    )
    return Step(Action.HOLD, row, posted, problem=problem)


def _later(qbo_id: str, than: str) -> bool:
    """Whether QuickBooks made a transaction after another one: its ids are numbers that grow."""
    return (len(qbo_id), qbo_id) > (len(than), than)


def _doubled(row: Mapping[Any, Any], twin: Found) -> Problem:
    same = f"the number {row['number']}, the same total and no marker" if row["number"] else "the same invoice, date and total"
    return Problem(
        Code.DUPLICATE_NUMBER,
        f"QuickBooks already has {twin.entity} {twin.qbo_id} of {twin.document_date} with {same}: typed by hand, or by another tool",
        "If it is the same document, take it over: fb-qbo exceptions adopt, with the id of this exception. "
        "If not, change one of the two and run: fb-qbo exceptions retry",
    )


def _other_type(row: Mapping[Any, Any], posted: Posted, document: Document) -> Step:
    """What stands in QuickBooks is of another type: an expense changed its sign, or the settings changed what sales become.

    A changed setting rewrites nothing by itself; but an amount that differs is never passed over.
    """
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
