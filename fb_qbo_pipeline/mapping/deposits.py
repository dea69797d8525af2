"""Which account receives a payment: the clearing account of its method, the default, or the credit account.

An applied FreshBooks credit moves no cash: it may not reach a bank or clearing account, only the account set for credits.
"""

from collections.abc import Sequence

from fb_qbo_pipeline.freshbooks.records import Payment
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Code, Problem
from fb_qbo_pipeline.mapping.references import DEPOSIT, find_account
from fb_qbo_pipeline.quickbooks.company import fold
from fb_qbo_pipeline.settings.models import Payments


def deposit_account(payment: Payment, payments: Payments, context: Context) -> str | Problem:
    """The id of the account that receives `payment`; methods are compared without case."""
    chosen = _chosen(payment, payments)
    if isinstance(chosen, Problem):
        return chosen
    name, setting = chosen
    return find_account(name, setting, DEPOSIT, context)


def receipt_account(invoice_payments: Sequence[Payment], payments: Payments, context: Context) -> str | Problem:
    """The one account of a sales receipt: that of all its payments; the default account for a receipt of nothing."""
    received = [payment for payment in invoice_payments if payment.amount > 0]
    if not received:
        return find_account(payments.deposit_account, "payments.deposit_account", DEPOSIT, context)
    accounts: dict[str, str] = {}
    for payment in sorted(received, key=lambda payment: (payment.date, payment.id)):
        account = deposit_account(payment, payments, context)
        if isinstance(account, Problem):
            return account
        accounts.setdefault(account, payment.method or "no method")
    if len(accounts) == 1:
        return next(iter(accounts))
    return Problem(
        Code.SEVERAL_DEPOSIT_ACCOUNTS,
        f"the payments ({', '.join(accounts.values())}) go to different accounts, but a sales receipt has only one",
        "send these methods to one account in payments.by_method, or post as invoices (sales.post_as: invoice)",
    )


def _chosen(payment: Payment, payments: Payments) -> tuple[str, str] | Problem:
    """The account's name and the setting that it comes from."""
    if payment.from_credit:
        if payments.credit_account is not None:
            return payments.credit_account, "payments.credit_account"
        return Problem(
            Code.CREDIT_WITHOUT_ACCOUNT,
            "the payment applies a FreshBooks credit: no cash was received, and no account is set for it",
            "set payments.credit_account to the account in which customers' credits are kept, then retry",
        )
    method = fold(payment.method)
    for name, account in payments.by_method.items():
        if fold(name) == method:
            return account, f"payments.by_method.{name}"
    return payments.deposit_account, "payments.deposit_account"
