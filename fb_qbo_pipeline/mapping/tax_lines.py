"""QuickBooks' tax detail outside the US: FreshBooks' tax amounts as an override, one tax line for each rate.

Left alone, QuickBooks rounds each line's tax and may differ from FreshBooks by cents. It honours amounts that are sent,
provided that every rate of every code used is listed exactly once. Sales and purchases work alike.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Code, Json, Problem
from fb_qbo_pipeline.mapping.taxes import Side, rates_of
from fb_qbo_pipeline.mapping.text import plain_number, shown
from fb_qbo_pipeline.money import ZERO, allocate, total
from fb_qbo_pipeline.quickbooks.company import Company, TaxCode

_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate of a code on a day. `percent` is its own, without trailing zeros; `effective` is of the net: more where it compounds."""

    id: str
    percent: Decimal
    effective: Decimal


@dataclass(frozen=True, slots=True)
class Charge:
    """The FreshBooks taxes that one tax code stands for: (percent if known, amount in cents), in FreshBooks' order."""

    code: TaxCode
    taxes: tuple[tuple[Decimal | None, Decimal], ...]


def rates_on(code: TaxCode, side: Side, day: dt.date, company: Company) -> Sequence[Rate]:
    """The rates of a code that are in force on `day`, in the order in which they apply."""
    rates: list[Rate] = []
    for member in rates_of(code, side):
        percent = plain_number(company.rates_by_id[member.rate_id].percent_on(day))
        before = total(rate.effective for rate in rates) / _HUNDRED
        base = {"TaxOnAmountPlusTax": 1 + before, "TaxOnTax": before}.get(member.applies, Decimal(1))
        rates.append(Rate(member.rate_id, percent, percent * base))
    return rates


def spread(taxes: Sequence[tuple[Decimal | None, Decimal]], rates: Sequence[Rate]) -> dict[str, Decimal]:
    """FreshBooks' tax amounts by rate id; they sum to the same. Needs a rate.

    A tax goes to the rate of the same percentage. Taxes and rates that are left over are paired by size where they are
    equally many, and otherwise the amounts are split in proportion to the rates.
    """
    amounts = {rate.id: ZERO for rate in rates}
    free_rates = list(rates)
    unmatched: list[tuple[Decimal | None, Decimal]] = []
    for percent, amount in taxes:
        match = next((rate for rate in free_rates if rate.percent == percent), None)
        if match is None:
            unmatched.append((percent, amount))
            continue
        amounts[match.id] += amount
        free_rates.remove(match)
    if unmatched and len(unmatched) == len(free_rates):
        by_size = sorted(free_rates, key=lambda rate: rate.effective)
        for (_, amount), rate in zip(sorted(unmatched, key=lambda tax: abs(tax[1])), by_size, strict=True):
            amounts[rate.id] += amount
        return amounts
    targets = free_rates if any(rate.effective for rate in free_rates) else list(rates)
    rest = total(amount for _, amount in unmatched)
    for rate, part in zip(targets, allocate(rest, [rate.effective for rate in targets]), strict=True):
        amounts[rate.id] += part
    return amounts


def charge_problem(charge: Charge, side: Side, day: dt.date, context: Context, currency: str) -> Problem | None:
    """A tax that was charged, but whose code has no rate above zero that could carry it."""
    amount = total(amount for _, amount in charge.taxes)
    if amount == 0 or any(rate.percent for rate in _rates(charge.code, side, day, context)):
        return None
    return Problem(
        Code.UNMAPPED_TAX,
        f"FreshBooks charged a tax of {shown(amount, currency)}, but its tax code “{charge.code.name}” has no rate above 0 %",
        f"map this tax in {side.value}.taxes to a tax code with the right rate",
    )


def tax_detail(lines: Iterable[tuple[str, Decimal]], charges: Iterable[Charge], side: Side, day: dt.date, context: Context) -> Json:
    """GlobalTaxCalculation and TxnTaxDetail of a document.

    `lines` are (tax code id, net amount) of all lines that carry a code, discount and rounding lines included. `charges`
    are of codes among them. The amounts of the tax lines sum to TotalTax, and it to the charges.
    """
    codes = context.company.codes_by_id
    net: dict[str, Decimal] = {}
    rates: dict[str, Rate] = {}
    for code_id, amount in lines:
        for rate in _rates(codes[code_id], side, day, context):
            rates.setdefault(rate.id, rate)
            net[rate.id] = net.get(rate.id, ZERO) + amount
    amounts = dict.fromkeys(rates, ZERO)
    for charge in charges:
        code_rates = _rates(charge.code, side, day, context)
        for rate_id, amount in (spread(charge.taxes, code_rates) if code_rates else {}).items():
            amounts[rate_id] += amount
    detail: Json = {"TotalTax": total(amounts.values())}
    if rates:
        detail["TaxLine"] = [tax_line(rate, amounts[rate.id], net[rate.id]) for rate in rates.values()]
    return {"GlobalTaxCalculation": "TaxExcluded", "TxnTaxDetail": detail}


def _rates(code: TaxCode, side: Side, day: dt.date, context: Context) -> Sequence[Rate]:
    return context.once(("rates", code.id, side, day), lambda: rates_on(code, side, day, context.company))


def tax_line(rate: Rate, amount: Decimal, net: Decimal) -> Json:
    """One rate of a tax override: `amount` is the tax on `net`."""
    return {
        "Amount": amount,
        "DetailType": "TaxLineDetail",
        "TaxLineDetail": {
            "TaxRateRef": {"value": rate.id},
            "PercentBased": True,
            "TaxPercent": rate.percent,
            "NetAmountTaxable": net,
        },
    }
