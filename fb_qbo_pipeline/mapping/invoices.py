"""A FreshBooks invoice → a QuickBooks invoice or sales receipt, equal to the cent.

The rules are in modules of their own; here they are put together: scope, conditions, customer, lines, discount, rounding,
tax, and a last check that the document adds up to FreshBooks' total.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fb_qbo_pipeline.freshbooks.records import Address, Invoice, Payment
from fb_qbo_pipeline.mapping.charges import Charged, charged
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.deposits import receipt_account
from fb_qbo_pipeline.mapping.discounts import discount_lines
from fb_qbo_pipeline.mapping.documents import Code, Document, Entity, ItemRequest, Json, Mapped, Outcome, Problem, Source
from fb_qbo_pipeline.mapping.due_dates import due_date
from fb_qbo_pipeline.mapping.headers import currency_problem, header, numbering, period_problem, ref
from fb_qbo_pipeline.mapping.lines import SalesLine, sales_lines
from fb_qbo_pipeline.mapping.outcomes import blocking, decide, guarded
from fb_qbo_pipeline.mapping.parties import client_name, contact, customer_request, issued_to, postal_address, reference
from fb_qbo_pipeline.mapping.placement import Placement, placement
from fb_qbo_pipeline.mapping.references import Problems
from fb_qbo_pipeline.mapping.rounding import rounding_lines
from fb_qbo_pipeline.mapping.sales_tax import first_is_compound, line_references, rounding_reference, sales_codes, tax_fields
from fb_qbo_pipeline.mapping.scope import invoice_scope
from fb_qbo_pipeline.mapping.text import cents, legal_text, shown
from fb_qbo_pipeline.mapping.unreadable import list_problem
from fb_qbo_pipeline.money import ZERO, total
from fb_qbo_pipeline.settings.models import Sales

_MEMO_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the rules gave for one invoice."""

    sums: Charged
    lines: list[SalesLine]
    items: list[ItemRequest]
    tax: Json
    placement: Placement
    deposit: str | None


def map_invoice(invoice: Invoice, payments: Sequence[Payment], context: Context) -> Mapped:
    """Decide about an invoice. `payments` are all its payments that are not deleted, in any order."""
    base = Mapped(
        source=Source.INVOICE,
        source_id=invoice.id,
        outcome=Outcome.OUT_OF_SCOPE,
        date=invoice.date,
        amount=invoice.amount,
        currency=invoice.currency,
        label=invoice.number or str(invoice.id),
        party=client_name(invoice, context),
    )
    return guarded(base, lambda: _decided(base, invoice, payments, context))


def _decided(base: Mapped, invoice: Invoice, payments: Sequence[Payment], context: Context) -> Mapped:
    left_out = invoice_scope(base, context.integration, invoice.vis_state, invoice.status)
    if left_out is not None:
        return left_out
    sales = context.integration.sales
    assert sales is not None, "sales that are off are out of scope"
    problems = _conditions(invoice, sales, context)
    parts = _parts(invoice, payments, sales, context, problems)
    document = None if blocking(problems) else _document(invoice, sales, context, parts)
    return decide(base, document, problems)


def _conditions(invoice: Invoice, sales: Sales, context: Context) -> Problems:
    problems = Problems()
    if invoice.amount < 0:
        problems.append(
            Problem(
                Code.NEGATIVE_AMOUNT,
                f"the invoice's total is negative ({shown(invoice.amount, invoice.currency)}), which QuickBooks refuses",
                "enter it in QuickBooks as a credit memo or refund, and ignore this one",
            )
        )
    if sales.post_as == "sales_receipt" and (invoice.outstanding != 0 or invoice.amount != invoice.paid):
        problems.append(
            Problem(
                Code.NOT_PAID_IN_FULL,
                f"{shown(invoice.outstanding, invoice.currency)} are still open, and only invoices paid in full become sales receipts",
                "nothing, if it will be paid: it is posted then; or post as invoices (sales.post_as: invoice)",
            )
        )
    client = context.unreadable_record("client", invoice.client_id)
    if client is not None:
        problems.append(list_problem(client, "its client"))
    for problem in (currency_problem(invoice.currency, context), period_problem(invoice.date, context)):
        if problem is not None:
            problems.append(problem)
    return problems


def _parts(invoice: Invoice, payments: Sequence[Payment], sales: Sales, context: Context, problems: Problems) -> _Parts:
    """Apply the rules one after the other; `problems` collects what is wrong."""
    sums = charged(invoice, first_is_compound(invoice, context))
    codes = sales_codes(invoice, sums, context, problems)
    references = line_references([line.taxes for line in invoice.lines], codes, context)
    lines, items = sales_lines(invoice, sales, references, context, problems)
    lines.extend(problems.take(discount_lines(invoice, lines, sales, context)) or [])
    rounding_code = rounding_reference(lines, context)
    lines.extend(problems.take(rounding_lines(sums, rounding_code, invoice.currency, sales, context)) or [])
    where = placement(sales.class_, sales.location, "sales", context, problems)
    deposit = None
    if sales.post_as == "sales_receipt" and context.integration.payments is not None:
        deposit = problems.take(receipt_account(payments, context.integration.payments, context))
    # a line that could not be mapped is missing, and with it perhaps the only base of a tax
    tax: Json = {} if blocking(problems) else tax_fields(lines, codes, sums, invoice, context)
    if not blocking(problems):
        problems.extend(_sum_problems(lines, tax, sums, invoice.currency))
    return _Parts(sums, lines, items, tax, where, deposit)


def _sum_problems(lines: Sequence[SalesLine], tax: Json, sums: Charged, currency: str) -> list[Problem]:
    """The last check: lines and tax of the document, as QuickBooks will add them, against FreshBooks' total."""
    posted_tax = tax.get("TxnTaxDetail", {}).get("TotalTax", ZERO)
    reached = total(line.amount for line in lines) + posted_tax
    if reached == sums.amount and posted_tax == sums.tax:
        return []
    return [
        Problem(
            Code.TOTAL_MISMATCH,
            f"FreshBooks' total is {shown(sums.amount, currency)} with a tax of {sums.tax}, but the QuickBooks document"
            f" would come to {shown(reached, currency)} with a tax of {posted_tax}",
            "check the invoice's lines, discount and taxes in FreshBooks, then retry",
        )
    ]


def _document(invoice: Invoice, sales: Sales, context: Context, parts: _Parts) -> Document:
    as_invoice = sales.post_as == "invoice"
    customer = customer_request(invoice, sales, context)
    number, remark = numbering(Source.INVOICE, sales.number_prefix, invoice.number or str(invoice.id), auto_number=sales.auto_number)
    body: Json = {
        "CustomerRef": ref(reference(customer)),
        **({"DocNumber": number} if number is not None else {}),
        **header(context, Source.INVOICE, invoice.id, invoice.date, invoice.currency, remark),
        **(_invoice_fields(invoice, sales) if as_invoice else {}),
        **({"DepositToAccountRef": ref(parts.deposit)} if parts.deposit is not None else {}),
        **parts.placement.header,
        **_customer_fields(invoice, sales, context),
        "PrintStatus": "NotSet",
        "Line": [line.body(parts.placement.line_class) for line in parts.lines],
        **parts.tax,
    }
    notes = [customer.note] if customer.note else []
    if parts.sums.residue:
        notes.append(f"a rounding difference of {shown(parts.sums.residue, invoice.currency)} is on the rounding product")
    with_balance = as_invoice and context.integration.payments is not None
    return Document(
        source=Source.INVOICE,
        source_id=invoice.id,
        entity=Entity.INVOICE if as_invoice else Entity.SALES_RECEIPT,
        date=invoice.date,
        number=number,
        currency=invoice.currency.upper(),
        total=parts.sums.amount,
        tax=parts.sums.tax,
        body=body,
        balance=max(cents(invoice.outstanding), ZERO) if with_balance else None,
        parties=(customer,),
        items=tuple(parts.items),
        notes=tuple(notes),
    )


def _invoice_fields(invoice: Invoice, sales: Sales) -> Json:
    """Keys that sales receipts do not have. Card payment is only sent to allow it: an explicit no would override the company's default."""
    fields: Json = {"DueDate": due_date(invoice.due_date, invoice.date, sales.due_date).isoformat()}
    if sales.allow_credit_card:
        fields["AllowOnlineCreditCardPayment"] = True
    return fields


def _customer_fields(invoice: Invoice, sales: Sales, context: Context) -> Json:
    """The e-mail address; and where all sales are on one generic customer, who the client was and where they live."""
    fields: Json = {}
    email = contact(invoice, context).email
    if email:
        fields["BillEmail"] = {"Address": email}
    if sales.customer == "generic":
        # The invoice keeps the name and the address that it was issued to.
        fields["CustomerMemo"] = ref(legal_text(issued_to(invoice, context), _MEMO_LENGTH))
        client = context.clients.get(invoice.client_id)
        known = invoice.address if invoice.address != Address() or client is None else client.address
        address = postal_address(known)
        if address:
            fields["BillAddr"] = address
    return fields
