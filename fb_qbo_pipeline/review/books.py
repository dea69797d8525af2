"""Reads from the ledger what the rules of `review.findings` look at: of some days, or of some documents of any day.

Raw payloads are read a second time here, after posting. One that cannot be read is held by staging and told by its exception;
here it only explains nothing: it never stops a run.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

from fb_qbo_pipeline.freshbooks.fields import BadRecord
from fb_qbo_pipeline.freshbooks.parsing import parse_expense, parse_payment
from fb_qbo_pipeline.ledger.ledger import Transaction
from fb_qbo_pipeline.ledger.posted import POSTED, Posted
from fb_qbo_pipeline.ledger.raw import PRESENT
from fb_qbo_pipeline.mapping.documents import Json, Source
from fb_qbo_pipeline.money import round_half_up
from fb_qbo_pipeline.quickbooks.company import Company
from fb_qbo_pipeline.review.findings import Books, Key, Row, applied, lines_on
from fb_qbo_pipeline.settings.models import Integration

SOURCES = tuple(source.value for source in Source)
_T = TypeVar("_T")
Documents = Callable[[str], Iterator[tuple[int, Json]]]  # intended documents of a source: FreshBooks id and document


def read_books(tx: Transaction, start: dt.date, end: dt.date, sources: Sequence[str] = SOURCES, default_item: str | None = None) -> Books:
    """The books of the partitions from `start` to `end`: staged, posted, held, and what explains them.

    `default_item`: QuickBooks' id of the default product (`default_item_of`); None where nobody asks for fallbacks.
    """
    staged: list[Row] = [row for source in sources for row in tx.staging.in_partitions(source, start, end)]
    books = _books(tx, staged, lambda source: tx.staging.documents(source, start, end), default_item)
    differences = [one for one in tx.differences.present(start, end) if one.source in sources]
    return replace(books, differences=differences)


def books_of(tx: Transaction, keys: Iterable[Key], default_item: str | None = None) -> Books:
    """The books of these documents alone, in the order of their dates."""
    ids = _grouped(keys)
    staged: list[Row] = [row for source in SOURCES for row in tx.staging.lean(source, ids[source])]
    staged.sort(key=_in_order)
    return _books(tx, staged, lambda source: tx.staging.documents_of(source, ids[source]), default_item)


def held_books_of(tx: Transaction, keys: Iterable[Key]) -> Books:
    """The books of these documents as far as what is held is concerned: their rows and exceptions, and nothing of QuickBooks."""
    ids = _grouped(keys)
    staged: list[Row] = [row for source in SOURCES for row in tx.staging.lean(source, ids[source])]
    staged.sort(key=_in_order)
    return Books(staged, {}, _exceptions(tx, ids))


def default_item_of(integration: Integration, company: Company) -> str | None:
    """The default product's id, None where it is also what discounts or rounding differences are on."""
    sales = integration.sales
    if sales is None or sales.products.default_product is None:
        return None
    default = company.item(sales.products.default_product)
    others = [company.item(name) for name in (sales.discount_product, sales.rounding_product) if name is not None]
    return default.id if default is not None and default not in others else None


def _books(tx: Transaction, staged: Sequence[Row], documents: Documents, default_item: str | None) -> Books:
    ids = _grouped((row["source"], row["source_id"]) for row in staged)
    payments = _payments(tx, ids[Source.INVOICE.value])
    paid = {row["requires_invoice"] for row in staged if row["requires_invoice"] is not None}
    looked_up = {
        Source.INVOICE.value: ids[Source.INVOICE.value] | paid,
        Source.PAYMENT.value: ids[Source.PAYMENT.value] | {payment for group in payments.values() for payment, _ in group},
        Source.EXPENSE.value: ids[Source.EXPENSE.value],
    }
    posted = {(source, key): one for source, wanted in looked_up.items() for key, one in tx.posted.by_ids(source, wanted).items()}
    return Books(
        staged=staged,
        posted=posted,
        held=_exceptions(tx, looked_up),
        payments=payments,
        methods=_methods(tx, ids[Source.PAYMENT.value]),
        applied={i: applied(document) for i, document in documents(Source.PAYMENT.value)} if ids[Source.PAYMENT.value] else {},
        defaulted=_defaulted(documents, default_item) if ids[Source.INVOICE.value] else {},
        vendors=_vendors(tx, ids[Source.EXPENSE.value]),
        numbers=_numbers(tx, posted),
    )


def _in_order(row: Row) -> tuple[dt.date, str, int]:
    return row["document_date"], row["source"], row["source_id"]


def _exceptions(tx: Transaction, ids: Mapping[str, set[int]]) -> dict[Key, Row]:
    return {(row["source"], row["source_id"]): row for source, wanted in ids.items() for row in tx.exceptions.of(source, wanted)}


def _grouped(keys: Iterable[Key]) -> defaultdict[str, set[int]]:
    ids: defaultdict[str, set[int]] = defaultdict(set)
    for source, source_id in keys:
        ids[source].add(source_id)
    return ids


def _readable(parse: Callable[[Json], _T], payloads: Iterable[tuple[str, Json]]) -> Iterator[tuple[str, _T]]:
    """State and record of the payloads that can be read."""
    for state, payload in payloads:
        try:
            record = parse(payload)
        except BadRecord:
            continue
        yield state, record


def _payments(tx: Transaction, invoices: Iterable[int]) -> dict[int, list[tuple[int, Decimal]]]:
    found: defaultdict[int, list[tuple[int, Decimal]]] = defaultdict(list)
    for state, payment in _readable(parse_payment, tx.raw.payments_of(list(invoices))):
        if state == PRESENT and payment.invoice_id is not None:
            found[payment.invoice_id].append((payment.id, round_half_up(payment.amount)))
    return dict(found)


def _methods(tx: Transaction, payments: set[int]) -> dict[int, str]:
    return {payment.id: payment.method for _, payment in _readable(parse_payment, tx.raw.by_ids("payment", payments))}


def _defaulted(documents: Documents, default_item: str | None) -> dict[int, int]:
    """How many lines of each invoice's document are on the default product, where there are any."""
    if default_item is None:
        return {}
    return {i: count for i, document in documents(Source.INVOICE.value) if (count := lines_on(document, default_item))}


def _vendors(tx: Transaction, expenses: set[int]) -> frozenset[int]:
    return frozenset(expense.id for _, expense in _readable(parse_expense, tx.raw.by_ids("expense", expenses)) if expense.vendor.strip())


def _numbers(tx: Transaction, posted: Mapping[Key, Posted]) -> Mapping[tuple[str, str], int]:
    wanted = {one.number for one in posted.values() if one.number and one.state == POSTED}
    return Counter((entity, number.lower()) for entity, number in tx.posted.standing_numbers(wanted))
