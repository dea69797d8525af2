"""A FreshBooks payment → a QuickBooks payment, linked to the invoice that it pays.

FreshBooks' payments of one invoice are applied in the order of their dates, each up to what the earlier ones left open:
QuickBooks refuses a line above the invoice's balance. What is paid too much stays on the customer as unapplied, whether
FreshBooks keeps it in the payment or, as a second payment that funds a credit, beside it. The list of lines is always sent,
also an empty one: a sparse update without it would leave an earlier link in place.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from fb_qbo_pipeline.freshbooks.records import Invoice, Payment, VisState
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.deposits import deposit_account
from fb_qbo_pipeline.mapping.documents import Code, Document, Entity, Json, Mapped, Outcome, Problem, Source
from fb_qbo_pipeline.mapping.headers import header, period_problem, ref
from fb_qbo_pipeline.mapping.outcomes import blocking, decide, guarded, held
from fb_qbo_pipeline.mapping.references import Problems
from fb_qbo_pipeline.mapping.scope import payment_scope
from fb_qbo_pipeline.mapping.text import cents, legal_name, shown
from fb_qbo_pipeline.money import ZERO


def map_payment(payment: Payment, invoice: Invoice | None, siblings: Sequence[Payment], sale: Mapped | None, context: Context) -> Mapped:
    """Decide about a payment.

    A payment that funds a credit with what was paid beyond an invoice (`overpaid`) is decided about with that invoice.
    `sale` is the decision about its invoice, None where it has none, or where it does not exist in FreshBooks. `invoice` is
    None then, and where the invoice cannot be read.
    `siblings` are all payments of the invoice that are not deleted, in any order, this one included or not.
    """
    base = Mapped(
        source=Source.PAYMENT,
        source_id=payment.id,
        outcome=Outcome.OUT_OF_SCOPE,
        date=payment.date,
        amount=payment.amount,
        currency=payment.currency,
        label=sale.label if sale is not None else str(payment.id),
        party=sale.party if sale is not None else _client_name(payment, context),
    )
    return guarded(base, lambda: _decided(base, payment, invoice, siblings, sale, context))


def _decided(
    base: Mapped, payment: Payment, invoice: Invoice | None, siblings: Sequence[Payment], sale: Mapped | None, context: Context
) -> Mapped:
    left_out = payment_scope(base, context.integration, payment.vis_state, payment.amount, sale, of_no_invoice=payment.invoice_id is None)
    if left_out is not None:
        return left_out
    if sale is None:
        return held(base, _without_invoice(payment))
    if invoice is None or sale.document is None or not _may_stand(sale):
        return held(base, _waiting(sale))
    problems = _conditions(payment, invoice, context)
    settings = context.integration.payments
    assert settings is not None, "payments that are off are out of scope"
    account = problems.take(deposit_account(payment, settings, context))
    document = _document(payment, invoice, siblings, sale.document, account, context) if account is not None else None
    return decide(base, document, problems)


def overpaid(payment: Payment, others: Iterable[Payment]) -> Payment | None:
    """The payment of an invoice whose surplus `payment` is, where it is one."""
    if payment.invoice_id is not None or payment.credit_id is None or payment.from_credit:
        return None
    deleted_too = payment.vis_state is VisState.DELETED
    return next((o for o in others if o.overpayment_id == payment.credit_id and (o.vis_state is VisState.DELETED) <= deleted_too), None)


def open_before(payment: Payment, siblings: Sequence[Payment], amount: Decimal) -> Decimal:
    """What the payments before this one (by date, then id) leave open of an invoice of `amount`; never below zero."""
    earlier = {other.id: other for other in siblings if (other.date, other.id) < (payment.date, payment.id) and other.id != payment.id}
    paid = sum((max(cents(other.amount), ZERO) for other in earlier.values()), ZERO)
    return max(cents(amount) - paid, ZERO)


def _without_invoice(payment: Payment) -> Problem:
    if payment.invoice_id is not None:
        return Problem(
            Code.WAITING_FOR_INVOICE,
            f"the payment belongs to the FreshBooks invoice with id {payment.invoice_id}, which does not exist",
            "restore the invoice or delete the payment in FreshBooks, then retry",
        )
    return Problem(
        Code.CREDIT_WITHOUT_ACCOUNT,
        "the payment belongs to no invoice: in FreshBooks it funds a credit of the client (a prepayment)",
        "enter it in QuickBooks as a payment on account of the customer, and ignore this one",
    )


def _may_stand(sale: Mapped) -> bool:
    """Whether the invoice is, or may already be, in QuickBooks: one in a closed period may have been posted before it closed."""
    return sale.outcome is Outcome.DOCUMENT or (len(sale.problems) > 0 and not blocking(sale.problems))


def _waiting(sale: Mapped) -> Problem:
    codes = ", ".join(dict.fromkeys(problem.code.value for problem in sale.problems))
    return Problem(
        Code.WAITING_FOR_INVOICE,
        f"its invoice {sale.label} is held back" + (f" ({codes})" if codes else ""),
        "solve what holds the invoice; the payment follows by itself",
    )


def _conditions(payment: Payment, invoice: Invoice, context: Context) -> Problems:
    problems = Problems()
    if payment.amount < 0:
        problems.append(
            Problem(
                Code.NEGATIVE_AMOUNT,
                f"the payment is negative ({shown(payment.amount, payment.currency)}), which QuickBooks refuses",
                "enter it in QuickBooks as a refund receipt, and ignore this one",
            )
        )
    if payment.currency.upper() != invoice.currency.upper():
        problems.append(
            Problem(
                Code.CURRENCY_OFF,
                f"the payment is in {payment.currency.upper()}, but its invoice is in {invoice.currency.upper()}",
                "correct the payment in FreshBooks, then retry",
            )
        )
    period = period_problem(payment.date, context)
    problems.extend([period] if period is not None else [])
    return problems


def _document(payment: Payment, invoice: Invoice, siblings: Sequence[Payment], sale: Document, account: str, context: Context) -> Document:
    amount = cents(payment.amount)
    applied = min(amount, open_before(payment, siblings, invoice.amount)) if payment.invoice_id is not None else ZERO
    body: Json = {
        "CustomerRef": sale.body["CustomerRef"],
        "TotalAmt": amount,
        **header(context, Source.PAYMENT, payment.id, payment.date, invoice.currency),
        "DepositToAccountRef": ref(account),
        "Line": [{"Amount": applied, "LinkedTxn": [{"TxnId": f"@invoice/{invoice.id}", "TxnType": "Invoice"}]}] if applied > 0 else [],
    }
    unapplied = f"{shown(amount - applied, payment.currency)} are more than the invoice: they stay unapplied on the customer"
    return Document(
        source=Source.PAYMENT,
        source_id=payment.id,
        entity=Entity.PAYMENT,
        date=payment.date,
        number=None,
        currency=invoice.currency.upper(),
        total=amount,
        tax=ZERO,
        body=body,
        parties=sale.parties,
        requires_invoice=invoice.id,
        notes=(unapplied,) if applied < amount else (),
    )


def _client_name(payment: Payment, context: Context) -> str:
    client = context.clients.get(payment.client_id) if payment.client_id is not None else None
    if client is None:
        return ""
    return legal_name(client.organization) or legal_name(f"{client.first_name} {client.last_name}") or client.email
