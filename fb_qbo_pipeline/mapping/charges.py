"""How FreshBooks came to an invoice's total: its taxes, and what is left over.

FreshBooks does not document when it rounds; only the total is certain, and it is the truth. Three models are tried in
turn, and the first that gives the total exactly is the one that FreshBooks used:

1. each tax summed over the lines, then rounded;
2. each tax rounded on each line, then summed;
3. only the total rounded (with the discount rounded, or not).

Where none does, the nearest is taken, and the rest is a rounding difference for the rounding product.
Established by recorded invoices: the discount lowers the base of every line by its percentage. On a compounded line one tax is
on top of the other; a line does not say which, and the total is the same. It is the second one, unless QuickBooks' tax code
for the pair has it the other way round (`sales_tax.first_is_compound`).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from fb_qbo_pipeline.freshbooks.records import Invoice, InvoiceLine, LineTax
from fb_qbo_pipeline.mapping.text import cents
from fb_qbo_pipeline.money import ZERO, allocate, exponent, round_half_up, total

Combination = tuple[LineTax, ...]  # the taxes of a line, none to two
_Totals = dict[LineTax, Decimal]
_HUNDRED = Decimal(100)
_HALF_CENT = Decimal("0.005")  # what rounding a discount can change; more is a contradiction in the record, not rounding


@dataclass(frozen=True, slots=True)
class Charged:
    """What FreshBooks charged, in the invoice's currency, rounded to cents.

    `amount` = `lines` + `discount` (zero or negative) + `tax` + `residue`, exactly. `taxes` has the amounts of each
    combination of taxes, in the order of its taxes; they sum to `tax`.
    """

    amount: Decimal
    lines: Decimal
    discount: Decimal
    tax: Decimal
    residue: Decimal
    taxes: Mapping[Combination, tuple[Decimal, ...]]


class _Exact(NamedTuple):
    """One tax on one line, before any rounding."""

    combination: Combination
    tax: LineTax
    amount: Decimal


def charged(invoice: Invoice, first_is_compound: Collection[Combination] = ()) -> Charged:
    """The taxes that FreshBooks charged on an invoice, and the residue that no rounding model explains (mostly zero).

    `first_is_compound`: pairs of which the first tax is on top of the second, where a line compounds them.
    """
    amount, discount = cents(invoice.amount), cents(invoice.discount_total)
    lines = total(cents(line.amount) for line in invoice.lines)
    share = _discount_share(invoice)
    exact = [piece for line in invoice.lines for piece in _exact_taxes(line, 1 - share, line.taxes in first_is_compound)]
    wanted = amount - lines - discount
    exact_discount = -share * total(line.amount for line in invoice.lines)
    best: _Totals = {}
    tax = ZERO
    for totals in _models(exact, exact_discount - discount, exponent(invoice.currency)):
        reached = total(totals.values())
        if not best or abs(wanted - reached) < abs(wanted - tax):
            best, tax = totals, reached
        if reached == wanted:
            break
    return Charged(amount, lines, discount, tax, wanted - tax, _by_combination(best, exact))


def _discount_share(invoice: Invoice) -> Decimal:
    """The discount as a share of the lines; from its amount where FreshBooks shows no percentage."""
    if invoice.discount_percent:
        return invoice.discount_percent / _HUNDRED
    if not invoice.discount_total:
        return ZERO
    lines = total(line.amount for line in invoice.lines)
    return -invoice.discount_total / lines if lines else ZERO


def _exact_taxes(line: InvoiceLine, share: Decimal, first_is_compound: bool) -> Iterator[_Exact]:
    base = line.amount * share
    for tax in reversed(line.taxes) if line.compounded and first_is_compound else line.taxes:
        amount = base * tax.percent / _HUNDRED
        yield _Exact(line.taxes, tax, amount)
        if line.compounded:
            base += amount


def _models(exact: Sequence[_Exact], discount_rounding: Decimal, places: int) -> Iterator[_Totals]:
    """The totals of each tax by each model, in the order of preference. `discount_rounding`: exact less rounded discount."""
    sums: _Totals = {}
    for piece in exact:
        sums[piece.tax] = sums.get(piece.tax, ZERO) + piece.amount
    if not sums:
        return
    for digits in dict.fromkeys((places, 2)):
        yield {tax: round_half_up(amount, digits) for tax, amount in sums.items()}
        per_line: _Totals = dict.fromkeys(sums, ZERO)
        for piece in exact:
            per_line[piece.tax] += round_half_up(piece.amount, digits)
        yield per_line
        once = total(sums.values())
        unrounded = [once, once + discount_rounding] if once and abs(discount_rounding) <= _HALF_CENT else [once]
        for whole in unrounded:
            yield dict(zip(sums, allocate(round_half_up(whole, digits), list(sums.values())), strict=True))


def _by_combination(totals: _Totals, exact: Sequence[_Exact]) -> dict[Combination, tuple[Decimal, ...]]:
    """Each tax's total split over the combinations in which it occurs, in proportion to the exact amounts."""
    weights: dict[LineTax, dict[Combination, Decimal]] = {}
    for piece in exact:
        places = weights.setdefault(piece.tax, {})
        places[piece.combination] = places.get(piece.combination, ZERO) + piece.amount
    taxes: dict[Combination, tuple[Decimal, ...]] = {}
    parts = {tax: dict(zip(weights[tax], allocate(amount, list(weights[tax].values())), strict=True)) for tax, amount in totals.items()}
    for combination in dict.fromkeys(piece.combination for piece in exact):
        # a tax that stands twice on a line counts once
        taxes[combination] = tuple(parts[tax].pop(combination, ZERO) for tax in combination)
    return taxes
