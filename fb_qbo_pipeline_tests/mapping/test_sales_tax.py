"""The tax of a sale in each regime: switched off, the United States', and every other country's."""

from dataclasses import replace
from typing import Any

import pytest

from fb_qbo_pipeline.mapping.documents import Code, Json, Mapped
from fb_qbo_pipeline.mapping.invoices import map_invoice
from fb_qbo_pipeline_tests.mapping.books import detail, tax_by_rate
from fb_qbo_pipeline_tests.mapping.builders import HST, D, code, company, context, invoice, line, rate, tax


def body(mapped: Mapped) -> Json:
    assert mapped.document is not None, mapped.problems
    return mapped.document.body


def codes(mapped: Mapped) -> list[Code]:
    return [problem.code for problem in mapped.problems]


def test_an_untaxed_invoice_of_a_company_without_sales_tax_has_no_tax_key() -> None:
    books = company(uses_sales_tax=False)
    found = body(map_invoice(invoice(line("10.00")), [], context(books=books)))
    assert not {"GlobalTaxCalculation", "TxnTaxDetail"} & set(found)
    assert "TaxCodeRef" not in found["Line"][0]["SalesItemLineDetail"]
    taxed = map_invoice(invoice(line("10.00", HST), amount="11.30"), [], context(books=books))
    assert codes(taxed) == [Code.UNMAPPED_TAX]
    assert "switch on sales tax" in taxed.problems[0].remedy


def test_untaxed_lines_need_a_mapping_outside_the_us() -> None:
    mapped = map_invoice(invoice(line("10.00")), [], context(sales={"taxes": {"HST": "HST ON"}}))
    assert codes(mapped) == [Code.UNMAPPED_TAX]
    assert "none" in mapped.problems[0].remedy


US_TAXES = {"taxes": {"State": "California", "State + City": "New York", "Free": "NON"}}
STATE, CITY, FREE = tax("State", "7.25"), tax("City", "4.5"), tax("Free", "1")


def test_a_us_invoice_says_tax_or_non_on_lines_and_names_one_code() -> None:
    one = invoice(line("100.00", STATE), line("50.00"), amount="157.25", currency="USD")
    found = body(map_invoice(one, [], context(sales=US_TAXES, books=company("US"))))
    assert [detail(row)["TaxCodeRef"]["value"] for row in found["Line"]] == ["TAX", "NON"]
    assert found["TxnTaxDetail"] == {"TxnTaxCodeRef": {"value": "2"}, "TotalTax": D("7.25")}
    assert "GlobalTaxCalculation" not in found


def test_an_untaxed_us_invoice_needs_no_mapping() -> None:
    found = body(map_invoice(invoice(line("50.00"), currency="USD"), [], context(sales={"taxes": {}}, books=company("US"))))
    assert detail(found["Line"][0])["TaxCodeRef"] == {"value": "NON"}
    # Sent all the same: in an update, a key that is left out keeps its earlier value.
    assert found["TxnTaxDetail"] == {"TotalTax": D("0")}


def test_a_us_line_of_zero_percent_is_untaxed_beside_one_that_is_taxed() -> None:
    zero = tax("Exempt", "0")
    taxes = {"taxes": {"State": "California", "Exempt": "New York"}}
    both = invoice(line("100.00", STATE), line("50.00", zero), amount="157.25", currency="USD")
    found = body(map_invoice(both, [], context(sales=taxes, books=company("US"))))
    assert [detail(row)["TaxCodeRef"]["value"] for row in found["Line"]] == ["TAX", "NON"]
    assert found["TxnTaxDetail"] == {"TxnTaxCodeRef": {"value": "2"}, "TotalTax": D("7.25")}
    alone = body(map_invoice(invoice(line("50.00", zero), currency="USD"), [], context(sales=taxes, books=company("US"))))
    assert alone["TxnTaxDetail"] == {"TxnTaxCodeRef": {"value": "3"}, "TotalTax": D("0")}


@pytest.mark.parametrize(
    ("lines", "amount"),
    [
        ((line("100.00", STATE), line("100.00", STATE, CITY)), "219.00"),
        ((line("100.00", FREE),), "101.00"),
    ],
)
def test_a_us_invoice_with_two_codes_or_an_untaxed_tax_is_held(lines: Any, amount: str) -> None:
    mapped = map_invoice(invoice(*lines, amount=amount, currency="USD"), [], context(sales=US_TAXES, books=company("US")))
    assert codes(mapped) == [Code.UNMAPPED_TAX]


@pytest.mark.parametrize(("rates", "pst"), [("40 70+", "10.50"), ("40 70", "10.00")])
def test_which_of_two_compounded_taxes_is_on_top_is_as_in_quickbooks_code(rates: str, pst: str) -> None:
    """5 % and 10 %, one on top of the other, are 15.50 of 100.00 either way; where the code does not tell, it is the second."""
    pair, taxes = (tax("PST", "10"), tax("GST", "5")), {"PST + GST": "GST/PST"}
    books = replace(company(), tax_codes=(code("9", "GST/PST", rates),), tax_rates=(rate("40", "5"), rate("70", "10")))
    one = invoice(line("100.00", *pair, compounded=True), amount="115.50")
    mapped = map_invoice(one, [], context(sales={"taxes": taxes}, books=books))
    assert mapped.document is not None
    assert tax_by_rate(mapped.document) == {"40": D("15.50") - D(pst), "70": D(pst)}


def test_a_tax_on_a_code_of_zero_percent_is_held() -> None:
    mapped = map_invoice(invoice(line("10.00", HST), amount="11.30"), [], context(sales={"taxes": {"HST": "Exempt"}}))
    assert codes(mapped) == [Code.UNMAPPED_TAX]
    assert "no rate above 0 %" in mapped.problems[0].reason
