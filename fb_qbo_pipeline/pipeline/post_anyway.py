"""A person's decision that a held document is to be posted: it was deleted in QuickBooks and is to stand there again, or what
looks like it there is another one.

Nothing is written to QuickBooks here: the decision is kept, and the next run of the document's day follows it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fb_qbo_pipeline.errors import ConfigurationError
from fb_qbo_pipeline.ledger.decisions import POST, Decision
from fb_qbo_pipeline.ledger.posted import DELETED, VOIDED, Posted
from fb_qbo_pipeline.mapping.documents import Code, Outcome
from fb_qbo_pipeline.money import ZERO
from fb_qbo_pipeline.pipeline.intake import partitions
from fb_qbo_pipeline.pipeline.runtime import Runtime
from fb_qbo_pipeline.posting.verify import content, is_void


def post_anyway(runtime: Runtime, exception: Mapping[Any, Any], decided_by: str) -> None:
    """Decide that the document of an open exception is to be posted.

    QuickBooks is asked first whether the document really is gone. Raises ConfigurationError where posting it is no answer to the
    exception, and says what is.
    """
    source, source_id = str(exception["source"]), int(exception["source_id"])
    with runtime.ledger.begin() as tx:
        row = tx.staging.by_ids(source, [source_id]).get(source_id)
        posted = tx.posted.by_ids(source, [source_id]).get(source_id)
    if row is None or row["outcome"] != Outcome.DOCUMENT:
        raise _no_answer(exception, "its mapping holds it")
    again = _as_if_removed(runtime, exception, posted) if posted is not None and posted.drift else None
    if again is None and not (posted is None and exception["code"] == Code.DUPLICATE_NUMBER):
        raise _no_answer(exception, "nothing was deleted in QuickBooks, and nothing there looks like it")
    with runtime.ledger.begin() as tx:
        days = {row["document_date"]}
        if again is not None:
            tx.posted.save([again])
            if source == "invoice":  # QuickBooks has set its payments free: they follow
                tx.posted.unapplied(source_id)
                days |= tx.raw.payment_dates({source_id})
        about = f"{exception['code']}: {exception['reason']}"
        tx.decisions.add(Decision(POST, source, source_id, str(row["fingerprint"]), decided_by, about))
        tx.exceptions.try_again([exception["id"]])
        tx.touched.note(partitions(runtime, days), "to be posted, by a person's decision")


def _as_if_removed(runtime: Runtime, exception: Mapping[Any, Any], posted: Posted) -> Posted:
    """The ledger's document as if the pipeline had deleted or voided it: then the next run makes a new one in its place."""
    present = runtime.quickbooks.read(posted.entity, posted.qbo_id)
    removed = replace(posted, total=ZERO, tax=ZERO, drift="", drift_total=None)
    if present is None:
        return replace(removed, state=DELETED)
    if is_void(present):
        return replace(removed, state=VOIDED, sync_token=str(present.get("SyncToken", "0")), content=content(present))
    raise _no_answer(exception, "it stands in QuickBooks, and a person has changed it there; nothing is written over that")


def _no_answer(exception: Mapping[Any, Any], why: str) -> ConfigurationError:
    return ConfigurationError(f"{exception['source']} {exception['number']} cannot be posted just so: {why}", str(exception["remedy"]))
