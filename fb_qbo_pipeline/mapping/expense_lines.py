"""What the line of a bill refers to: the account mapped to the expense's category, or the item named after it."""

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal

from fb_qbo_pipeline.freshbooks.records import Category, Expense
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Code, ItemRequest, Json, Problem
from fb_qbo_pipeline.mapping.lines import ONE
from fb_qbo_pipeline.mapping.products import expense_product
from fb_qbo_pipeline.mapping.references import EXPENSE_LINE, find_account
from fb_qbo_pipeline.mapping.unreadable import list_problem
from fb_qbo_pipeline.quickbooks.company import fold
from fb_qbo_pipeline.settings.models import Expenses

_SLASH = re.compile(r"\s*/\s*")


@dataclass(frozen=True, slots=True)
class ExpenseTarget:
    """Account or item of a bill line: `reference` is an id, or "@item/<key>" with the `request` that finds or creates it."""

    reference: str
    is_item: bool
    request: ItemRequest | None = None

    def body(self, description: str, amount: Decimal, code: str | None, class_id: str | None) -> Json:
        """The bill line; `code` is its TaxCodeRef and `class_id` its class, None for none."""
        detail: Json = {"AccountRef": {"value": self.reference}}
        if self.is_item:
            detail = {"ItemRef": {"value": self.reference}, "Qty": ONE, "UnitPrice": amount}
        if code is not None:
            detail["TaxCodeRef"] = {"value": code}
        if class_id is not None:
            detail["ClassRef"] = {"value": class_id}
        kind = "ItemBasedExpenseLineDetail" if self.is_item else "AccountBasedExpenseLineDetail"
        line: Json = {"Description": description} if description else {}
        return {**line, "Amount": amount, "DetailType": kind, kind: detail}


def category_label(category: Category, context: Context) -> str:
    """The category as the settings name it: `PARENT/CATEGORY`, or `CATEGORY` for a top one."""
    parent = _parent(category, context)
    return f"{parent.name.strip()}/{category.name.strip()}" if parent is not None else category.name.strip()


def mapped_key(category: Category, expenses: Expenses, context: Context) -> str | None:
    """The key under which the settings hold a category: `PARENT/CATEGORY` first, then `CATEGORY`."""
    normal = {_normal(key): key for key in expenses.categories}
    return normal.get(_normal(category_label(category, context))) or normal.get(_normal(category.name))


def mapped_account(category: Category, expenses: Expenses, context: Context) -> str | None:
    """The account that the settings give for a category."""
    key = mapped_key(category, expenses, context)
    return expenses.categories[key] if key is not None else None


def expense_target(expense: Expense, expenses: Expenses, day: dt.date, context: Context) -> ExpenseTarget | Problem:
    """The account or item of the expense's category, by `expenses.lines`."""
    category = context.categories.get(expense.category_id)
    parent = category.parent_id if category is not None else None
    unreadable = context.unreadable_record("category", parent if category is not None else expense.category_id)
    if unreadable is not None:
        return list_problem(unreadable, "its expense category" if category is None else "the parent of its expense category")
    if category is None:
        return Problem(
            Code.UNMAPPED_CATEGORY,
            f"FreshBooks has no expense category with the id {expense.category_id}",
            "choose a category for the expense in FreshBooks, then retry",
        )
    if expenses.lines == "product":
        product = expense_product(category, _parent(category, context), expenses, day, context)
        return product if isinstance(product, Problem) else ExpenseTarget(product.reference, True, product.request)
    label = category_label(category, context)
    name = mapped_account(category, expenses, context)
    if name is None:
        return Problem(Code.UNMAPPED_CATEGORY, f"the expense category “{label}” is not mapped to a QuickBooks account", map_category(label))
    account = find_account(name, f"expenses.categories.{label}", EXPENSE_LINE, context, Code.UNMAPPED_CATEGORY)
    return account if isinstance(account, Problem) else ExpenseTarget(account, False)


def map_category(label: str) -> str:
    """What to do about a category that is not mapped."""
    return f"add “{label}: NAME OF A QUICKBOOKS ACCOUNT” to expenses.categories"


def _parent(category: Category, context: Context) -> Category | None:
    return context.categories.get(category.parent_id) if category.parent_id is not None else None


def _normal(label: str) -> str:
    return _SLASH.sub("/", fold(label))
