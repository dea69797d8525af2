"""Purchases: bills, vendor credits and expenses (QuickBooks' `Purchase`).

The same tax rules as sales, on the purchase side of a tax code; in the United States purchases carry no tax at all.
"""

from fb_qbo_pipeline.money import ZERO
from fb_qbo_pipeline.sandbox.quickbooks import tax
from fb_qbo_pipeline.sandbox.quickbooks.documents import Draft, Posted, due_date, header, with_home_amounts
from fb_qbo_pipeline.sandbox.quickbooks.lines import account_of, expense_lines, whole_total
from fb_qbo_pipeline.sandbox.quickbooks.refusals import Json, Refusal, missing
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks

_PAYING_ACCOUNTS = {"Check": ("Bank",), "CreditCard": ("Credit Card",), "Cash": ("Bank", "Other Current Asset")}


def post_purchase(draft: Draft) -> Posted:
    """A bill, vendor credit or expense from its draft; raises Refusal."""
    company, body = draft.company, draft.body
    if company.plan == "Simple Start" and draft.entity != "Purchase":
        raise Refusal("5030", "This feature is not included in your QuickBooks Online Simple Start subscription.", draft.entity)
    party = _paid_party(company, body) if draft.entity == "Purchase" else _vendor(company, body)
    content = header(draft, party)
    lines = expense_lines(company, body, draft.previous)
    detail = None
    if company.sales_tax and not company.is_us:
        mode = body.get("GlobalTaxCalculation", "TaxExcluded")
        taxed = {**body, **content, "GlobalTaxCalculation": mode}
        detail = tax.global_tax(company, taxed, lines.taxable, ZERO, tax.PURCHASE_SIDE)
        content["GlobalTaxCalculation"] = mode
        if detail is not None:
            content["TxnTaxDetail"] = detail
    content["Line"] = lines.rows
    content["TotalAmt"] = whole_total(lines, detail)
    if draft.entity == "Purchase":
        _finish_expense(company, body, content)
        return Posted(with_home_amounts(company, content, (("HomeTotalAmt", "TotalAmt"),)))
    assert party is not None
    content["VendorRef"] = {"value": party["Id"], "name": party["DisplayName"]}
    content["APAccountRef"] = _payable(company, body)
    content["Balance"] = content["TotalAmt"]
    content["LinkedTxn"] = []
    if draft.entity == "Bill":
        reference = body.get("SalesTermRef") or party.get("TermRef")
        term = company.require("Term", reference) if reference else None
        content["DueDate"] = due_date(draft, content["TxnDate"], term)
        if reference:
            content["SalesTermRef"] = reference
    return Posted(with_home_amounts(company, content, (("HomeTotalAmt", "TotalAmt"), ("HomeBalance", "Balance"))))


def _vendor(company: QuickBooks, body: Json) -> Json:
    if body.get("VendorRef") is None:
        raise missing("VendorRef")
    return company.require("Vendor", body["VendorRef"])


def _payable(company: QuickBooks, body: Json) -> Json:
    reference = body.get("APAccountRef") or {"value": company.named("Account", "Accounts Payable (A/P)")["Id"]}
    account = account_of(company, reference, ("Accounts Payable",), "APAccountRef")
    return {"value": account["Id"], "name": account["FullyQualifiedName"]}


def _paid_party(company: QuickBooks, body: Json) -> Json | None:
    reference = body.get("EntityRef")
    if reference is None:
        return None
    entity = reference.get("type", "Vendor")
    if entity not in ("Vendor", "Customer", "Employee"):
        raise Refusal("2170", f"Invalid Enumeration : {entity}", "EntityRef")
    party = company.require(entity, reference)
    return party if "CurrencyRef" in party else None


def _finish_expense(company: QuickBooks, body: Json, content: Json) -> None:
    for key in ("PaymentType", "AccountRef"):
        if body.get(key) is None:
            raise missing(key)
    account = account_of(company, body["AccountRef"], _PAYING_ACCOUNTS[body["PaymentType"]], "AccountRef")
    if body.get("Credit") and body["PaymentType"] != "CreditCard":
        raise Refusal("2600", "Conflicting elements : only a credit card can take a refund.", "Credit")
    content["PaymentType"] = body["PaymentType"]
    content["AccountRef"] = {"value": account["Id"], "name": account["FullyQualifiedName"]}
    content["Credit"] = bool(body.get("Credit"))
    content |= {key: body[key] for key in ("EntityRef", "PaymentMethodRef", "PaymentRefNum", "PrintStatus") if key in body}
