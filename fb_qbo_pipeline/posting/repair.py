"""A document that QuickBooks computes in its own way: without our tax amounts, and with a line for the difference. No I/O.

QuickBooks computes totals itself, and where an override is not honoured, or refused, it may be a cent off. The rounding line
is untaxed where the settings name a code for that; otherwise it takes the code of the document's first line, so that no
further tax rate comes into play.
"""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from fb_qbo_pipeline.mapping.documents import Json
from fb_qbo_pipeline.mapping.tax_lines import Rate, rates_on, tax_line
from fb_qbo_pipeline.mapping.taxes import Side, mapped_name
from fb_qbo_pipeline.money import CENT, round_half_up, total
from fb_qbo_pipeline.quickbooks.company import Company, TaxCode
from fb_qbo_pipeline.settings.models import Integration

_HUNDRED = Decimal(100)


def without_tax_amounts(body: Json) -> Json | None:
    """A request body that lets QuickBooks compute the tax; None where it does so already."""
    detail = body.get("TxnTaxDetail") or {}
    if not detail.keys() & {"TotalTax", "TaxLine"}:
        return None
    kept = {name: value for name, value in detail.items() if name == "TxnTaxCodeRef"}
    rest = {name: value for name, value in body.items() if name != "TxnTaxDetail"}
    return rest | {"TxnTaxDetail": kept} if kept else rest


def with_rounding(body: Json, difference: Decimal, integration: Integration, company: Company) -> Json | None:
    """A sale's request body with a line that adds `difference`, tax on it included.

    None above the limit, without a usable rounding product, or where no amount adds just that.
    """
    sales = integration.sales
    if sales is None or sales.rounding_product is None or difference == 0 or abs(difference) > sales.rounding_limit:
        return None
    item = company.item(sales.rounding_product)
    if item is None or not item.active:
        return None
    override = "TaxLine" in body.get("TxnTaxDetail", {})
    code, rates = _code(body, integration, company)
    amount = difference if override else _before_tax(difference, rates)
    if amount is None:
        return None
    detail: Json = {"ItemRef": {"value": item.id}, "Qty": Decimal(1), "UnitPrice": amount}
    kept_class = next((line["SalesItemLineDetail"].get("ClassRef") for line in body["Line"] if "SalesItemLineDetail" in line), None)
    if kept_class is not None:
        detail["ClassRef"] = kept_class
    if code is not None:
        detail["TaxCodeRef"] = {"value": code}
    line = {"Description": "Rounding", "Amount": amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
    changed = body | {"Line": [*body["Line"], line]}
    if override:
        changed["TxnTaxDetail"] = _wider_base(body["TxnTaxDetail"], rates, amount)
    return changed


def _code(body: Json, integration: Integration, company: Company) -> tuple[str | None, Sequence[Rate]]:
    """The line's tax code, and the rates that QuickBooks takes on it."""
    codes = [line["SalesItemLineDetail"].get("TaxCodeRef", {}).get("value") for line in body["Line"] if "SalesItemLineDetail" in line]
    used = next((code for code in codes if code), None)
    if used is None:
        return None, []
    if company.is_us:
        return "NON", []
    day = dt.date.fromisoformat(body["TxnDate"])
    untaxed = _untaxed(integration, company)
    rates = rates_on(untaxed, Side.SALES, day, company) if untaxed is not None else []
    if untaxed is not None and not any(rate.percent for rate in rates):
        return untaxed.id, rates
    return used, rates_on(company.codes_by_id[used], Side.SALES, day, company)


def _untaxed(integration: Integration, company: Company) -> TaxCode | None:
    """The active code of lines without tax."""
    name = mapped_name([], integration.sales.taxes) if integration.sales is not None else None
    code = company.tax_code(name) if name is not None else None
    return code if code is not None and code.active and code.sales else None


def _before_tax(difference: Decimal, rates: Sequence[Rate]) -> Decimal | None:
    """The amount that makes `difference` together with QuickBooks' tax on it; at 20 %, none makes 0.03."""
    sign = CENT if difference > 0 else -CENT
    for cents in range(int(abs(difference) / CENT), -1, -1):
        amount = cents * sign
        if amount and amount + total(round_half_up(amount * rate.effective / _HUNDRED) for rate in rates) == difference:
            return amount
    return None


def _wider_base(tax: Json, rates: Sequence[Rate], amount: Decimal) -> Json:
    """The tax override with the line's amount in the taxable base of each of its code's rates; no tax is added."""
    lines = list(tax["TaxLine"])
    for rate in rates:
        at = next((n for n, line in enumerate(lines) if line["TaxLineDetail"]["TaxRateRef"]["value"] == rate.id), None)
        if at is None:
            lines.append(tax_line(rate, Decimal(0), amount))
            continue
        detail = lines[at]["TaxLineDetail"]
        lines[at] = lines[at] | {"TaxLineDetail": detail | {"NetAmountTaxable": detail["NetAmountTaxable"] + amount}}
    return tax | {"TaxLine": lines}
