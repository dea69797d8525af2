"""Symbolic references in a body become ids; nothing else is touched."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fb_qbo_pipeline.posting.resolve import MissingReference, resolve

IDS: dict[str, str | Decimal] = {
    "customer/client/7": "58",
    "item/name/design": "21",
    "invoice/1001": "130",
    "rate/USD/2026-03-05": Decimal("1.37"),
}


def _look_up(reference: str) -> str | Decimal | None:
    return IDS.get(reference)


def test_references_become_ids_wherever_they_stand() -> None:
    body = {
        "CustomerRef": {"value": "@customer/client/7"},
        "ExchangeRate": "@rate/USD/2026-03-05",
        "Line": [
            {"SalesItemLineDetail": {"ItemRef": {"value": "@item/name/design"}}},
            {"LinkedTxn": [{"TxnId": "@invoice/1001", "TxnType": "Invoice"}]},
        ],
    }
    assert resolve(body, _look_up) == {
        "CustomerRef": {"value": "58"},
        "ExchangeRate": Decimal("1.37"),
        "Line": [
            {"SalesItemLineDetail": {"ItemRef": {"value": "21"}}},
            {"LinkedTxn": [{"TxnId": "130", "TxnType": "Invoice"}]},
        ],
    }


def test_a_reference_without_an_id_is_named() -> None:
    with pytest.raises(MissingReference) as raised:
        resolve({"Line": [{"LinkedTxn": [{"TxnId": "@invoice/9"}]}]}, _look_up)
    assert raised.value.reference == "invoice/9"


@pytest.mark.parametrize(
    "body",
    [
        {"Description": "@customer/client/7"},
        {"PrivateNote": "@item/name/design"},
        {"CustomerMemo": {"value": "@jane, please pay"}},
        {"CustomerMemo": {"value": "@invoicing team"}},
        {"Line": ["@invoice/1001"]},
        {"BillAddr": {"Line1": "@rate/USD/2026-03-05"}},
    ],
)
def test_a_persons_text_that_begins_with_the_sign_is_left_alone(body: dict[str, object]) -> None:
    assert resolve(body, _look_up) == body


@given(
    st.recursive(
        st.text(max_size=5) | st.integers() | st.booleans() | st.none(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    )
)
def test_a_body_without_references_comes_back_equal(value: object) -> None:
    assert resolve({"Line": value}, _look_up) == {"Line": value}
