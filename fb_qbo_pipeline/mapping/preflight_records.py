"""What FreshBooks' own records hold that the mapping will stumble on: product names that repeat, categories nobody mapped,
payment methods that somebody has misspelt.
"""

from collections.abc import Collection, Iterable
from difflib import get_close_matches

from fb_qbo_pipeline.freshbooks.records import Item, VisState
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.deposits import same_method
from fb_qbo_pipeline.mapping.expense_lines import category_label, map_category, mapped_account
from fb_qbo_pipeline.mapping.findings import Finding
from fb_qbo_pipeline.quickbooks.company import fold
from fb_qbo_pipeline.settings.models import Payments

_ALIKE = 0.8  # of difflib's measure: “Pay-Pall” is PayPal, “Debit Card” is no “Credit Card”


def duplicate_products(items: Iterable[Item]) -> list[Finding]:
    """Active FreshBooks products of one name: invoice lines name their product by text only and cannot tell them apart."""
    named: dict[str, list[Item]] = {}
    for item in items:
        if item.vis_state is VisState.ACTIVE:
            named.setdefault(" ".join(item.name.split()), []).append(item)
    return [
        Finding(
            "sales.products",
            f"FreshBooks has {len(members)} products called “{members[0].name}” (ids {', '.join(str(item.id) for item in members)})",
            "give each of them a name of its own in FreshBooks: names must be unique for matching",
            fatal=False,
        )
        for members in named.values()
        if len(members) > 1
    ]


def similar_products(items: Iterable[Item]) -> list[Finding]:
    """Active FreshBooks products whose names differ in case only: a line's exact spelling decides, but QuickBooks has one name for all."""
    named: dict[str, dict[str, Item]] = {}
    for item in items:
        if item.vis_state is VisState.ACTIVE:
            named.setdefault(fold(item.name), {}).setdefault(" ".join(item.name.split()), item)
    return [
        Finding(
            "sales.products",
            f"the FreshBooks products {' and '.join(f'“{name}”' for name in members)} differ in case only. A line's exact spelling decides "
            f"which is meant; {_in_quickbooks(members.values())}",
            "give each of them a name of its own in FreshBooks, or keep one of them",
            fatal=False,
        )
        for members in named.values()
        if len(members) > 1
    ]


def _in_quickbooks(items: Collection[Item]) -> str:
    skus = {fold(item.sku) or fold(item.name) for item in items}
    if len(skus) == 1:
        return "in QuickBooks, which compares names without case, they are one item"
    return "in QuickBooks, which compares names without case, they are told apart by their SKUs"


def misspelt_methods(payments: Payments, used: Collection[str]) -> list[Finding]:
    """Methods of `by_method` that no payment has, where payments have a similar one: their money goes to the default account."""
    unnamed = {method.casefold(): method for method in sorted(used) if not any(same_method(method, key) for key in payments.by_method)}
    findings = []
    for key in payments.by_method:
        if any(same_method(key, method) for method in used):
            continue
        for found in get_close_matches(key.casefold(), unnamed, n=1, cutoff=_ALIKE):
            meant = unnamed[found]
            message = f"no payment has the method “{key}”, but there are some with “{meant}”: they go to payments.deposit_account"
            findings.append(Finding(f"payments.by_method.{key}", message, f"write “{meant}: …” if that is what is meant", fatal=False))
    return findings


def unmapped_categories(context: Context, used: Iterable[int]) -> list[Finding]:
    """Expense categories of the ids in `used` (those of the expenses at hand) that have no account in the settings."""
    expenses = context.integration.expenses
    if expenses is None or expenses.lines == "product":
        return []
    categories = [context.categories[one] for one in dict.fromkeys(used) if one in context.categories]
    labels = [category_label(category, context) for category in categories if mapped_account(category, expenses, context) is None]
    return [
        Finding(
            f"expenses.categories.{label}",
            f"the FreshBooks category “{label}” is not mapped: expenses of it are held",
            map_category(label),
            fatal=False,
        )
        for label in labels
    ]
