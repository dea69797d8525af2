"""The preflight of the tax mapping: codes that do not exist or do not fit, rates that differ, taxes that nobody mapped.

A code of another rate than FreshBooks' is no error to QuickBooks, which takes the amounts that it is given; the tax return
would be wrong all the same, so it is pointed out.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import combinations

from fb_qbo_pipeline.freshbooks.records import TaxDefinition
from fb_qbo_pipeline.mapping.findings import Finding
from fb_qbo_pipeline.mapping.tax_lines import rates_on
from fb_qbo_pipeline.mapping.taxes import Side, candidate_keys, map_tax, mapped_name, normal_key, rates_of, tax_label
from fb_qbo_pipeline.mapping.text import plain_number
from fb_qbo_pipeline.mapping.usage import Group, UsedTax
from fb_qbo_pipeline.money import total
from fb_qbo_pipeline.quickbooks.company import Company, TaxCode
from fb_qbo_pipeline.settings.mistakes import closest
from fb_qbo_pipeline.settings.models import NO_TAX, Integration

_HUNDRED = Decimal(100)
_LATEST = dt.date.max  # the rates that hold from now on; history is a matter of each document's date


def tax_findings(
    integration: Integration, company: Company, taxes: Sequence[TaxDefinition], used: Mapping[Side, Mapping[Group, dt.date]]
) -> list[Finding]:
    """The findings about `sales.taxes` and `expenses.taxes`.

    `taxes` are those set up in FreshBooks; `used` the combinations on documents, each with the latest day that has it.
    """
    findings: list[Finding] = []
    sections = (
        (Side.SALES, integration.sales, company.preferences.uses_sales_tax),
        (Side.PURCHASE, integration.expenses, company.has_purchase_tax),
    )
    for side, section, kept in sections:
        if section is not None:
            findings.extend(_section(side, section.taxes, company, taxes, kept=kept))
            if kept:
                findings.extend(_rates(side, section.taxes, company, taxes, used.get(side, {})))
    return findings


def _section(side: Side, mapping: Mapping[str, str], company: Company, taxes: Sequence[TaxDefinition], *, kept: bool) -> Iterator[Finding]:
    if not kept:
        if side is Side.SALES and (taxes or any(normal_key(key) != NO_TAX for key in mapping)):
            message = "sales tax is switched off in QuickBooks: invoices with tax are held"
            yield Finding("sales.taxes", message, "switch on sales tax in QuickBooks (Taxes › Sales tax)", fatal=False)
        return
    for key, name in mapping.items():
        # In the US a line without tax is NON, whatever is mapped.
        if not (company.is_us and normal_key(key) == NO_TAX):
            yield from _code(f"{side.value}.taxes.{key}", name, side, company)
    if not company.is_us and mapped_name((), mapping) is None:
        message = "lines without a tax are not mapped: documents with such lines are held"
        yield Finding(f"{side.value}.taxes.{NO_TAX}", message, map_tax(NO_TAX, side), fatal=False)
    yield from _unmapped(side, mapping, taxes)


def _code(key: str, name: str, side: Side, company: Company) -> Iterator[Finding]:
    code = company.tax_code(name)
    if code is None:
        meant = closest(name, [known.name for known in company.tax_codes if known.active])
        remedy = "name an existing tax code, as QuickBooks spells it"
        remedy = f"did you mean “{meant}”? Or {remedy}" if meant else remedy
        yield Finding(key, f"QuickBooks has no tax code “{name}”", remedy, fatal=True)
    elif not code.active:
        message = f"the tax code “{name}” is inactive in QuickBooks: documents that need it are held"
        yield Finding(key, message, "make it active in QuickBooks, or name another tax code", fatal=False)
    elif not company.is_us and not rates_of(code, side) and (code.sales or code.purchase):
        words = "sales" if side is Side.SALES else "purchases"
        message = f"the tax code “{name}” has no rate for {words}: documents that need it are held"
        yield Finding(key, message, f"name a tax code with a rate for {words}", fatal=False)


def _unmapped(side: Side, mapping: Mapping[str, str], taxes: Sequence[TaxDefinition]) -> Iterator[Finding]:
    """FreshBooks taxes that occur in no key, neither alone nor in a pair."""
    keys = {normal_key(key) for key in mapping}
    parts = keys | {part for key in keys for part in key.split(" + ")}
    for tax in taxes:
        if not parts.intersection(candidate_keys([tax])):
            label = tax_label([tax])
            message = f"the FreshBooks tax “{label}” is not mapped: documents with it are held"
            yield Finding(f"{side.value}.taxes.{tax.name}", message, map_tax(label, side), fatal=False)


def _rates(
    side: Side, mapping: Mapping[str, str], company: Company, taxes: Sequence[TaxDefinition], used: Mapping[Group, dt.date]
) -> Iterator[Finding]:
    """Taxes, and pairs of them, whose code charges another rate; each once, as documents have them before as they are set up."""
    defined: list[Group] = [tuple(_as_used(tax) for tax in group) for group in [*((tax,) for tax in taxes), *combinations(taxes, 2)]]
    told: set[str] = set()
    for group, day in [*used.items(), *((group, _LATEST) for group in defined)]:
        name = mapped_name(group, mapping)
        code = company.tax_code(name) if name is not None else None
        if code is None or not code.group or any(rate.rate_id not in company.rates_by_id for rate in rates_of(code, side)):
            continue
        charged, mapped = _freshbooks_percent(group), _quickbooks_percent(code, side, day, company)
        label = tax_label(group)
        if charged is not None and charged != mapped and label not in told:
            told.add(label)
            message = f"FreshBooks charges {charged:f}% for “{label}”, but the tax code “{code.name}” is {mapped:f}%"
            yield Finding(f"{side.value}.taxes.{label}", message, "map it to a tax code of the same rate", fatal=False)


def _as_used(tax: TaxDefinition) -> UsedTax:
    return UsedTax(tax.name, tax.percent, tax.compound)


def _freshbooks_percent(group: Group) -> Decimal | None:
    """The percentage that a line with these taxes is charged, None where it is not known; a compound tax is on top of the other."""
    percents = [tax.percent for tax in group if tax.percent is not None]
    if len(percents) < len(group):
        return None
    percent = total(percents)
    if len(percents) > 1 and any(tax.compound for tax in group):
        percent += percents[0] * percents[1] / _HUNDRED
    return plain_number(percent)


def _quickbooks_percent(code: TaxCode, side: Side, day: dt.date, company: Company) -> Decimal:
    return plain_number(total(rate.effective for rate in rates_on(code, side, day, company)))
