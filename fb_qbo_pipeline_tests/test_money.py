"""Money is exact: rounding, parsing and splitting lose nothing."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fb_qbo_pipeline.money import CENT, ZERO, allocate, exponent, parse_decimal, round_half_up, total

amounts = st.decimals(min_value=-10_000_000, max_value=10_000_000, places=2)
ugly = st.decimals(min_value=-1_000_000, max_value=1_000_000, places=7)
weights = st.lists(st.decimals(min_value=0, max_value=1_000_000, places=5), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [("0.125", "0.13"), ("-0.125", "-0.13"), ("0.124999", "0.12"), ("2.5", "2.50"), ("1.005", "1.01"), ("-1.005", "-1.01"), ("0", "0.00")],
)
def test_halves_are_rounded_away_from_zero(amount: str, rounded: str) -> None:
    assert str(round_half_up(Decimal(amount))) == rounded


@pytest.mark.parametrize(("places", "rounded"), [(0, "3"), (1, "2.5"), (5, "2.54500")])
def test_rounding_gives_exactly_the_places_asked_for(places: int, rounded: str) -> None:
    assert str(round_half_up(Decimal("2.545"), places)) == rounded


@given(ugly)
def test_rounding_moves_an_amount_by_half_a_cent_at_most(amount: Decimal) -> None:
    assert abs(round_half_up(amount) - amount) <= CENT / 2


@given(ugly)
def test_rounding_is_symmetric_and_settled_after_one_time(amount: Decimal) -> None:
    rounded = round_half_up(amount)
    assert round_half_up(-amount) == -rounded
    assert round_half_up(rounded) == rounded


@given(amounts, weights)
def test_the_parts_of_a_split_sum_to_the_total_exactly(amount: Decimal, shares: list[Decimal]) -> None:
    parts = allocate(amount, shares)
    assert len(parts) == len(shares)
    assert total(parts) == amount


@given(amounts, weights)
def test_each_part_of_a_split_is_its_exact_share_to_half_a_cent_but_for_the_largest(amount: Decimal, shares: list[Decimal]) -> None:
    base = sum(map(Fraction, shares))
    if not base:
        assert allocate(amount, shares) == [amount] + [ZERO] * (len(shares) - 1)
        return
    exact = [Fraction(amount) * Fraction(share) / base for share in shares]
    distances = [abs(Fraction(part) - share) for part, share in zip(allocate(amount, shares), exact, strict=True)]
    half_a_cent = Fraction(1, 200)
    largest = shares.index(max(shares))
    assert all(distance <= half_a_cent for index, distance in enumerate(distances) if index != largest)
    assert distances[largest] <= half_a_cent * max(1, len(shares) - 1)


@given(st.decimals(min_value=-1_000_000, max_value=1_000_000, places=0), weights)
def test_a_split_without_decimals_has_none(amount: Decimal, shares: list[Decimal]) -> None:
    parts = allocate(amount, shares, places=0)
    assert total(parts) == amount
    assert all(part == part.to_integral_value() for part in parts)


def test_what_rounding_leaves_over_goes_to_the_first_of_the_largest() -> None:
    assert allocate(Decimal("0.10"), [Decimal(1), Decimal(1), Decimal(1)]) == [Decimal("0.04"), Decimal("0.03"), Decimal("0.03")]


def test_a_discount_is_split_like_any_amount() -> None:
    assert allocate(Decimal("-10.00"), [Decimal(30), Decimal(70)]) == [Decimal("-3.00"), Decimal("-7.00")]


def test_nothing_to_split_over_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to allocate"):
        allocate(Decimal(1), [])


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_a_decimal_is_read_from_its_own_text_unchanged(number: Decimal) -> None:
    assert parse_decimal(number) == number
    assert parse_decimal(f"{number:f}") == number
    assert parse_decimal(f" {number:f} ") == number


@pytest.mark.parametrize("text", ["1e3", "1E+3", "1_000", "1,000", "\uff11\uff10\uff10", "\u0661", "0x10", "- 1", "1 000", "+", "."])
def test_a_text_that_only_looks_like_a_number_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="not a decimal number"):
        parse_decimal(text)


@pytest.mark.parametrize(("text", "number"), [("12.50", "12.5"), ("+7", "7"), ("-.5", "-0.5"), ("3.", "3")])
def test_signs_and_missing_digits_on_one_side_of_the_point_are_read(text: str, number: str) -> None:
    assert parse_decimal(text) == Decimal(number)


@given(st.integers())
def test_an_integer_is_read_unchanged(number: int) -> None:
    assert parse_decimal(number) == number


@pytest.mark.parametrize("value", [0.1, True, None, "", "  ", "1,50", "abc", "1.2.3", "NaN", "Infinity", "-Infinity", [], {}])
def test_what_is_no_finite_decimal_number_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="not a"):
        parse_decimal(value)


@pytest.mark.parametrize(("currency", "places"), [("CAD", 2), ("jpy", 0), ("KRW", 0), ("KWD", 2)])
def test_a_currency_has_the_places_that_documents_carry(currency: str, places: int) -> None:
    assert exponent(currency) == places


def test_the_total_of_nothing_is_a_decimal_zero() -> None:
    assert isinstance(total([]), Decimal)
    assert total([]) == 0
