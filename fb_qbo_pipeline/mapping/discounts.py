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
from fb_qbo_pipeline.money import ZERO, allocate, round_half_up, total
from fb_qbo_pipeline.settings.models import Sales


def discount_lines(invoice: Invoice, lines: Sequence[SalesLine], sales: Sales, context: Context) -> list[SalesLine] | Problem:
    """The discount over the tax codes of `lines`, in proportion to their amounts; nothing without a discount."""
    by_code: dict[str | None, Decimal] = {}
    for line in lines:
        if line.item is not None:
            by_code[line.code] = by_code.get(line.code, ZERO) + line.amount
    parts = _parts(cents(invoice.discount_total), invoice.discount_percent, list(by_code.values()) or [ZERO])
    if not any(parts):
        return []
    product = named_product(sales.discount_product, "sales.discount_product", "FreshBooks' discount", context)
    if isinstance(product, Problem):
        return product
    percent = plain_number(invoice.discount_percent)
    text = f"Discount {percent:f}%" if percent else "Discount"
    return [single(text, part, product.reference, code) for code, part in zip(by_code or [None], parts, strict=True) if part]


def _parts(discount: Decimal, percent: Decimal, bases: Sequence[Decimal]) -> list[Decimal]:
    """The discount of each tax code. `bases`: the sums of the codes' lines.

    Where rebates make the lines of one code negative, codes may nearly cancel: then each is reduced by the percentage, and the
    largest takes what rounding leaves.
    """
    if not percent or min(bases) >= 0:
        return allocate(discount, bases) if discount else [ZERO] * len(bases)
    parts = [-round_half_up(base * percent / 100) for base in bases]
    largest = max(range(len(bases)), key=lambda at: abs(bases[at]))
    parts[largest] += discount - total(parts)
    return parts
