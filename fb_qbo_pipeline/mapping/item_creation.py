"""The request that creates an item, with the accounts and type that the settings choose.

QuickBooks checks the types of an item's accounts (6430); they are checked here first, so that finance reads which setting
is wrong. Inventory starts on the integration's start date: a document dated before an item's start is refused (6270).
"""

import datetime as dt
from collections.abc import Mapping

from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Code, Json, Problem
from fb_qbo_pipeline.mapping.references import (
    INVENTORY_ASSET,
    INVENTORY_EXPENSE,
    INVENTORY_INCOME,
    ITEM_EXPENSE,
    ITEM_INCOME,
    AccountUse,
    Problems,
    find_account,
)
from fb_qbo_pipeline.mapping.text import legal_text
from fb_qbo_pipeline.settings.models import ExpenseProducts, ItemType, Products

_TYPES = {ItemType.SERVICE: "Service", ItemType.NON_INVENTORY: "NonInventory", ItemType.INVENTORY: "Inventory"}
_DESCRIPTION_LENGTH = 4000


def account_uses(products: Products | ExpenseProducts) -> dict[str, tuple[str, AccountUse]]:
    """The accounts of created items: QuickBooks' key → (name in the settings, what it must be), for those that are set."""
    inventory = products.type is ItemType.INVENTORY
    uses = {
        "IncomeAccountRef": (products.income_account, INVENTORY_INCOME if inventory else ITEM_INCOME),
        "ExpenseAccountRef": (products.expense_account, INVENTORY_EXPENSE if inventory else ITEM_EXPENSE),
        "AssetAccountRef": (products.asset_account if inventory else None, INVENTORY_ASSET),
    }
    return {key: (name, use) for key, (name, use) in uses.items() if name is not None}


def setting_of(account_key: str, section: str) -> str:
    """The setting that holds an account: IncomeAccountRef → sales.products.income_account."""
    return f"{section}.{account_key.removesuffix('AccountRef').lower()}_account"


def creation_body(
    name: str,
    fields: Mapping[str, str],
    products: Products | ExpenseProducts,
    section: str,
    day: dt.date,
    context: Context,
    *,
    for_purchase: bool = False,
) -> Json | Problem:
    """The request to create the item `name` (a legal name); `fields` are further texts of it (Sku, Description).

    `section` is the settings' section of `products`, `day` the date of the document that needs the item. An item for
    purchases needs an expense account.
    """
    if for_purchase and products.expense_account is None:
        remedy = f"set {section}.expense_account to an expense account"
        return Problem(Code.UNMAPPED_PRODUCT, f"the item “{name}” cannot be created for purchases without an expense account", remedy)
    problems = Problems()
    body: Json = {"Name": name, "Type": _TYPES[products.type]}
    for key, text in fields.items():
        body[key] = legal_text(text, _DESCRIPTION_LENGTH)
    for key, (account, use) in account_uses(products).items():
        found = problems.take(find_account(account, setting_of(key, section), use, context, Code.UNMAPPED_PRODUCT))
        if found is not None:
            body[key] = {"value": found}
    if problems:
        return problems[0]
    if products.type is ItemType.INVENTORY:
        start = min(context.integration.start_date, day)
        body.update(TrackQtyOnHand=True, QtyOnHand=0, InvStartDate=start.isoformat())
    return body
