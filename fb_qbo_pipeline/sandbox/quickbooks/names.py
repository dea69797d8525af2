"""Writes to lists: customers, vendors, employees, items, accounts, classes, locations, payment methods, terms.

Names are unique: customers, vendors and employees share one set of them, compared without case, and an inactive record
still holds its name unless the name carries the suffix that QuickBooks gives on making it inactive.
"""

import unicodedata
from collections.abc import Callable

from fb_qbo_pipeline.money import ZERO
from fb_qbo_pipeline.sandbox.quickbooks.documents import Draft, Posted
from fb_qbo_pipeline.sandbox.quickbooks.lines import account_of
from fb_qbo_pipeline.sandbox.quickbooks.lists import CURRENCIES
from fb_qbo_pipeline.sandbox.quickbooks.refusals import Json, Refusal, business, missing
from fb_qbo_pipeline.sandbox.quickbooks.state import classification
from fb_qbo_pipeline.sandbox.quickbooks.store import DELETED, NAMES, fold, space_of, unique_name

ACCOUNT_TYPES = frozenset(
    {
        "Bank",
        "Accounts Receivable",
        "Other Current Asset",
        "Fixed Asset",
        "Other Asset",
        "Accounts Payable",
        "Credit Card",
        "Other Current Liability",
        "Long Term Liability",
        "Equity",
        "Income",
        "Cost of Goods Sold",
        "Expense",
        "Other Income",
        "Other Expense",
        "Non-Posting",
    }
)
_SUB_TYPES = {"OfficeGeneralAdministrativeExpenses": "Expense", "ServiceFeeIncome": "Income", "Checking": "Bank"}
_NAME_KEYS = ("DisplayName", "GivenName", "FamilyName", "CompanyName", "Name")
_DOCUMENTED = " ,.?@&!#'~*_-;+()"  # beside letters and digits
_WHO = {
    "Item": "product or service",
    "Account": "account",
    "Class": "class",
    "Department": "location",
    "PaymentMethod": "payment method",
    "Term": "term",
}


def post_name(draft: Draft) -> Posted:
    """A list member from its draft; raises Refusal (2020, 6080, 6220, 6240, 6420, 6430…)."""
    content: Json = {key: value for key, value in draft.body.items() if key not in ("Id", "SyncToken", "sparse")}
    content["Active"] = bool(draft.body.get("Active", True))
    _RULES.get(draft.entity, _plain)(draft, content)
    if draft.company.plain_names_only:
        _documented_characters(content)
    if not content["Active"]:
        _make_inactive(draft, content)
    name = unique_name(draft.entity, content)
    holder = draft.company.holder(space_of(draft.entity), name) if name else None
    if holder not in (None, (draft.entity, draft.row_id)):
        raise _taken(draft.entity)
    return Posted(content)


def _taken(entity: str) -> Refusal:
    who = "customer, vendor or employee" if entity in NAMES else _WHO[entity]
    detail = f"The name supplied already exists. : Another {who} is already using this \nname. Please use a different name."
    return Refusal("6240", detail)


def _documented_characters(content: Json) -> None:
    for key in _NAME_KEYS:
        for character in content.get(key, ""):
            if ord(character) > 0xFFFF or not (unicodedata.category(character)[0] in "LMN" or character in _DOCUMENTED):
                raise Refusal("2040", f"Invalid String : {key} holds characters that are not allowed", key)


def _make_inactive(draft: Draft, content: Json) -> None:
    if draft.previous and draft.previous.get("Balance"):
        raise Refusal("6220", "Delete Entity Has Balance : this name still has an open balance.")
    for key in ("DisplayName", "Name", "FullyQualifiedName"):
        if key in content and not fold(content[key]).endswith(DELETED):
            content[key] += DELETED


def _person(draft: Draft, content: Json) -> None:
    company, body = draft.company, draft.body
    if not content.get("DisplayName"):
        parts = [body[key] for key in ("Title", "GivenName", "MiddleName", "FamilyName", "Suffix") if body.get(key)]
        if not parts:
            raise Refusal("6080", "No Name Provided : a display name or a part of a name is required.", "DisplayName")
        content["DisplayName"] = " ".join(parts)
    if body.get("PreferredDeliveryMethod") == "Email" and not body.get("PrimaryEmailAddr"):
        raise Refusal("6420", "Email address is required for delivery by e-mail.", "PrimaryEmailAddr")
    content.setdefault("PrintOnCheckName", content.get("CompanyName") or content["DisplayName"])
    if draft.entity == "Employee":
        return
    content["Balance"] = draft.previous["Balance"] if draft.previous else ZERO
    # The currency is set once: an update that sends another one changes nothing.
    content["CurrencyRef"] = draft.previous["CurrencyRef"] if draft.previous else company.currency_ref(_currency(draft))
    if draft.entity == "Customer":
        parent = company.require("Customer", body["ParentRef"]) if body.get("ParentRef") else None
        prefix = f"{parent['FullyQualifiedName']}:" if parent else ""
        content["FullyQualifiedName"] = prefix + content["DisplayName"]
        content |= {"Job": bool(body.get("Job")), "BillWithParent": bool(body.get("BillWithParent")), "BalanceWithJobs": content["Balance"]}
        content.setdefault("Taxable", company.sales_tax)
        content.setdefault("PreferredDeliveryMethod", "None")


def _currency(draft: Draft) -> str:
    company = draft.company
    reference = draft.body.get("CurrencyRef")
    wanted = str(reference["value"]) if reference else company.home_currency
    if wanted == company.home_currency:
        return wanted
    if not company.multicurrency:
        raise business("Multicurrency is not turned on for this company.")
    if wanted not in CURRENCIES:
        raise Refusal("2220", f"Invalid Currency Type : {wanted}", "CurrencyRef")
    return company.home_currency if draft.entity == "Vendor" and company.vendors_in_home_currency else wanted


def _plain(draft: Draft, content: Json) -> None:
    if not content.get("Name"):
        raise missing("Name")
    if draft.entity == "Term":
        content["Type"] = "DATE_DRIVEN" if "DayOfMonthDue" in content else "STANDARD"
    if draft.entity in ("Class", "Department"):
        _in_tree(draft, content, {"Class": "SubClass", "Department": "SubDepartment"}[draft.entity])


def _in_tree(draft: Draft, content: Json, flag: str) -> None:
    parent = draft.company.require(draft.entity, content["ParentRef"]) if content.get("ParentRef") else None
    content["FullyQualifiedName"] = f"{parent['FullyQualifiedName']}:{content['Name']}" if parent else content["Name"]
    content[flag] = parent is not None


def _account(draft: Draft, content: Json) -> None:
    if not content.get("Name"):
        raise missing("Name")
    if '"' in content["Name"]:
        raise Refusal("2040", "Invalid String : an account's name holds no double quotes", "Name")
    kind = content.get("AccountType") or _SUB_TYPES.get(content.get("AccountSubType", ""))
    if kind is None:
        raise Refusal("6010", "Either the account's type or its subtype is required.", "AccountType")
    if kind not in ACCOUNT_TYPES:
        raise Refusal("2170", f"Invalid Enumeration : {kind}", "AccountType")
    content |= {"AccountType": kind, "Classification": classification(kind), "CurrentBalance": ZERO}
    content.setdefault("CurrencyRef", draft.company.currency_ref(draft.company.home_currency))
    _in_tree(draft, content, "SubAccount")


def _item(draft: Draft, content: Json) -> None:
    company = draft.company
    if not content.get("Name"):
        raise missing("Name")
    kind = content.get("Type") or (draft.previous or {}).get("Type")
    if kind is None:
        raise missing("Type")
    content["Type"] = kind
    _in_tree(draft, content, "SubItem")
    if kind == "Category":
        return
    _item_accounts(draft, content, kind)
    for key in ("SalesTaxCodeRef", "PurchaseTaxCodeRef"):
        if key in content:
            company.require("TaxCode", content[key])
    content.setdefault("Taxable", company.sales_tax)
    content.setdefault("TrackQtyOnHand", kind == "Inventory")
    for key in ("UnitPrice", "PurchaseCost"):
        content.setdefault(key, ZERO)


def _item_accounts(draft: Draft, content: Json, kind: str) -> None:
    income = ("Income",) if kind == "Inventory" else ("Income", "Other Income")
    expense = ("Cost of Goods Sold",) if kind == "Inventory" else ("Expense", "Cost of Goods Sold", "Other Expense")
    allowed = {"IncomeAccountRef": income, "ExpenseAccountRef": expense, "AssetAccountRef": ("Other Current Asset",)}
    for key, types in allowed.items():
        if key in content:
            account = account_of(draft.company, content[key], types, key)
            content[key] = {"value": account["Id"], "name": account["FullyQualifiedName"]}
    if "IncomeAccountRef" not in content and "ExpenseAccountRef" not in content:
        raise missing("IncomeAccountRef")
    if kind != "Inventory":
        return
    if "AssetAccountRef" not in content:
        detail = "An inventory assetaccount is required if you are tracking inventory quantities for this product."
        raise Refusal("2020", detail, "AssetAccountRef")
    for key in ("IncomeAccountRef", "ExpenseAccountRef", "InvStartDate", "QtyOnHand"):
        if key not in content:
            raise missing(key)
    if content.get("TrackQtyOnHand") is not True:
        raise missing("TrackQtyOnHand")


_RULES: dict[str, Callable[[Draft, Json], None]] = {
    "Customer": _person,
    "Vendor": _person,
    "Employee": _person,
    "Item": _item,
    "Account": _account,
}
