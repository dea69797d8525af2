"""Which QuickBooks tax code stands for the taxes of a line, by the names in the settings.

FreshBooks names a tax on a line by text and percent, and has no tax codes; QuickBooks has one code a line. So every tax,
and every pair of them that occurs, is mapped by a person. What is not mapped is held, never guessed: a wrong code is a
wrong tax return.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from itertools import permutations, product
from typing import Protocol

from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Code, Problem
from fb_qbo_pipeline.mapping.references import inactive
from fb_qbo_pipeline.mapping.text import plain_number
from fb_qbo_pipeline.quickbooks.company import CodeRate, Company, TaxCode, fold
from fb_qbo_pipeline.settings.models import NO_TAX

_PLUS = re.compile(r"\s*\+\s*")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")


class Side(StrEnum):
    """Sales and purchases are mapped apart, and a code has different rates on each side. The value is the settings' section."""

    SALES = "sales"
    PURCHASE = "expenses"


class Regime(StrEnum):
    """How a company's documents carry tax."""

    OFF = "off"  # sales tax is switched off: no tax keys at all
    US = "us"  # TAX or NON on lines, one tax code a document
    GLOBAL = "global"  # a tax code on every line, one tax line for each rate


class NamedTax(Protocol):
    """A tax on a document: its name and, if known, its percent."""

    @property
    def name(self) -> str:
        """The name as FreshBooks shows it."""

    @property
    def percent(self) -> Decimal | None:
        """20 means 20 %."""


def regime(company: Company) -> Regime:
    """How this company's sales carry tax."""
    if not company.preferences.uses_sales_tax:
        return Regime.OFF
    return Regime.US if company.is_us else Regime.GLOBAL


@lru_cache(maxsize=4096)
def normal_key(text: str) -> str:
    """A key of the settings in one spelling: case and blanks do not count, 20.0 % is 20%."""
    spaced = _PLUS.sub(" + ", fold(text))
    return _PERCENT.sub(lambda found: f"{plain_number(Decimal(found[1]))}%", spaced)


def tax_label(taxes: Sequence[NamedTax]) -> str:
    """The taxes of a line as people write them in the settings: "GST 5% + QST 9.975%", or "none"."""
    return " + ".join(_spelled(tax)[0] for tax in taxes) or NO_TAX


def candidate_keys(taxes: Sequence[NamedTax]) -> list[str]:
    """The keys under which the taxes of a line may be mapped, best first: with rates before without, in either order."""
    if not taxes:
        return [NO_TAX]
    keys: list[str] = []
    for spelling in product(*(_spelled(tax) for tax in taxes)):
        keys.extend(normal_key(" + ".join(order)) for order in permutations(spelling))
    return keys


def mapped_name(taxes: Sequence[NamedTax], mapping: Mapping[str, str]) -> str | None:
    """The tax code's name that the settings give for the taxes of a line, None where they give none."""
    normal = {normal_key(key): name for key, name in mapping.items()}
    return next((normal[key] for key in candidate_keys(taxes) if key in normal), None)


def keyed_rates(name: str, keys: Iterable[str]) -> list[Decimal]:
    """The percents of the keys `NAME RATE%` that the settings hold for one FreshBooks tax."""
    start = normal_key(name) + " "
    endings = [normal_key(key).removeprefix(start) for key in keys if normal_key(key).startswith(start)]
    return [Decimal(found[1]) for found in (_PERCENT.fullmatch(ending) for ending in endings) if found]


def rates_of(code: TaxCode, side: Side) -> tuple[CodeRate, ...]:
    """The rates of a code on one side, in the order in which they apply."""
    rates = code.sales if side is Side.SALES else code.purchase
    return tuple(sorted(rates, key=lambda rate: rate.order))


def find_code(taxes: Sequence[NamedTax], side: Side, context: Context) -> TaxCode | Problem:
    """The QuickBooks tax code for the taxes of a line, or why there is none."""
    question = ("tax code", side, tuple((tax.name, tax.percent) for tax in taxes))
    return context.once(question, lambda: _find_code(taxes, side, context))


def _find_code(taxes: Sequence[NamedTax], side: Side, context: Context) -> TaxCode | Problem:
    setting = f"{side.value}.taxes"
    label = tax_label(taxes)
    what = f"the tax “{label}”" if taxes else "a line without tax"
    name = mapped_name(taxes, _mapping(side, context))
    if name is None:
        return Problem(Code.UNMAPPED_TAX, f"{what} is not mapped to a QuickBooks tax code", map_tax(label, side))
    code = context.company.tax_code(name)
    if code is None:
        remedy = f"name an existing tax code for “{label}” in {setting}"
        return Problem(Code.UNMAPPED_TAX, f"{what} is mapped to “{name}”, which is no tax code in QuickBooks", remedy)
    if not code.active:
        return inactive("tax code", name, setting)
    return _usable(code, label, side, context, taxed=any(tax.percent is None or tax.percent for tax in taxes))


def map_tax(label: str, side: Side) -> str:
    """What to do about a tax that is not mapped."""
    return f"add “{label}: NAME OF A QUICKBOOKS TAX CODE” to {side.value}.taxes"


def _usable(code: TaxCode, label: str, side: Side, context: Context, *, taxed: bool) -> TaxCode | Problem:
    """The code, if documents of this side may carry it."""
    setting = f"{side.value}.taxes"
    if context.company.is_us:
        # A pseudo code names no rate. Companies with automated sales tax (partner_tax is set) find the rate themselves.
        if code.group or not code.taxable or context.company.preferences.partner_tax is not None:
            return code
        remedy = f"map “{label}” in {setting} to a tax code with a rate, such as the name of the state"
        return Problem(Code.UNMAPPED_TAX, f"the tax code “{code.name}” has no rate of its own", remedy)
    rates = rates_of(code, side)
    # Some "out of scope" codes have no rates on either side: they stand for no tax, and only for that.
    if not rates and (taxed or code.sales or code.purchase):
        words = "sales" if side is Side.SALES else "purchases"
        remedy = f"map “{label}” in {setting} to a tax code that has a rate for {words}"
        return Problem(Code.UNMAPPED_TAX, f"the tax code “{code.name}” has no rate for {words}", remedy)
    if any(rate.rate_id not in context.company.rates_by_id for rate in rates):
        remedy = "check the tax code in QuickBooks' sales tax centre, then retry"
        return Problem(Code.UNMAPPED_TAX, f"a rate of the tax code “{code.name}” is not among QuickBooks' tax rates", remedy)
    return code


def _mapping(side: Side, context: Context) -> Mapping[str, str]:
    section = context.integration.sales if side is Side.SALES else context.integration.expenses
    return section.taxes if section is not None else {}


def _spelled(tax: NamedTax) -> list[str]:
    if tax.percent is None:
        return [tax.name]
    return [f"{tax.name} {plain_number(tax.percent)}%", tax.name]
