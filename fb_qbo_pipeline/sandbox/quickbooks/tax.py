"""Sales and purchase tax: the United States' model, and the "global" model of every other country.

Outside the US each line has a tax code, tax is rounded half-up per line and rate and then summed (an integrator measured
9.71 where 12 % of the sum is 9.73), and a client may override the amounts by naming every rate of every used code. In the US
a line is only TAX or NON and the document has one code; automated sales tax keeps an explicit TotalTax.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from fb_qbo_pipeline.money import ZERO, allocate, round_half_up, total
from fb_qbo_pipeline.sandbox.quickbooks.refusals import Json, Refusal, business, inactive_reference, missing, unknown_reference
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks

Side = Literal["SalesTaxRateList", "PurchaseTaxRateList"]
SALES_SIDE: Side = "SalesTaxRateList"
PURCHASE_SIDE: Side = "PurchaseTaxRateList"


@dataclass(frozen=True, slots=True)
class Taxable:
    """What tax needs to know of a line: net amount, tax code as sent, and the gross amount where prices include tax."""

    amount: Decimal
    code: str | None
    gross: Decimal | None = None


@dataclass(frozen=True, slots=True)
class _Rate:
    """A rate of a code on the document's date."""

    row: Json
    percent: Decimal
    applies: str


@dataclass(slots=True)
class _Sum:
    rate: _Rate
    base: Decimal = ZERO
    tax: Decimal = ZERO


def percent_on(rate: Json, day: str) -> Decimal:
    """The percentage of a TaxRate row in force on an ISO date."""
    percent: Decimal = rate["RateValue"]
    for entry in rate.get("EffectiveTaxRate", ()):
        if entry["EffectiveDate"][:10] <= day and day <= entry.get("EndDate", "9999-12-31")[:10]:
            percent = entry["RateValue"]
    return percent


# ------------------------------------------------------------------------------------------------------- outside the US


def global_tax(company: QuickBooks, body: Json, lines: Sequence[Taxable], discount: Decimal, side: Side) -> Json | None:
    """TxnTaxDetail of a document outside the US; None where sales tax is off or GlobalTaxCalculation is NotApplicable.

    `body` gives GlobalTaxCalculation, TxnDate and TxnTaxDetail. `discount` reduces the taxable base in proportion.
    Raises Refusal: a line without a code (6000), a code of the other side (6000), a bad override (2500, 6000), 6170.
    """
    if not company.sales_tax:
        return None
    detail = body.get("TxnTaxDetail")
    if body["GlobalTaxCalculation"] == "NotApplicable":
        _refuse_tax(company, lines, detail, side)
        return None
    day = body["TxnDate"]
    codes = [_code(company, line.code) for line in lines]
    rates = {code["Id"]: _rates(company, code, side, day) for code in codes}
    sums = _computed(company, body, lines, codes, rates, discount)
    if detail and detail.get("TaxLine"):
        own = _detail(sums)
        told = _overridden(sums, detail)
        if company.tax_amounts == "refused" and told["TotalTax"] != own["TotalTax"]:
            raise business("QuickBooks encountered an error while calculating tax. Select the tax rate again and save once more.")
        return told if company.tax_amounts == "kept" else own
    return _detail(sums)


def _code(company: QuickBooks, reference: str | None) -> Json:
    code = company.get("TaxCode", reference) if reference is not None else None
    if code is None:
        raise no_tax_code(company)
    if not code["Active"]:
        raise inactive_reference("TaxCodes")
    return code


def no_tax_code(company: QuickBooks) -> Refusal:
    """6000 with the country's sentence: a line has no tax code, or something that is none."""
    tax = "GST/HST" if company.country_code == "CA" else "VAT"
    return business(f"Make sure all your transactions have a {tax} rate before you save.")


def _rates(company: QuickBooks, code: Json, side: Side, day: str) -> list[_Rate]:
    details = sorted(code[side]["TaxRateDetail"], key=lambda detail: int(detail["TaxOrder"]))
    if not details:
        raise business("You're using tax on a transaction that's not allowed, or the tax code has no tax rate for it.")
    rows = [company.tables["TaxRate"][detail["TaxRateRef"]["value"]] for detail in details]
    return [_Rate(row, percent_on(row, day), detail["TaxTypeApplicable"]) for row, detail in zip(rows, details, strict=True)]


def _refuse_tax(company: QuickBooks, lines: Sequence[Taxable], detail: Json | None, side: Side) -> None:
    if detail is not None:
        raise Refusal("6170", "TxnTaxDetail is not allowed when GlobalTaxCalculation is NotApplicable.", "TxnTaxDetail")
    for line in lines:
        code = _code(company, line.code) if line.code is not None else None
        if code and any(rate.percent for rate in _rates(company, code, side, "9999-12-31")):
            raise business("A taxable rate can't be used on a transaction that is out of scope of tax.")


def _taxes(base: Decimal, rates: Sequence[_Rate], *, rounded: bool) -> list[Decimal]:
    """The tax of each rate on `base`, compound ones on what came before."""
    taxes: list[Decimal] = []
    for rate in rates:
        before = total(taxes)
        on = {"TaxOnAmountPlusTax": base + before, "TaxOnTax": before}.get(rate.applies, base)
        tax = on * rate.percent / 100
        taxes.append(round_half_up(tax) if rounded else tax)
    return taxes


def _computed(
    company: QuickBooks, body: Json, lines: Sequence[Taxable], codes: Sequence[Json], rates: dict[str, list[_Rate]], discount: Decimal
) -> dict[str, _Sum]:
    """Base and tax by rate id, as QuickBooks computes them."""
    per_line = company.tax_rounding == "line"
    reductions = allocate(discount, [line.amount for line in lines]) if discount and lines else [ZERO] * len(lines)
    sums: dict[str, _Sum] = {}
    for line, code, reduction in zip(lines, codes, reductions, strict=True):
        base = line.amount - reduction
        chosen = rates[code["Id"]]
        if body["GlobalTaxCalculation"] == "TaxInclusive" and line.gross is not None:
            taxes = _included(line, chosen)
        else:
            taxes = _taxes(base, chosen, rounded=per_line)
        for rate, tax in zip(chosen, taxes, strict=True):
            entry = sums.setdefault(rate.row["Id"], _Sum(rate))
            entry.base += base
            entry.tax += tax
    for entry in sums.values():
        entry.tax = round_half_up(entry.tax)
    return sums


def _included(line: Taxable, rates: Sequence[_Rate]) -> list[Decimal]:
    """The taxes within a gross amount; the line's net amount has to agree with it (6070)."""
    assert line.gross is not None
    shares = _taxes(Decimal(1), rates, rounded=False)
    net = round_half_up(line.gross / (1 + total(shares)))
    if net != line.amount:
        raise Refusal("6070", f"Amount is not equal to TaxInclusiveAmt without tax. Supplied value:{line.amount:,}", "Amount")
    return allocate(line.gross - net, shares)


def _overridden(sums: dict[str, _Sum], detail: Json) -> Json:
    """The client's tax amounts: every rate of every used code once, on the bases that the lines have."""
    seen: dict[str, Decimal] = {}
    for line in detail["TaxLine"]:
        rate_id = tax_line_rate(line)
        if rate_id not in sums:
            raise Refusal("2500", "Invalid Reference Id : TaxRate", "TaxRateRef")
        if rate_id in seen:
            raise business("The same tax rate is listed twice in the tax details.")
        entry, given = sums[rate_id], line["TaxLineDetail"]
        if "NetAmountTaxable" in given and given["NetAmountTaxable"] != entry.base:
            raise business("The net amount taxable does not agree with the lines that use the tax rate.")
        if given.get("PercentBased") and "TaxPercent" in given and given["TaxPercent"] != entry.rate.percent:
            raise business("The tax percent does not agree with the tax rate.")
        seen[rate_id] = line["Amount"]
    if len(seen) < len(sums):
        raise business("All tax rates of a tax code have to be sent in the tax details.")
    if "TotalTax" in detail and detail["TotalTax"] != total(seen.values()):
        raise business("The total tax does not agree with the tax details.")
    for rate_id, tax in seen.items():
        sums[rate_id].tax = tax
    return _detail(sums)


def tax_line_rate(line: Json) -> str:
    """The rate id of a TaxLine in a request; raises Refusal where a required part is missing."""
    if "DetailType" not in line:
        raise missing("TxnTaxDetail.TaxLine.DetailTypeEnum")
    if "Amount" not in line:
        raise missing("TxnTaxDetail.TaxLine.Amount")
    if "TaxRateRef" not in line.get("TaxLineDetail", {}):
        raise missing("TxnTaxDetail.TaxLine.TaxLineDetail.TaxRateRef")
    return str(line["TaxLineDetail"]["TaxRateRef"]["value"])


def _detail(sums: dict[str, _Sum], code: Json | None = None) -> Json:
    detail: Json = {"TotalTax": total(entry.tax for entry in sums.values()).quantize(Decimal("0.01"))}
    if code is not None:
        detail["TxnTaxCodeRef"] = {"value": code["Id"], "name": code["Name"]}
    if sums:
        detail["TaxLine"] = [_tax_line(entry) for entry in sums.values()]
    return detail


def _tax_line(entry: _Sum) -> Json:
    rate = entry.rate
    return {
        "Amount": entry.tax,
        "DetailType": "TaxLineDetail",
        "TaxLineDetail": {
            "TaxRateRef": {"value": rate.row["Id"], "name": rate.row["Name"]},
            "PercentBased": True,
            "TaxPercent": rate.percent,
            "NetAmountTaxable": entry.base,
        },
    }


# -------------------------------------------------------------------------------------------------------- the United States


def us_tax(company: QuickBooks, body: Json, lines: Sequence[Taxable], discount: Decimal) -> Json | None:
    """TxnTaxDetail of a US sales form; None where sales tax is off. Lines' codes are TAX or NON by now.

    The document's code counts where it is given; without one, the company's first code does. An explicit TotalTax is
    spread over the code's rates (`us_honours_total_tax`); otherwise each rate is half-up of the taxable sum.
    """
    if not company.sales_tax:
        return None
    detail = body.get("TxnTaxDetail") or {}
    code = _us_code(company, detail)
    for line in detail.get("TaxLine", ()):
        if company.get("TaxRate", tax_line_rate(line)) is None:
            raise Refusal("2500", "Invalid Reference Id : TaxRate", "TaxRateRef")
    taxable = total(line.amount for line in lines if line.code == "TAX")
    if code is None or all(line.code != "TAX" for line in lines):
        return {"TotalTax": ZERO, "TxnTaxCodeRef": {"value": code["Id"], "name": code["Name"]}} if code and detail else {"TotalTax": ZERO}
    gross = total(line.amount for line in lines)
    if discount and body.get("ApplyTaxAfterDiscount") and gross:
        taxable -= round_half_up(discount * taxable / gross)
    rates = _rates(company, code, SALES_SIDE, body["TxnDate"])
    sums = {rate.row["Id"]: _Sum(rate, taxable, round_half_up(taxable * rate.percent / 100)) for rate in rates}
    if company.us_honours_total_tax and "TotalTax" in detail:
        for entry, part in zip(sums.values(), allocate(detail["TotalTax"], [rate.percent for rate in rates]), strict=True):
            entry.tax = part
    return _detail(sums, code)


def _us_code(company: QuickBooks, detail: Json) -> Json | None:
    reference = detail.get("TxnTaxCodeRef")
    if reference is not None:
        code = company.require("TaxCode", reference)
        if not code["TaxGroup"]:
            raise unknown_reference("TaxCodes", reference["value"])
        return code
    return next((code for code in company.tables["TaxCode"].values() if code["TaxGroup"] and code["Active"]), None)


def us_line_code(given: str | None, *, default: bool) -> str:
    """TAX or NON: as given, or by what the item and the customer say. Another code is refused (6100)."""
    if given is None:
        return "TAX" if default else "NON"
    if given not in ("TAX", "NON"):
        raise Refusal("6100", "Invalid Line TaxCode in the request : for US companies, specify TAX or NON.", "TaxCodeRef")
    return given
