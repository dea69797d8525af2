from dataclasses import replace

import pytest

from fb_qbo_pipeline.sandbox.quickbooks.lists import AccountSeed, seed
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks

NAMES = ["Services", "Discounts given", "Undeposited Funds", "PayPal Clearing", "Stripe Clearing", "Customer Credits", "Automobile:Fuel"]


@pytest.mark.parametrize("country", ["ca", "us", "gb", "CA"])
def test_every_country_has_a_realistic_chart_of_accounts(country: str) -> None:
    company = QuickBooks(country)
    assert all(company.named("Account", name)["Active"] for name in NAMES)
    assert company.named("Item", "Services")["IncomeAccountRef"]["name"] == "Services"


@pytest.mark.parametrize(
    ("country", "code", "percents"),
    [("ca", "HST ON", [13]), ("ca", "GST/PST BC", [5, 7]), ("gb", "20.0% S", [20]), ("gb", "No VAT", [0]), ("us", "New York", [4, "4.5"])],
)
def test_tax_codes_hold_their_rates(country: str, code: str, percents: list[object]) -> None:
    company = QuickBooks(country)
    details = company.named("TaxCode", code)["SalesTaxRateList"]["TaxRateDetail"]
    rates = [company.tables["TaxRate"][detail["TaxRateRef"]["value"]]["RateValue"] for detail in details]
    assert [str(rate) for rate in rates] == [str(percent) for percent in percents]


def test_codes_that_charge_the_same_tax_share_its_rate() -> None:
    company = QuickBooks()
    alone, pair = (company.named("TaxCode", name)["SalesTaxRateList"]["TaxRateDetail"] for name in ("GST", "GST/QST QC - 9.975"))
    assert alone[0]["TaxRateRef"] == pair[0]["TaxRateRef"]


def test_another_country_is_refused() -> None:
    with pytest.raises(ValueError, match="ca, us or gb"):
        QuickBooks("fr")


def test_the_lists_of_a_new_company_can_be_replaced() -> None:
    company = QuickBooks(
        seed=replace(
            seed("ca"), classes=(), accounts=(*seed("ca").accounts, AccountSeed("Donations", "Expense", "CharitableContributions"))
        )
    )
    assert company.rows("Class") == []
    assert company.named("Account", "Donations")["Classification"] == "Expense"
