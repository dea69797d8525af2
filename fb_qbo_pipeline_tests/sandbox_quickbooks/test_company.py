import datetime as dt
from typing import Any

import pytest

from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline_tests.sandbox_quickbooks.asgi import Api, Clock


def preferences(company: QuickBooks) -> Any:
    return Api(company).send("GET", "preferences").json["Preferences"]


@pytest.mark.parametrize(("country", "code", "currency"), [("ca", "CA", "CAD"), ("us", "US", "USD"), ("gb", "GB", "GBP")])
def test_the_company_tells_its_country_and_home_currency(country: str, code: str, currency: str) -> None:
    api = Api(QuickBooks(country, clock=Clock()))
    assert api.send("GET", f"companyinfo/{api.company.realm_id}").json["CompanyInfo"]["Country"] == code
    assert preferences(api.company)["CurrencyPrefs"]["HomeCurrency"] == {"value": currency}


def test_preferences_follow_the_companys_settings() -> None:
    company = QuickBooks(
        clock=Clock(),
        multicurrency=True,
        custom_numbers=False,
        class_tracking="transaction",
        locations=False,
        sales_tax=False,
        close_date=dt.date(2025, 12, 31),
    )
    found = preferences(company)
    assert found["CurrencyPrefs"]["MultiCurrencyEnabled"] is True
    assert found["SalesFormsPrefs"]["CustomTxnNumbers"] is False
    accounting = found["AccountingInfoPrefs"]
    assert (accounting["ClassTrackingPerTxn"], accounting["ClassTrackingPerTxnLine"], accounting["TrackDepartments"]) == (
        True,
        False,
        False,
    )
    assert accounting["BookCloseDate"] == "2025-12-31"
    assert found["TaxPrefs"] == {"UsingSalesTax": False}


def test_a_closing_date_that_is_not_set_is_absent() -> None:
    assert "BookCloseDate" not in preferences(QuickBooks(clock=Clock()))["AccountingInfoPrefs"]


def test_only_the_united_states_have_partner_tax() -> None:
    assert preferences(QuickBooks("us", clock=Clock()))["TaxPrefs"]["PartnerTaxEnabled"] is True
    assert "PartnerTaxEnabled" not in preferences(QuickBooks("gb", clock=Clock()))["TaxPrefs"]
