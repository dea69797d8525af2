"""The rounding product carries what a total is off, within its limit."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from fb_qbo_pipeline.posting.repair import with_rounding, without_tax_amounts
from fb_qbo_pipeline.quickbooks.company import CodeRate, Company, Item, Preferences, TaxCode, TaxRate
from fb_qbo_pipeline.sandbox.sample_country import country_named, integration
from fb_qbo_pipeline.settings.models import Integration

D = Decimal
PREFERENCES = Preferences(True, None, True, False, False, False, False, "CAD", None, True, False, False)
CODE = TaxCode("5", "HST ON", True, True, True, (CodeRate("7", "TaxOnAmount", 0),), ())
UNTAXED = TaxCode("2", "Exempt", True, True, True, (CodeRate("3", "TaxOnAmount", 0),), ())
RATES = (TaxRate("7", "HST ON", D(13), True), TaxRate("3", "Exempt", D(0), True))
ROUNDING = Item("3", "Rounding", "Rounding", "", "Service", True)
COMPANY = Company("1", "Maple", "CA", PREFERENCES, items=(ROUNDING,), tax_codes=(CODE, UNTAXED), tax_rates=RATES)
ALL_TAXED = replace(COMPANY, tax_codes=(CODE,))
INTEGRATION = Integration.model_validate(integration(country_named("ca"), dt.date(2026, 3, 1)))
BODY: dict[str, Any] = {
    "TxnDate": "2026-03-05",
    "Line": [{"Amount": D("100.00"), "SalesItemLineDetail": {"TaxCodeRef": {"value": "5"}}}],
    "TxnTaxDetail": {
        "TotalTax": D("13.00"),
        "TaxLine": [{"Amount": D("13.00"), "TaxLineDetail": {"TaxRateRef": {"value": "7"}, "NetAmountTaxable": D("100.00")}}],
    },
}


@pytest.mark.parametrize("difference", ["0.01", "-0.05", "0.05"])
def test_a_difference_within_the_limit_becomes_a_line(difference: str) -> None:
    body = with_rounding(BODY, D(difference), INTEGRATION, COMPANY)
    assert body is not None
    assert sum(one["Amount"] for one in body["Line"]) == D("100.00") + D(difference)
    assert body["Line"][-1]["SalesItemLineDetail"]["ItemRef"] == {"value": "3"}


def test_the_line_is_untaxed_and_in_the_base_of_its_rate() -> None:
    body = with_rounding(BODY, D("0.02"), INTEGRATION, COMPANY)
    assert body is not None
    assert body["Line"][-1]["SalesItemLineDetail"]["TaxCodeRef"] == {"value": "2"}
    taxed, untaxed = body["TxnTaxDetail"]["TaxLine"]
    assert (taxed["Amount"], taxed["TaxLineDetail"]["NetAmountTaxable"]) == (D("13.00"), D("100.00"))
    assert (untaxed["Amount"], untaxed["TaxLineDetail"]["NetAmountTaxable"]) == (D(0), D("0.02"))
    assert body["TxnTaxDetail"]["TotalTax"] == D("13.00")


def test_without_a_code_for_untaxed_lines_the_base_of_the_first_lines_code_grows() -> None:
    body = with_rounding(BODY, D("0.02"), INTEGRATION, ALL_TAXED)
    assert body is not None
    assert body["TxnTaxDetail"]["TaxLine"][0]["TaxLineDetail"]["NetAmountTaxable"] == D("100.02")
    assert body["TxnTaxDetail"]["TotalTax"] == D("13.00")


@pytest.mark.parametrize(("difference", "amount"), [("0.05", "0.04"), ("-0.05", "-0.04"), ("0.03", "0.03"), ("0.04", None)])
def test_where_quickbooks_taxes_the_line_the_tax_is_part_of_the_difference(difference: str, amount: str | None) -> None:
    """At 13 %, 0.03 is taxed with nothing and 0.04 with a cent, so that nothing makes 0.04."""
    body = without_tax_amounts(BODY)
    assert body is not None
    repaired = with_rounding(body, D(difference), INTEGRATION, ALL_TAXED)
    assert (repaired and repaired["Line"][-1]["Amount"]) == (amount and D(amount))


def test_without_tax_amounts_a_body_keeps_its_tax_code() -> None:
    american = {"TxnTaxDetail": {"TxnTaxCodeRef": {"value": "9"}, "TotalTax": D("7.25")}, "Line": []}
    assert without_tax_amounts(american) == {"TxnTaxDetail": {"TxnTaxCodeRef": {"value": "9"}}, "Line": []}
    assert without_tax_amounts({"Line": []}) is None


def test_the_body_that_was_sent_stays_as_it_was() -> None:
    with_rounding(BODY, D("0.02"), INTEGRATION, COMPANY)
    assert len(BODY["Line"]) == 1


@pytest.mark.parametrize("difference", ["0.06", "-0.06", "0"])
def test_no_difference_and_a_large_one_are_not_repaired(difference: str) -> None:
    assert with_rounding(BODY, D(difference), INTEGRATION, COMPANY) is None


def test_without_a_usable_rounding_product_nothing_is_repaired() -> None:
    inactive = replace(COMPANY, items=(replace(COMPANY.items[0], active=False),))
    assert with_rounding(BODY, D("0.01"), INTEGRATION, inactive) is None
    assert INTEGRATION.sales is not None
    unnamed = INTEGRATION.model_copy(update={"sales": INTEGRATION.sales.model_copy(update={"rounding_product": None})})
    assert with_rounding(BODY, D("0.01"), unnamed, COMPANY) is None


def test_in_the_us_the_line_is_not_taxed() -> None:
    american = replace(COMPANY, country="US")
    body = with_rounding(
        {"Line": [{"Amount": D("1"), "SalesItemLineDetail": {"TaxCodeRef": {"value": "TAX"}}}]}, D("0.01"), INTEGRATION, american
    )
    assert body is not None
    assert body["Line"][-1]["SalesItemLineDetail"]["TaxCodeRef"] == {"value": "NON"}


def test_the_line_is_of_the_class_that_the_other_lines_have() -> None:
    line = BODY["Line"][0]
    classed = BODY | {"Line": [line | {"SalesItemLineDetail": line["SalesItemLineDetail"] | {"ClassRef": {"value": "1"}}}]}
    body = with_rounding(classed, D("0.01"), INTEGRATION, COMPANY)
    assert body is not None
    assert body["Line"][-1]["SalesItemLineDetail"]["ClassRef"] == {"value": "1"}
