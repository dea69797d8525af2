"""Exact money: Decimal from end to end, half-up rounding, no binary floats.

QuickBooks checks `Amount = half-up(Qty × UnitPrice, 2)` and FreshBooks sends strings, so a float
anywhere would lose a cent somewhere. Amounts are in the major unit of their currency.
"""

import re
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal

ZERO = Decimal("0")
CENT = Decimal("0.01")

# What a text has to be to count as a number: Python alone would take "1_000", "1e3" and the digits of every script.
_PLAIN = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")

# ISO 4217 currencies without minor units that either service offers.
ZERO_DECIMAL = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"}
)


def exponent(currency: str) -> int:
    """Decimal places of a currency as documents carry them: 0 for yen and the like, otherwise 2.

    Three-decimal currencies (KWD, BHD…) count as 2: QuickBooks stores two decimals for all.
    """
    return 0 if currency.upper() in ZERO_DECIMAL else 2


def round_half_up(amount: Decimal, places: int = 2) -> Decimal:
    """Round half away from zero, as QuickBooks and FreshBooks do: 0.125 → 0.13, -0.125 → -0.13."""
    return amount.quantize(CENT if places == 2 else Decimal(1).scaleb(-places), ROUND_HALF_UP)


def parse_decimal(value: object) -> Decimal:
    """A Decimal from a JSON string or number; raises ValueError on anything that is not a finite number.

    A text is one in plain decimal digits: 1e3, 1_000, 1,000 and full-width digits are none. Floats are refused: JSON must be
    read with Decimal numbers.
    """
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError("not a finite number")
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str) and _PLAIN.fullmatch(text := value.strip()):
        return Decimal(text)
    raise ValueError("not a decimal number")


def allocate(total: Decimal, weights: Sequence[Decimal], places: int = 2) -> list[Decimal]:
    """Split `total` over `weights` so that the parts, rounded half-up, sum to `total` exactly.

    What rounding leaves over goes to the part with the largest weight (the first of equals). `total` must have at most
    `places` decimals. All weights zero: everything goes to the first part. Raises ValueError without weights.
    """
    if not weights:
        raise ValueError("nothing to allocate to")
    base = sum(weights, ZERO)
    if base == 0:
        return [total] + [ZERO] * (len(weights) - 1)
    if len(weights) == 1:
        return [round_half_up(total, places)]
    parts = [round_half_up(total * weight / base, places) for weight in weights]
    largest = max(range(len(weights)), key=lambda index: abs(weights[index]))
    parts[largest] += total - sum(parts, ZERO)
    return parts


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The sum, as a Decimal also when there is nothing to sum."""
    return sum(amounts, ZERO)
