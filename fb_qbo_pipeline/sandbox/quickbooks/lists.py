"""What a new company holds: chart of accounts, items, classes, locations, tax codes, terms, one employee; by country.

Modelled on the sample companies of the three countries, small enough to read. Names matter: people refer to these things
by name in `integration.yaml`. Rates are shared between codes by name, as in QuickBooks: GST is one rate, whether it is
charged alone or together with QST; the sales side and the purchase side of a code hold different rates.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple


class AccountSeed(NamedTuple):
    """An account by its fully qualified name; a parent stands before its children."""

    full_name: str
    type: str
    sub_type: str


class ItemSeed(NamedTuple):
    """A product or service; `income` and `expense` are accounts' names."""

    name: str
    type: str = "Service"
    income: str = ""
    expense: str = ""
    sku: str = ""


class RateSeed(NamedTuple):
    """A tax rate: `applies` is TaxOnAmount, TaxOnAmountPlusTax (compound) or TaxOnTax."""

    name: str
    percent: Decimal
    applies: str = "TaxOnAmount"


class TaxSeed(NamedTuple):
    """A tax code with its sales and its purchase rates. `pseudo`: TAX and NON of the United States."""

    name: str
    sales: tuple[RateSeed, ...] = ()
    purchase: tuple[RateSeed, ...] = ()
    pseudo: bool = False


@dataclass(frozen=True)
class Seed:
    """The lists of a new company."""

    company_name: str
    country: str  # as in CompanyInfo: CA, US, GB
    home_currency: str
    tax_codes: tuple[TaxSeed, ...]
    accounts: tuple[AccountSeed, ...]
    items: tuple[ItemSeed, ...]
    classes: tuple[str, ...] = ("Retail", "Wholesale")
    locations: tuple[str, ...] = ("Montreal", "Toronto")
    employees: tuple[str, ...] = ("Emily Platt",)
    payment_methods: tuple[str, ...] = ("Cash", "Cheque", "Credit Card")
    terms: tuple[tuple[str, int], ...] = (("Due on receipt", 0), ("Net 15", 15), ("Net 30", 30))


CURRENCIES = {
    "USD": "United States Dollar",
    "CAD": "Canadian Dollar",
    "GBP": "British Pound Sterling",
    "EUR": "Euro",
    "JPY": "Japanese Yen",
}

_INCOME, _EXPENSE, _BANK, _CURRENT = "Income", "Expense", "Bank", "Other Current Asset"

ACCOUNTS = (
    AccountSeed("Services", _INCOME, "ServiceFeeIncome"),
    AccountSeed("Sales of Product Income", _INCOME, "SalesOfProductIncome"),
    AccountSeed("Discounts given", _INCOME, "DiscountsRefundsGiven"),
    AccountSeed("Undeposited Funds", _CURRENT, "UndepositedFunds"),
    AccountSeed("PayPal Clearing", _BANK, "CashOnHand"),
    AccountSeed("Stripe Clearing", _BANK, "CashOnHand"),
    AccountSeed("Chequing", _BANK, "Checking"),
    AccountSeed("Savings", _BANK, "Savings"),
    AccountSeed("Customer Credits", _CURRENT, "OtherCurrentAssets"),
    AccountSeed("Inventory Asset", _CURRENT, "Inventory"),
    AccountSeed("Accounts Receivable (A/R)", "Accounts Receivable", "AccountsReceivable"),
    AccountSeed("Accounts Payable (A/P)", "Accounts Payable", "AccountsPayable"),
    AccountSeed("Visa", "Credit Card", "CreditCard"),
    AccountSeed("Loan Payable", "Long Term Liability", "NotesPayable"),
    AccountSeed("Retained Earnings", "Equity", "RetainedEarnings"),
    AccountSeed("Cost of Goods Sold", "Cost of Goods Sold", "SuppliesMaterialsCogs"),
    AccountSeed("Advertising", _EXPENSE, "AdvertisingPromotional"),
    AccountSeed("Automobile", _EXPENSE, "Auto"),
    AccountSeed("Automobile:Fuel", _EXPENSE, "Auto"),
    AccountSeed("Office Supplies", _EXPENSE, "OfficeGeneralAdministrativeExpenses"),
    AccountSeed("Meals", _EXPENSE, "TravelMeals"),
    AccountSeed("Travel", _EXPENSE, "Travel"),
    AccountSeed("Rent", _EXPENSE, "RentOrLeaseOfBuildings"),
    AccountSeed("Utilities", _EXPENSE, "Utilities"),
    AccountSeed("Software", _EXPENSE, "OfficeGeneralAdministrativeExpenses"),
    AccountSeed("Insurance", _EXPENSE, "Insurance"),
    AccountSeed("Professional Fees", _EXPENSE, "LegalProfessionalFees"),
    AccountSeed("Other", _EXPENSE, "OtherMiscellaneousServiceCost"),
    AccountSeed("Exchange Gain or Loss", "Other Expense", "ExchangeGainOrLoss"),
)

ITEMS = (
    ItemSeed("Services", income="Services", expense="Other"),
    ItemSeed("Discount", income="Discounts given"),
    ItemSeed("Rounding", income="Services"),
    ItemSeed("Products", type="Category"),
)


def _rate(name: str, percent: str) -> RateSeed:
    return RateSeed(name, Decimal(percent))


def _both_sides(code: str, name: str, percent: str, purchase_name: str) -> TaxSeed:
    return TaxSeed(code, (_rate(name, percent),), (_rate(purchase_name, percent),))


_CANADA = (
    _both_sides("Exempt", "GST/HST EXEMPT", "0", "GST/HST EXEMPT (ITC)"),
    _both_sides("Zero-rated", "GST/HST ZR", "0", "GST/HST ZR (ITC)"),
    _both_sides("Out of Scope", "GST/HST NC", "0", "GST/HST NC (ITC)"),
    _both_sides("HST ON", "HST (ON)", "13", "HST (ON) ITC"),
    _both_sides("GST", "GST", "5", "GST (ITC)"),
    TaxSeed(
        "GST/QST QC - 9.975",
        (_rate("GST", "5"), _rate("QST", "9.975")),
        (_rate("GST (ITC)", "5"), _rate("QST (ITR)", "9.975")),
    ),
    TaxSeed("GST/PST BC", (_rate("GST", "5"), _rate("PST (BC)", "7")), (_rate("GST (ITC)", "5"), _rate("PST (BC) on purchases", "7"))),
)
_BRITAIN = (
    _both_sides("20.0% S", "VAT 20.0% sales", "20", "VAT 20.0% purchases"),
    _both_sides("5.0% R", "VAT 5.0% sales", "5", "VAT 5.0% purchases"),
    _both_sides("0.0% Z", "VAT 0.0% sales", "0", "VAT 0.0% purchases"),
    _both_sides("Exempt", "VAT exempt sales", "0", "VAT exempt purchases"),
    _both_sides("No VAT", "No VAT sales", "0", "No VAT purchases"),
)
_STATES = (
    TaxSeed("TAX", pseudo=True),
    TaxSeed("NON", pseudo=True),
    TaxSeed("California", (_rate("California", "7.25"),)),
    TaxSeed("New York", (_rate("New York State", "4"), _rate("New York City", "4.5"))),
)


def seed(country: str) -> Seed:
    """The lists of a new company in `country`: ca, us or gb (any case). Raises ValueError for another."""
    match country.lower():
        case "ca":
            return Seed("Maple Sandbox Ltd.", "CA", "CAD", _CANADA, ACCOUNTS, ITEMS)
        case "us":
            return Seed("Sequoia Sandbox Inc.", "US", "USD", _STATES, ACCOUNTS, ITEMS)
        case "gb":
            return Seed("Oak Sandbox Ltd", "GB", "GBP", _BRITAIN, ACCOUNTS, ITEMS)
    raise ValueError(f"no sandbox company for country {country!r}: ca, us or gb")
