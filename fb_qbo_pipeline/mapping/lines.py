"""The lines of a sale, one for each FreshBooks line that says something.

QuickBooks demands Amount = half-up(Qty × UnitPrice, 2) on every line (6070). FreshBooks' quantities and prices are kept
where that holds; otherwise the line is one piece at its amount, and what FreshBooks showed stands in the description.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from fb_qbo_pipeline.freshbooks.records import Invoice, InvoiceLine
from fb_qbo_pipeline.mapping.charges import Combination
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import ItemRequest, Json
from fb_qbo_pipeline.mapping.products import Product, line_product, named_product
from fb_qbo_pipeline.mapping.references import Problems
from fb_qbo_pipeline.mapping.text import cents, decimals, legal_text, plain_number
from fb_qbo_pipeline.money import ZERO
from fb_qbo_pipeline.quickbooks.company import fold
from fb_qbo_pipeline.settings.models import Sales

DESCRIPTION_LENGTH = 4000
_DECIMALS = 5  # of Qty and UnitPrice: more are rounded somewhere in QuickBooks, and the product would no longer hold
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class SalesLine:
    """A line of an invoice or sales receipt. `item` None: description only, no money. `code`: TaxCodeRef, None for none."""

    description: str
    amount: Decimal = ZERO
    quantity: Decimal = ONE
    unit_price: Decimal = ZERO
    item: str | None = None
    code: str | None = None

    def body(self, class_id: str | None) -> Json:
        """The line as QuickBooks takes it; `class_id` where classes are kept per line."""
        line: Json = {"Description": self.description} if self.description else {}
        if self.item is None:
            return {**line, "DetailType": "DescriptionOnly", "DescriptionLineDetail": {}}
        detail: Json = {"ItemRef": {"value": self.item}, "Qty": self.quantity, "UnitPrice": self.unit_price}
        if self.code is not None:
            detail["TaxCodeRef"] = {"value": self.code}
        if class_id is not None:
            detail["ClassRef"] = {"value": class_id}
        return {**line, "Amount": self.amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}


def is_text_only(line: InvoiceLine) -> bool:
    """Whether a FreshBooks line names no product and no money: at most a text."""
    return not line.name.strip() and cents(line.amount) == 0


def single(description: str, amount: Decimal, item: str, code: str | None) -> SalesLine:
    """A line of one piece at its amount."""
    return SalesLine(legal_text(description, DESCRIPTION_LENGTH), amount, ONE, amount, item, code)


def sales_lines(
    invoice: Invoice, sales: Sales, codes: Mapping[Combination, str | None], context: Context, problems: Problems
) -> tuple[list[SalesLine], list[ItemRequest]]:
    """The lines of an invoice in its order, and the items that they ask for.

    `codes` has the TaxCodeRef of each combination of taxes. A line without name, amount and text is dropped. QuickBooks
    wants at least one line with an item: where FreshBooks has none, a line of zero on the default product is added.
    """
    lines: list[SalesLine] = []
    requests: dict[str, ItemRequest] = {}
    for line in invoice.lines:
        if is_text_only(line):
            text = legal_text(line.description, DESCRIPTION_LENGTH)
            if text:
                lines.append(SalesLine(text))
            continue
        product = problems.take(line_product(line.name, sales, invoice.date, context))
        if product is None:
            continue
        if product.request is not None:
            requests.setdefault(product.request.key, product.request)
        lines.append(_sales_line(line, product, codes.get(line.taxes)))
    if not problems and all(line.item is None for line in lines):
        setting = "sales.products.default_product"
        default = problems.take(named_product(sales.products.default_product, setting, "an invoice without any product line", context))
        if default is not None:
            lines.append(single("", ZERO, default.reference, codes.get(())))
    return lines, list(requests.values())


def _sales_line(line: InvoiceLine, product: Product, code: str | None) -> SalesLine:
    amount = cents(line.amount)
    quantity, price = plain_number(line.quantity), plain_number(line.unit_cost)
    holds = cents(quantity * price) == amount and decimals(quantity) <= _DECIMALS and decimals(price) <= _DECIMALS
    shown = "" if holds else f"{quantity:f} × {price:f}"
    description = _description(line, product, shown)
    if holds:
        return SalesLine(description, amount, quantity, price, product.reference, code)
    return SalesLine(description, amount, ONE, amount, product.reference, code)


def _description(line: InvoiceLine, product: Product, quantity_and_price: str) -> str:
    """FreshBooks' description; before it the line's name where the item is called otherwise, after it quantity × price."""
    name = line.name.strip()
    texts = [line.description.strip()]
    if name and fold(name) not in product.names:
        texts.insert(0, name)
    head = "\n".join(text for text in texts if text)
    if not quantity_and_price:
        return legal_text(head, DESCRIPTION_LENGTH)
    room = DESCRIPTION_LENGTH - len(quantity_and_price) - 1
    return f"{legal_text(head, room)}\n{quantity_and_price}".strip()
