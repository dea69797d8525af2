"""How an invoice adds up: pure arithmetic, under the three rounding orders that FreshBooks might use.

FreshBooks documents that a percentage discount lowers the tax base of every line, and that a compound second tax comes
on top of the first. It does not document when it rounds, so that is a switch: whoever reads must survive all three.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from fb_qbo_pipeline.money import ZERO, round_half_up, total

HUNDRED = Decimal(100)


class Rounding(StrEnum):
    """When taxes are rounded, always half-up to the cent."""

    PER_TAX = "per_tax"  # once for each tax, over all lines
    PER_LINE = "per_line"  # for each tax of each line
    TOTAL_ONLY = "total_only"  # the grand total alone; quantity × price is not rounded before


@dataclass(frozen=True, slots=True)
class PricedLine:
    """What counts of a line: `taxes` are (name, percent), at most two; `compounded`: the second is on top of the first."""

    quantity: Decimal
    unit_cost: Decimal
    taxes: tuple[tuple[str, Decimal], ...] = ()
    compounded: bool = False

    @property
    def amount(self) -> Decimal:
        """Quantity × unit cost in cents: before discount and tax, as the line shows it."""
        return round_half_up(self.quantity * self.unit_cost)


@dataclass(frozen=True, slots=True)
class Totals:
    """An invoice's sums in cents. `discount` is zero or negative; amount is subtotal + discount + tax, give or take the model."""

    subtotal: Decimal
    discount: Decimal
    tax: Decimal
    amount: Decimal


def line_taxes(line: PricedLine, base: Decimal) -> list[tuple[tuple[str, Decimal], Decimal]]:
    """The unrounded taxes of a line whose discounted amount is `base`: ((name, percent), tax)."""
    taxes: list[tuple[tuple[str, Decimal], Decimal]] = []
    for position, (name, percent) in enumerate(line.taxes):
        on = base + taxes[0][1] if position == 1 and line.compounded else base
        taxes.append(((name, percent), on * percent / HUNDRED))
    return taxes


def add_up(lines: Sequence[PricedLine], discount_percent: Decimal, rounding: Rounding = Rounding.PER_TAX) -> Totals:
    """The totals of an invoice. `discount_percent` 10 means 10 % of all lines, taxed or not."""
    share = 1 - discount_percent / HUNDRED
    subtotal = total(line.amount for line in lines)
    discount = -round_half_up(subtotal * discount_percent / HUNDRED)
    if rounding is Rounding.TOTAL_ONLY:
        nets = [line.quantity * line.unit_cost * share for line in lines]
        exact_tax = total(tax for line, net in zip(lines, nets, strict=True) for _, tax in line_taxes(line, net))
        return Totals(subtotal, discount, round_half_up(exact_tax), round_half_up(total(nets) + exact_tax))
    taxes = (pair for line in lines for pair in line_taxes(line, line.amount * share))
    tax = _rounded_per_tax(taxes) if rounding is Rounding.PER_TAX else total(round_half_up(amount) for _, amount in taxes)
    return Totals(subtotal, discount, tax, subtotal + discount + tax)


def _rounded_per_tax(taxes: Iterable[tuple[tuple[str, Decimal], Decimal]]) -> Decimal:
    sums: defaultdict[tuple[str, Decimal], Decimal] = defaultdict(lambda: ZERO)
    for tax, amount in taxes:
        sums[tax] += amount
    return total(round_half_up(amount) for amount in sums.values())
