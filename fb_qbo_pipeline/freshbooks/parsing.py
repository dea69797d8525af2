"""FreshBooks payloads → records. Tolerant of how FreshBooks writes things, strict about what they are.

Nothing is guessed: a record without a usable id, date, amount, currency or status raises BadRecord and is shown to a person.
"""

from decimal import Decimal

from fb_qbo_pipeline.freshbooks.fields import BadRecord, Fields
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
    TaxDefinition,
    VisState,
)
from fb_qbo_pipeline.http import Json
from fb_qbo_pipeline.money import ZERO

__all__ = [
    "BadRecord",
    "parse_category",
    "parse_client",
    "parse_expense",
    "parse_invoice",
    "parse_item",
    "parse_payment",
    "parse_tax",
    "read_status",
    "read_vis_state",
]

_TAX_SLOTS = ("1", "2")  # a line or an expense carries at most two taxes


def parse_invoice(payload: Json) -> Invoice:
    """An invoice that was asked for with `include[]=lines`."""
    fields = Fields("invoice", payload)
    invoice_id = fields.id("id", "invoiceid")
    amount = fields.amount("amount")
    paid, outstanding = _settled(fields, amount)
    return Invoice(
        id=invoice_id,
        number=fields.text("invoice_number"),
        client_id=fields.integer("customerid", "clientid"),
        date=fields.day("create_date"),
        due_date=fields.optional_day("due_date"),
        currency=fields.currency("amount", "currency_code"),
        amount=amount,
        paid=paid,
        outstanding=outstanding,
        discount_percent=fields.percent("discount_value"),
        discount_total=-abs(fields.amount_or_zero("discount_total")),
        status=read_status(fields),
        vis_state=read_vis_state(fields),
        lines=tuple(_line(line, index) for index, line in enumerate(fields.nested("lines"), 1)),
        organization=fields.text("organization"),
        first_name=fields.text("fname"),
        last_name=fields.text("lname"),
        address=_address(fields),
        notes=fields.text("notes"),
        terms=fields.text("terms"),
        po_number=fields.text("po_number"),
    )


def parse_payment(payload: Json) -> Payment:
    """A payment of an invoice, or into a credit. One that names both is the credit, applied to the invoice."""
    fields = Fields("payment", payload)
    payment_id = fields.id("id", "logid")
    invoice_id, credit_id = fields.optional_integer("invoiceid"), fields.optional_integer("creditid")
    return Payment(
        id=payment_id,
        invoice_id=invoice_id,
        credit_id=credit_id,
        client_id=fields.optional_integer("clientid", "customerid"),
        amount=fields.amount("amount"),
        currency=fields.currency("amount", "currency_code"),
        date=fields.day("date"),
        method=fields.text("type"),
        from_credit=fields.flag("from_credit") or (invoice_id is not None and credit_id is not None),
        note=fields.text("note"),
        vis_state=read_vis_state(fields),
        overpayment_id=fields.optional_integer("overpaymentid"),
    )


def parse_expense(payload: Json) -> Expense:
    """An expense; its amount includes its taxes."""
    fields = Fields("expense", payload)
    return Expense(
        id=fields.id("id", "expenseid"),
        amount=fields.amount("amount"),
        currency=fields.currency("amount", "currency_code"),
        date=fields.day("date"),
        category_id=fields.integer("categoryid"),
        vendor=fields.text("vendor"),
        taxes=_expense_taxes(fields),
        notes=fields.text("notes"),
        client_id=fields.optional_integer("clientid"),
        invoice_id=fields.optional_integer("invoiceid"),
        vis_state=read_vis_state(fields),
    )


def parse_client(payload: Json) -> Client:
    """A customer."""
    fields = Fields("client", payload)
    return Client(
        id=fields.id("id", "userid"),
        organization=fields.text("organization"),
        first_name=fields.text("fname"),
        last_name=fields.text("lname"),
        email=fields.text("email"),
        phone=fields.text("bus_phone"),
        mobile=fields.text("mob_phone"),
        address=_address(fields, "p_"),
        shipping=_address(fields, "s_"),
        currency=fields.text("currency_code").upper(),
        vat_number=fields.text("vat_number"),
        vis_state=read_vis_state(fields),
    )


def parse_item(payload: Json) -> Item:
    """A product or service of FreshBooks' item list."""
    fields = Fields("item", payload)
    return Item(
        id=fields.id("id", "itemid"),
        name=fields.text("name"),
        sku=fields.text("sku"),
        description=fields.text("description"),
        unit_cost=fields.decimal("unit_cost"),
        vis_state=read_vis_state(fields),
    )


def parse_category(payload: Json) -> Category:
    """An expense category."""
    fields = Fields("category", payload)
    return Category(
        id=fields.id("id", "categoryid"),
        name=fields.text("category"),
        parent_id=fields.optional_integer("parentid"),
        vis_state=read_vis_state(fields),
    )


def parse_tax(payload: Json) -> TaxDefinition:
    """A tax of FreshBooks' tax list; its `amount` is a percentage. It has no vis_state: deleting one removes it."""
    fields = Fields("tax", payload)
    return TaxDefinition(
        id=fields.id("id", "taxid"), name=fields.text("name"), percent=fields.percent("amount"), compound=fields.flag("compound")
    )


def _settled(fields: Fields, amount: Decimal) -> tuple[Decimal, Decimal]:
    """Paid and outstanding; outstanding = amount − paid where FreshBooks leaves one out."""
    paid, outstanding = fields.decimal("paid"), fields.decimal("outstanding")
    if paid is None:
        paid = ZERO if outstanding is None else amount - outstanding
    return paid, amount - paid if outstanding is None else outstanding


def read_status(fields: Fields) -> str:
    """v3_status: the numeric `status` does not follow payments. Documentation and an SDK differ in `_` and `-`."""
    status = fields.text("v3_status").lower().replace("-", "_")
    if not status:
        raise fields.bad("v3_status", "is missing")
    return status


def read_vis_state(fields: Fields) -> VisState:
    """Whether a record is active, archived or deleted; active where FreshBooks does not say."""
    value = fields.optional_integer("vis_state") or 0
    try:
        return VisState(value)
    except ValueError:
        raise fields.bad("vis_state", "is neither 0, 1 nor 2") from None


def _line(fields: Fields, position: int) -> InvoiceLine:
    return InvoiceLine(
        line_id=fields.optional_integer("lineid") or position,
        kind=fields.optional_integer("type") or 0,
        name=fields.text("name"),
        description=fields.text("description"),
        quantity=fields.amount_or_zero("qty"),
        unit_cost=fields.amount_or_zero("unit_cost"),
        amount=fields.amount("amount"),
        taxes=_line_taxes(fields),
        compounded=fields.flag("compounded_tax"),
        expense_id=fields.optional_integer("expenseid"),
    )


def _line_taxes(fields: Fields) -> tuple[LineTax, ...]:
    """A line's taxes. `taxAmountN` is a percentage in spite of its name; an unnamed one of 0 % is how FreshBooks says none."""
    taxes = [LineTax(fields.text(f"taxName{slot}"), fields.percent(f"taxAmount{slot}")) for slot in _TAX_SLOTS]
    return tuple(tax for tax in taxes if tax.name or tax.percent)


def _expense_taxes(fields: Fields) -> tuple[ExpenseTax, ...]:
    """An expense's taxes. Here `taxAmountN` is money; `taxPercentN` is what a person typed, and FreshBooks computes nothing from it.

    A tax that has an amount and 0 % was given no percentage.
    """
    taxes = []
    for slot in _TAX_SLOTS:
        amount, percent = fields.amount_or_zero(f"taxAmount{slot}"), fields.decimal(f"taxPercent{slot}")
        taxes.append(ExpenseTax(fields.text(f"taxName{slot}"), percent if percent or not amount else None, amount))
    return tuple(tax for tax in taxes if tax.name or tax.amount)


def _address(fields: Fields, prefix: str = "") -> Address:
    return Address(
        street=fields.text(f"{prefix}street"),
        street2=fields.text(f"{prefix}street2"),
        city=fields.text(f"{prefix}city"),
        province=fields.text(f"{prefix}province"),
        postal_code=fields.text(f"{prefix}code"),
        country=fields.text(f"{prefix}country"),
    )
