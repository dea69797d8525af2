"""The tax of a sale: a code on each line and the detail of the whole document, in the way of the company's country.

Outside the US every line carries a tax code and the detail lists every rate. In the US a line is TAX or NON, and the
document names one tax code and the whole tax, a tax of nothing too: left out, QuickBooks would keep that of an earlier
version. Where sales tax is switched off, a document carries no tax key at all.
"""

from collections.abc import Iterable, Mapping, Sequence

from fb_qbo_pipeline.freshbooks.records import Invoice
from fb_qbo_pipeline.mapping.charges import Charged, Combination
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Code, Json, Problem
from fb_qbo_pipeline.mapping.lines import SalesLine, is_text_only
from fb_qbo_pipeline.mapping.references import Problems
from fb_qbo_pipeline.mapping.tax_lines import Charge, charge_problem, rates_on, tax_detail
from fb_qbo_pipeline.mapping.taxes import Regime, Side, find_code, regime, tax_label
from fb_qbo_pipeline.mapping.text import shown
from fb_qbo_pipeline.money import total
from fb_qbo_pipeline.quickbooks.company import TaxCode

TAXED = "TAX"
UNTAXED = "NON"
_PAIR = 2
Codes = Mapping[Combination, TaxCode]


def first_is_compound(invoice: Invoice, context: Context) -> set[Combination]:
    """The pairs of taxes on compounded lines whose first tax is the compound one, as their QuickBooks tax code has it.

    A compound rate of the code is recognised by its percentage; a pair of equal ones tells nothing.
    """
    found: set[Combination] = set()
    if regime(context.company) is not Regime.GLOBAL:
        return found
    for pair in {line.taxes for line in invoice.lines if line.compounded and len(line.taxes) == _PAIR}:
        code = find_code(pair, Side.SALES, context)
        if isinstance(code, Problem):
            continue
        rates = rates_on(code, Side.SALES, invoice.date, context.company)
        compound = {rate.percent for rate in rates if rate.effective != rate.percent}
        if pair[0].percent in compound and pair[1].percent not in compound:
            found.add(pair)
    return found


def sales_codes(invoice: Invoice, sums: Charged, context: Context, problems: Problems) -> dict[Combination, TaxCode]:
    """The tax code of every combination of taxes on the invoice; what is wrong with them goes to `problems`."""
    kind = regime(context.company)
    if kind is Regime.OFF:
        if sums.tax != 0:
            problems.append(_sales_tax_off(sums, invoice.currency))
        return {}
    combinations: dict[Combination, None] = dict.fromkeys(line.taxes for line in invoice.lines if not is_text_only(line)) or {(): None}
    if kind is Regime.US:
        combinations.pop((), None)  # a line without tax is NON, without any mapping
    codes: dict[Combination, TaxCode] = {}
    for combination in combinations:
        code = problems.take(find_code(combination, Side.SALES, context))
        if code is not None:
            codes[combination] = code
    if kind is Regime.US and any(_charges_anything(combination) for combination in codes):
        # Beside a tax that is charged, one of 0 % is untaxed: the document's one code would charge its own rate.
        codes = {combination: code for combination, code in codes.items() if _charges_anything(combination)}
    found = _us_problem(codes, sums) if kind is Regime.US else _global_problem(codes, sums, invoice, context)
    problems.extend([found] if found is not None else [])
    return codes


def _charges_anything(combination: Combination) -> bool:
    return any(tax.percent for tax in combination)


def line_references(combinations: Iterable[Combination], codes: Codes, context: Context) -> dict[Combination, str | None]:
    """The TaxCodeRef of a line for each combination of taxes."""
    kind = regime(context.company)
    references: dict[Combination, str | None] = {}
    for combination in (*combinations, ()):
        code = codes.get(combination)
        if kind is Regime.US:
            references[combination] = TAXED if code is not None and code.taxable else UNTAXED
        else:
            references[combination] = code.id if code is not None else None
    return references


def rounding_reference(lines: Sequence[SalesLine], context: Context) -> str | None:
    """The TaxCodeRef of a rounding line: that of a line without tax where one is mapped, else that of the first line."""
    kind = regime(context.company)
    if kind is Regime.OFF:
        return None
    if kind is Regime.US:
        return UNTAXED
    untaxed = find_code((), Side.SALES, context)
    if isinstance(untaxed, TaxCode):
        return untaxed.id
    return next((line.code for line in lines if line.code is not None), None)


def tax_fields(lines: Sequence[SalesLine], codes: Codes, sums: Charged, invoice: Invoice, context: Context) -> Json:
    """The document's tax keys. `lines` are all lines of the document, discount and rounding included."""
    kind = regime(context.company)
    if kind is Regime.OFF:
        return {}
    if kind is Regime.GLOBAL:
        coded = [(line.code, line.amount) for line in lines if line.code is not None]
        return tax_detail(coded, _charges(codes, sums), Side.SALES, invoice.date, context)
    code = next((code for code in codes.values() if code.taxable), None)
    reference: Json = {"TxnTaxCodeRef": {"value": code.id}} if code is not None and code.group else {}
    return {"TxnTaxDetail": {**reference, "TotalTax": sums.tax}}


def _charges(codes: Codes, sums: Charged) -> list[Charge]:
    return [
        Charge(codes[combination], tuple((tax.percent, amount) for tax, amount in zip(combination, amounts, strict=True)))
        for combination, amounts in sums.taxes.items()
        if combination in codes
    ]


def _sales_tax_off(sums: Charged, currency: str) -> Problem:
    return Problem(
        Code.UNMAPPED_TAX,
        f"FreshBooks charged a tax of {shown(sums.tax, currency)}, but sales tax is switched off in QuickBooks",
        "switch on sales tax in QuickBooks (Taxes › Sales tax), or take the tax off the invoice",
    )


def _global_problem(codes: Codes, sums: Charged, invoice: Invoice, context: Context) -> Problem | None:
    checked = (charge_problem(charge, Side.SALES, invoice.date, context, invoice.currency) for charge in _charges(codes, sums))
    return next((problem for problem in checked if problem is not None), None)


def _us_problem(codes: Codes, sums: Charged) -> Problem | None:
    """Two codes on one document, or a tax that was charged on a line that is not taxed."""
    for combination, code in codes.items():
        if not code.taxable and total(sums.taxes.get(combination, ())) != 0:
            return Problem(
                Code.UNMAPPED_TAX,
                f"FreshBooks charged “{tax_label(combination)}”, but it is mapped to “{code.name}”, which charges no tax",
                f"map “{tax_label(combination)}” in sales.taxes to a tax code with a rate",
            )
    names = {code.id: code.name for code in codes.values() if code.taxable}
    if len(names) > 1:
        return Problem(
            Code.UNMAPPED_TAX,
            f"the lines need several tax codes ({', '.join(sorted(names.values()))}), but a QuickBooks document in the US has only one",
            "split the invoice in FreshBooks, or map these taxes to one QuickBooks tax code in sales.taxes",
        )
    return None
