from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fb_qbo_pipeline.http import loads
from fb_qbo_pipeline.quickbooks.wire import dumps


@pytest.mark.parametrize(
    ("number", "written"),
    [
        ("1E+2", "100"),
        ("1E-7", "0.0000001"),
        ("100.00", "100.00"),
        ("-0.05", "-0.05"),
        ("0E-10", "0.0000000000"),
        ("12345678901234.99",) * 2,
    ],
)
def test_a_decimal_is_written_as_a_plain_number(number, written):
    assert dumps({"Amount": Decimal(number)}) == f'{{"Amount":{written}}}'


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12))
def test_a_decimal_comes_back_equal_and_without_an_exponent(number):
    text = dumps({"a": [number, {"b": number}]})
    assert "e" not in text.casefold().replace('"', "")
    assert loads(text)["a"][0] == number


@pytest.mark.parametrize("body", [{"a": 0.1}, {"a": [{"b": (1.0,)}]}])
def test_a_float_is_refused_at_any_depth(body):
    with pytest.raises(TypeError, match="float"):
        dumps(body)


def test_a_number_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="finite"):
        dumps({"a": Decimal("NaN")})


def test_other_values_and_the_order_of_keys_are_kept():
    assert dumps({"b": None, "a": True, "n": 1, "t": "é"}) == '{"b":null,"a":true,"n":1,"t":"\\u00e9"}'
