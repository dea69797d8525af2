"""The sample company's regular business: its lists, and a year of invoices, payments and expenses chosen by a seed."""

import datetime as dt
import random
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from fb_qbo_pipeline.money import round_half_up
from fb_qbo_pipeline.sandbox.freshbooks.clock import Clock
from fb_qbo_pipeline.sandbox.freshbooks.payloads import Line
from fb_qbo_pipeline.sandbox.freshbooks.resources import Json
from fb_qbo_pipeline.sandbox.freshbooks.state import FreshBooks
from fb_qbo_pipeline.sandbox.freshbooks.wire import amount_of
from fb_qbo_pipeline.sandbox.sample_country import ACCOUNT_ID, Country, LineTaxes
from fb_qbo_pipeline.sandbox.sample_text import CATEGORIES, CLIENTS, ITEMS, UNLISTED_LINES, UNMAPPED_CATEGORY, VENDORS, ItemText

INVOICES, EXPENSES = 585, 240  # the regular ones; the special ones come on top
DAYS = 364
_METHODS = ("Bank Transfer", "Check", "Credit Card", "PayPal", "Cash", "ACH")
_METHOD_WEIGHTS = (40, 15, 22, 14, 4, 5)
# Built-in categories that this company never uses.
_UNUSED = frozenset(
    {"Car & Truck Expenses/Mileage", "Car & Truck Expenses/Repairs", "Meals & Entertainment/Entertainment", "Personal", UNMAPPED_CATEGORY}
)


class Studio:
    """The company while it is being made. All choices come from one seeded generator, in a fixed order."""

    def __init__(self, country: Country, today: dt.date | None, seed: int) -> None:
        self.country = country
        self.random = random.Random(seed)  # noqa: S311  repeatable choices, nothing secret
        self.zone = ZoneInfo(country.timezone)
        now = dt.datetime.now(self.zone)
        self.today = today or now.date()
        self.start = self.today - dt.timedelta(days=DAYS)
        self._latest = dt.datetime.combine(today, dt.time(19), self.zone) if today else now
        self.account = FreshBooks(
            ACCOUNT_ID,
            business_name="Lanternfish Studio",
            currency=country.currency,
            country=country.name,
            timezone=country.timezone,
            clock=Clock(dt.datetime.combine(self.start - dt.timedelta(days=200), dt.time(10), self.zone)),
        )
        self.clients: list[tuple[int, LineTaxes, LineTaxes]] = []  # id, taxes on services, taxes on goods
        self.categories: dict[str, int] = {}  # CATEGORY or PARENT/CATEGORY → id

    def at(self, day: dt.date) -> None:
        """Go to working hours of `day`; never into the future."""
        opening = dt.datetime.combine(day, dt.time(9), self.zone)
        self.account.clock.set(min(opening + dt.timedelta(minutes=self.random.randrange(540)), self._latest))

    def close(self, runs: bool) -> None:
        """Leave the clock at the end of the last day, or running."""
        self.account.clock.set(self._latest)
        if runs:
            self.account.clock.run()

    def days(self, count: int) -> list[dt.date]:
        """`count` days of the year in order, few of them at weekends."""
        year = [self.start + dt.timedelta(days=offset) for offset in range(DAYS + 1)]
        return sorted(self.random.choices(year, [1 if day.weekday() > 4 else 10 for day in year], k=count))

    # Lists

    def add_lists(self) -> None:
        """Taxes, items, categories and clients."""
        for name, percent in self.country.taxes:
            self.account.add_tax(name, percent)
        old = self.account.add_item("Mugs", "8.50", description="Old supplier")  # the name occurs twice: archived, and in use
        self.account.archive("item", old["id"])
        for item in ITEMS:
            self.account.add_item(item.name, item.unit_cost, item.sku, description=item.description)
        for parent, children in CATEGORIES.items():
            self.categories[parent] = self.account.add_category(parent)["id"]
            for child in children:
                category = self.account.add_category(child, self.categories[parent], is_editable=child == "Software")
                self.categories[f"{parent}/{child}"] = category["id"]
        for number, client in enumerate(CLIENTS, start=1):
            city, province, code = self.random.choice(self.country.cities)
            address = {"p_street": f"{number * 7} Example Street", "p_city": city, "p_province": province, "p_code": code}
            record = self.account.add_client(*client, **address, p_country=self.country.name, bus_phone=f"555-01{number:02}")
            shares = [share for share, _, _ in self.country.regimes]
            _, services, goods = self.random.choices(self.country.regimes, shares)[0]
            self.clients.append((record["id"], services, goods))

    # Invoices and their payments

    def add_invoices(self) -> None:
        """The regular invoices, oldest first; then what was paid, oldest first."""
        payments: list[tuple[dt.date, int, Decimal]] = []
        for number, day in enumerate(self.days(INVOICES), start=1001):
            self.at(day)
            client, services, goods = self.random.choices(self.clients, range(len(self.clients) + 5, 5, -1))[0]
            age = (self.today - day).days
            draft = self.random.random() < (0.12 if age < 20 else 0.01)
            invoice = self.account.add_invoice(
                client,
                lines=[self._line(services, goods) for _ in range(self.random.choices((1, 2, 3, 5, 8), (35, 30, 20, 12, 3))[0])],
                date=day,
                number=str(number),
                discount_value=self.random.choices((0, "5", "7.5", "10", "12.5", "15"), (88, 3, 2, 4, 1, 2))[0],
                due_offset_days=self.random.choice((0, 14, 30, 30, 30, 45)),
                status="draft" if draft else self.random.choice(("sent", "sent", "viewed")),
                auto_bill=self.random.random() < 0.02,
                notes=self.random.choice(("", "", "Thank you for your business.", "Merci beaucoup!")),
                po_number=f"PO-{self.random.randrange(10000):04}" if self.random.random() < 0.2 else None,
            )
            if not draft:
                payments += self._payments(invoice, day, age)
        for day, invoice_id, amount in sorted(payments):
            self.pay(invoice_id, amount, day)

    def pay(self, invoice_id: int, amount: Decimal, day: dt.date, **details: Any) -> Json:
        """Record a payment made on `day`, by some method."""
        self.at(day)
        method = self.random.choices(_METHODS, _METHOD_WEIGHTS)[0]
        gateway = {"Credit Card": "stripe", "PayPal": "paypal"}.get(method)
        return self.account.add_payment(invoice_id, amount, day, method, gateway=gateway, **details)

    def _line(self, services: LineTaxes, goods: LineTaxes) -> Line:
        item = self.random.choice(ITEMS)
        kind = self.random.random()
        name = item.name if kind > 0.06 else self.random.choice(UNLISTED_LINES) if kind > 0.015 else ""
        taxes = () if item.name == "Shipping" else goods if item.goods else services
        return Line(name, self._quantity(item), self._unit_cost(item), taxes, item.description)

    def _quantity(self, item: ItemText) -> Decimal:
        """Many for what costs cents, hours with up to three decimals for what costs tens, else a few."""
        cost = Decimal(item.unit_cost)
        if cost < 1:
            return Decimal(self.random.randrange(120, 4000))
        if cost < 200 and not item.goods and self.random.random() < 0.6:
            return Decimal(self.random.randrange(125, 14000)) / 1000
        return Decimal(self.random.choice((1, 1, 1, 2, 3, 4, 7, 12)))

    def _unit_cost(self, item: ItemText) -> str:
        """Mostly the item's price; now and then one agreed by hand."""
        return item.unit_cost if self.random.random() > 0.15 else f"{Decimal(item.unit_cost) * self.random.randrange(70, 131) / 100:.2f}"

    def _payments(self, invoice: Json, day: dt.date, age: int) -> list[tuple[dt.date, int, Decimal]]:
        """Older invoices are mostly paid, some in two parts, some in part only."""
        amount = amount_of(invoice["amount"])
        if amount <= 0 or self.random.random() > (0.93 if age > 60 else 0.7 if age > 25 else 0.35):
            return []
        first = day + dt.timedelta(days=self.random.randrange(0, 50 if age > 60 else 20))
        parts = [amount]
        if amount > 50 and self.random.random() < 0.12:
            part = round_half_up(amount * self.random.randrange(20, 80) / 100)
            parts = [part] if self.random.random() < 0.35 else [part, amount - part]
        due = [(first + dt.timedelta(days=21 * index), invoice["id"], part) for index, part in enumerate(parts)]
        return [payment for payment in due if payment[0] <= self.today]

    # Expenses

    def add_expenses(self) -> None:
        """The regular expenses, oldest first. Every tenth names no vendor; some amounts have three decimals."""
        names = [name for name in self.categories if name not in _UNUSED and ("/" in name or not CATEGORIES[name])]
        for day in self.days(EXPENSES):
            self.at(day)
            vendor = self.random.choice((None, "")) if self.random.random() < 0.1 else self.random.choice(VENDORS)
            self.add_expense(self.random.choice(names), day, vendor)

    def add_expense(self, category: str, day: dt.date, vendor: str | None) -> Json:
        """An expense of some amount, with its taxes as somebody would have split them off."""
        net = Decimal(self.random.randrange(350, 90_000)) / 100
        taxes = [
            (name, round_half_up(net * Decimal(percent) / 100), percent if self.random.random() < 0.7 else None)
            for name, percent in self.random.choice(self.country.expense_taxes)
        ]
        gross = net + sum((amount for _, amount, _ in taxes), Decimal(0))
        if self.random.random() < 0.04:
            gross += Decimal(self.random.randrange(1, 10)) / 1000
        notes = self.random.choice(("", "", f"{category.rpartition('/')[2]} – {day:%B}"))
        return self.account.add_expense(gross, self.categories[category], day, vendor=vendor, taxes=taxes, notes=notes)
