"""One QuickBooks company: its preferences, its habits, and the lists that it starts with.

Preferences, and behaviours of QuickBooks that are undocumented or reported both ways, are plain attributes to set at any
time; the product has to survive either way. Tables and indexes are the `Store`'s.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from fb_qbo_pipeline.money import ZERO
from fb_qbo_pipeline.sandbox.quickbooks import lists
from fb_qbo_pipeline.sandbox.quickbooks.refusals import Json, Refusal
from fb_qbo_pipeline.sandbox.quickbooks.store import Store


def utc_now() -> dt.datetime:
    """The present time, aware."""
    return dt.datetime.now(dt.UTC)


@dataclass(kw_only=True, eq=False)
class Preferences:
    """What a company's settings, plan and undocumented habits decide. All may be changed at any time."""

    multicurrency: bool = False
    custom_numbers: bool = True  # "custom transaction numbers": off means that QuickBooks numbers sales forms
    warn_duplicate_numbers: bool = True  # "warn if duplicate number is used": the API turns the warning into fault 6140
    close_date: dt.date | None = None
    sales_tax: bool = True
    class_tracking: Literal["line", "transaction", "off"] = "line"
    locations: bool = True
    discounts: bool = True
    online_payments: bool = False  # a QuickBooks Payments account is linked: the AllowOnline… flags take effect
    plan: Literal["Simple Start", "Essentials", "Plus", "Advanced"] = "Plus"
    subscription: str = "PAID"  # CANCELLED, EXPIRED or SUSPENDED refuses writes (6190)
    us_honours_total_tax: bool = True  # automated sales tax keeps an explicit TotalTax; False: always recomputed
    updates_voided: bool = False  # a voided transaction may be changed, and then counts again
    tax_amounts: Literal["kept", "recomputed", "refused"] = "kept"  # outside the US: amounts that differ from QuickBooks' own
    honours_request_id: bool = True  # False: a repeated request id executes again, as two integrators report
    one_name_at_a_time: bool = True  # concurrent writes of names are refused
    off_features: Literal["refused", "dropped"] = "refused"  # a class or location while its feature is off
    missing_rate: Literal["refused", "one"] = "refused"  # a foreign document without ExchangeRate: 2410, or a rate of 1
    tax_rounding: Literal["line", "total"] = "line"  # outside the US: half-up per line, or on the sum of a rate
    deletes_paid_invoices: bool = True  # True: deleting un-applies the payments; False: refused
    vendors_in_home_currency: bool = False  # True: a vendor's CurrencyRef is silently dropped, as measured by an integrator
    plain_names_only: bool = False  # True: names hold nothing but what the help pages list, else 2040
    query_lag: float = 0.0  # seconds until a new row shows in queries (reads by id see it at once)


@dataclass(eq=False)
class QuickBooks(Preferences, Store):
    """The state of one company. `country` is ca, us or gb; `seed` replaces the lists of a new company.

    `clock` gives the present time, aware.
    """

    country: str = "ca"
    realm_id: str = field(default="9341452000000000", kw_only=True)
    seed: lists.Seed | None = field(default=None, kw_only=True)
    clock: Callable[[], dt.datetime] = field(default=utc_now, kw_only=True)

    def __post_init__(self) -> None:
        Store.__init__(self, self.clock)
        seed = self.seed or lists.seed(self.country)
        self.country_code = seed.country
        self.home_currency = seed.home_currency
        self.company_name = seed.company_name
        self.is_us = self.country_code == "US"
        self._plant(seed)

    def add_account(self, account: lists.AccountSeed) -> Json:
        """Add an account; its parent has to exist."""
        parent, _, name = account.full_name.rpartition(":")
        content: Json = {
            "Name": name,
            "FullyQualifiedName": account.full_name,
            "SubAccount": bool(parent),
            "AccountType": account.type,
            "AccountSubType": account.sub_type,
            "Classification": classification(account.type),
            "CurrentBalance": ZERO,
            "CurrencyRef": self.currency_ref(self.home_currency),
        }
        if parent:
            content["ParentRef"] = {"value": self.named("Account", parent)["Id"]}
        return self.add("Account", **content)

    def add_item(self, item: lists.ItemSeed) -> Json:
        """Add a product or service; its accounts have to exist."""
        content: Json = {"Name": item.name, "FullyQualifiedName": item.name, "Type": item.type}
        if item.type != "Category":
            content |= {"Taxable": True, "UnitPrice": ZERO, "PurchaseCost": ZERO, "TrackQtyOnHand": False}
        if item.sku:
            content["Sku"] = item.sku
        for key, name in (("IncomeAccountRef", item.income), ("ExpenseAccountRef", item.expense)):
            if name:
                content[key] = {"value": self.named("Account", name)["Id"], "name": name}
        return self.add("Item", **content)

    def add_tax_code(self, code: lists.TaxSeed) -> Json:
        """Add a tax code and those of its rates that do not exist yet."""
        content: Json = {
            "Name": code.name,
            "Description": code.name,
            "Taxable": code.name != "NON",
            "TaxGroup": not code.pseudo,
            "Hidden": False,
            "SalesTaxRateList": {"TaxRateDetail": [self._rate_detail(n, rate) for n, rate in enumerate(code.sales)]},
            "PurchaseTaxRateList": {"TaxRateDetail": [self._rate_detail(n, rate) for n, rate in enumerate(code.purchase)]},
        }
        if not code.pseudo:
            return self.add("TaxCode", **content)
        row = self.stamped(code.name, {"Active": True, **content}, None)  # the ids of TAX and NON are these words
        self.put("TaxCode", row)
        return row

    def currency_ref(self, code: str) -> Json:
        """A reference to a currency with its name."""
        return {"value": code, "name": lists.CURRENCIES.get(code, code)}

    def _plant(self, seed: lists.Seed) -> None:
        agency = self.add("TaxAgency", DisplayName="Revenue Agency", TaxTrackedOnSales=True, TaxTrackedOnPurchases=not self.is_us)
        self._agency = {"value": agency["Id"]}
        self._sequences["TaxCode"] = 1
        for code, name in lists.CURRENCIES.items():
            self.add("CompanyCurrency", Code=code, Name=name)
        for account in seed.accounts:
            self.add_account(account)
        for item in seed.items:
            self.add_item(item)
        for name in seed.classes:
            self.add("Class", Name=name, FullyQualifiedName=name, SubClass=False)
        for name in seed.locations:
            self.add("Department", Name=name, FullyQualifiedName=name, SubDepartment=False)
        for name in seed.employees:
            self.add("Employee", DisplayName=name, PrintOnCheckName=name)
        for name in seed.payment_methods:
            self.add("PaymentMethod", Name=name, Type="NON_CREDIT_CARD")
        for name, days in seed.terms:
            self.add("Term", Name=name, Type="STANDARD", DueDays=days)
        for tax_code in seed.tax_codes:
            self.add_tax_code(tax_code)

    def _rate_detail(self, order: int, rate: lists.RateSeed) -> Json:
        row = next((row for row in self.tables["TaxRate"].values() if row["Name"] == rate.name), None) or self.add(
            "TaxRate",
            Name=rate.name,
            Description=rate.name,
            RateValue=rate.percent,
            AgencyRef=self._agency,
            SpecialTaxType="NONE" if rate.percent else "ZERO_RATE",
            DisplayType="ReadOnly",
            EffectiveTaxRate=[{"RateValue": rate.percent, "EffectiveDate": "2000-01-01T00:00:00-08:00"}],
        )
        return {"TaxRateRef": {"value": row["Id"], "name": rate.name}, "TaxTypeApplicable": rate.applies, "TaxOrder": order}


def classification(account_type: str) -> str:
    """Asset, Liability, Equity, Revenue or Expense."""
    if account_type in ("Income", "Other Income"):
        return "Revenue"
    if account_type in ("Expense", "Other Expense", "Cost of Goods Sold"):
        return "Expense"
    if account_type == "Equity":
        return "Equity"
    return "Liability" if account_type in ("Accounts Payable", "Credit Card") or "Liability" in account_type else "Asset"


def open_period(company: QuickBooks, *dates: str | None) -> None:
    """Raise Refusal 6210 where a date lies in the closed period."""
    closed = company.close_date
    if closed is not None and any(day is not None and day <= closed.isoformat() for day in dates):
        detail = (
            "The account period has closed and the account books cannot be updated through through the QBO Services API. "
            "Please use the QBO website to make these changes."
        )
        raise Refusal("6210", detail, "TxnDate")
