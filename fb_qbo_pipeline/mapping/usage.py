"""Which documents a setting decides about: how many, how much money, and which taxes they really carry.

A finding of the preflight is about a setting ("sales.taxes.HST"); what it means for the books are the documents behind it.
The keys here are those of the findings, so that the two meet. Taxes are taken from the documents, too, because FreshBooks'
list of taxes no longer holds what was deleted there or charged at an earlier rate.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from fb_qbo_pipeline.freshbooks.records import Expense, Invoice, Payment
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.deposits import chosen_account
from fb_qbo_pipeline.mapping.documents import Mapped, Outcome, Problem
from fb_qbo_pipeline.mapping.expense_lines import category_label, mapped_key
from fb_qbo_pipeline.mapping.taxes import NamedTax, Side, candidate_keys, normal_key, tax_label
from fb_qbo_pipeline.money import ZERO

EXAMPLES = 5  # documents named


@dataclass(frozen=True, slots=True)
class UsedTax:
    """A tax of a document; `percent` None where nobody stated it, `compound` where it is on top of the other."""

    name: str
    percent: Decimal | None
    compound: bool = False


Group = tuple[UsedTax, ...]
"""The taxes of a line."""


@dataclass
class Concerned:
    """Documents: their number, their amounts by currency as FreshBooks has them, and the first few by name."""

    documents: int = 0
    amount: dict[str, Decimal] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)

    def add(self, mapped: Mapped) -> None:
        """Count a document."""
        self.documents += 1
        self.amount[mapped.currency] = self.amount.get(mapped.currency, ZERO) + mapped.amount
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"{mapped.source.value} {mapped.label}")


@dataclass
class Usage:
    """What the documents in scope use.

    `taxes` holds each combination that occurs, with the latest day on which it does; `methods` those by which money came in.
    """

    by_setting: dict[str, Concerned] = field(default_factory=dict)
    taxes: dict[Side, dict[Group, dt.date]] = field(default_factory=lambda: {side: {} for side in Side})
    methods: set[str] = field(default_factory=set)

    def add(self, record: Invoice | Payment | Expense, mapped: Mapped, context: Context) -> None:
        """Count a record, if it is in scope."""
        if mapped.outcome not in (Outcome.DOCUMENT, Outcome.HELD):
            return
        for key in sorted(set(settings_of(record, context))):
            self.by_setting.setdefault(key, Concerned()).add(mapped)
        if isinstance(record, Payment):
            if not record.from_credit:
                self.methods.add(record.method)
            return
        side = Side.SALES if isinstance(record, Invoice) else Side.PURCHASE
        for group in _groups(record):
            self.taxes[side][group] = max(record.date, self.taxes[side].get(group, record.date))


def settings_of(record: Invoice | Payment | Expense, context: Context) -> Iterator[str]:
    """The settings that decide about a record, as the findings of the preflight name them; some may come twice."""
    integration = context.integration
    if isinstance(record, Payment):
        if integration.payments is not None:
            yield "payments"
            chosen = chosen_account(record, integration.payments)
            if not isinstance(chosen, Problem):
                yield chosen[1]
        return
    if isinstance(record, Invoice):
        side, mapping = Side.SALES, integration.sales.taxes if integration.sales is not None else {}
        yield from ("sales.number_prefix", "sales.auto_number")
        if record.discount_total:
            yield "sales.discount_product"
    else:
        side, mapping = Side.PURCHASE, integration.expenses.taxes if integration.expenses is not None else {}
        yield from _category_settings(record, context)
    yield from (f"{side.value}.class", f"{side.value}.location")
    named = {normal_key(key): key for key in mapping}
    for group in _groups(record):
        yield f"{side.value}.taxes.{tax_label(group)}"
        yield from (f"{side.value}.taxes.{tax.name}" for tax in group)
        yield from (f"{side.value}.taxes.{named[key]}" for key in candidate_keys(group) if key in named)
        if group:
            yield f"{side.value}.taxes"


def _category_settings(expense: Expense, context: Context) -> Iterator[str]:
    expenses, category = context.integration.expenses, context.categories.get(expense.category_id)
    if expenses is None or category is None:
        return
    yield f"expenses.categories.{category_label(category, context)}"
    key = mapped_key(category, expenses, context)
    if key is not None:
        yield f"expenses.categories.{key}"


def _groups(record: Invoice | Expense) -> list[Group]:
    """The distinct combinations of taxes on the lines of an invoice, or of an expense; () for a line without one."""
    if isinstance(record, Expense):
        return [_group(record.taxes, compounded=False)]
    return list(dict.fromkeys(_group(line.taxes, compounded=line.compounded) for line in record.lines))


def _group(taxes: Sequence[NamedTax], *, compounded: bool) -> Group:
    last = len(taxes) - 1
    return tuple(UsedTax(tax.name, tax.percent, compounded and place == last > 0) for place, tax in enumerate(taxes))
