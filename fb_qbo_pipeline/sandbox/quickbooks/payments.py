"""Customer payments: what they apply to which invoices and credit memos, and what stays unapplied.

A payment changes the balances of the documents that it links. On an update it first gives back what it had applied, so
each document's room is its present balance plus what this very payment held.
"""

from collections import defaultdict
from decimal import Decimal

from fb_qbo_pipeline.money import ZERO, total
from fb_qbo_pipeline.sandbox.quickbooks.currency import home_amount
from fb_qbo_pipeline.sandbox.quickbooks.documents import Draft, Posted, header, voided_note
from fb_qbo_pipeline.sandbox.quickbooks.lines import account_of
from fb_qbo_pipeline.sandbox.quickbooks.refusals import Json, Refusal, business, missing
from fb_qbo_pipeline.sandbox.quickbooks.sales import deposit_account
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks

Applied = dict[tuple[str, str], Decimal]  # (entity, id) → amount


def post_payment(draft: Draft) -> Posted:
    """A payment from its draft, with the new versions of the documents that it links; raises Refusal."""
    company, body = draft.company, draft.body
    if body.get("CustomerRef") is None:
        raise missing("CustomerRef")
    customer = company.require("Customer", body["CustomerRef"])
    amount = body.get("TotalAmt")
    if amount is None:
        raise business("You must set a transaction amount.")
    if amount < 0:
        raise business("The amount of a transaction must be 0 or greater.")
    if draft.previous:
        undeposited(company, draft.previous)
    content = header(draft, customer)
    content["CustomerRef"] = {"value": customer["Id"], "name": customer["DisplayName"]}
    content["DepositToAccountRef"] = deposit_account(company, body)
    _same_currency(company, content)
    if body.get("ARAccountRef"):
        account_of(company, body["ARAccountRef"], ("Accounts Receivable",), "ARAccountRef")
    content |= {key: body[key] for key in ("PaymentMethodRef", "PaymentRefNum", "ProjectRef", "ARAccountRef") if key in body}
    wanted = _wanted(body.get("Line") or [])
    others = _apply(draft, customer, content["CurrencyRef"]["value"], wanted)
    content["Line"] = [_line(company, number, key, value) for number, (key, value) in enumerate(wanted.items(), start=1)]
    content["TotalAmt"] = amount
    content["UnappliedAmt"] = amount - _cash_applied(wanted)
    if content["UnappliedAmt"] < 0:
        raise business("The amounts applied can't be greater than the payment.")
    content |= {"ProcessPayment": False, "LinkedTxn": []}
    if company.multicurrency:
        content["HomeTotalAmt"] = home_amount(content, amount)
    return Posted(content, others)


def _same_currency(company: QuickBooks, content: Json) -> None:
    """Money goes into an account of its own currency, or is converted into one of the home currency; raises Refusal."""
    account = company.tables["Account"][content["DepositToAccountRef"]["value"]]
    kept_in = account["CurrencyRef"]["value"]
    if company.multicurrency and kept_in not in (company.home_currency, content["CurrencyRef"]["value"]):
        raise business("You can only use one foreign currency per transaction.")


def _wanted(lines: list[Json]) -> Applied:
    """What the lines apply, summed by document."""
    wanted: Applied = defaultdict(lambda: ZERO)
    for line in lines:
        links = line.get("LinkedTxn") or []
        if len(links) != 1:
            raise Refusal("2600", "Conflicting elements : each line of a payment links one transaction.", "LinkedTxn")
        if "Amount" not in line:
            raise missing("Line.Amount")
        if line["Amount"] < 0:
            raise Refusal("2290", "Negative Amount : amounts of a payment's lines are positive", "Amount")
        entity = links[0].get("TxnType")
        if entity not in ("Invoice", "CreditMemo"):
            raise Refusal("620", f"Transaction could not be linked : a payment can't be linked to {entity} here.", "TxnType")
        wanted[entity, links[0].get("TxnId", "")] += line["Amount"]
    return wanted


def _cash_applied(applied: Applied) -> Decimal:
    """What the money of a payment pays: invoices, less the credits that pay them too."""
    return total(amount if entity == "Invoice" else -amount for (entity, _), amount in applied.items())


def applied_by(payment: Json) -> Applied:
    """What a stored payment applies, by document."""
    applied: Applied = defaultdict(lambda: ZERO)
    for line in payment["Line"]:
        link = line["LinkedTxn"][0]
        applied[link["TxnType"], link["TxnId"]] += line["Amount"]
    return applied


def _apply(draft: Draft, customer: Json, currency: str, wanted: Applied) -> list[tuple[str, Json]]:
    """New versions of all documents that the payment links now or linked before."""
    company = draft.company
    held = applied_by(draft.previous) if draft.previous else {}
    others = []
    for key in {**held, **wanted}:
        entity, document_id = key
        document = company.get(entity, document_id)
        if document is None:
            raise Refusal("610", "Object Not Found : the transaction to be linked does not exist.", "TxnId")
        amount = wanted.get(key)
        if amount is not None:
            if document["CustomerRef"]["value"] != customer["Id"]:
                raise business("The transaction to be linked belongs to another customer.")
            if document["CurrencyRef"]["value"] != currency:
                raise business("You can only use one foreign currency per transaction.")
            if amount > document["Balance"] + held.get(key, ZERO):
                raise business("The amount applied can't be greater than the open balance of the transaction.")
        if amount != held.get(key):
            change = (amount or ZERO) - held.get(key, ZERO)
            others.append((entity, _applied(company, document, draft.row_id, change, linked=amount is not None)))
    return others


def _applied(company: QuickBooks, document: Json, payment_id: str, change: Decimal, *, linked: bool) -> Json:
    """The document with `change` more applied by this payment."""
    link = {"TxnId": payment_id, "TxnType": "Payment"}
    links = [entry for entry in document["LinkedTxn"] if entry != link]
    if linked:
        links.append(link)
    balance = document["Balance"] - change
    changes: Json = {"Balance": balance, "LinkedTxn": links}
    if "RemainingCredit" in document:
        changes["RemainingCredit"] = balance
    if "HomeBalance" in document:
        changes["HomeBalance"] = home_amount(document, balance)
    return company.touched(document, **changes)


def _line(company: QuickBooks, number: int, key: tuple[str, str], amount: Decimal) -> Json:
    entity, document_id = key
    document = company.tables[entity][document_id]
    facts = (("txnId", document_id), ("txnOpenBalance", f"{document['Balance']}"), ("txnReferenceNumber", document.get("DocNumber", "")))
    return {
        "Id": str(number),
        "Amount": amount,
        "LinkedTxn": [{"TxnId": document_id, "TxnType": entity}],
        "LineEx": {"any": [{"name": "{http://schema.intuit.com/finance/v3}NameValue", "value": {"Name": n, "Value": v}} for n, v in facts]},
    }


def undeposited(company: QuickBooks, payment: Json) -> None:
    """Raise Refusal 6540 where the payment sits in a bank deposit."""
    if payment["Id"] in company.deposited:
        detail = (
            "This transaction has been deposited. If you want to change or delete it, "
            "you must edit the deposit it appears on and remove it first."
        )
        raise Refusal("6540", detail)


def released(company: QuickBooks, payment: Json) -> list[tuple[str, Json]]:
    """New versions of the documents that a payment paid, when it is voided or deleted."""
    others = []
    for (entity, document_id), amount in applied_by(payment).items():
        document = company.get(entity, document_id)
        if document is not None:
            others.append((entity, _applied(company, document, payment["Id"], -amount, linked=False)))
    return others


def void_payment(company: QuickBooks, previous: Json) -> Posted:
    """A voided payment: no money, nothing applied."""
    undeposited(company, previous)
    content = {**previous, "TotalAmt": ZERO, "UnappliedAmt": ZERO, "Line": [], "PrivateNote": voided_note(previous)}
    if "HomeTotalAmt" in previous:
        content["HomeTotalAmt"] = ZERO
    return Posted(content, released(company, previous))
