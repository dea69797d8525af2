"""Documents that stand in QuickBooks although the ledger does not know them: its backup was restored, or it was lost.

QuickBooks refuses a number that is taken, and the refusal names the document. What has no number of ours (payments, and
everything under automatic numbers) it would take a second time. So before such documents are created they are looked for by
their markers: one query a run for each type that has any.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from fb_qbo_pipeline.mapping.documents import Json
from fb_qbo_pipeline.posting.look_up import transactions_between
from fb_qbo_pipeline.posting.plan import Action, Step
from fb_qbo_pipeline.posting.verify import MARKER, is_void
from fb_qbo_pipeline.posting.writer import Write
from fb_qbo_pipeline.quickbooks.reader import QuickBooksReader


def standing_unknown(reader: QuickBooksReader, steps: Iterable[Step]) -> dict[str, Json]:
    """What stands already of the documents that these steps would create without a number, by marker; the oldest of each."""
    days: defaultdict[str, set[str]] = defaultdict(set)
    for step in steps:
        if step.action is Action.CREATE and step.document is not None and step.document.number is None:
            days[step.document.entity.value].add(step.document.date.isoformat())
    found: dict[str, Json] = {}
    for entity, dates in days.items():
        listed = transactions_between(reader, entity, min(dates), max(dates))
        for transaction in sorted(listed, key=lambda one: (len(str(one["Id"])), str(one["Id"]))):
            match = MARKER.search(str(transaction.get("PrivateNote") or ""))
            if match is not None and not is_void(transaction):
                found.setdefault(match.group(), transaction)
    return found


def marker_of(write: Write) -> str:
    """The marker that a document carries at the beginning of its memo."""
    return str(write.body.get("PrivateNote") or "").split(" ", 1)[0]


def instead(write: Write, standing: Json) -> Write:
    """The creation as a change of what stands already."""
    body = write.body | {"Id": str(standing["Id"]), "SyncToken": str(standing.get("SyncToken", "0")), "sparse": True}
    return replace(write, operation="update", body=body, intent=write.intent | {"adopted": True})
