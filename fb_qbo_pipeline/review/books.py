"""Reads from the ledger what the rules of `review.findings` look at."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

from fb_qbo_pipeline.freshbooks.parsing import parse_expense, parse_payment
from fb_qbo_pipeline.ledger.ledger import Transaction
from fb_qbo_pipeline.ledger.raw import PRESENT
from fb_qbo_pipeline.mapping.documents import Source
from fb_qbo_pipeline.money import round_half_up
from fb_qbo_pipeline.quickbooks.company import Company
from fb_qbo_pipeline.review.findings import Books, Key, Row, applied, lines_on
from fb_qbo_pipeline.settings.models import Integration

SOURCES = tuple(source.value for source in Source)


def read_books(
    tx: Transaction, integration: Integration, company: Company, start: dt.date, end: dt.date, sources: Sequence[str] = SOURCES
) -> Books:
    """The books of the partitions from `start` to `end`: staged, posted, held, and what explains them."""
    staged: list[Row] = [row for source in sources for row in tx.staging.in_partitions(source, start, end)]
    ids: defaultdict[str, set[int]] = defaultdict(set)
    for row in staged:
        ids[row["source"]].add(row["source_id"])
    payments = _payments(tx, ids[Source.INVOICE.value])
    invoices = ids[Source.INVOICE.value] | {row["requires_invoice"] for row in staged if row["requires_invoice"] is not None}
    looked_up = {
        Source.INVOICE.value: invoices,
        Source.PAYMENT.value: ids[Source.PAYMENT.value] | {payment for group in payments.values() for payment, _ in group},
        Source.EXPENSE.value: ids[Source.EXPENSE.value],
    }
    posted = {(source, key): one for source, wanted in looked_up.items() for key, one in tx.posted.by_ids(source, wanted).items()}
    return Books(
        staged=staged,
        posted=posted,
        held=_held(tx, looked_up),
        payments=payments,
        methods=_methods(tx, ids[Source.PAYMENT.value]),
        applied=_applied(tx, start, end) if Source.PAYMENT.value in sources else {},
        defaulted=_defaulted(tx, start, end, _default_item(integration, company)) if Source.INVOICE.value in sources else {},
        vendors=_vendors(tx, ids[Source.EXPENSE.value]),
    )


def _payments(tx: Transaction, invoices: Iterable[int]) -> dict[int, list[tuple[int, Decimal]]]:
    found: defaultdict[int, list[tuple[int, Decimal]]] = defaultdict(list)
    for state, payload in tx.raw.payments_of(list(invoices)):
        payment = parse_payment(payload)
        if state == PRESENT and payment.invoice_id is not None:
            found[payment.invoice_id].append((payment.id, round_half_up(payment.amount)))
    return dict(found)


def _methods(tx: Transaction, payments: set[int]) -> dict[int, str]:
    parsed = (parse_payment(payload) for _, payload in tx.raw.by_ids("payment", payments))
    return {payment.id: payment.method for payment in parsed}


def _held(tx: Transaction, ids: dict[str, set[int]]) -> dict[Key, Row]:
    unresolved = ((row["source"], row["source_id"], row) for row in tx.exceptions.unresolved())
    return {(source, source_id): row for source, source_id, row in unresolved if source_id in ids[source]}


def _applied(tx: Transaction, start: dt.date, end: dt.date) -> dict[int, Decimal]:
    """How much of each payment's document is linked to its invoice."""
    return {source_id: applied(document) for source_id, document in tx.staging.documents(Source.PAYMENT.value, start, end)}


def _defaulted(tx: Transaction, start: dt.date, end: dt.date, default_item: str | None) -> dict[int, int]:
    """How many lines of each invoice's document are on the default product, where there are any."""
    if default_item is None:
        return {}
    documents = tx.staging.documents(Source.INVOICE.value, start, end)
    return {source_id: count for source_id, document in documents if (count := lines_on(document, default_item))}


def _default_item(integration: Integration, company: Company) -> str | None:
    """The default product's id, None where it is also what discounts or rounding differences are on."""
    sales = integration.sales
    if sales is None or sales.products.default_product is None:
        return None
    default = company.item(sales.products.default_product)
    others = [company.item(name) for name in (sales.discount_product, sales.rounding_product) if name is not None]
    return default.id if default is not None and default not in others else None


def _vendors(tx: Transaction, expenses: set[int]) -> frozenset[int]:
    parsed = (parse_expense(payload) for _, payload in tx.raw.by_ids("expense", expenses))
    return frozenset(expense.id for expense in parsed if expense.vendor.strip())
