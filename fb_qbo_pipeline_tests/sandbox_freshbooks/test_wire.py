from decimal import Decimal

import pytest

from fb_qbo_pipeline.sandbox.freshbooks.wire import changed, money, plain


@pytest.mark.parametrize(
    ("number", "text"), [("13", "13"), ("13.000", "13"), ("9.975", "9.975"), (Decimal("1E+1"), "10"), (Decimal("0.50"), "0.5"), (0, "0")]
)
def test_percents_and_quantities_have_no_exponent_and_no_trailing_zeros(number: Decimal | int | str, text: str) -> None:
    assert plain(number) == text


@pytest.mark.parametrize(
    ("amount", "text"), [(5, "5.00"), ("39.991", "39.991"), ("-4.4", "-4.40"), (Decimal("1E+2"), "100.00"), ("0.10", "0.10")]
)
def test_money_has_two_decimals_or_as_many_as_were_entered(amount: Decimal | int | str, text: str) -> None:
    assert money(amount, "JPY") == {"amount": text, "code": "JPY"}


def test_a_field_that_a_record_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="organisation"):
        changed({"organization": ""}, {"organisation": "Acme"})
