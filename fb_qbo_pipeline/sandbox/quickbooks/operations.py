"""One write or read of one object: schema, concurrency token, rules, then everything stored at once.

A single request and an item of a batch come through here alike. Each call either raises a Refusal and changes nothing, or
stores the object together with whatever else it changes.
"""

from collections.abc import Callable

from fb_qbo_pipeline.sandbox.quickbooks.documents import Draft, Posted, is_voided, numbered_by_quickbooks
from fb_qbo_pipeline.sandbox.quickbooks.names import post_name
from fb_qbo_pipeline.sandbox.quickbooks.payments import post_payment, released, undeposited, void_payment
from fb_qbo_pipeline.sandbox.quickbooks.purchases import post_purchase
from fb_qbo_pipeline.sandbox.quickbooks.refusals import Json, Refusal, business, missing, not_found, unsupported
from fb_qbo_pipeline.sandbox.quickbooks.sales import post_sale, unapplied, void_sale
from fb_qbo_pipeline.sandbox.quickbooks.schemas import SCHEMAS, WRITABLE, clean
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks, open_period
from fb_qbo_pipeline.sandbox.quickbooks.store import PURCHASES, SALES, TRANSACTIONS

ALLOW_DUPLICATE = "allowduplicatedocnum"
WRITABLE_ENTITIES = frozenset(SCHEMAS)
_SUSPENDED = frozenset({"CANCELLED", "EXPIRED", "SUSPENDED"})

_RULES: dict[str, Callable[[Draft], Posted]] = {
    **dict.fromkeys(SALES, post_sale),
    **dict.fromkeys(PURCHASES, post_purchase),
    "Payment": post_payment,
}


def read(company: QuickBooks, entity: str, row_id: str) -> Json:
    """An object by id, active or not; raises Refusal 610."""
    with company.lock:
        company.counters.reads += 1
        if not row_id.isdigit() and entity != "TaxCode":
            raise Refusal("2030", f"Invalid ID : Ids need to be a valid number. Supplied value:{row_id}", "Id")
        row = company.get(entity, row_id)
        if row is None:
            raise not_found()
        return row


def write(company: QuickBooks, entity: str, body: object, *, operation: str = "", include: str = "") -> Json:
    """Create, update, delete or void one object; returns the object as it now is, or the stub of a deleted one.

    `operation` is "" (Id decides between create and update), create, update, delete or void; `include` may be "void"
    (with update) or allowduplicatedocnum. Raises Refusal.
    """
    with company.lock:
        company.counters.writes += 1
        if entity not in WRITABLE_ENTITIES:
            raise unsupported(f"write on {entity}")
        if company.subscription in _SUSPENDED:
            sentence = "You can't add data to QuickBooks Online because your trial or subscription period ended."
            raise Refusal("6190", f"Subscription period has ended or canceled or there was a billing problem : {sentence}")
        cleaned = clean(entity, body)
        if operation == "delete":
            return _delete(company, entity, cleaned)
        if operation == "void" or include == "void":
            return _void(company, entity, cleaned, operation)
        if operation not in ("", "create", "update"):
            raise unsupported(operation)
        return _save(company, entity, cleaned, operation, allow_duplicate=include == ALLOW_DUPLICATE)


def _save(company: QuickBooks, entity: str, body: Json, operation: str, *, allow_duplicate: bool) -> Json:
    previous = None
    if operation == "update" or (operation == "" and body.get("Id")):
        previous = _current(company, entity, body)
        if is_voided(previous) and not company.updates_voided:
            raise business("A voided transaction can't be changed.")
        if body.get("sparse"):
            body = _merged(entity, previous, body)
    body = {key: value for key, value in body.items() if value is not None}
    row_id = previous["Id"] if previous else company.next_id(entity)
    posted = _RULES.get(entity, post_name)(Draft(company, entity, row_id, body, previous, allow_duplicate))
    return _store(company, entity, row_id, posted, previous)


def _store(company: QuickBooks, entity: str, row_id: str, posted: Posted, previous: Json | None) -> Json:
    if numbered_by_quickbooks(company, entity) and not posted.content.get("DocNumber"):
        posted.content["DocNumber"] = company.next_number()
    row = company.stamped(row_id, posted.content, previous)
    company.put(entity, row)
    for other_entity, other in posted.others:
        company.put(other_entity, other)
    return company.tables[entity][row_id]


def _current(company: QuickBooks, entity: str, body: Json) -> Json:
    """The stored object that an update means; raises Refusal 610 (gone) or 5010 (changed meanwhile)."""
    if not body.get("Id"):
        raise missing("Id")
    row = company.get(entity, body["Id"])
    if row is None:
        raise not_found()
    if body.get("SyncToken") is None:
        raise missing("SyncToken")
    if body["SyncToken"] != row["SyncToken"]:
        detail = (
            "Stale Object Error : You and another user were working on this at the same time. "
            f"The other user finished before you did, so your work was not saved. Entity={entity}"
        )
        raise Refusal("5010", detail)
    return row


def _merged(entity: str, previous: Json, body: Json) -> Json:
    """A sparse update over what is stored. Tax follows the lines: new lines without tax details are taxed anew."""
    kept = {key: value for key, value in previous.items() if key in WRITABLE[entity]}
    if "Line" in body or "TxnDate" in body:
        kept.pop("TxnTaxDetail", None)
    return {**kept, **body}


def _delete(company: QuickBooks, entity: str, body: Json) -> Json:
    if entity not in TRANSACTIONS:
        raise unsupported("delete")  # members of lists are made inactive
    row = _current(company, entity, body)
    open_period(company, row["TxnDate"])
    if entity == "Payment":
        undeposited(company, row)
        others = released(company, row)
    else:
        if row.get("LinkedTxn") and not company.deletes_paid_invoices:
            raise business("The transaction is linked to a payment: delete the payment first.")
        others = unapplied(company, entity, row)
    company.remove(entity, row["Id"])
    for other_entity, other in others:
        company.put(other_entity, other)
    return {"domain": "QBO", "status": "Deleted", "Id": row["Id"]}


def _void(company: QuickBooks, entity: str, body: Json, operation: str) -> Json:
    """Invoices are voided by their own operation, receipts and payments by an update that includes it."""
    if entity not in ("Invoice", "SalesReceipt", "Payment") or (operation == "void") is not (entity == "Invoice"):
        raise unsupported("void")
    row = _current(company, entity, body)
    open_period(company, row["TxnDate"])
    posted = void_payment(company, row) if entity == "Payment" else void_sale(company, row)
    return _store(company, entity, row["Id"], posted, row)
