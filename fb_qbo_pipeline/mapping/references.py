"""Names in the settings → QuickBooks ids, or the problem that keeps a document back.

The preflight finds most of these before anything is mapped; they are checked for each document all the same, because a
bookkeeper may rename, retype or make something inactive between the preflight and the posting.
"""

from dataclasses import dataclass
from typing import TypeVar

from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Code, Problem
from fb_qbo_pipeline.quickbooks.company import Named

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class AccountUse:
    """What an account is used for, in words, and the AccountType values that QuickBooks takes (`refuses`: does not take) there."""

    words: str
    types: frozenset[str] = frozenset()
    refuses: frozenset[str] = frozenset()

    def takes(self, account_type: str) -> bool:
        """Whether an account of this type may be used."""
        return account_type in self.types if self.types else account_type not in self.refuses

    @property
    def wanted(self) -> str:
        """The rule in words: "of type Bank or Other Current Asset"."""
        if self.types:
            return "of type " + " or ".join(sorted(self.types))
        return "not of type " + " or ".join(sorted(self.refuses))


DEPOSIT = AccountUse("payments", types=frozenset({"Bank", "Other Current Asset"}))  # otherwise fault 6430
EXPENSE_LINE = AccountUse("expenses", refuses=frozenset({"Accounts Receivable", "Accounts Payable", "Non-Posting"}))
ITEM_INCOME = AccountUse("the income of items", types=frozenset({"Income", "Other Income"}))
ITEM_EXPENSE = AccountUse("the cost of items", types=frozenset({"Expense", "Other Expense", "Cost of Goods Sold"}))
INVENTORY_INCOME = AccountUse("the income of inventory items", types=frozenset({"Income"}))
INVENTORY_EXPENSE = AccountUse("the cost of inventory items", types=frozenset({"Cost of Goods Sold"}))
INVENTORY_ASSET = AccountUse("the stock of inventory items", types=frozenset({"Other Current Asset"}))


class Problems(list[Problem]):
    """Problems as they are collected: a document shows all that is wrong with it at once."""

    def take(self, result: _T | Problem) -> _T | None:
        """The value of a result; a problem is kept and gives None."""
        if isinstance(result, Problem):
            if result not in self:
                self.append(result)
            return None
        return result


def find_account(name: str, setting: str, use: AccountUse, context: Context, missing: Code = Code.INACTIVE_REFERENCE) -> str | Problem:
    """The id of the account named `name` in `setting`, if it may be used so; `missing` is the code if there is none."""
    account = context.company.account(name)
    if account is None:
        return Problem(missing, f"QuickBooks has no account “{name}”", f"name an existing account in {setting}, or create it in QuickBooks")
    if not account.active:
        return inactive("account", name, setting)
    if not use.takes(account.type):
        return Problem(
            Code.WRONG_ACCOUNT_TYPE,
            f"the account “{name}” is of type {account.type} and cannot be used for {use.words}",
            f"name an account {use.wanted} in {setting}",
        )
    return account.id


def find_class(name: str, setting: str, context: Context) -> str | Problem:
    """The id of a class."""
    return _member(context.company.class_named(name), "class", name, setting)


def find_location(name: str, setting: str, context: Context) -> str | Problem:
    """The id of a location (QuickBooks' Department)."""
    return _member(context.company.location(name), "location", name, setting)


def inactive(kind: str, name: str, setting: str) -> Problem:
    """The problem of a reference to something that is inactive in QuickBooks."""
    return Problem(
        Code.INACTIVE_REFERENCE,
        f"the {kind} “{name}” is inactive in QuickBooks",
        f"make it active in QuickBooks, or name another one in {setting}",
    )


def _member(member: Named | None, kind: str, name: str, setting: str) -> str | Problem:
    if member is None:
        remedy = f"name an existing {kind} in {setting}, or create it in QuickBooks"
        return Problem(Code.INACTIVE_REFERENCE, f"QuickBooks has no {kind} “{name}”", remedy)
    return member.id if member.active else inactive(kind, name, setting)
