"""What differs between the sample company's countries: taxes, currency, and the integration that maps it.

The QuickBooks names are those that the QuickBooks sandbox of the country has. Britain is asked for as uk, and is gb in QuickBooks.
"""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from fb_qbo_pipeline.sandbox.sample_text import CATEGORY_ACCOUNTS

ACCOUNT_ID = "ABC123"
REALM_ID = "9341452000000000"

LineTaxes = tuple[tuple[str, str], ...]  # (name, percent), at most two


@dataclass(frozen=True)
class Country:
    """A country's taxes and settings.

    `regimes` are (share of the clients, taxes on services, taxes on goods); `expense_taxes` what an expense may carry.
    `sales_taxes` and `purchase_taxes` are the mappings of integration.yaml; None leaves the key out.
    """

    quickbooks: str
    name: str
    currency: str
    timezone: str
    cities: tuple[tuple[str, str, str], ...]  # city, province, postal code
    regimes: tuple[tuple[float, LineTaxes, LineTaxes], ...]
    expense_taxes: tuple[LineTaxes, ...]
    sales_taxes: dict[str, str]
    purchase_taxes: dict[str, str] | None = field(default=None)

    @property
    def taxes(self) -> tuple[tuple[str, str], ...]:
        """Every tax of the account, once."""
        used = [tax for _, services, goods in self.regimes for tax in (*services, *goods)]
        return tuple(dict.fromkeys([*used, *(tax for taxes in self.expense_taxes for tax in taxes)]))


_HST: LineTaxes = (("HST", "13"),)
_GST_QST: LineTaxes = (("GST", "5"), ("QST", "9.975"))
_CANADA_CODES = {"HST": "HST ON", "GST + QST": "GST/QST QC - 9.975", "none": "Exempt"}
_VAT_20: LineTaxes = (("VAT", "20"),)
_VAT_5: LineTaxes = (("VAT", "5"),)
_BRITAIN_CODES = {"VAT 20%": "20.0% S", "VAT 5%": "5.0% R", "none": "No VAT"}

_COUNTRIES = {
    "ca": Country(
        quickbooks="ca",
        name="Canada",
        currency="CAD",
        timezone="America/Toronto",
        cities=(("Toronto", "Ontario", "M5T 2B3"), ("Ottawa", "Ontario", "K1P 1J1"), ("Montréal", "Québec", "H2X 1Y4")),
        regimes=((0.55, _HST, _HST), (0.3, _GST_QST, _GST_QST), (0.15, (), ())),
        expense_taxes=(_HST, _GST_QST, ()),
        sales_taxes=_CANADA_CODES,
        purchase_taxes=_CANADA_CODES,
    ),
    "us": Country(
        quickbooks="us",
        name="United States",
        currency="USD",
        timezone="America/Los_Angeles",
        cities=(("Oakland", "CA", "94607"), ("San Diego", "CA", "92101"), ("Fresno", "CA", "93721")),
        regimes=((0.8, (), (("Sales Tax", "7.25"),)), (0.2, (), ())),
        expense_taxes=((("Sales Tax", "7.25"),), ()),
        sales_taxes={"Sales Tax": "California", "none": "NON"},
    ),
    "gb": Country(
        quickbooks="gb",
        name="United Kingdom",
        currency="GBP",
        timezone="Europe/London",
        cities=(("London", "", "N1 9GU"), ("Leeds", "", "LS1 4AP"), ("Cardiff", "Wales", "CF10 1EP")),
        regimes=((0.8, _VAT_20, _VAT_20), (0.1, _VAT_20, _VAT_5), (0.1, (), ())),
        expense_taxes=(_VAT_20, _VAT_5, ()),
        sales_taxes=_BRITAIN_CODES,
        purchase_taxes=_BRITAIN_CODES,
    ),
}


def country_named(code: str) -> Country:
    """The country of a code: ca, us, uk or gb. Raises ValueError for another."""
    found = _COUNTRIES.get({"uk": "gb"}.get(code.lower(), code.lower()))
    if found is None:
        raise ValueError(f"there is no sample company for {code!r}: ca, us or uk")
    return found


def integration(country: Country, start_date: dt.date) -> dict[str, Any]:
    """The content of integration.yaml that maps the sample company, apart from what is meant to become an exception."""
    expenses: dict[str, Any] = {
        "number_prefix": "EXP-",
        "due_date": {"type": "days", "days": 15},
        "default_vendor": "FreshBooks expenses",
        "categories": dict(CATEGORY_ACCOUNTS),
    }
    if country.purchase_taxes is not None:
        expenses["taxes"] = dict(country.purchase_taxes)
    return {
        "name": "acme",
        "timezone": country.timezone,
        "start_date": start_date,
        "freshbooks": {"account_id": ACCOUNT_ID},
        "quickbooks": {"realm_id": REALM_ID},
        "sales": {
            "statuses": ["sent", "viewed", "partial", "overdue", "paid", "autopaid"],
            "post_as": "invoice",
            "number_prefix": "FB",
            "customer": "original",
            "due_date": {"type": "days", "days": 30},
            "discount_product": "Discount",
            "rounding_product": "Rounding",
            "products": {
                "match_by": "name",
                "create": True,
                "type": "service",
                "income_account": "Services",
                "default_product": "Services",
            },
            "taxes": dict(country.sales_taxes),
        },
        "payments": {
            "deposit_account": "Undeposited Funds",
            "by_method": {"PayPal": "PayPal Clearing", "Credit Card": "Stripe Clearing"},
        },
        "expenses": expenses,
    }
