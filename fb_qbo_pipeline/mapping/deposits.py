"""Which account receives a payment: the clearing account of its method, the default, or the credit account.

An applied FreshBooks credit moves no cash: it may not reach a bank or clearing account, only the account set for credits.
With multicurrency an account has one currency, and money of another cannot be deposited there, except that QuickBooks
converts foreign money into an account of the home currency.
"""

import re
from collections.abc import Sequence

from fb_qbo_pipeline.freshbooks.records import Payment
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Code, Problem
from fb_qbo_pipeline.mapping.references import DEPOSIT, find_account
from fb_qbo_pipeline.quickbooks.company import fold
from fb_qbo_pipeline.settings.models import Payments

_NO_LETTER = re.compile(r"[\W_]+")


def deposit_account(payment: Payment, payments: Payments, context: Context) -> str | Problem:
    """The id of the account that receives `payment`, of a type and a currency that can take it."""
    chosen = chosen_account(payment, payments)
    if isinstance(chosen, Problem):
        return chosen
    name, setting = chosen
    return _for_money(name, setting, payment.currency, context)


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


def chosen_account(payment: Payment, payments: Payments) -> tuple[str, str] | Problem:
    """The account's name and the setting that it comes from.

    Methods are compared without case, and where none is equal, by letters and digits alone: FreshBooks' own spellings of
    one method differ by where it was entered ("Credit Card", "credit_card"; "2Checkout").
    """
    if payment.from_credit:
        if payments.credit_account is not None:
            return payments.credit_account, "payments.credit_account"
        return Problem(
            Code.CREDIT_WITHOUT_ACCOUNT,
            "the payment applies a FreshBooks credit: no cash was received, and no account is set for it",
            "set payments.credit_account to the account in which customers' credits are kept, then retry",
        )
    for spelling in (fold, _letters):
        method = spelling(payment.method)
        for name, account in payments.by_method.items():
            if method and spelling(name) == method:
                return account, f"payments.by_method.{name}"
    return payments.deposit_account, "payments.deposit_account"


def same_method(one: str, other: str) -> bool:
    """Whether two spellings are of one payment method."""
    return fold(one) == fold(other) or _letters(one) == _letters(other) != ""


def _letters(method: str) -> str:
    return _NO_LETTER.sub("", method).casefold()


def _for_money(name: str, setting: str, currency: str, context: Context) -> str | Problem:
    found = find_account(name, setting, DEPOSIT, context)
    if isinstance(found, Problem) or not context.company.preferences.multicurrency:
        return found
    account = context.company.account(name)
    assert account is not None, "an account that was found exists"
    home = context.company.preferences.home_currency.upper()
    if (account.currency or home) in {home, currency.upper()}:
        return found
    return Problem(
        Code.CURRENCY_OFF,
        f"the account “{name}” is kept in {account.currency} and cannot take a payment in {currency.upper()}",
        f"name an account in {currency.upper()} or in {home} in {setting}",
    )
