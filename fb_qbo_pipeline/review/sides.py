"""A document as each side has it, line by line: number, customer or vendor, lines, taxes, totals. Texts, from what was stored.

FreshBooks' side is the record as it was last read; QuickBooks' the whole transaction as it answered the last write.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from fb_qbo_pipeline.freshbooks.fields import BadRecord
from fb_qbo_pipeline.freshbooks.parsing import parse_expense, parse_invoice, parse_payment
from fb_qbo_pipeline.freshbooks.records import Expense, Invoice, Payment
from fb_qbo_pipeline.mapping.documents import Json, Source
from fb_qbo_pipeline.money import ZERO, round_half_up
from fb_qbo_pipeline.posting.verify import money
from fb_qbo_pipeline.review.words import Amount

Names = Mapping[str, str]  # by id


def freshbooks_side(source: str, payload: Json, label: str, party: str, categories: Names) -> list[str]:
    """The record; `label` and `party` are what the mapping calls it. One that cannot be read is told with its reason."""
    try:
        if source == Source.INVOICE:
            return list(_invoice(parse_invoice(payload), party))
        if source == Source.PAYMENT:
            return list(_payment(parse_payment(payload), label, party))
        return list(_expense(parse_expense(payload), party, categories))
    except BadRecord as bad:
        return [f"cannot be read: {bad.message}"]


def _invoice(invoice: Invoice, party: str) -> Iterator[str]:
    due = f", due {invoice.due_date}" if invoice.due_date is not None else ""
    yield f"number {invoice.number or 'none'}, {party}, dated {invoice.date}{due}, {invoice.status.replace('_', ' ')}"
    for line in invoice.lines:
        taxes = "".join(f", {tax.name} {_plain(tax.percent)}%" for tax in line.taxes)
        amount = f"{_plain(line.quantity)} × {line.unit_cost:,} = {round_half_up(line.amount):,}"
        yield f"· {_name(line.name, line.description)}: {amount}{taxes}"
    if invoice.discount_total:
        yield f"· discount: {round_half_up(invoice.discount_total):,}"
    tax = invoice.amount - sum((line.amount for line in invoice.lines), ZERO) - invoice.discount_total
    outstanding = round_half_up(invoice.outstanding)
    yield f"total {Amount(invoice.amount, invoice.currency)}, of it tax {round_half_up(tax):,}; open {outstanding:,}"


def _payment(payment: Payment, label: str, party: str) -> Iterator[str]:
    of = f" of invoice {label}" if payment.invoice_id is not None else ""
    how = "a FreshBooks credit is applied, no cash" if payment.from_credit else f"by {payment.method or 'an unknown method'}"
    yield f"payment{of}, {party}, dated {payment.date}, {how}"
    yield f"total {Amount(payment.amount, payment.currency)}"


def _expense(expense: Expense, party: str, categories: Names) -> Iterator[str]:
    category = categories.get(str(expense.category_id)) or f"category id {expense.category_id}"
    yield f"{party or 'no vendor'}, dated {expense.date}, {category}"
    for tax in expense.taxes:
        percent = f" {_plain(tax.percent)}%" if tax.percent is not None else ""
        yield f"· {tax.name}{percent}: {round_half_up(tax.amount):,}"
    yield f"total {Amount(expense.amount, expense.currency)}, taxes included"


def quickbooks_side(entity: Json, codes: Names) -> list[str]:
    """The transaction; `codes` are the tax codes' names."""
    return list(_transaction(entity, codes))


def _transaction(entity: Json, codes: Names) -> Iterator[str]:
    party = _ref(entity.get("CustomerRef") or entity.get("VendorRef"))
    number = entity.get("DocNumber")
    due = f", due {entity['DueDate']}" if entity.get("DueDate") else ""
    account = f", into {_ref(entity.get('DepositToAccountRef'))}" if entity.get("DepositToAccountRef") else ""
    yield f"{f'number {number}, ' if number else ''}{party}, dated {entity.get('TxnDate')}{due}{account}"
    for line in entity.get("Line") or ():
        if line.get("DetailType") != "SubTotalLineDetail":
            yield "· " + _line(line, codes)
    for tax in (entity.get("TxnTaxDetail") or {}).get("TaxLine") or ():
        detail = tax.get("TaxLineDetail") or {}
        rate = _ref(detail.get("TaxRateRef"))
        percent = f" {_plain(money(detail, 'TaxPercent'))}%" if detail.get("TaxPercent") is not None else ""
        yield f"· tax {rate}{percent}: {money(tax, 'Amount'):,}"
    currency = str((entity.get("CurrencyRef") or {}).get("value") or "")
    taxes = f", of it tax {money(entity, 'TxnTaxDetail', 'TotalTax'):,}" if "TxnTaxDetail" in entity else ""
    balance = f"; open {money(entity, 'Balance'):,}" if "Balance" in entity else ""
    unapplied = f"; unapplied {money(entity, 'UnappliedAmt'):,}" if money(entity, "UnappliedAmt") else ""
    yield f"total {Amount(money(entity, 'TotalAmt'), currency)}{taxes}{balance}{unapplied}"


def _line(line: Json, codes: Names) -> str:
    amount = f"{money(line, 'Amount'):,}"
    linked = [f"{one.get('TxnType')} id {one.get('TxnId')}" for one in line.get("LinkedTxn") or ()]
    if linked:
        return f"settles {', '.join(linked)}: {amount}"
    detail = line.get(str(line.get("DetailType"))) or {}
    what = _ref(detail.get("ItemRef") or detail.get("AccountRef")) if detail.get("ItemRef") or detail.get("AccountRef") else ""
    name = ": ".join(dict.fromkeys(text for text in (what, " ".join(str(line.get("Description") or "").split())) if text))
    code = str((detail.get("TaxCodeRef") or {}).get("value") or "")
    tax = f", tax code {codes.get(code, code)}" if code else ""
    if detail.get("Qty") is not None and detail.get("UnitPrice") is not None:
        amount = f"{_plain(money(detail, 'Qty'))} × {money(detail, 'UnitPrice'):,} = {amount}"
    return f"{name or 'line'}: {amount}{tax}"


def _ref(reference: Any) -> str:
    """What a reference names; its id where QuickBooks has sent no name."""
    values = reference if isinstance(reference, dict) else {}
    return str(values.get("name") or f"id {values.get('value')}") if values else "nobody"


def _name(name: str, description: str) -> str:
    return " ".join((name or description or "line").split())


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
