"""What an expense comes to: total, net and taxes; and the purchase tax code of its line.

An expense states its tax amounts; their percentages are informational and often missing. So the code is found by name,
and where the settings tell one name's rates apart (`VAT 20%`, `VAT 5%`), by the rate that explains the amount.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from fb_qbo_pipeline.freshbooks.records import Expense, ExpenseTax
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Code, Problem
from fb_qbo_pipeline.mapping.taxes import Side, find_code, keyed_rates, mapped_name
from fb_qbo_pipeline.mapping.text import cents, shown
from fb_qbo_pipeline.money import CENT, ZERO, total
from fb_qbo_pipeline.quickbooks.company import TaxCode
from fb_qbo_pipeline.settings.models import Expenses


@dataclass(frozen=True, slots=True)
class Purchase:
    """Amounts of a bill or vendor credit, in cents and positive: `total` = `net` + `tax`. `taxes`: (percent if known, amount)."""

    total: Decimal
    net: Decimal
    tax: Decimal
    taxes: tuple[tuple[Decimal | None, Decimal], ...]


def purchase(expense: Expense, *, with_tax: bool) -> Purchase | Problem:
    """The amounts of an expense, the sign taken off; `with_tax` False: the whole amount is net."""
    sign = -1 if expense.amount < 0 else 1
    whole = cents(expense.amount * sign)
    if not with_tax:
        return Purchase(whole, whole, ZERO, ())
    taxes = tuple((tax.percent, cents(tax.amount * sign)) for tax in expense.taxes)
    tax = total(amount for _, amount in taxes)
    if tax > whole or any(amount < 0 for _, amount in taxes):
        return Problem(
            Code.TOTAL_MISMATCH,
            f"the taxes of the expense ({tax}) do not fit its amount of {shown(whole, expense.currency)}, which includes them",
            "correct the amount or the taxes of the expense in FreshBooks, then retry",
        )
    return Purchase(whole, whole - tax, tax, taxes)


def purchase_code(expense: Expense, amounts: Purchase, expenses: Expenses, context: Context) -> TaxCode | Problem:
    """The purchase tax code for the taxes of an expense."""
    taxes = expense.taxes
    if mapped_name(taxes, expenses.taxes) is None:
        taxes = tuple(_with_percent(tax, amounts.net, expenses) for tax in taxes)
    return find_code(taxes, Side.PURCHASE, context)


def _with_percent(tax: ExpenseTax, net: Decimal, expenses: Expenses) -> ExpenseTax:
    """The tax with the one percentage among the settings' keys that explains its amount to the cent, if it has none."""
    if tax.percent is not None:
        return tax
    fitting = [rate for rate in keyed_rates(tax.name, expenses.taxes) if abs(net * rate / 100 - abs(tax.amount)) <= CENT]
    return replace(tax, percent=fitting[0]) if len(fitting) == 1 else tax
