"""The models by themselves, as programs use them."""

import datetime as dt

import pytest
from pydantic import ValidationError

from fb_qbo_pipeline.settings.models import Expenses, Integration, Products, Sales


def _integration(**changes: object) -> Integration:
    values: dict[str, object] = {
        "name": "acme",
        "timezone": "America/Toronto",
        "start_date": dt.date(2025, 1, 1),
        "freshbooks": {"account_id": "ABC123"},
        "quickbooks": {"realm_id": "42"},
        "sales": {},
    }
    return Integration.model_validate(values | changes)


def test_a_date_and_its_iso_text_are_the_same() -> None:
    assert _integration() == _integration(start_date="2025-01-01")


def test_digits_are_not_taken_for_seconds_since_1970() -> None:
    with pytest.raises(ValidationError, match="is not a date"):
        _integration(start_date="1735689600")


def test_both_spellings_of_a_status_are_known() -> None:
    assert Sales(statuses=("deposit-paid", "Paid")).statuses == ("deposit_paid", "paid")


def test_settings_cannot_be_changed_after_loading() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        _integration().name = "other"


def test_all_contradictions_of_a_section_are_in_one_error() -> None:
    with pytest.raises(ValidationError) as caught:
        Sales(customer="generic", auto_number=True, number_prefix="FB")
    assert "generic_customer" in str(caught.value)
    assert "number_prefix" in str(caught.value)


def test_created_inventory_items_need_all_three_accounts() -> None:
    with pytest.raises(ValidationError) as caught:
        Products.model_validate({"create": True, "type": "inventory", "income_account": "Services"})
    assert "asset_account" in str(caught.value)
    assert "expense_account" in str(caught.value)
    assert "income_account" not in str(caught.value).split("[")[0]


def test_accounts_are_not_needed_where_nothing_is_created() -> None:
    assert Products(create=False).income_account is None
    assert Expenses().products.create is False


def test_the_company_s_time_zone_is_at_hand() -> None:
    assert str(_integration().zone) == "America/Toronto"
