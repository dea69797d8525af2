"""Numbers that pass from one of our documents to another, in a series that was renumbered or between two that were exchanged.

QuickBooks takes a number once (6140) and carries out changes one by one, so one that comes before the present holder's change
is refused. A refused change is made under a number of the document's own first, and gets its number after all others are made.
"""

from fb_qbo_pipeline.json_text import load_json
from fb_qbo_pipeline.ledger.ledger import Transaction
from fb_qbo_pipeline.ledger.outbox import Entry
from fb_qbo_pipeline.ledger.posted import POSTED, VOIDED, Posted
from fb_qbo_pipeline.mapping.documents import Code, Document, Json, Outcome, Problem
from fb_qbo_pipeline.posting.writer import Write
from fb_qbo_pipeline.quickbooks.company import fold
from fb_qbo_pipeline.quickbooks.faults import Fault, assigned_transaction

PARKED = "parked"  # in an intent: the write gives the document a number of its own for the moment
_TRIES = "tries"  # in an intent: how often the write has been sent again for its number
_MOST_TRIES = {"create": 2, "update": 1}  # a holder needs one round to be parked itself


def holder_of(tx: Transaction, entity: str, number: str, fault: Fault) -> Posted | None:
    """Which of our documents the fault (6140) says to have a number, or the ledger where QuickBooks does not say."""
    other = assigned_transaction(fault)
    if other is not None:
        return tx.posted.by_qbo_ids(other.type, [other.id]).get(other.id)
    source_id = tx.posted.numbers([number]).get((entity, number.lower()))
    return tx.posted.by_ids("invoice", [source_id]).get(source_id) if source_id is not None else None


def held_by(holder: Posted, document: Document) -> Problem:
    """The exception about a number that another document of ours has."""
    which = f"{holder.entity} {holder.qbo_id} in QuickBooks (FreshBooks {holder.source} {holder.source_id})"
    if holder.state == VOIDED:
        return Problem(
            Code.DUPLICATE_NUMBER,
            f"The number {document.number} is still on {which}, which was voided because it is deleted in FreshBooks",
            "Give the voided one another number in QuickBooks, or delete it there, then run: fb-qbo exceptions retry",
        )
    return Problem(
        Code.DUPLICATE_NUMBER,
        f"The number {document.number} is still on {which}",
        "Give one of the two another number in FreshBooks, or solve what holds the other one, then run: fb-qbo exceptions retry",
    )


def once_more(tx: Transaction, entry: Entry, fault: Fault) -> Write | None:
    """The write that follows on a number being taken; None where its holder keeps it, or after enough tries."""
    number, tries = entry.intent["document"]["number"], int(entry.intent.get(_TRIES, 0))
    if not number or tries >= _MOST_TRIES.get(entry.operation, 0):
        return None
    holder = holder_of(tx, entry.entity, number, fault)
    if holder is None or holder.state != POSTED or holder.source_id == entry.source_id:
        return None
    staged = tx.staging.by_ids(holder.source, [holder.source_id]).get(holder.source_id)
    if staged is None or staged["outcome"] != Outcome.DOCUMENT or fold(staged["number"] or "") == fold(number):
        return None
    body, intent = load_json(entry.body), entry.intent | {_TRIES: tries + 1}
    if entry.operation == "update":
        body, intent = body | {"DocNumber": f"~{body['Id']}"}, intent | {PARKED: True}
    return Write(entry.operation, entry.entity, entry.source, entry.source_id, body, intent)


def under_its_number(entry: Entry, entity: Json) -> Write:
    """The write that gives a parked document, as it came back, its number."""
    body = load_json(entry.body) | {"DocNumber": entry.intent["document"]["number"], "SyncToken": str(entity.get("SyncToken", "0"))}
    intent = {name: value for name, value in entry.intent.items() if name != PARKED}
    return Write("update", entry.entity, entry.source, entry.source_id, body, intent)
