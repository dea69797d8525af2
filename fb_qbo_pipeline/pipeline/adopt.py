"""Taking over a transaction that a person or another tool has made in QuickBooks, by a person's decision.

Nothing is written here: the transaction is noted as the record's own, and the next run of its day compares the two, writes
the marker into its memo, and holds it again where they differ in what counts.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fb_qbo_pipeline.errors import ConfigurationError
from fb_qbo_pipeline.ledger.found import Found
from fb_qbo_pipeline.ledger.ledger import Transaction
from fb_qbo_pipeline.pipeline.intake import partitions
from fb_qbo_pipeline.pipeline.runtime import Runtime


def adopt(runtime: Runtime, exception: Mapping[Any, Any]) -> Found:
    """Note the transaction that an exception is about as the record's own; which one that is.

    Raises ConfigurationError where QuickBooks has no such transaction, or several.
    """
    source, source_id = str(exception["source"]), int(exception["source_id"])
    with runtime.ledger.begin() as tx:
        candidates = _candidates(tx, source, source_id)
    if len(candidates) != 1:
        raise ConfigurationError(
            f"{len(candidates) or 'no'} transactions in QuickBooks could be {source} {exception['number']}; one is needed",
            "write the marker of the record (fb-qbo trace shows it) into the memo of the right transaction, then run: fb-qbo sync",
        )
    chosen = candidates[0]
    payload = runtime.quickbooks.read(chosen.entity, chosen.qbo_id)
    with runtime.ledger.begin() as tx:
        if payload is None:
            tx.found.drop(chosen.entity, [chosen.qbo_id])
        else:
            tx.found.merge([replace(chosen, source=source, source_id=source_id, payload=payload)])
        tx.touched.note(partitions(runtime, [exception["document_date"]]), "taken over by a person")
    return chosen


def _candidates(tx: Transaction, source: str, source_id: int) -> list[Found]:
    row = tx.staging.by_ids(source, [source_id]).get(source_id)
    if row is None or row["entity"] is None:
        return []
    if row["entity"] != "Payment":
        found = tx.found.with_numbers(row["entity"], [row["number"]]) if row["number"] else []
        return [one for one in found if one.total == row["total"]] or found
    posted = tx.posted.by_ids("invoice", [row["requires_invoice"]])
    found = tx.found.payments_of([invoice.qbo_id for invoice in posted.values()])
    return [one for one in found if one.total == row["total"] and one.document_date == row["document_date"]]
