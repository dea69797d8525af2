from typing import Any

import pytest

from fb_qbo_pipeline.freshbooks.records import TaxDefinition, VisState
from fb_qbo_pipeline.mapping.preflight import configuration_problems
from fb_qbo_pipeline.mapping.preflight_records import duplicate_products, misspelt_methods, similar_products, unmapped_categories
from fb_qbo_pipeline.quickbooks.company import Company
from fb_qbo_pipeline_tests.mapping.builders import EXPENSES, PAYMENTS, SALES, D, company, context, integration, item


def keys(
    books: Company | None = None, *, sales: Any = None, payments: Any = None, expenses: Any = None, taxes: Any = ()
) -> dict[str, bool]:
    """The findings' keys and whether they are fatal."""
    settings = integration(SALES | (sales or {}), PAYMENTS | (payments or {}), EXPENSES | (expenses or {}))
    return {finding.key: finding.fatal for finding in configuration_problems(settings, books or company(), taxes)}


def test_settings_that_fit_the_company_have_no_finding() -> None:
    definitions = [
        TaxDefinition(1, "HST", D("13"), False),
        TaxDefinition(2, "GST", D("5"), False),
        TaxDefinition(3, "QST", D("9.975"), False),
    ]
    settings = integration()
    assert configuration_problems(settings, company(), definitions[:1]) == []
    assert [finding.key for finding in configuration_problems(settings, company(), definitions)] == []


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"payments": {"deposit_account": "Nowhere"}}, "payments.deposit_account"),
        ({"payments": {"by_method": {"PayPal": "Nowhere"}}}, "payments.by_method.PayPal"),
        ({"payments": {"credit_account": "Nowhere"}}, "payments.credit_account"),
        ({"expenses": {"categories": {"Advertising": "Nowhere"}}}, "expenses.categories.Advertising"),
        ({"sales": {"discount_product": "Nothing"}}, "sales.discount_product"),
        ({"sales": {"rounding_product": "Everything"}}, "sales.rounding_product"),
        ({"sales": {"products": {"default_product": "Nothing"}}}, "sales.products.default_product"),
        ({"sales": {"products": {"create": True, "income_account": "Nowhere"}}}, "sales.products.income_account"),
        ({"sales": {"taxes": {"HST": "Nothing", "none": "Exempt"}}}, "sales.taxes.HST"),
        ({"expenses": {"taxes": {"HST": "Nothing", "none": "Exempt"}}}, "expenses.taxes.HST"),
    ],
)
def test_a_name_that_quickbooks_does_not_have_is_fatal(change: dict[str, Any], key: str) -> None:
    assert keys(**change) == {key: True}


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"payments": {"deposit_account": "Old Bank"}}, "payments.deposit_account"),
        ({"payments": {"by_method": {"PayPal": "Advertising"}}}, "payments.by_method.PayPal"),
        ({"expenses": {"categories": {"Advertising": "Accounts Payable (A/P)"}}}, "expenses.categories.Advertising"),
        ({"sales": {"discount_product": "Hosting"}}, "sales.discount_product"),
        ({"sales": {"taxes": {"HST": "Old HST", "none": "Exempt"}}}, "sales.taxes.HST"),
        ({"sales": {"taxes": {"HST": "Purchases only", "none": "Exempt"}}}, "sales.taxes.HST"),
        ({"sales": {"taxes": {"HST": "HST ON"}}}, "sales.taxes.none"),
    ],
)
def test_what_only_holds_some_documents_is_not_fatal(change: dict[str, Any], key: str) -> None:
    assert keys(**change) == {key: False}


@pytest.mark.parametrize(
    ("products", "key"),
    [
        ({"income_account": "Advertising"}, "sales.products.income_account"),
        ({"income_account": "Services", "expense_account": "Services"}, "sales.products.expense_account"),
        (
            {"type": "inventory", "income_account": "Services", "expense_account": "Cost of Goods Sold", "asset_account": "Services"},
            "sales.products.asset_account",
        ),
    ],
)
def test_accounts_of_the_wrong_type_for_created_items_are_fatal(products: dict[str, Any], key: str) -> None:
    assert keys(sales={"products": {"create": True} | products}) == {key: True}


def test_expense_items_need_an_expense_account_to_be_created() -> None:
    products = {"create": True, "income_account": "Services"}
    assert keys(expenses={"lines": "product", "products": products}) == {"expenses.products.expense_account": True}


@pytest.mark.parametrize(
    ("sales", "custom", "finding"),
    [
        ({"number_prefix": "FB"}, False, {"sales.number_prefix": True}),
        ({"number_prefix": "", "auto_number": True}, True, {"sales.auto_number": True}),
        ({"number_prefix": ""}, False, {"sales.number_prefix": False}),
        ({"number_prefix": "", "auto_number": True}, False, {}),
        ({"number_prefix": ""}, True, {}),
    ],
)
def test_numbering_has_to_agree_with_quickbooks_custom_transaction_numbers(
    sales: dict[str, Any], custom: bool, finding: dict[str, bool]
) -> None:
    assert keys(company(custom_numbers=custom), sales=sales) == finding


@pytest.mark.parametrize(
    ("prefs", "settings", "finding"),
    [
        ({}, {"class": "Retail"}, {"sales.class": True}),
        ({}, {"location": "Montreal"}, {"sales.location": True}),
        ({"class_per_line": True}, {"class": "Nothing"}, {"sales.class": True}),
        ({"class_per_transaction": True}, {"class": "Old"}, {"sales.class": False}),
        ({"class_per_transaction": True, "locations": True}, {"class": "Retail", "location": "Montreal"}, {}),
    ],
)
def test_class_and_location_need_their_features(prefs: dict[str, Any], settings: dict[str, str], finding: dict[str, bool]) -> None:
    assert keys(company(**prefs), sales=settings) == finding


def test_rates_that_differ_from_freshbooks_are_pointed_out_for_single_taxes_and_pairs() -> None:
    definitions = [
        TaxDefinition(1, "HST", D("15"), False),
        TaxDefinition(2, "GST", D("5"), False),
        TaxDefinition(3, "QST", D("9.5"), False),
    ]
    found = configuration_problems(integration(), company(), definitions)
    assert {finding.key for finding in found if finding.key.startswith("sales")} == {"sales.taxes.HST 15%", "sales.taxes.GST 5% + QST 9.5%"}
    assert not any(finding.fatal for finding in found)
    assert "15%" in found[0].message
    assert "13%" in found[0].message


def test_a_compound_pair_is_compared_with_its_compound_rate() -> None:
    definitions = [TaxDefinition(1, "GST", D("5"), False), TaxDefinition(2, "PST", D("9.5"), True)]
    taxes = {"GST": "GST", "GST + PST": "Compound", "none": "Exempt"}
    assert keys(sales={"taxes": taxes}, expenses={"taxes": taxes}, taxes=definitions) == {}


def test_a_freshbooks_tax_that_nobody_mapped_is_pointed_out() -> None:
    assert keys(taxes=[TaxDefinition(1, "PST", D("7"), False)]) == {"sales.taxes.PST": False, "expenses.taxes.PST": False}


def test_in_the_us_purchase_taxes_and_the_code_of_untaxed_lines_do_not_matter() -> None:
    taxes = {"State": "California", "none": "Whatever"}
    assert keys(company("US"), sales={"taxes": taxes}, expenses={"taxes": {"State": "Nothing"}}) == {}


def test_sales_tax_that_is_off_is_pointed_out_once() -> None:
    assert keys(company(uses_sales_tax=False)) == {"sales.taxes": False}


def test_automatic_credits_are_pointed_out() -> None:
    assert keys(company(auto_apply_credit=True)) == {"payments": False}


def test_workflows_that_are_off_are_not_looked_at() -> None:
    assert configuration_problems(integration(payments=None, expenses=None), company()) == []


def test_freshbooks_products_of_one_name_are_reported_unless_they_are_archived() -> None:
    items = [item("Logo", id=1), item(" Logo", id=2), item("Site", id=3), item("Site", id=4, vis_state=VisState.ARCHIVED)]
    found = duplicate_products(items)
    assert len(found) == 1
    assert "ids 1, 2" in found[0].message


def test_freshbooks_products_whose_names_differ_in_case_only_are_reported_with_what_becomes_of_them() -> None:
    (apart,) = similar_products([item("Consulting", "C-1", id=1), item("consulting", "C-2", id=2), item("CONSULTING", id=3)])
    (one,) = similar_products([item("Logo", id=4), item("LOGO", id=5), item("Site", id=6), item("SITE", id=7, vis_state=VisState.ARCHIVED)])
    assert "“Consulting” and “consulting” and “CONSULTING” differ in case only" in apart.message
    assert "told apart by their SKUs" in apart.message
    assert "they are one item" in one.message
    assert not apart.fatal


def test_categories_in_use_without_an_account_are_reported() -> None:
    found = unmapped_categories(context(), [20, 11, 30, 30, 99])
    assert [finding.key for finding in found] == ["expenses.categories.Barter"]
    assert unmapped_categories(context(expenses={"lines": "product"}), [30]) == []


@pytest.mark.parametrize(
    ("key", "used", "meant"),
    [
        ("Pay-Pall", {"PayPal", "Cash"}, "PayPal"),
        ("Credit Card", {"Debit Card", "Credit"}, None),
        ("Credit Card", {"credit_card", "Credit Cart"}, None),
        ("Cheque", set(), None),
    ],
)
def test_a_misspelt_method_is_told_by_the_one_that_payments_have(key: str, used: set[str], meant: str | None) -> None:
    payments = integration(payments=PAYMENTS | {"by_method": {key: "PayPal Clearing"}}).payments
    assert payments is not None
    found = misspelt_methods(payments, used)
    assert [finding.key for finding in found] == ([f"payments.by_method.{key}"] if meant else [])
    assert all(f"“{meant}: …”" in finding.remedy and not finding.fatal for finding in found)
