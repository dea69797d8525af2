"""Exact money: Decimal from end to end, half-up rounding, no binary floats.

QuickBooks checks `Amount = half-up(Qty × UnitPrice, 2)` and FreshBooks sends strings, so a float
anywhere would lose a cent somewhere. Amounts are in the major unit of their currency.
"""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

ZERO = Decimal("0")
CENT = Decimal("0.01")

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

    Floats are refused: JSON must be read with Decimal numbers.
    """
    if isinstance(value, (bool, float)) or value is None:
        raise ValueError(f"not a decimal number: {value!r}")
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError(f"not a decimal number: {value!r}") from None
    if not number.is_finite():
        raise ValueError(f"not a finite number: {value!r}")
    return number


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
