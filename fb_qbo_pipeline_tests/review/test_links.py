"""Addresses of QuickBooks' pages."""

import pytest

from fb_qbo_pipeline.mapping.documents import Entity
from fb_qbo_pipeline.review.links import page, web_of

PRODUCTION = "https://quickbooks.api.intuit.com"


@pytest.mark.parametrize(
    ("entity", "path"),
    [
        ("Invoice", "invoice"),
        ("SalesReceipt", "salesreceipt"),
        ("Payment", "recvpayment"),
        ("Bill", "bill"),
        ("VendorCredit", "vendorcredit"),
        ("CreditMemo", "creditmemo"),
        ("Purchase", "expense"),
    ],
)
def test_each_kind_of_transaction_has_its_page(entity: str, path: str) -> None:
    assert page(web_of(PRODUCTION), entity, "12") == f"https://app.qbo.intuit.com/app/{path}?txnId=12"


def test_every_transaction_that_the_pipeline_makes_has_a_page() -> None:
    assert all(page(web_of(PRODUCTION), entity.value, "1") for entity in Entity)


def test_intuits_sandbox_companies_have_pages_of_their_own() -> None:
    assert web_of("https://sandbox-quickbooks.api.intuit.com") == "https://app.sandbox.qbo.intuit.com"


def test_a_sandbox_of_our_own_has_no_pages() -> None:
    assert (web_of("http://127.0.0.1:8123"), page("", "Invoice", "12")) == ("", "")
