from decimal import Decimal
from typing import Any

import pytest

from fb_qbo_pipeline_tests.sandbox_quickbooks.asgi import Api, Json


def make(api: Api, body: Json) -> Any:
    return api.send("POST", "taxservice/taxcode", body).json


def test_a_new_tax_code_can_be_used_at_once(api: Api) -> None:
    details = [
        {"TaxRateName": "PST MB", "RateValue": "7", "TaxAgencyId": "1", "TaxApplicableOn": "Sales"},
        {"TaxRateId": api.ref("TaxRate", "GST")["value"]},
    ]
    answer = make(api, {"TaxCode": "GST/PST MB", "TaxRateDetails": details})
    assert answer["TaxCodeId"] == api.ref("TaxCode", "GST/PST MB")["value"]
    assert api.write("Invoice", api.invoice(api.customer(), api.line(code="GST/PST MB")))["TotalAmt"] == Decimal("112.00")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "2020"),
        ({"TaxCode": "A"}, "2020"),
        ({"TaxCode": "HST ON", "TaxRateDetails": [{"TaxRateId": "1"}]}, "6240"),
        ({"TaxCode": "A", "TaxRateDetails": [{"TaxRateId": "99"}]}, "2500"),
        ({"TaxCode": "A", "TaxRateDetails": [{"TaxRateName": "R"}]}, "2020"),
        ({"TaxCode": "A", "TaxRateDetails": [{"TaxRateName": "GST", "RateValue": 5, "TaxAgencyId": "1"}]}, "6240"),
        ({"TaxCode": "A", "TaxRateDetails": [{"TaxRateName": "R", "RateValue": 101, "TaxAgencyId": "1"}]}, "2110"),
        ({"TaxCode": "A", "TaxRateDetails": [{"TaxRateName": "R", "RateValue": "x", "TaxAgencyId": "1"}]}, "2100"),
        ({"TaxCode": "A", "TaxRateDetails": [{"TaxRateName": "R" * 11}]}, "2050"),
        ({"TaxCode": "A", "Rates": []}, "2010"),
    ],
)
def test_a_tax_code_that_makes_no_sense_is_refused(api: Api, body: Json, code: str) -> None:
    assert make(api, body)["Fault"]["Error"][0]["code"] == code
