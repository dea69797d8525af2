"""FreshBooks' invoice discount as lines of its own, on the discount product.

FreshBooks takes the discount off before tax, from every line alike. So there is one negative line for each tax code, with
the part of the discount that belongs to the lines of that code: QuickBooks' taxable amounts then equal FreshBooks'.
A QuickBooks discount line is not used: outside the US it has no dependable tax code.
"""

from collections.abc import Sequence
from decimal import Decimal

from fb_qbo_pipeline.freshbooks.records import Invoice
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Problem
from fb_qbo_pipeline.mapping.lines import SalesLine, single
from fb_qbo_pipeline.mapping.products import named_product
from fb_qbo_pipeline.mapping.text import cents, plain_number
from fb_qbo_pipeline.money import ZERO, allocate
from fb_qbo_pipeline.settings.models import Sales


def discount_lines(invoice: Invoice, lines: Sequence[SalesLine], sales: Sales, context: Context) -> list[SalesLine] | Problem:
    """The discount over the tax codes of `lines`, in proportion to their amounts; nothing without a discount."""
    discount = cents(invoice.discount_total)
    if discount == 0:
        return []
    product = named_product(sales.discount_product, "sales.discount_product", "FreshBooks' discount", context)
    if isinstance(product, Problem):
        return product
    by_code: dict[str | None, Decimal] = {}
    for line in lines:
        if line.item is not None:
            by_code[line.code] = by_code.get(line.code, ZERO) + line.amount
    if not by_code:
        by_code = {None: ZERO}
    percent = plain_number(invoice.discount_percent)
    text = f"Discount {percent:f}%" if percent else "Discount"
    parts = zip(by_code, allocate(discount, list(by_code.values())), strict=True)
    return [single(text, part, product.reference, code) for code, part in parts if part]
