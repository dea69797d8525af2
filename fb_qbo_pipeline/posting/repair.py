"""A document whose total came back a little different: the rounding product carries the difference. No I/O.

QuickBooks computes totals itself, and where an override is not honoured it may be a cent off. The line takes the tax code
of the document's first line, so that no further tax rate comes into play; at a few cents its own tax rounds to nothing.
"""

from decimal import Decimal
from typing import Any

from fb_qbo_pipeline.mapping.documents import Json
from fb_qbo_pipeline.quickbooks.company import Company, TaxCode
from fb_qbo_pipeline.settings.models import Integration


def with_rounding(body: Json, difference: Decimal, integration: Integration, company: Company) -> Json | None:
    """A sale's request body with a line that adds `difference`; None above the limit or without a usable rounding product."""
    sales = integration.sales
    if sales is None or sales.rounding_product is None or difference == 0 or abs(difference) > sales.rounding_limit:
        return None
    item = company.item(sales.rounding_product)
    if item is None or not item.active:
        return None
    detail: Json = {"ItemRef": {"value": item.id}, "Qty": Decimal(1), "UnitPrice": difference}
    kept_class = next((line["SalesItemLineDetail"].get("ClassRef") for line in body["Line"] if "SalesItemLineDetail" in line), None)
    if kept_class is not None:
        detail["ClassRef"] = kept_class
    code = _line_code(body, company)
    if code is not None:
        detail["TaxCodeRef"] = {"value": code}
    line = {"Description": "Rounding", "Amount": difference, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
    changed = body | {"Line": [*body["Line"], line]}
    known = company.codes_by_id.get(code or "")
    if known is not None and "TaxLine" in body.get("TxnTaxDetail", {}):
        changed["TxnTaxDetail"] = _wider_base(body["TxnTaxDetail"], known, difference)
    return changed


def _line_code(body: Json, company: Company) -> str | None:
    codes = [line["SalesItemLineDetail"].get("TaxCodeRef", {}).get("value") for line in body["Line"] if "SalesItemLineDetail" in line]
    if company.is_us:
        return "NON" if any(codes) else None
    return next((code for code in codes if code), None)


def _wider_base(tax: Json, code: TaxCode, difference: Decimal) -> Json:
    """The tax override with the line's amount in the taxable base of each of its code's rates."""
    rates = {rate.rate_id for rate in code.sales}

    def widened(line: Any) -> Any:
        detail = line["TaxLineDetail"]
        if detail["TaxRateRef"]["value"] not in rates or "NetAmountTaxable" not in detail:
            return line
        return line | {"TaxLineDetail": detail | {"NetAmountTaxable": detail["NetAmountTaxable"] + difference}}

    return tax | {"TaxLine": [widened(line) for line in tax["TaxLine"]]}
