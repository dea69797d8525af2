import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from fb_qbo_pipeline.freshbooks.records import Category, Unreadable, VisState
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Code, Problem
from fb_qbo_pipeline.mapping.products import Product, expense_product, line_product, named_product
from fb_qbo_pipeline_tests.mapping.builders import DAY, ITEMS, PRODUCTS, company, context, item, qbo_item


def find(name: str, where: Context) -> Product | Problem:
    assert where.integration.sales is not None
    return line_product(name, where.integration.sales, DAY, where)


def product(name: str, where: Context) -> Product:
    found = find(name, where)
    assert isinstance(found, Product), found
    return found


def problem(name: str, where: Context) -> Problem:
    found = find(name, where)
    assert isinstance(found, Problem), found
    return found


def request(found: Product) -> dict[str, Any]:
    assert found.request is not None
    return found.request.body


def settings(**change: Any) -> dict[str, Any]:
    return {"products": PRODUCTS | change}


@pytest.mark.parametrize("name", ["Design", "design", "  DESIGN "])
def test_a_name_finds_its_item_without_case_and_blanks(name: str) -> None:
    found = product(name, context())
    assert found.request is not None
    assert (found.reference, found.request.id) == ("@item/design", "100")


def test_a_line_says_the_same_before_and_after_its_item_was_created() -> None:
    before = product("Web: Hosting plan", context())
    created = qbo_item("200", request(before)["Name"])
    after = product("Web: Hosting plan", context(books=company(items=(*ITEMS, created))))
    assert after.reference == before.reference
    assert after.names == before.names
    assert after.request is not None
    assert after.request.id == "200"


def test_an_item_below_a_category_is_found_by_its_full_name() -> None:
    books = company(items=(*ITEMS, qbo_item("200", "Hosting plan", full_name="Web:Hosting plan")))
    assert product("Web:Hosting plan", context(books=books)).request.id == "200"  # type: ignore[union-attr]


def test_the_sku_of_the_freshbooks_item_names_the_quickbooks_item() -> None:
    where = context(items=(item("Logo design", "DESIGN"),))
    found = product("logo  design", where)
    assert found.request is not None
    assert found.request.id == "100"


def test_an_active_freshbooks_item_wins_over_an_archived_one() -> None:
    where = context(items=(item("Logo", "OLD", id=1, vis_state=VisState.ARCHIVED), item("Logo", "DESIGN", id=2)))
    assert product("Logo", where).reference == "@item/design"


def test_freshbooks_items_of_one_name_with_different_skus_cannot_be_told_apart() -> None:
    where = context(items=(item("Logo", "A-1", id=1), item("Logo", "A-2", id=2)))
    assert "A-1, A-2" in problem("Logo", where).reason


CASES = (item("Consulting", "C-1", id=1), item("consulting", "C-2", id=2), item("CONSULTING", id=3))
SPELLINGS = ("Consulting", "consulting", "CONSULTING")


@pytest.mark.parametrize(("name", "key"), [("Consulting", "c-1"), (" consulting ", "c-2"), ("CONSULTING", "consulting")])
def test_the_exact_spelling_of_a_line_decides_among_names_that_differ_in_case(name: str, key: str) -> None:
    assert product(name, context(items=CASES)).reference == f"@item/{key}"
    assert product(name, context(items=CASES, sales=settings(match_by="sku"))).reference == f"@item/sku/{key}"


def test_a_spelling_that_no_product_has_cannot_be_told_apart() -> None:
    assert "“CoNsulting”" in problem("CoNsulting", context(items=CASES)).reason


def test_names_without_skus_that_differ_in_case_are_one_item_of_quickbooks() -> None:
    where = context(items=tuple(item(name, id=number) for number, name in enumerate(SPELLINGS, 1)))
    assert {product(name, where).reference for name in SPELLINGS} == {"@item/consulting"}


@pytest.mark.parametrize("match_by", ["name", "sku"])
def test_the_items_created_for_names_that_differ_in_case_have_names_that_quickbooks_tells_apart(match_by: str) -> None:
    where = context(items=CASES, sales=settings(match_by=match_by))
    bodies = [request(product(name, where)) for name in SPELLINGS]
    assert len({body["Name"].casefold() for body in bodies}) == 3
    if match_by == "sku":
        assert [body["Name"] for body in bodies] == ["Consulting (C-1)", "consulting (C-2)", "CONSULTING"]
        assert [body["Sku"] for body in bodies] == ["C-1", "C-2", "CONSULTING"]


def test_an_archived_product_of_the_exact_spelling_comes_before_an_active_one_of_another() -> None:
    where = context(items=(item("Logo", "OLD", id=1, vis_state=VisState.ARCHIVED), item("LOGO", "DESIGN", id=2)))
    assert product("Logo", where).reference == "@item/old"


def test_a_product_that_cannot_be_read_holds_the_lines_that_name_it_and_no_others() -> None:
    odd = Unreadable("item", 9, "sku is no text", number="Logo")
    where = replace(context(), unreadable=(odd,))
    assert (problem("LOGO", where).code, "sku is no text" in problem("Logo", where).reason) == (Code.REFUSED, True)
    assert product("Design", where).request is not None


def test_match_by_sku_looks_at_the_sku_only() -> None:
    books = company(items=(*ITEMS, qbo_item("200", "Whatever", sku="A-1")))
    where = context(sales=settings(match_by="sku"), items=(item("Logo", "a-1"),), books=books)
    found = product("Logo", where)
    assert found.request is not None
    assert (found.reference, found.request.id) == ("@item/sku/a-1", "200")


def test_a_missing_item_is_created_as_the_settings_say() -> None:
    where = context(sales=settings(expense_account="Cost of Goods Sold"))
    assert request(product("Photography", where)) == {
        "Name": "Photography",
        "Type": "Service",
        "IncomeAccountRef": {"value": "4"},
        "ExpenseAccountRef": {"value": "5"},
    }


def test_an_item_created_for_a_sku_keeps_sku_and_text() -> None:
    by_name = request(product("Photography", context(items=(item("Photography", "P-1"),))))
    assert (by_name["Name"], by_name["Sku"], by_name["Description"]) == ("P-1", "P-1", "Photography")
    where = context(sales=settings(match_by="sku"), items=(item("Photography", "P-1", description="One hour"),))
    by_sku = request(product("Photography", where))
    assert (by_sku["Name"], by_sku["Sku"], by_sku["Description"]) == ("Photography", "P-1", "One hour")


def test_inventory_starts_on_the_start_date_or_with_an_earlier_document() -> None:
    where = context(sales=settings(type="inventory", expense_account="Cost of Goods Sold", asset_account="Inventory Asset"))
    body = request(product("Chair", where))
    assert {key: body[key] for key in ("Type", "AssetAccountRef", "TrackQtyOnHand", "QtyOnHand", "InvStartDate")} == {
        "Type": "Inventory",
        "AssetAccountRef": {"value": "6"},
        "TrackQtyOnHand": True,
        "QtyOnHand": 0,
        "InvStartDate": "2025-01-01",
    }
    assert where.integration.sales is not None
    early = line_product("Chair", where.integration.sales, dt.date(2024, 5, 1), where)
    assert isinstance(early, Product)
    assert request(early)["InvStartDate"] == "2024-05-01"


@pytest.mark.parametrize(
    ("name", "change", "code"),
    [
        ("Hosting", {}, Code.INACTIVE_REFERENCE),
        ("Photography", {"create": False}, Code.UNMAPPED_PRODUCT),
        ("Everything", {"create": False}, Code.UNMAPPED_PRODUCT),
        ("", {}, Code.UNMAPPED_PRODUCT),
        ("Photography", {"income_account": "Nowhere"}, Code.UNMAPPED_PRODUCT),
        ("Photography", {"income_account": "Advertising"}, Code.WRONG_ACCOUNT_TYPE),
        ("Photography", {"income_account": "Old Bank"}, Code.INACTIVE_REFERENCE),
    ],
)
def test_what_has_no_item_is_a_problem(name: str, change: dict[str, Any], code: Code) -> None:
    assert problem(name, context(sales=settings(**change))).code is code


@pytest.mark.parametrize(("name", "create"), [("", True), (" \t", True), ("Photography", False)])
def test_the_default_product_takes_unnamed_lines_and_missing_ones_that_are_not_created(name: str, create: bool) -> None:
    found = product(name, context(sales=settings(create=create, default_product="Services")))
    assert (found.reference, found.request) == ("101", None)


def test_a_default_product_that_does_not_exist_is_named() -> None:
    found = problem("", context(sales=settings(default_product="Nothing")))
    assert "Nothing" in found.reason
    assert "sales.products.default_product" in found.remedy


def test_a_bundle_cannot_stand_on_a_line() -> None:
    books = company(items=(*ITEMS, qbo_item("200", "Package", type="Group")))
    assert "bundle" in problem("Package", context(books=books)).reason


def test_a_name_held_by_an_item_without_sku_is_for_a_person_to_decide() -> None:
    found = problem("Design", context(sales=settings(match_by="sku"), items=(item("Design", "D-1"),)))
    assert found.code is Code.UNMAPPED_PRODUCT
    assert "D-1" in found.remedy


def test_a_name_held_by_an_item_of_another_sku_is_told_apart_by_the_sku() -> None:
    books = company(items=(*ITEMS, qbo_item("200", "Chair", sku="C-1")))
    where = context(sales=settings(match_by="sku"), items=(item("Chair", "C-2"),), books=books)
    assert request(product("Chair", where))["Name"] == "Chair (C-2)"


def test_long_and_illegal_names_do_not_share_an_item() -> None:
    where = context()
    names = [request(product(text, where))["Name"] for text in ("A:B", "A B", "x" * 100 + "1", "x" * 100 + "2")]
    assert len(set(names)) == 4
    assert all(len(name) <= 100 and ":" not in name for name in names)


def test_a_setting_without_item_is_named() -> None:
    found = named_product(None, "sales.discount_product", "FreshBooks' discount", context())
    assert isinstance(found, Problem)
    assert "sales.discount_product" in found.remedy


CREATE = {"lines": "product", "products": {"create": True, "income_account": "Services", "expense_account": "Advertising"}}
CATEGORIES = {
    1: Category(1, "Car", None, VisState.ACTIVE),
    2: Category(2, "Gas", 1, VisState.ACTIVE),
    3: Category(3, "Home", None, VisState.ACTIVE),
    4: Category(4, "Gas", 3, VisState.ACTIVE),
    5: Category(5, "Water", 3, VisState.ACTIVE),
}


def of_category(number: int, *, books: Any = None, **change: Any) -> Product | Problem:
    where = context(categories=CATEGORIES, expenses=CREATE | change, books=books)
    assert where.integration.expenses is not None
    category = CATEGORIES[number]
    parent = CATEGORIES[category.parent_id] if category.parent_id is not None else None
    return expense_product(category, parent, where.integration.expenses, DAY, where)


@pytest.mark.parametrize(("number", "name"), [(5, "Water"), (2, "Car/Gas"), (4, "Home/Gas"), (1, "Car")])
def test_an_expense_item_has_the_categorys_own_name_unless_two_share_it(number: int, name: str) -> None:
    found = of_category(number)
    assert isinstance(found, Product)
    assert request(found)["Name"] == name


def test_an_expense_item_is_found_by_full_or_own_name() -> None:
    books = company(items=(qbo_item("1", "Water"), qbo_item("2", "Gas"), qbo_item("3", "Car/Gas")))
    water, gas, home = of_category(5, books=books), of_category(2, books=books), of_category(4, books=books)
    assert [found.request.id for found in (water, gas, home) if isinstance(found, Product) and found.request] == ["1", "3", None]


@pytest.mark.parametrize("products", [{"create": False}, {"create": True, "income_account": "Services"}])
def test_an_expense_item_that_cannot_be_created_is_a_problem(products: dict[str, Any]) -> None:
    found = of_category(5, products=products)
    assert isinstance(found, Problem)
    assert found.code is Code.UNMAPPED_PRODUCT
