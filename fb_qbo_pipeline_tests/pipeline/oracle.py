"""What the books must say: from FreshBooks' raw records, the settings and QuickBooks' chart alone.

An accountant with a calculator: nothing of the product is imported, so an error in the mapping cannot excuse itself here.
It knows FreshBooks' arithmetic (a percentage discount lowers every line before tax; each tax is rounded once, over all
lines), the settings' meaning, and double entry. Amounts are debits positive. Single currency.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Json = dict[str, Any]
Tax = tuple[str, Decimal]  # name and percent of a tax on a line
RECEIVABLE, PAYABLE = "Accounts Receivable (A/R)", "Accounts Payable (A/P)"
DELETED = 1


def money(value: Any) -> Decimal:
    """The amount of FreshBooks money, or a number that it writes as text; nothing is zero."""
    text = value.get("amount") if isinstance(value, dict) else value
    return Decimal(str(text or 0))


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def plain(name: str) -> str:
    return " ".join(name.split()).lower()


@dataclass
class Chart:
    """QuickBooks' lists before the sync: income account by item, and each tax code's rates (name, percent) by side."""

    income: dict[str, str]
    sales_rates: dict[str, list[Tax]]
    purchase_rates: dict[str, list[Tax]]
    united_states: bool


@dataclass
class Books:
    """The expected trial balance, the open balance of every invoice that is posted, and what is held: (source, id) → code."""

    balances: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    open_invoices: dict[int, Decimal] = field(default_factory=dict)
    held: dict[tuple[str, int], str] = field(default_factory=dict)

    def post(self, *entries: tuple[str, Decimal]) -> None:
        """A balanced posting."""
        assert sum(amount for _, amount in entries) == 0, entries
        for account, amount in entries:
            self.balances[account] += amount


class Accountant:
    """Keeps the books by hand. `records` has the raw invoices, payments, expenses, items and categories by those words."""

    def __init__(self, records: Mapping[str, Sequence[Json]], settings: Json, chart: Chart) -> None:
        self.records, self.settings, self.chart = records, settings, chart
        self.sales, self.payments, self.expenses = settings["sales"], settings["payments"], settings["expenses"]
        self.books = Books()
        named = Counter(plain(item["name"]) for item in records["item"] if item["vis_state"] == 0)
        listed = [item for item in records["item"] if item["vis_state"] == 0 or not named[plain(item["name"])]]
        self.skus = {plain(item["name"]): item.get("sku") or item["name"] for item in listed}
        self.categories = {category["id"]: category for category in records["category"]}

    def keep(self) -> Books:
        """Everything that is in scope, posted."""
        in_scope = {invoice["id"]: invoice for invoice in self.records["invoice"] if self._picked_up(invoice)}
        numbers: set[str] = set()
        for invoice_id in sorted(in_scope):
            code = self._refusal(in_scope[invoice_id], numbers)
            if code:
                self.books.held["invoice", invoice_id] = code
            else:
                numbers.add(in_scope[invoice_id]["invoice_number"].lower())
                self._invoice(in_scope[invoice_id])
        if self.sales["post_as"] == "invoice":
            for payment in self.records["payment"]:
                if payment["vis_state"] != DELETED and payment["invoiceid"] in in_scope:
                    self._payment(payment)
        for expense in self.records["expense"]:
            if expense["vis_state"] != DELETED and dt.date.fromisoformat(expense["date"]) >= self.settings["start_date"]:
                self._expense(expense)
        return self.books

    # Invoices

    def _picked_up(self, invoice: Json) -> bool:
        on_time = dt.date.fromisoformat(invoice["create_date"]) >= self.settings["start_date"]
        return invoice["vis_state"] != DELETED and on_time and invoice["v3_status"] in self.sales["statuses"]

    def _refusal(self, invoice: Json, numbers: set[str]) -> str:
        """Why an invoice cannot be posted."""
        combinations = {_line_taxes(line) for line in invoice["lines"]}
        if any(taxes and self._key(taxes, self.sales["taxes"]) is None for taxes in combinations):
            return "unmapped_tax"
        if self.sales["post_as"] == "sales_receipt":
            if money(invoice["paid"]) != money(invoice["amount"]):
                return "not_paid_in_full"
            deposits = self._deposits(invoice["id"])
            if None in deposits:
                return "credit_without_account"
            if len(deposits) > 1:
                return "several_deposit_accounts"
        return "duplicate_number" if invoice["invoice_number"].lower() in numbers else ""

    def _invoice(self, invoice: Json) -> None:
        amount, discount = money(invoice["amount"]), money(invoice["discount_total"])
        credits: dict[str, Decimal] = defaultdict(Decimal)
        for line in invoice["lines"]:
            credits[self._income(line["name"])] += money(line["amount"])
        if discount:
            credits[self.chart.income[plain(self.sales["discount_product"])]] += discount
        for rate, tax in self._invoice_taxes(invoice):
            credits[f"Tax:{rate}"] += tax
        receipt = self.sales["post_as"] == "sales_receipt"
        deposit = next(iter(self._deposits(invoice["id"])), None) or str(self.payments["deposit_account"])
        debit = deposit if receipt else RECEIVABLE
        self.books.post((debit, amount), *((account, -credit) for account, credit in credits.items()))
        if not receipt:
            self.books.open_invoices[invoice["id"]] = amount

    def _income(self, name: str) -> str:
        """The income account of a line: its item's where QuickBooks has the item, else that of the items to be created."""
        products = self.sales["products"]
        if not name.strip():
            return self.chart.income[plain(products["default_product"])]
        return self.chart.income.get(plain(self.skus.get(plain(name), name)), str(products["income_account"]))

    def _invoice_taxes(self, invoice: Json) -> Iterator[tuple[str, Decimal]]:
        """(QuickBooks rate, amount): each FreshBooks tax, rounded once over all lines, on the rate of its percentage."""
        share = 1 - money(invoice["discount_value"]) / 100
        sums: dict[Tax, Decimal] = defaultdict(Decimal)
        rates: dict[Tax, str] = {}
        for line in invoice["lines"]:
            base, taxes = money(line["amount"]) * share, _line_taxes(line)
            code_rates = self._rates(taxes, self.sales["taxes"], self.chart.sales_rates) if taxes else []
            for tax in taxes:
                sums[tax] += base * tax[1] / 100
                base += base * tax[1] / 100 if line["compounded_tax"] else 0
                rates[tax] = next(rate for rate, percent in code_rates if percent == tax[1])
        return ((rates[tax], cents(amount)) for tax, amount in sums.items())

    def _key(self, taxes: Sequence[Tax], mapping: dict[str, str]) -> str | None:
        """The tax code's name that the settings give: with the rate before without, in either order."""
        names = [[f"{name} {percent.normalize():f}%" for name, percent in taxes], [name for name, _ in taxes]]
        spellings = [" + ".join(order) for spelled in names for order in (spelled, spelled[::-1])]
        return next((mapping[spelling] for spelling in spellings if spelling in mapping), None)

    def _rates(self, taxes: Sequence[Tax], mapping: dict[str, str], rates: dict[str, list[Tax]]) -> list[Tax]:
        name = self._key(taxes, mapping)
        assert name is not None
        return rates[name]

    # Payments

    def _account(self, payment: Json) -> str | None:
        if payment["from_credit"]:
            credit: str | None = self.payments.get("credit_account")
            return credit
        return str(self.payments["by_method"].get(payment["type"], self.payments["deposit_account"]))

    def _deposits(self, invoice_id: int) -> set[str | None]:
        """The accounts that received an invoice's payments."""
        return {self._account(p) for p in self.records["payment"] if p["invoiceid"] == invoice_id and p["vis_state"] != DELETED}

    def _payment(self, payment: Json) -> None:
        account, amount = self._account(payment), money(payment["amount"])
        if ("invoice", payment["invoiceid"]) in self.books.held:
            self.books.held["payment", payment["id"]] = "waiting_for_invoice"
        elif account is None:
            self.books.held["payment", payment["id"]] = "credit_without_account"
        else:
            self.books.post((account, amount), (RECEIVABLE, -amount))
            self.books.open_invoices[payment["invoiceid"]] -= amount

    # Expenses

    def _expense(self, expense: Json) -> None:
        account = self._category_account(expense["categoryid"])
        if account is None:
            self.books.held["expense", expense["id"]] = "unmapped_category"
            return
        gross = cents(money(expense["amount"]))
        taxes = [] if self.chart.united_states else list(self._expense_taxes(expense))
        net = gross - sum((amount for _, amount in taxes), Decimal(0))
        self.books.post((account, net), *((f"Tax:{rate}", amount) for rate, amount in taxes), (PAYABLE, -gross))

    def _category_account(self, category_id: int) -> str | None:
        category, mapping = self.categories[category_id], self.expenses["categories"]
        parent = self.categories.get(category["parentid"] or 0)
        full = f"{parent['category']}/{category['category']}" if parent else category["category"]
        found: str | None = mapping.get(full, mapping.get(category["category"]))
        return found

    def _expense_taxes(self, expense: Json) -> Iterator[tuple[str, Decimal]]:
        """(QuickBooks rate, amount) of the parts that FreshBooks calls tax; the rate is the one that they come closest to."""
        amounts = {expense[f"taxName{slot}"]: money(expense[f"taxAmount{slot}"]) for slot in "12" if expense[f"taxName{slot}"]}
        net = money(expense["amount"]) - sum(amounts.values(), Decimal(0))
        codes = [
            rates
            for key, name in self.expenses["taxes"].items()
            if {part.split(" ")[0] for part in key.split(" + ")} == set(amounts)
            for rates in [self.chart.purchase_rates[name]]
        ]
        for tax in amounts.values():
            choices = [rate for rates in codes for rate in rates]
            yield min(choices, key=lambda rate: abs(net * rate[1] / 100 - tax))[0], tax


def _line_taxes(line: Json) -> tuple[Tax, ...]:
    return tuple((line[f"taxName{slot}"], money(line[f"taxAmount{slot}"])) for slot in "12" if line[f"taxName{slot}"])
