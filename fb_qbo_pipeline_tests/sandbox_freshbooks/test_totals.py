from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fb_qbo_pipeline.sandbox.freshbooks.totals import PricedLine, Rounding, add_up

D = Decimal
HST = ("HST", D("13"))
GST, QST = ("GST", D("5")), ("QST", D("9.975"))


def test_a_percentage_discount_lowers_the_tax_base_of_taxed_lines() -> None:
    lines = [PricedLine(D(4), D("5.00"), (HST,)), PricedLine(D(6), D("4.00"))]
    sums = add_up(lines, D(10))
    assert (sums.subtotal, sums.discount, sums.tax, sums.amount) == (D("44.00"), D("-4.40"), D("2.34"), D("41.94"))


@pytest.mark.parametrize(
    ("rounding", "tax", "amount"),
    [
        (Rounding.PER_TAX, "0.13", "1.15"),  # 3 × 0.0442 = 0.1326
        (Rounding.PER_LINE, "0.12", "1.14"),  # 3 × 0.04
        (Rounding.TOTAL_ONLY, "0.13", "1.15"),
    ],
)
def test_the_three_rounding_orders_differ_by_cents(rounding: Rounding, tax: str, amount: str) -> None:
    sums = add_up([PricedLine(D(1), D("0.34"), (HST,))] * 3, D(0), rounding)
    assert (sums.tax, sums.amount) == (D(tax), D(amount))


def test_rounding_the_total_only_does_not_round_quantity_times_price() -> None:
    lines = [PricedLine(D("0.333"), D("0.05"))] * 3  # 0.01665 each: 0.02 on the line
    assert add_up(lines, D(0), Rounding.PER_TAX).amount == D("0.06")
    assert add_up(lines, D(0), Rounding.TOTAL_ONLY).amount == D("0.05")


def test_a_compound_second_tax_is_on_top_of_the_first() -> None:
    plain = PricedLine(D(1), D("100"), (GST, QST))
    assert add_up([plain], D(0)).tax == D("14.98")
    compound = PricedLine(D(1), D("100"), (GST, QST), compounded=True)
    assert add_up([compound], D(0)).tax == D("15.47")


def test_taxes_of_one_name_and_two_rates_are_rounded_apart() -> None:
    lines = [PricedLine(D(1), D("0.12"), (("VAT", D(20)),)), PricedLine(D(1), D("0.08"), (("VAT", D(5)),))]
    assert add_up(lines, D(0)).tax == D("0.02")  # 0.024 → 0.02 and 0.004 → 0.00


def test_an_invoice_without_lines_is_over_nothing() -> None:
    assert add_up([], D(10)).amount == 0


LINES = st.lists(
    st.builds(
        PricedLine,
        st.decimals(D("0.001"), D(500), places=3),
        st.decimals(D(0), D(900), places=2),
        st.sampled_from([(), (HST,), (GST, QST)]),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@given(LINES, st.decimals(D(0), D(100), places=1))
def test_rounding_orders_stay_within_half_a_cent_for_each_rounded_part(lines: list[PricedLine], percent: Decimal) -> None:
    amounts = [add_up(lines, percent, rounding).amount for rounding in Rounding]
    assert max(amounts) - min(amounts) <= D("0.01") * (3 * len(lines) + 3)
    assert all(amount == amount.quantize(D("0.01")) for amount in amounts)


@given(LINES, st.decimals(D(0), D(100), places=1), st.sampled_from([Rounding.PER_TAX, Rounding.PER_LINE]))
def test_parts_sum_to_the_amount(lines: list[PricedLine], percent: Decimal, rounding: Rounding) -> None:
    sums = add_up(lines, percent, rounding)
    assert sums.amount == sums.subtotal + sums.discount + sums.tax
    assert sums.discount <= 0
