from typing import Any

import pytest

from fb_qbo_pipeline.freshbooks.records import LineTax
from fb_qbo_pipeline.mapping.documents import Code, Problem
from fb_qbo_pipeline.mapping.taxes import Regime, Side, find_code, keyed_rates, mapped_name, regime, tax_label
from fb_qbo_pipeline.quickbooks.company import Company, TaxCode
from fb_qbo_pipeline_tests.mapping.builders import GST, HST, QST, D, company, context, expense_tax, tax


@pytest.mark.parametrize(
    ("mapping", "taxes", "name"),
    [
        ({"HST": "x"}, (HST,), "x"),
        ({"hst": "x"}, (HST,), "x"),
        ({"HST 13%": "x", "HST": "y"}, (HST,), "x"),
        ({"HST 13.0 %": "x"}, (HST,), "x"),
        ({"HST 15%": "x"}, (HST,), None),
        ({"GST + QST": "x"}, (GST, QST), "x"),
        ({"QST+GST": "x"}, (GST, QST), "x"),
        ({"GST 5% + QST 9.975%": "x", "GST + QST": "y"}, (QST, GST), "x"),
        ({"GST + QST 9.975%": "x", "GST + QST": "y"}, (GST, QST), "x"),
        ({"GST": "x", "QST": "y"}, (GST, QST), None),
        ({"none": "x"}, (), "x"),
        ({"None": "x"}, (), "x"),
        ({"VAT 20%": "x"}, (tax("VAT 20%", "20"),), "x"),
        ({"GST + QST": "x"}, (tax("GST + QST", "14.975"),), "x"),
        ({"HST": "x"}, (expense_tax("HST", "1.00"),), "x"),
        ({}, (), None),
    ],
)
def test_the_settings_are_searched_by_name_and_rate_in_either_order(mapping: dict[str, str], taxes: Any, name: str | None) -> None:
    assert mapped_name(taxes, mapping) == name


def test_a_label_is_what_a_person_would_write_in_the_settings() -> None:
    assert [tax_label(taxes) for taxes in ((), (HST,), (GST, tax("QST", "9.9750")))] == ["none", "HST 13%", "GST 5% + QST 9.975%"]


def test_the_keyed_rates_of_a_name_leave_out_pairs_and_other_names() -> None:
    assert keyed_rates("VAT", ["VAT 20%", "vat 5.0 %", "VAT", "VAT 20% + X 1%", "VATable 7%"]) == [D("20"), D("5")]


@pytest.mark.parametrize(
    ("books", "kind"),
    [
        (company(), Regime.GLOBAL),
        (company("US"), Regime.US),
        (company(uses_sales_tax=False), Regime.OFF),
        (company("US", uses_sales_tax=False), Regime.OFF),
    ],
)
def test_the_regime_follows_country_and_switch(books: Company, kind: Regime) -> None:
    assert regime(books) is kind


@pytest.mark.parametrize(
    ("code", "side", "problem"),
    [
        ("HST ON", Side.SALES, None),
        ("HST ON", Side.PURCHASE, None),
        ("hst on", Side.SALES, None),
        ("HST 13", Side.SALES, Code.UNMAPPED_TAX),
        ("Old HST", Side.SALES, Code.INACTIVE_REFERENCE),
        ("Purchases only", Side.SALES, Code.UNMAPPED_TAX),
        ("Purchases only", Side.PURCHASE, None),
        ("Out of Scope", Side.SALES, Code.UNMAPPED_TAX),
    ],
)
def test_a_code_has_to_exist_be_active_and_have_rates_on_its_side(code: str, side: Side, problem: Code | None) -> None:
    where = context(sales={"taxes": {"HST": code}}, expenses={"taxes": {"HST": code}})
    found = find_code((HST,), side, where)
    assert (found.code if isinstance(found, Problem) else None) is problem


@pytest.mark.parametrize("taxes", [(), (tax("Zero", "0"),)])
def test_a_code_without_any_rate_stands_for_no_tax(taxes: tuple[LineTax, ...]) -> None:
    where = context(sales={"taxes": {"none": "Out of Scope", "Zero": "Out of Scope"}})
    assert isinstance(find_code(taxes, Side.SALES, where), TaxCode)


def test_a_pseudo_code_names_no_rate_unless_quickbooks_finds_the_rate_itself() -> None:
    mapping = {"taxes": {"State": "TAX"}}
    state: tuple[LineTax, ...] = (tax("State", "7.25"),)
    assert isinstance(find_code(state, Side.SALES, context(sales=mapping, books=company("US"))), Problem)
    assert isinstance(find_code(state, Side.SALES, context(sales=mapping, books=company("US", partner_tax=True))), TaxCode)


def test_an_unmapped_tax_says_what_to_add_where() -> None:
    found = find_code((GST, QST), Side.PURCHASE, context(expenses={"taxes": {}}))
    assert isinstance(found, Problem)
    assert "GST 5% + QST 9.975%" in found.reason
    assert "expenses.taxes" in found.remedy
