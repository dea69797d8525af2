"""A FreshBooks expense → a QuickBooks bill, or a vendor credit where the amount is negative.

FreshBooks' amount includes the taxes and may have three decimals. The bill's total is that amount rounded to cents, its
taxes are FreshBooks' taxes rounded to cents, and the net amount is what remains. Where QuickBooks keeps no purchase tax (in
the US, or with sales tax off) the whole amount is the expense.
"""

from dataclasses import dataclass

from fb_qbo_pipeline.freshbooks.records import Expense
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Document, Entity, Json, Mapped, Outcome, Source
from fb_qbo_pipeline.mapping.due_dates import due_date
from fb_qbo_pipeline.mapping.expense_lines import ExpenseTarget, category_label, expense_target
from fb_qbo_pipeline.mapping.expense_tax import Purchase, purchase, purchase_code
from fb_qbo_pipeline.mapping.headers import currency_problem, header, numbering, period_problem, ref
from fb_qbo_pipeline.mapping.lines import DESCRIPTION_LENGTH
from fb_qbo_pipeline.mapping.outcomes import blocking, decide, guarded
from fb_qbo_pipeline.mapping.parties import reference, vendor_request
from fb_qbo_pipeline.mapping.placement import Placement, placement
from fb_qbo_pipeline.mapping.references import Problems
from fb_qbo_pipeline.mapping.scope import expense_scope
from fb_qbo_pipeline.mapping.tax_lines import Charge, charge_problem, tax_detail
from fb_qbo_pipeline.mapping.taxes import Side
from fb_qbo_pipeline.mapping.text import legal_text
from fb_qbo_pipeline.quickbooks.company import TaxCode
from fb_qbo_pipeline.settings.models import Expenses


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the rules gave for one expense; `charge` is None where no purchase tax is kept."""

    amounts: Purchase
    target: ExpenseTarget
    charge: Charge | None
    placement: Placement


def map_expense(expense: Expense, context: Context) -> Mapped:
    """Decide about an expense."""
    expenses = context.integration.expenses
    vendor = expense.vendor.strip() or (expenses.default_vendor if expenses is not None else "")
    base = Mapped(
        source=Source.EXPENSE,
        source_id=expense.id,
        outcome=Outcome.OUT_OF_SCOPE,
        date=expense.date,
        amount=expense.amount,
        currency=expense.currency,
        label=str(expense.id),
        party=vendor,
    )
    return guarded(base, lambda: _decided(base, expense, context))


def _decided(base: Mapped, expense: Expense, context: Context) -> Mapped:
    expenses = context.integration.expenses
    left_out = expense_scope(base, context.integration, expense.vis_state, expense.amount)
    if left_out is not None:
        return left_out
    assert expenses is not None, "expenses that are off are out of scope"
    problems = Problems()
    for problem in (currency_problem(expense.currency, context), period_problem(expense.date, context)):
        if problem is not None:
            problems.append(problem)
    parts = _parts(expense, expenses, context, problems)
    return decide(base, _document(expense, expenses, context, parts) if parts is not None else None, problems)


def _parts(expense: Expense, expenses: Expenses, context: Context, problems: Problems) -> _Parts | None:
    """Apply the rules one after the other; None where one of them found a problem (a closed period is none of theirs)."""
    with_tax = context.company.has_purchase_tax
    target = problems.take(expense_target(expense, expenses, expense.date, context))
    amounts = problems.take(purchase(expense, with_tax=with_tax))
    charge = None
    if with_tax and amounts is not None:
        code = problems.take(purchase_code(expense, amounts, expenses, context))
        charge = Charge(code, amounts.taxes) if code is not None else None
    if charge is not None:
        flaw = charge_problem(charge, Side.PURCHASE, expense.date, context, expense.currency)
        problems.extend([flaw] if flaw is not None else [])
    where = placement(expenses.class_, expenses.location, "expenses", context, problems)
    if target is None or amounts is None or blocking(problems):
        return None
    return _Parts(amounts, target, charge, where)


def _document(expense: Expense, expenses: Expenses, context: Context, parts: _Parts) -> Document:
    credit = expense.amount < 0
    vendor = vendor_request(expense, expenses, context)
    number, remark = numbering(Source.EXPENSE, expenses.number_prefix, str(expense.id))
    code: TaxCode | None = parts.charge.code if parts.charge is not None else None
    category = category_label(context.categories[expense.category_id], context)
    description = legal_text(expense.notes, DESCRIPTION_LENGTH) or legal_text(category, DESCRIPTION_LENGTH)
    line = parts.target.body(description, parts.amounts.net, code.id if code is not None else None, parts.placement.line_class)
    body: Json = {
        "VendorRef": ref(reference(vendor)),
        "DocNumber": number,
        **header(context, Source.EXPENSE, expense.id, expense.date, expense.currency, remark),
        **({} if credit else {"DueDate": due_date(None, expense.date, expenses.due_date).isoformat()}),
        **parts.placement.header,
        "Line": [line],
    }
    if parts.charge is not None:
        nets = [(parts.charge.code.id, parts.amounts.net)]
        body.update(tax_detail(nets, [parts.charge], Side.PURCHASE, expense.date, context))
    return Document(
        source=Source.EXPENSE,
        source_id=expense.id,
        entity=Entity.VENDOR_CREDIT if credit else Entity.BILL,
        date=expense.date,
        number=number,
        currency=expense.currency.upper(),
        total=parts.amounts.total,
        tax=parts.amounts.tax,
        body=body,
        parties=(vendor,),
        items=(parts.target.request,) if parts.target.request is not None else (),
    )
