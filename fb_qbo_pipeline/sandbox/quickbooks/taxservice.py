"""The tax service: a new tax code together with its rates, the only way to make one through the API."""

from decimal import Decimal, InvalidOperation
from typing import Any

from fb_qbo_pipeline.sandbox.quickbooks.fields import Check, flag, ignored, listed, one_of, record, text
from fb_qbo_pipeline.sandbox.quickbooks.lists import RateSeed, TaxSeed
from fb_qbo_pipeline.sandbox.quickbooks.refusals import Json, Refusal, missing
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline.sandbox.quickbooks.store import fold


def _percent(value: Any, where: str) -> Decimal:
    """A percentage from 0 to 100; the service takes it as a string or as a number."""
    try:
        percent = Decimal(str(value))
    except InvalidOperation:
        raise Refusal("2100", f"Invalid Decimal Format : {where} has to be a number", where) from None
    if not 0 <= percent <= 100:
        raise Refusal("2110", f"Invalid Decimal : {where} has to be between 0 and 100", where)
    return percent


_RATE: dict[str, Check] = {
    "TaxRateName": text(10),
    "RateValue": _percent,
    "TaxAgencyId": text(20),
    "TaxApplicableOn": one_of("Sales", "Purchase"),
    "TaxRateId": text(20),
}
_CODE = record(
    "TaxService", {"TaxCode": text(100), "TaxRateDetails": listed(record("TaxRateDetails", _RATE)), "sparse": flag, "Id": ignored}
)


def create_tax_code(company: QuickBooks, body: object) -> Json:
    """A new tax code; the answer repeats the request with the new ids. Raises Refusal 2010, 2020, 2500, 6240."""
    with company.lock:
        company.counters.writes += 1
        request: Json = _CODE(body, "TaxService") or {}
        if not request.get("TaxCode"):
            raise missing("TaxCode")
        if not request.get("TaxRateDetails"):
            raise missing("TaxRateDetails")
        if any(fold(code["Name"]) == fold(request["TaxCode"]) for code in company.tables["TaxCode"].values()):
            raise _taken()
        sides: dict[str, list[RateSeed]] = {"Sales": [], "Purchase": []}
        for detail in request["TaxRateDetails"]:
            sides[detail.get("TaxApplicableOn", "Sales")].append(_rate(company, detail))
        code = company.add_tax_code(TaxSeed(request["TaxCode"], tuple(sides["Sales"]), tuple(sides["Purchase"])))
        return {**request, "TaxCodeId": code["Id"]}


def _rate(company: QuickBooks, detail: Json) -> RateSeed:
    if "TaxRateId" in detail:
        row = company.require("TaxRate", {"value": detail["TaxRateId"]})
        return RateSeed(row["Name"], row["RateValue"])
    for key in ("TaxRateName", "RateValue", "TaxAgencyId"):
        if key not in detail:
            raise missing(f"TaxRateDetails.{key}")
    company.require("TaxAgency", {"value": detail["TaxAgencyId"]})
    if any(fold(row["Name"]) == fold(detail["TaxRateName"]) for row in company.tables["TaxRate"].values()):
        raise _taken()
    return RateSeed(detail["TaxRateName"], detail["RateValue"])


def _taken() -> Refusal:
    return Refusal(
        "6240", "The name supplied already exists. : Another tax rate is already using this \nname. Please use a different name."
    )
