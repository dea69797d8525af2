import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fb_qbo_pipeline.mapping.tax_lines import Charge, Rate, rates_on, spread, tax_detail
from fb_qbo_pipeline.mapping.taxes import Side
from fb_qbo_pipeline.quickbooks.company import Company
from fb_qbo_pipeline_tests.mapping.builders import DAY, D, code, company, context, rate

FIVE, TEN, ZERO_RATE = Rate("5", D("5"), D("5")), Rate("10", D("9.975"), D("9.975")), Rate("0", D("0"), D("0"))


@pytest.mark.parametrize(
    ("taxes", "rates", "amounts"),
    [
        ([("5", "1.00")], [FIVE], ["1.00"]),
        ([("9.975", "2.00"), ("5", "1.00")], [FIVE, TEN], ["1.00", "2.00"]),
        ([("14.975", "3.00")], [FIVE, TEN], ["1.00", "2.00"]),
        ([(None, "2.00"), (None, "1.00")], [FIVE, TEN], ["1.00", "2.00"]),
        ([("5.1", "1.00"), ("9.9", "2.00")], [FIVE, TEN], ["1.00", "2.00"]),
        ([("5", "1.00"), ("5", "3.00")], [FIVE, Rate("6", D("5"), D("5"))], ["1.00", "3.00"]),
        ([("5", "1.00"), ("1", "0.20"), ("2", "0.40")], [FIVE, TEN], ["1.00", "0.60"]),
        ([("5", "1.00"), ("13", "2.00")], [FIVE], ["3.00"]),
        ([("13", "2.00")], [ZERO_RATE, TEN], ["0.00", "2.00"]),
        ([], [FIVE], ["0"]),
    ],
)
def test_taxes_go_to_equal_rates_then_by_size_then_in_proportion(
    taxes: list[tuple[str | None, str]], rates: list[Rate], amounts: list[str]
) -> None:
    given_taxes = [(D(percent) if percent is not None else None, D(amount)) for percent, amount in taxes]
    found = spread(given_taxes, rates)
    assert found == {one.id: D(amount) for one, amount in zip(rates, amounts, strict=True)}


@given(
    st.lists(
        st.tuples(st.none() | st.sampled_from([D("5"), D("9.975"), D("13"), D("0")]), st.decimals("-99", "999", places=2)), max_size=4
    ),
    st.lists(st.sampled_from(["0", "5", "9.975", "20"]), min_size=1, max_size=3),
)
def test_nothing_is_lost_when_taxes_are_spread(taxes: list[tuple[Decimal | None, Decimal]], percents: list[str]) -> None:
    rates = [Rate(str(number), D(percent), D(percent)) for number, percent in enumerate(percents)]
    found = spread(taxes, rates)
    assert set(found) == {one.id for one in rates}
    assert sum(found.values()) == sum(amount for _, amount in taxes)


def test_a_compound_rate_counts_with_the_tax_below_it_and_history_decides_by_date() -> None:
    old = (dt.date(2008, 1, 1), dt.date(2012, 12, 31), D("9.5"))
    books = Company(
        "1",
        "Books",
        "CA",
        company().preferences,
        tax_codes=(code("10", "Compound", "40 60+"),),
        tax_rates=(rate("40", "5"), rate("60", "9.975", effective=(old,))),
    )
    compound = books.tax_codes[0]
    assert [one.effective for one in rates_on(compound, Side.SALES, dt.date(2010, 1, 1), books)] == [D("5"), D("9.975")]
    assert [one.percent for one in rates_on(compound, Side.SALES, dt.date(2010, 1, 1), books)] == [D("5"), D("9.5")]
    assert [one.percent for one in rates_on(compound, Side.SALES, DAY, books)] == [D("5"), D("9.975")]


def test_a_rate_that_two_codes_share_is_listed_once_with_the_sum_of_both() -> None:
    books = company()
    gst, both = books.codes_by_id["6"], books.codes_by_id["7"]
    charges = [Charge(gst, ((D("5"), D("5.00")),)), Charge(both, ((D("5"), D("10.00")), (D("9.975"), D("19.95"))))]
    found = tax_detail([("6", D("100.00")), ("7", D("200.00"))], charges, Side.SALES, DAY, context(books=books))
    lines = found["TxnTaxDetail"]["TaxLine"]
    assert [(one["TaxLineDetail"]["TaxRateRef"]["value"], one["Amount"], one["TaxLineDetail"]["NetAmountTaxable"]) for one in lines] == [
        ("40", D("15.00"), D("300.00")),
        ("50", D("19.95"), D("200.00")),
    ]
    assert found["TxnTaxDetail"]["TotalTax"] == D("34.95")


def test_a_code_without_rates_gives_a_detail_without_tax_lines() -> None:
    assert tax_detail([("11", D("10.00"))], [], Side.SALES, DAY, context()) == {
        "GlobalTaxCalculation": "TaxExcluded",
        "TxnTaxDetail": {"TotalTax": D("0")},
    }
