"""Records, companies and settings for the tests: everything has a plain default, and a test names what it is about."""

import datetime as dt
from decimal import Decimal
from typing import Any

from fb_qbo_pipeline.freshbooks.records import (
    Address,
    Category,
    Client,
    Expense,
    ExpenseTax,
    Invoice,
    InvoiceLine,
    Item,
    LineTax,
    Payment,
    VisState,
)
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.money import total
from fb_qbo_pipeline.quickbooks import company as qbo
from fb_qbo_pipeline.settings.models import Integration

DAY = dt.date(2025, 3, 15)
D = Decimal


def tax(name: str, percent: str) -> LineTax:
    return LineTax(name, D(percent))


HST, GST, QST = tax("HST", "13"), tax("GST", "5"), tax("QST", "9.975")


def line(amount: str, *taxes: LineTax, name: str = "Design", quantity: str = "1", price: str | None = None, **other: Any) -> InvoiceLine:
    values: dict[str, Any] = {"line_id": 1, "kind": 0, "description": "", "compounded": False, "expense_id": None} | other
    return InvoiceLine(
        name=name, quantity=D(quantity), unit_cost=D(price if price is not None else amount), amount=D(amount), taxes=taxes, **values
    )


def invoice(*lines: InvoiceLine, amount: str | None = None, **other: Any) -> Invoice:
    """An unpaid invoice; without `amount` its total is that of its lines."""
    whole = D(amount) if amount is not None else total(one.amount for one in lines)
    values: dict[str, Any] = {
        "id": 1001,
        "number": "0000042",
        "client_id": 7,
        "date": DAY,
        "due_date": None,
        "currency": "CAD",
        "paid": D("0"),
        "outstanding": whole,
        "discount_percent": D("0"),
        "discount_total": D("0"),
        "status": "sent",
        "vis_state": VisState.ACTIVE,
        "organization": "Acme Ltd",
        "first_name": "Jane",
        "last_name": "Doe",
        "address": Address("1 Old Road", "", "Montreal", "QC", "H2X 1Y4", "Canada"),
        "notes": "",
        "terms": "",
        "po_number": "",
    } | other
    return Invoice(lines=lines, amount=whole, **values)


def paid(*lines: InvoiceLine, amount: str | None = None, **other: Any) -> Invoice:
    one = invoice(*lines, amount=amount, **other)
    return invoice(*lines, amount=amount, **({"paid": one.amount, "outstanding": D("0"), "status": "paid"} | other))


def payment(amount: str = "100.00", **other: Any) -> Payment:
    values: dict[str, Any] = {
        "id": 501,
        "invoice_id": 1001,
        "credit_id": None,
        "client_id": 7,
        "currency": "CAD",
        "date": DAY,
        "method": "Check",
        "from_credit": False,
        "note": "",
        "vis_state": VisState.ACTIVE,
    } | other
    return Payment(amount=D(amount), **values)


def expense(amount: str = "113.00", *taxes: ExpenseTax, **other: Any) -> Expense:
    values: dict[str, Any] = {
        "id": 987,
        "currency": "CAD",
        "date": DAY,
        "category_id": 20,
        "vendor": "Serano Bakery",
        "notes": "Lunch",
        "client_id": None,
        "invoice_id": None,
        "vis_state": VisState.ACTIVE,
    } | other
    return Expense(amount=D(amount), taxes=taxes, **values)


def expense_tax(name: str, amount: str, percent: str | None = None) -> ExpenseTax:
    return ExpenseTax(name, D(percent) if percent is not None else None, D(amount))


def client(**other: Any) -> Client:
    values: dict[str, Any] = {
        "id": 7,
        "organization": "Acme Ltd",
        "first_name": "Jane",
        "last_name": "Doe",
        "email": "jane@acme.example",
        "phone": "514 555 0100",
        "mobile": "",
        "address": Address("1 Main Street", "Suite 2", "Montreal", "QC", "H2X 1Y4", "Canada"),
        "shipping": Address(),
        "currency": "CAD",
        "vat_number": "",
        "vis_state": VisState.ACTIVE,
    } | other
    return Client(**values)


def item(name: str, sku: str = "", *, id: int = 1, description: str = "", vis_state: VisState = VisState.ACTIVE) -> Item:
    return Item(id, name, sku, description, None, vis_state)


CATEGORIES = {
    10: Category(10, "Car & Truck Expenses", None, VisState.ACTIVE),
    11: Category(11, "Gas", 10, VisState.ACTIVE),
    20: Category(20, "Advertising", None, VisState.ACTIVE),
    30: Category(30, "Barter", None, VisState.ACTIVE),
}


def qbo_item(id: str, name: str, *, sku: str = "", type: str = "Service", active: bool = True, full_name: str = "") -> qbo.Item:
    return qbo.Item(id, name, full_name or name, sku, type, active)


def account(id: str, name: str, type: str, *, active: bool = True) -> qbo.Account:
    return qbo.Account(id, name.rpartition(":")[2], name, type, "", "CAD", active)


def party(
    id: str, name: str, *, kind: str = "Customer", email: str = "", company: str = "", currency: str = "CAD", active: bool = True
) -> qbo.Party:
    return qbo.Party(id, kind, name, company, "", "", email, currency, active)


def code(id: str, name: str, sales: str = "", purchase: str = "", *, active: bool = True, group: bool = True) -> qbo.TaxCode:
    """A tax code with rate ids in order, separated by blanks; "8+" is a rate on the amount plus the taxes before it."""

    def rates(text: str) -> tuple[qbo.CodeRate, ...]:
        return tuple(
            qbo.CodeRate(one.rstrip("+"), "TaxOnAmountPlusTax" if one.endswith("+") else "TaxOnAmount", order)
            for order, one in enumerate(text.split())
        )

    return qbo.TaxCode(id, name, active, name != "NON", group, rates(sales), rates(purchase))


def rate(id: str, percent: str, **other: Any) -> qbo.TaxRate:
    return qbo.TaxRate(id, f"rate {id}", D(percent), True, **other)


ACCOUNTS = (
    account("1", "Undeposited Funds", "Other Current Asset"),
    account("2", "PayPal Clearing", "Bank"),
    account("3", "Customer Credits", "Other Current Asset"),
    account("4", "Services", "Income"),
    account("5", "Cost of Goods Sold", "Cost of Goods Sold"),
    account("6", "Inventory Asset", "Other Current Asset"),
    account("7", "Advertising", "Expense"),
    account("8", "Automobile:Fuel", "Expense"),
    account("9", "Accounts Payable (A/P)", "Accounts Payable"),
    account("10", "Old Bank", "Bank", active=False),
)
ITEMS = (
    qbo_item("100", "Design"),
    qbo_item("101", "Services"),
    qbo_item("102", "Discount"),
    qbo_item("103", "Rounding"),
    qbo_item("104", "Hosting", active=False),
    qbo_item("105", "Everything", type="Category"),
)
CODES = (
    code("2", "Exempt", "20", "21"),
    code("5", "HST ON", "30", "31"),
    code("6", "GST", "40", "41"),
    code("7", "GST/QST QC", "40 50", "41 51"),
    code("8", "Old HST", "30", "31", active=False),
    code("9", "Purchases only", "", "31"),
    code("10", "Compound", "40 60+", "41 61+"),
    code("11", "Out of Scope"),
)
RATES = (
    rate("20", "0"),
    rate("21", "0"),
    rate("30", "13"),
    rate("31", "13"),
    rate("40", "5"),
    rate("41", "5"),
    rate("50", "9.975"),
    rate("51", "9.975"),
    rate("60", "9.5"),
    rate("61", "9.5"),
)
US_CODES = (
    code("TAX", "TAX", group=False),
    code("NON", "NON", group=False),
    code("2", "California", "70"),
    code("3", "New York", "71 72"),
)
US_RATES = (rate("70", "7.25"), rate("71", "4"), rate("72", "4.5"))


def preferences(**other: Any) -> qbo.Preferences:
    values: dict[str, Any] = {
        "uses_sales_tax": True,
        "partner_tax": None,
        "custom_numbers": True,
        "class_per_transaction": False,
        "class_per_line": False,
        "locations": False,
        "multicurrency": False,
        "home_currency": "CAD",
        "closed_until": None,
        "discounts_allowed": True,
        "auto_apply_credit": False,
        "warn_duplicate_bill_numbers": True,
    } | other
    return qbo.Preferences(**values)


def company(country: str = "CA", *, items: tuple[qbo.Item, ...] = ITEMS, **prefs: Any) -> qbo.Company:
    us = country == "US"
    return qbo.Company(
        realm_id="1",
        name="Books",
        country=country,
        preferences=preferences(**({"home_currency": "USD"} if us else {}), **prefs),
        accounts=ACCOUNTS,
        items=items,
        classes=(qbo.Named("1", "Retail", "Retail", True), qbo.Named("2", "Old", "Old", False)),
        locations=(qbo.Named("1", "Montreal", "Montreal", True),),
        tax_codes=US_CODES if us else CODES,
        tax_rates=US_RATES if us else RATES,
    )


SALES_TAXES = {"HST": "HST ON", "GST": "GST", "GST + QST": "GST/QST QC", "none": "Exempt"}
PRODUCTS = {"create": True, "income_account": "Services"}
SALES: dict[str, Any] = {
    "number_prefix": "FB",
    "discount_product": "Discount",
    "rounding_product": "Rounding",
    "products": PRODUCTS,
    "taxes": SALES_TAXES,
}
PAYMENTS: dict[str, Any] = {"deposit_account": "Undeposited Funds", "by_method": {"PayPal": "PayPal Clearing"}}
EXPENSES: dict[str, Any] = {
    "number_prefix": "EXP-",
    "categories": {"Advertising": "Advertising", "Car & Truck Expenses/Gas": "Automobile:Fuel"},
    "taxes": {"HST": "HST ON", "GST + QST": "GST/QST QC", "none": "Exempt"},
}


def integration(
    sales: dict[str, Any] | None = SALES,
    payments: dict[str, Any] | None = PAYMENTS,
    expenses: dict[str, Any] | None = EXPENSES,
    **other: Any,
) -> Integration:
    values = {
        "name": "acme",
        "timezone": "America/Toronto",
        "start_date": dt.date(2025, 1, 1),
        "freshbooks": {"account_id": "ABC123"},
        "quickbooks": {"realm_id": "1"},
        "sales": sales,
        "payments": payments,
        "expenses": expenses,
    } | other
    return Integration.model_validate(values)


def context(
    *,
    sales: dict[str, Any] | None = None,
    payments: dict[str, Any] | None = PAYMENTS,
    expenses: dict[str, Any] | None = None,
    books: qbo.Company | None = None,
    clients: tuple[Client, ...] = (),
    items: tuple[Item, ...] = (),
    categories: dict[int, Category] = CATEGORIES,
    **other: Any,
) -> Context:
    """A context; `sales` and `expenses` change single settings of the defaults."""
    settings = integration(SALES | (sales or {}), payments, EXPENSES | (expenses or {}), **other)
    known = clients or (client(),)
    return Context(settings, books or company(), {one.id: one for one in known}, items, categories)
