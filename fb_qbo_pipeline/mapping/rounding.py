"""The rounding difference: what no rounding model explains goes on the rounding product, up to the limit.

FreshBooks' total is the truth, so the QuickBooks document has to reach it; but a difference beyond some cents is no
rounding, and a person has to look at it.
"""

from fb_qbo_pipeline.mapping.charges import Charged
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Code, Problem
from fb_qbo_pipeline.mapping.lines import SalesLine, single
from fb_qbo_pipeline.mapping.products import named_product
from fb_qbo_pipeline.mapping.text import shown
from fb_qbo_pipeline.settings.models import Sales


def rounding_lines(sums: Charged, code: str | None, currency: str, sales: Sales, context: Context) -> list[SalesLine] | Problem:
    """The line that carries the residue of an invoice; none where there is no residue. `code` is its TaxCodeRef."""
    if sums.residue == 0:
        return []
    if abs(sums.residue) > sales.rounding_limit:
        remedy = f"check the invoice in FreshBooks; differences up to sales.rounding_limit ({sales.rounding_limit}) are booked as rounding"
        return _mismatch(sums, currency, remedy)
    if sales.rounding_product is None:
        return _mismatch(sums, currency, "set sales.rounding_product to the QuickBooks item that carries rounding differences")
    product = named_product(sales.rounding_product, "sales.rounding_product", "a rounding difference", context)
    if isinstance(product, Problem):
        return product
    return [single("Rounding", sums.residue, product.reference, code)]


def _mismatch(sums: Charged, currency: str, remedy: str) -> Problem:
    reached = sums.amount - sums.residue
    return Problem(
        Code.TOTAL_MISMATCH,
        f"FreshBooks' total is {shown(sums.amount, currency)}, but lines {sums.lines}, discount {sums.discount} and tax {sums.tax}"
        f" add to {shown(reached, currency)}: a difference of {shown(sums.residue, currency)}",
        remedy,
    )
