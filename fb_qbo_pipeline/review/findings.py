"""What finance should look at, document by document: the rules behind the asset checks. Pure functions of `Books`.

A finding names one document, the partition that it belongs to, the money at stake, why it was found, and what to do. The
rules look at what was staged, what stands in QuickBooks as it was last returned, and what is held; none of them asks a
service. `review.reconcile` asks both sides anew.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from fb_qbo_pipeline.ledger.differences import Difference
from fb_qbo_pipeline.ledger.exceptions import IGNORED, OPEN
from fb_qbo_pipeline.ledger.posted import POSTED, Posted
from fb_qbo_pipeline.mapping.documents import Code, Entity, Json, Outcome, Source
from fb_qbo_pipeline.money import ZERO, parse_decimal, round_half_up
from fb_qbo_pipeline.posting.plan import changed_by_hand

Row = Mapping[Any, Any]
Key = tuple[str, int]  # source, FreshBooks id

_AGAIN = "Materialize the day again; if it stays, look at the document with `fb-qbo trace`"


@dataclass(frozen=True, slots=True)
class Finding:
    """One document that a rule names. `day` is its partition; `amount` the money at stake, in `currency`."""

    source: str
    number: str
    party: str
    date: dt.date
    day: dt.date
    amount: Decimal
    currency: str
    reason: str
    remedy: str


@dataclass(frozen=True)
class Books:
    """What the rules look at. `staged`: the rows of some partitions, of one source or of all.

    `posted` and `held` have what stands in QuickBooks and what has an unresolved exception, of those rows and of the
    payments of their invoices. `payments`: of the invoices among the rows, as FreshBooks has them, whatever their date.
    `methods`: FreshBooks' payment method by payment.
    `vendors`: the expenses that name one, by id. `applied`: how much of a payment's document is linked to its invoice, by payment;
    `defaulted`: how many lines of an invoice's document are on the default product, by invoice, where there are any.
    `numbers`: how many documents stand in QuickBooks, of whatever day, under a type and a number in lower case.
    `unstaged`: unresolved exceptions about records that are not staged any more; only in the books of a whole company.
    `differences`: what the last comparison of both services has found.
    """

    staged: Sequence[Row]
    posted: Mapping[Key, Posted]
    held: Mapping[Key, Row] = field(default_factory=dict)
    payments: Mapping[int, Sequence[tuple[int, Decimal]]] = field(default_factory=dict)
    methods: Mapping[int, str] = field(default_factory=dict)
    vendors: frozenset[int] | None = None
    applied: Mapping[int, Decimal] = field(default_factory=dict)
    defaulted: Mapping[int, int] = field(default_factory=dict)
    numbers: Mapping[tuple[str, str], int] = field(default_factory=dict)
    unstaged: Sequence[Row] = ()
    differences: Sequence[Difference] = ()

    def standing(self, row: Row) -> Posted | None:
        """The row's document in QuickBooks, None where none stands."""
        posted = self.posted.get((row["source"], row["source_id"]))
        return posted if posted is not None and posted.stands else None

    def is_held(self, row: Row) -> bool:
        """Whether an exception, open or ignored, says why it is not in QuickBooks as it should be."""
        return row["outcome"] == Outcome.HELD or (row["source"], row["source_id"]) in self.held

    def is_explained(self, row: Row) -> bool:
        """Whether what is missing need not agree: it is held. What a person has changed in QuickBooks differs until it is accepted."""
        exception = self.held.get((row["source"], row["source_id"]))
        if exception is None:
            return bool(row["outcome"] == Outcome.HELD)
        return bool(exception["status"] == IGNORED or exception["code"] != Code.CHANGED_IN_QUICKBOOKS)


def _finding(row: Row, reason: str, remedy: str, amount: Decimal | None = None) -> Finding:
    return Finding(
        source=row["source"],
        number=row["label"],
        party=row["party"],
        date=row["document_date"],
        day=row["partition_date"],
        amount=round_half_up(row["amount"]) if amount is None else amount,
        currency=row["currency"],
        reason=reason,
        remedy=remedy,
    )


def _held_rows(books: Books, codes: frozenset[Code], source: Source | None = None) -> Iterator[Finding]:
    """The rows that are held for one of `codes`; of one source, or of all."""
    for row in books.staged:
        if source is not None and row["source"] != source:
            continue
        problems = [problem for problem in row["problems"] if problem["code"] in codes]
        if row["outcome"] == Outcome.HELD and problems:
            yield _finding(row, f"{problems[0]['code']}: {problems[0]['reason']}", problems[0]["remedy"])


def held(books: Books) -> list[Finding]:
    """Documents that could not be mapped, or that posting held; not those that a person ignores."""
    found = []
    for row in books.staged:
        exception = books.held.get((row["source"], row["source_id"]))
        if exception is not None and exception["status"] == OPEN:
            found.append(_finding(row, f"{exception['code']}: {exception['reason']}", exception["remedy"]))
    return found + [_of_exception(row) for row in books.unstaged if row["status"] == OPEN]


def _of_exception(row: Row) -> Finding:
    return Finding(
        source=row["source"],
        number=row["number"],
        party=row["party"],
        date=row["document_date"],
        day=row["document_date"],
        amount=round_half_up(row["amount"]),
        currency=row["currency"],
        reason=f"{row['code']}: {row['reason']}",
        remedy=row["remedy"],
    )


def withheld(books: Books) -> list[Finding]:
    """Every document that is held, for whoever looks at a day: by its mapping or by QuickBooks, and what a person ignores as well."""
    found = []
    for row in books.staged:
        exception = books.held.get((row["source"], row["source_id"]))
        if exception is not None:
            ignored = f" (ignored: {exception['ignore_reason']})" if exception["status"] != OPEN else ""
            found.append(_finding(row, f"{exception['code']}: {exception['reason']}{ignored}", exception["remedy"]))
        elif row["outcome"] == Outcome.HELD and row["problems"]:
            problem = row["problems"][0]
            found.append(_finding(row, f"{problem['code']}: {problem['reason']}", problem["remedy"]))
    return found


def unmapped_sales(books: Books) -> list[Finding]:
    """Invoices with a tax that is not mapped to a tax code of the same rate, or a product that is not mapped to an item."""
    return list(_held_rows(books, frozenset({Code.UNMAPPED_TAX, Code.UNMAPPED_PRODUCT}), Source.INVOICE))


def unmapped_expenses(books: Books) -> list[Finding]:
    """Expenses with a category that is not mapped to an account of the right type, or a tax not to a code of the same rate."""
    codes = frozenset({Code.UNMAPPED_CATEGORY, Code.UNMAPPED_PRODUCT, Code.UNMAPPED_TAX, Code.WRONG_ACCOUNT_TYPE})
    return list(_held_rows(books, codes, Source.EXPENSE))


def unmapped_payments(books: Books) -> list[Finding]:
    """Payments that have no account to go to."""
    codes = frozenset({Code.WRONG_ACCOUNT_TYPE, Code.CREDIT_WITHOUT_ACCOUNT, Code.INACTIVE_REFERENCE})
    return list(_held_rows(books, codes, Source.PAYMENT))


def in_closed_period(books: Books) -> list[Finding]:
    """Documents that are new or changed in a period that is closed in QuickBooks."""
    found = list(_held_rows(books, frozenset({Code.CLOSED_PERIOD})))
    for row in books.staged:
        exception = books.held.get((row["source"], row["source_id"]))
        if row["outcome"] == Outcome.DOCUMENT and exception is not None and exception["code"] == Code.CLOSED_PERIOD:
            found.append(_finding(row, exception["reason"], exception["remedy"]))
    return found


def neither_posted_nor_held(books: Books) -> list[Finding]:
    """Documents in scope that are nowhere."""
    return [
        _finding(row, "in scope, but neither in QuickBooks nor held", _AGAIN)
        for row in books.staged
        if row["outcome"] == Outcome.DOCUMENT and books.standing(row) is None and not books.is_held(row)
    ]


def unequal_totals(books: Books) -> list[Finding]:
    """Documents that are in QuickBooks otherwise than in FreshBooks: with another total, changed or deleted there, or found to differ
    when both services were compared. The money at stake is the difference, or the document's where its total is equal.
    """
    found = []
    for row in books.staged:
        posted = books.posted.get((row["source"], row["source_id"]))
        if posted is None or posted.state != POSTED or books.is_explained(row) or row["outcome"] != Outcome.DOCUMENT:
            continue
        amount = round_half_up(row["amount"])
        difference = posted.signed_total - amount
        if posted.drift:
            found.append(_finding(row, f"in QuickBooks, {posted.drift}", changed_by_hand(posted.drift).remedy, abs(difference) or None))
        elif difference or posted.currency != row["currency"]:
            reason = f"{amount:,.2f} {row['currency']} in FreshBooks, {posted.signed_total:,.2f} {posted.currency} in QuickBooks"
            found.append(_finding(row, reason, _AGAIN, abs(difference)))
    return found + [_of_difference(one) for one in books.differences]


def _of_difference(one: Difference) -> Finding:
    return Finding(
        source=one.source,
        number=one.number,
        party=one.party,
        date=one.document_date,
        day=one.partition_date,
        amount=one.amount,
        currency=one.currency,
        reason=one.problem,
        remedy=one.remedy,
    )


def applied(document: Json) -> Decimal:
    """How much of a payment's document is linked to its invoice."""
    lines = document["body"].get("Line", ())
    return sum((parse_decimal(line["Amount"]) for line in lines if line.get("LinkedTxn")), ZERO)


def lines_on(document: Json, item: str) -> int:
    """How many lines of a sale's document are on the product with this QuickBooks id."""
    lines = [line.get("SalesItemLineDetail", {}) for line in document["body"]["Line"]]
    return sum(1 for line in lines if (line.get("ItemRef") or {}).get("value") == item)


def unlinked_payments(books: Books) -> list[Finding]:
    """Payments in QuickBooks that do not settle their invoice, or not in full. The money at stake is what is not linked."""
    found = []
    for row in books.staged:
        if row["source"] != Source.PAYMENT or row["outcome"] != Outcome.DOCUMENT or books.standing(row) is None:
            continue
        invoice = books.posted.get((Source.INVOICE.value, row["requires_invoice"]))
        if invoice is None or invoice.state != POSTED:
            reason = "its invoice does not stand in QuickBooks any more"
            found.append(_finding(row, reason, "Apply the payment in QuickBooks to the right invoice, or delete it in FreshBooks"))
        elif rest := row["total"] - books.applied.get(row["source_id"], ZERO):
            remedy = "Apply the rest in QuickBooks (Receive payment), or refund it; in FreshBooks it is a credit of the client"
            found.append(_finding(row, "more than the invoice: the rest is unapplied on the customer", remedy, rest))
    return found


def unequal_balances(books: Books) -> list[Finding]:
    """Invoices whose open amount in QuickBooks is another than FreshBooks'. The money at stake is the difference.

    Payments that are not in QuickBooks yet (held, or of a later day) explain a difference. Where FreshBooks says that more
    was paid than the payments that have been read, their days come later in the sync: that is no finding.
    """
    found = []
    for row in books.staged:
        standing = books.standing(row)
        if row["source"] != Source.INVOICE or standing is None or standing.entity != Entity.INVOICE or row["balance"] is None:
            continue
        payments = books.payments.get(row["source_id"], ())
        paid = sum((amount for _, amount in payments), ZERO)
        if paid < round_half_up(row["amount"]) - row["balance"]:
            continue
        arrived = sum((amount for payment, amount in payments if _arrived(books, payment)), ZERO)
        expected = row["balance"] + paid - arrived
        open_amount = max(standing.total - arrived, ZERO)
        if open_amount != max(expected, ZERO):
            reason = f"{max(expected, ZERO)} {row['currency']} open in FreshBooks, {open_amount} in QuickBooks"
            found.append(_finding(row, reason, _AGAIN, abs(open_amount - max(expected, ZERO))))
    return found


def _arrived(books: Books, payment: int) -> bool:
    posted = books.posted.get((Source.PAYMENT.value, payment))
    return posted is not None and posted.state == POSTED


def duplicate_numbers(books: Books) -> list[Finding]:
    """Documents that are held for their number, or stand under the number of another one."""
    found = list(_held_rows(books, frozenset({Code.DUPLICATE_NUMBER})))
    for row in books.staged:
        standing = books.standing(row)
        count = books.numbers.get((standing.entity, standing.number.lower()), 0) if standing is not None and standing.number else 0
        if standing is not None and count > 1:
            reason = f"{count} documents of type {standing.entity} have this number"
            found.append(_finding(row, reason, "Renumber one of them in FreshBooks"))
    return found


def fallbacks(books: Books) -> list[Finding]:
    """Documents on the default product or vendor, because FreshBooks names none or an unknown one.

    The deposit account is none of these: it is where payments go whose method has no clearing account of its own.
    """
    return [_finding(row, reason, remedy) for row in books.staged for reason, remedy in _fallbacks(books, row)]


def _fallbacks(books: Books, row: Row) -> Iterator[tuple[str, str]]:
    if row["outcome"] != Outcome.DOCUMENT:
        return
    if row["source"] == Source.INVOICE and (count := books.defaulted.get(row["source_id"])):
        yield f"{count} lines are on the default product", "Name the products in FreshBooks as in QuickBooks, or create them there"
    if row["source"] == Source.EXPENSE and books.vendors is not None and row["source_id"] not in books.vendors:
        yield "names no vendor: default vendor", "Enter the vendor in FreshBooks"


@dataclass(frozen=True, slots=True)
class Clearing:
    """What FreshBooks' payments and QuickBooks say about one method of payment in one currency."""

    method: str
    currency: str
    payments: int
    freshbooks: Decimal
    quickbooks: Decimal
    held: Decimal

    @property
    def unexplained(self) -> Decimal:
        """What is in neither account nor exception."""
        return self.freshbooks - self.quickbooks - self.held


def clearing(books: Books, rows: Iterable[Row]) -> list[Clearing]:
    """The payments among `rows` by method and currency: what came in, what is on the clearing account, what is held."""
    counts: Counter[tuple[str, str]] = Counter()
    sums: defaultdict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO, ZERO])
    for row in rows:
        if row["source"] != Source.PAYMENT or row["outcome"] not in (Outcome.DOCUMENT, Outcome.HELD):
            continue
        key = (books.methods.get(row["source_id"], "") or "no method", row["currency"])
        standing = books.standing(row)
        amount, booked = round_half_up(row["amount"]), standing.total if standing is not None else ZERO
        counts[key] += 1
        for index, value in enumerate((amount, booked, amount - booked if books.is_held(row) else ZERO)):
            sums[key][index] += value
    return [Clearing(*key, counts[key], *sums[key]) for key in sorted(sums)]


def unexplained_clearing(books: Books) -> list[Finding]:
    """Payments that are on no account and not held, or there with another amount."""
    found = []
    for row in books.staged:
        explained = all(line.unexplained == ZERO for line in clearing(books, [row]))
        if not explained:
            found.append(_finding(row, "the clearing account has another amount than FreshBooks' payment", _AGAIN))
    return found
