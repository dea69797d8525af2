"""Sales forms: invoices, sales receipts, credit memos and refund receipts. Totals, tax and balances are QuickBooks' own.

An invoice's balance is its total less what payments apply to it; a receipt is paid by itself into a bank or other current
asset account. Voiding zeroes a form and sets its payments free, as deleting does.
"""

from decimal import Decimal

from fb_qbo_pipeline.money import ZERO, total
from fb_qbo_pipeline.sandbox.quickbooks import tax
from fb_qbo_pipeline.sandbox.quickbooks.documents import Draft, Posted, due_date, header, voided_note, with_home_amounts
from fb_qbo_pipeline.sandbox.quickbooks.lines import account_of, feature, sales_lines, whole_total, zeroed
from fb_qbo_pipeline.sandbox.quickbooks.refusals import Json, Refusal, business, missing
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks

DEPOSIT_TYPES = ("Bank", "Other Current Asset")
_DEFAULT_TERM = "Net 30"  # the company's default of a new sample company

_COPIED = (
    "CustomerMemo",
    "BillEmail",
    "BillEmailCc",
    "BillEmailBcc",
    "ShipFromAddr",
    "ShipMethodRef",
    "ShipDate",
    "TrackingNum",
    "ProjectRef",
    "InvoiceRef",
    "PaymentMethodRef",
    "PaymentRefNum",
    "PaymentType",
    "SalesTermRef",
)


def post_sale(draft: Draft) -> Posted:
    """A sales form from its draft; raises Refusal."""
    company, body, entity = draft.company, draft.body, draft.entity
    customer = _customer(draft)
    content = header(draft, customer)
    if customer is not None:
        content["CustomerRef"] = {"value": customer["Id"], "name": customer["DisplayName"]}
    _addresses(content, body, customer)
    content |= {key: body[key] for key in _COPIED if key in body}
    classed = dict(body)
    feature(company, classed, "ClassRef", "Class", on=company.class_tracking == "transaction")
    if "ClassRef" in classed:
        content["ClassRef"] = classed["ClassRef"]
    lines = sales_lines(company, body, customer, draft.previous)
    detail = _tax(company, {**body, **content}, content, lines.taxable, lines.discount)
    content["Line"] = lines.rows
    content["TotalAmt"] = whole_total(lines, detail)
    content["ApplyTaxAfterDiscount"] = bool(body.get("ApplyTaxAfterDiscount"))
    content["PrintStatus"] = body.get("PrintStatus", "NeedToPrint")
    content["EmailStatus"] = _email_status(body)
    if entity == "Invoice":
        _finish_invoice(draft, content, customer)
    elif entity == "CreditMemo":
        used = draft.previous["TotalAmt"] - draft.previous["Balance"] if draft.previous else ZERO
        content["Balance"] = content["RemainingCredit"] = _left(content["TotalAmt"], used)
        content["LinkedTxn"] = draft.previous["LinkedTxn"] if draft.previous else []
    else:
        content["Balance"] = ZERO
        content["DepositToAccountRef"] = deposit_account(company, body, required=entity == "RefundReceipt")
    return Posted(with_home_amounts(company, content, (("HomeTotalAmt", "TotalAmt"), ("HomeBalance", "Balance"))))


def _customer(draft: Draft) -> Json | None:
    reference = draft.body.get("CustomerRef")
    if reference is None:
        if draft.entity in ("Invoice", "CreditMemo"):
            raise missing("CustomerRef")
        return None
    return draft.company.require("Customer", reference)


def _addresses(content: Json, body: Json, customer: Json | None) -> None:
    for key in ("BillAddr", "ShipAddr"):
        address = body.get(key) or (customer or {}).get(key)
        if address:
            content[key] = address
    if customer and "BillEmail" not in body and "PrimaryEmailAddr" in customer:
        content["BillEmail"] = customer["PrimaryEmailAddr"]


def _tax(company: QuickBooks, body: Json, content: Json, lines: list[tax.Taxable], discount: Decimal) -> Json | None:
    """TxnTaxDetail (and GlobalTaxCalculation) put into the content; returns it."""
    if company.is_us:
        detail = tax.us_tax(company, body, lines, discount)
    else:
        mode = body.get("GlobalTaxCalculation", "TaxExcluded")
        detail = tax.global_tax(company, {**body, "GlobalTaxCalculation": mode}, lines, discount, tax.SALES_SIDE)
        if company.sales_tax:
            content["GlobalTaxCalculation"] = mode
    if detail is not None:
        content["TxnTaxDetail"] = detail
    return detail


def _email_status(body: Json) -> str:
    status: str = body.get("EmailStatus", "NotSet")
    if status == "NeedToSend" and not body.get("BillEmail"):
        raise business("An e-mail address is required to send this form.")
    return status


def _finish_invoice(draft: Draft, content: Json, customer: Json | None) -> None:
    company, body, previous = draft.company, draft.body, draft.previous
    if body.get("Deposit"):
        raise Refusal("5030", "Feature Not Supported : deposits on invoices are not turned on for this company.", "Deposit")
    applied = previous["TotalAmt"] - previous["Balance"] if previous else ZERO
    if (
        previous
        and applied
        and (previous["CustomerRef"]["value"] != content["CustomerRef"]["value"] or _currency_changed(previous, content))
    ):
        raise business("The customer and the currency of an invoice with payments can't be changed.")
    content["DueDate"] = due_date(draft, content["TxnDate"], _term(company, body, customer))
    content["Balance"] = _left(content["TotalAmt"], applied)
    content["LinkedTxn"] = previous["LinkedTxn"] if previous else []
    content["Deposit"] = ZERO
    for key in ("AllowOnlineCreditCardPayment", "AllowOnlineACHPayment"):
        # Without QuickBooks Payments these flags have no effect, and no error says so.
        content[key] = bool(body.get(key)) and company.online_payments
    content |= {"AllowOnlinePayment": False, "AllowIPNPayment": False}


def _currency_changed(previous: Json, content: Json) -> bool:
    return bool(previous["CurrencyRef"]["value"] != content["CurrencyRef"]["value"])


def _left(amount: Decimal, applied: Decimal) -> Decimal:
    if applied > amount:
        raise business("The amount can't be lower than what has been applied to it.")
    return amount - applied


def _term(company: QuickBooks, body: Json, customer: Json | None) -> Json | None:
    reference = body.get("SalesTermRef") or (customer or {}).get("SalesTermRef")
    if reference:
        return company.require("Term", reference)
    return next((term for term in company.tables["Term"].values() if term["Name"] == _DEFAULT_TERM), None)


def deposit_account(company: QuickBooks, body: Json, *, required: bool = False) -> Json:
    """The account that takes the money: bank or other current asset (6430), Undeposited Funds where none is named."""
    reference = body.get("DepositToAccountRef")
    if reference is None and required:
        raise missing("DepositToAccountRef")
    reference = reference or {"value": company.named("Account", "Undeposited Funds")["Id"]}
    account = account_of(company, reference, DEPOSIT_TYPES, "DepositToAccountRef")
    return {"value": account["Id"], "name": account["FullyQualifiedName"]}


def void_sale(company: QuickBooks, previous: Json) -> Posted:
    """A voided sales form: nothing on it any more, its payments unapplied."""
    content = {**previous, "Line": zeroed(previous["Line"]), "TotalAmt": ZERO, "Balance": ZERO, "PrivateNote": voided_note(previous)}
    content |= {key: ZERO for key in ("HomeTotalAmt", "HomeBalance") if key in previous}
    if "LinkedTxn" in previous:
        content["LinkedTxn"] = []
    if "TxnTaxDetail" in previous:
        content["TxnTaxDetail"] = {"TotalTax": ZERO}
    return Posted(content, unapplied(company, "Invoice", previous))


def unapplied(company: QuickBooks, entity: str, document: Json) -> list[tuple[str, Json]]:
    """New versions of the payments that were applied to a document which goes away."""
    others = []
    for link in document.get("LinkedTxn", ()):
        payment = company.get("Payment", link["TxnId"]) if link["TxnType"] == "Payment" else None
        if payment is None:
            continue
        gone = [line for line in payment["Line"] if line["LinkedTxn"][0] == {"TxnId": document["Id"], "TxnType": entity}]
        kept = [line for line in payment["Line"] if line not in gone]
        sign = -1 if entity == "CreditMemo" else 1
        freed = payment["UnappliedAmt"] + sign * total(line["Amount"] for line in gone)
        others.append(("Payment", company.touched(payment, Line=kept, UnappliedAmt=freed)))
    return others
