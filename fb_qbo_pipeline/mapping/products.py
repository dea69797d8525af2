"""Which QuickBooks item a line refers to: by the FreshBooks SKU, or by name for the items that settings name.

A FreshBooks line names its product by text only, in the product's exact spelling. Its SKU is that of the FreshBooks item with
the line's name; an item without one has its name as SKU. Item names are unique in QuickBooks and compared without case there:
FreshBooks products whose names differ in case only are told apart by their SKUs, and are one item where they have none.

A product of a line is referred to by a key made of its SKU, whether its item is there or has to be created: so a document
says the same before and after, and is not updated for nothing. Items that settings name are there, and referred to by id.
"""

import datetime as dt
from dataclasses import dataclass

from fb_qbo_pipeline.freshbooks.records import Category
from fb_qbo_pipeline.freshbooks.records import Item as FreshBooksItem
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Code, ItemRequest, Json, Problem
from fb_qbo_pipeline.mapping.item_creation import creation_body
from fb_qbo_pipeline.mapping.references import inactive
from fb_qbo_pipeline.mapping.text import distinct_name, legal_name
from fb_qbo_pipeline.mapping.unreadable import list_problem
from fb_qbo_pipeline.quickbooks.company import Item, fold
from fb_qbo_pipeline.settings.models import Expenses, Sales

_BUNDLES = frozenset({"Group", "Bundle"})  # need a line form of their own; a plain line is refused


@dataclass(frozen=True, slots=True)
class Product:
    """The item of a line. `reference` is its id, or "@item/<key>" with the `request` that finds or creates it.

    `names` are those that QuickBooks shows for it, folded.
    """

    reference: str
    names: frozenset[str]
    request: ItemRequest | None = None


def line_product(line_name: str, sales: Sales, day: dt.date, context: Context) -> Product | Problem:
    """The item of an invoice line that is called `line_name` ('' for an unnamed line)."""
    return context.once(("line's product", line_name, day), lambda: _line_product(line_name, sales, day, context))


def _line_product(line_name: str, sales: Sales, day: dt.date, context: Context) -> Product | Problem:
    name = " ".join(line_name.split())
    if not legal_name(name):
        return _default(sales, "a line without a product name", context)
    unreadable = context.unreadable_item(name)
    if unreadable is not None:
        return list_problem(unreadable, "the product")
    freshbooks = context.freshbooks_items(name)
    name = " ".join(freshbooks[0].name.split()) if len({item.name for item in freshbooks}) == 1 else name  # as the product is spelled
    exact = {" ".join(item.name.split()) for item in freshbooks} == {" ".join(line_name.split())}
    skus = {fold(sku): sku for item in freshbooks if (sku := " ".join(item.sku.split()) or ("" if exact else name))}
    if len(skus) > 1:
        called = f"“{name}”" if exact else f"“{name}” but for case"
        return Problem(
            Code.UNMAPPED_PRODUCT,
            f"FreshBooks has several products called {called} with different SKUs ({', '.join(sorted(skus.values()))})",
            "give each of them a name of its own in FreshBooks: names must be unique for matching",
        )
    sku = next(iter(skus.values()), name)
    found = _by_sku(sku, context) if sales.products.match_by == "sku" else _by_name(sku, context)
    if found is not None:
        return _found(found, _key(sku, sales), "sales.products", sku)
    if sales.products.create:
        return _created(name, sku, freshbooks, sales, day, context)
    missing = f"QuickBooks has no item with the {'SKU' if sales.products.match_by == 'sku' else 'name'} “{sku}”"
    return _default(sales, missing, context)


def named_product(name: str | None, setting: str, purpose: str, context: Context) -> Product | Problem:
    """The item that a setting names, for `purpose` ("FreshBooks' discount"); a missing setting or item is a problem."""
    if name is None:
        remedy = f"set {setting} to a QuickBooks item"
        return Problem(Code.UNMAPPED_PRODUCT, f"there is no item for {purpose}", remedy)
    item = context.company.item(name)
    if item is None:
        remedy = f"name an existing item in {setting}, or create it in QuickBooks"
        return Problem(Code.UNMAPPED_PRODUCT, f"QuickBooks has no item “{name}” for {purpose}", remedy)
    return _existing(item, setting, name)


def expense_product(category: Category, parent: Category | None, expenses: Expenses, day: dt.date, context: Context) -> Product | Problem:
    """The item named after an expense category: `PARENT/CATEGORY`, else the category's own name where only one has it."""
    own = " ".join(category.name.split())
    full = f"{' '.join(parent.name.split())}/{own}" if parent is not None else own
    names = [full] if context.shares_category_name(own) else [full, own]
    item = distinct_name(names[-1])
    for name in names:
        found = _by_name(name, context)
        if found is not None:
            return _found(found, fold(item), "expenses.products", name)
    if expenses.products.create:
        body = creation_body(item, {}, expenses.products, "expenses.products", day, context, for_purchase=True)
        return body if isinstance(body, Problem) else _requested(fold(item), frozenset({fold(item)}), body)
    return Problem(
        Code.UNMAPPED_PRODUCT,
        f"QuickBooks has no item named after the expense category “{full}”",
        "create it in QuickBooks, or set expenses.products.create: true",
    )


def _default(sales: Sales, reason: str, context: Context) -> Product | Problem:
    setting = "sales.products.default_product"
    if sales.products.default_product is None:
        remedy = f"set {setting} to a QuickBooks item, or name the product in FreshBooks and create it in QuickBooks"
        return Problem(Code.UNMAPPED_PRODUCT, reason, remedy)
    return named_product(sales.products.default_product, setting, reason, context)


def _by_name(name: str, context: Context) -> Item | None:
    """The item of this name, or the one that was created for it under a legal name."""
    return context.company.item(name) or context.company.item(distinct_name(name))


def _by_sku(sku: str, context: Context) -> Item | None:
    return context.item_by_sku(sku) or context.item_by_sku(distinct_name(sku))


def _key(sku: str, sales: Sales) -> str:
    """The key of a product: what QuickBooks compares, its name or its SKU."""
    key = fold(distinct_name(sku))
    return f"sku/{key}" if sales.products.match_by == "sku" else key


def _requested(key: str, names: frozenset[str], body: Json, item_id: str | None = None) -> Product:
    return Product(f"@item/{key}", names, ItemRequest(key, body, item_id))


def _found(item: Item, key: str, setting: str, name: str) -> Product | Problem:
    """An item that stands for a product, referred to by the product's key."""
    existing = _existing(item, setting, name)
    return existing if isinstance(existing, Problem) else _requested(key, existing.names, {}, item.id)


def _existing(item: Item, setting: str, name: str) -> Product | Problem:
    if not item.active:
        return inactive("item", name, setting)
    if item.type in _BUNDLES:
        remedy = "name a product or service instead; a bundle cannot stand on a line"
        return Problem(Code.UNMAPPED_PRODUCT, f"the QuickBooks item “{item.name}” is a bundle", remedy)
    return Product(item.id, frozenset({fold(item.name), fold(item.full_name)}))


def _created(
    name: str, sku: str, freshbooks: tuple[FreshBooksItem, ...], sales: Sales, day: dt.date, context: Context
) -> Product | Problem:
    """A new item: named as the SKU says with match_by name, as the line says with match_by sku."""
    by_sku = sales.products.match_by == "sku"
    item = distinct_name(name if by_sku else sku)
    if by_sku and fold(sku) != fold(name) and any(fold(other.sku) != fold(sku) for other in context.similar_items(name)):
        item = distinct_name(f"{name} ({sku})")  # QuickBooks would not tell them apart by name
    holder = context.company.item(item) if by_sku else None
    if holder is not None and holder.active:
        if not holder.sku.strip():
            remedy = f"enter the SKU {sku} on that item in QuickBooks, or give the product another name in FreshBooks"
            return Problem(Code.UNMAPPED_PRODUCT, f"QuickBooks has an item “{holder.name}”, but without the SKU “{sku}”", remedy)
        item = distinct_name(f"{name} ({sku})")
    fields = {}
    if by_sku or fold(sku) != fold(name):
        fields["Sku"] = distinct_name(sku)
    text = next((one.description for one in freshbooks if one.description.strip()), "") or (name if fold(item) != fold(name) else "")
    if text:
        fields["Description"] = text
    body = creation_body(item, fields, sales.products, "sales.products", day, context)
    return body if isinstance(body, Problem) else _requested(_key(sku, sales), frozenset({fold(item)}), body)
