"""The customer of an invoice that is paid: QuickBooks refuses to change it while a payment is applied.

So the payments are unapplied first, which is legal, then the invoice is changed; the payments follow in their own step, to the
new customer and applied again. Each of these may be interrupted: a payment that is unapplied differs from what is intended.
"""

from fb_qbo_pipeline.json_text import load_json
from fb_qbo_pipeline.ledger import outbox
from fb_qbo_pipeline.ledger.ledger import Transaction
from fb_qbo_pipeline.ledger.outbox import Entry
from fb_qbo_pipeline.mapping.documents import Json
from fb_qbo_pipeline.posting.writer import Write

UNAPPLIES = "unapplies"  # in the intent of a payment's write: it does nothing else
SENT_AGAIN = "again"  # in an intent: the write repeats one that was refused for a stale token
_RETRIED = "payments_unapplied"  # in the intent of an invoice's write


def unapplying(tx: Transaction, entry: Entry) -> list[Write]:
    """The changes that unapply our payments of an invoice, and at last the refused change of its customer once more.

    Empty where the customer is not to change, where no payment of ours stands there, and after it has been tried.
    """
    if (entry.operation, entry.entity) != ("update", "Invoice") or entry.intent.get(_RETRIED):
        return []
    body, before = load_json(entry.body), last_body(tx, entry.source, entry.source_id)
    if not before or before.get("CustomerRef") == body.get("CustomerRef"):
        return []
    writes: list[Write] = []
    for payment in tx.posted.payments_of(entry.source_id):
        sent = last_body(tx, "payment", payment.source_id)
        if sent and not payment.drift:
            free = sent | {"Id": payment.qbo_id, "SyncToken": payment.sync_token, "sparse": False, "Line": []}
            known = {"amount": payment.total, "date": payment.document_date.isoformat()}
            intent = {UNAPPLIES: True, "about": entry.intent["about"] | known}
            writes.append(Write("update", payment.entity, payment.source, payment.source_id, free, intent))
    # QuickBooks counts the unapplying as changes of the invoice, so its token may be stale once more
    intent = {name: value for name, value in entry.intent.items() if name != SENT_AGAIN} | {_RETRIED: True}
    again = Write(entry.operation, entry.entity, entry.source, entry.source_id, body, intent)
    return [*writes, again] if writes else []


def last_body(tx: Transaction, source: str, source_id: int) -> Json:
    """What was last sent for a document and carried out; empty where nothing was."""
    done = [entry for entry in tx.outbox.of_document(source, source_id) if entry.state == outbox.DONE]
    return next((load_json(entry.body) for entry in reversed(done) if entry.operation in ("create", "update")), {})
