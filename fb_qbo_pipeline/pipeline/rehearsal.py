"""Every document of the integration's period through the mapping, in memory: what a sync would hold back, and why.

Nothing is written, not even to the ledger: a record that was read outside of a sync would look unchanged to the next one,
and stay unsynced. Records come month by month and are let go again; kept are the payments, which belong to invoices of any
month, and what is held.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fb_qbo_pipeline.freshbooks.fields import BadRecord
from fb_qbo_pipeline.freshbooks.reader import FreshBooksReader
from fb_qbo_pipeline.freshbooks.records import Expense, Invoice, Payment, Unreadable
from fb_qbo_pipeline.freshbooks.unreadable import salvage
from fb_qbo_pipeline.ledger.exceptions import IGNORED
from fb_qbo_pipeline.ledger.posted import POSTED
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Code, Entity, Json, Mapped, Outcome
from fb_qbo_pipeline.mapping.expenses import map_expense
from fb_qbo_pipeline.mapping.invoices import map_invoice
from fb_qbo_pipeline.mapping.numbers import hold_duplicates, kept_claims
from fb_qbo_pipeline.mapping.payments import map_payment, overpaid
from fb_qbo_pipeline.mapping.rows import to_row
from fb_qbo_pipeline.mapping.unreadable import map_unreadable
from fb_qbo_pipeline.mapping.usage import Usage
from fb_qbo_pipeline.pipeline.changes import resources
from fb_qbo_pipeline.pipeline.intake import DOCUMENTS, months
from fb_qbo_pipeline.pipeline.runtime import Runtime
from fb_qbo_pipeline.schemas.staged import validate_staged

Tick = Callable[[str, int, int], None]
"""Called with (what is read now, months done, months there are)."""

_PaymentsByInvoice = dict[int | None, list[Payment]]


@dataclass
class Rehearsal:
    """How many documents are in scope, what they use, and the rows (as staged, without the document) of those that would be held.

    What a person has chosen to ignore is not among them, nor what stands unchanged in a period that has been closed since.
    """

    documents: int = 0
    held: list[Json] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)


def rehearse(runtime: Runtime, context: Context, tick: Tick) -> Rehearsal:
    """Map everything dated from the start date to today that the settings pick up. Raises what the reader raises."""
    used = resources(runtime)
    unreadable: dict[tuple[str, int], Unreadable] = {}

    def keep(bad: BadRecord, payload: Json) -> None:
        record = salvage(bad.resource, payload, bad)
        unreadable[record.resource, record.id] = record

    reader = FreshBooksReader(runtime.reader.client, keep)
    periods = months(runtime.integration.start_date, runtime.today)
    tick("payments", 0, len(periods))
    payments: _PaymentsByInvoice = defaultdict(list)
    if "payment" in used:
        everything = [payment for payment, _ in reader.payments()]
        causes = {one.overpayment_id: one for one in everything if one.overpayment_id is not None}
        for payment in everything:
            cause = overpaid(payment, [causes[payment.credit_id]] if payment.credit_id in causes else [])
            payments[cause.invoice_id if cause is not None else payment.invoice_id].append(payment)
    stage = _Stage(runtime, reader, context, unreadable)
    for done, (first, last) in enumerate(periods):
        tick(f"{first:%B %Y}", done, len(periods))
        if "invoice" in used:
            invoices = [invoice for deleted in (False, True) for invoice, _ in reader.invoices(first, last, deleted=deleted)]
            stage.invoices(invoices, payments)
        if "expense" in used:
            expenses = [expense for expense, _ in reader.expenses(first, last)]
            stage.take([map_expense(expense, context) for expense in expenses], expenses)
    stage.unreadable(payments)
    stage.other_payments(payments)
    stage.result.held.sort(key=lambda row: (row["document_date"], row["source_id"]))
    return stage.result


class _Stage:
    """Decides as `pipeline.stage` does, and keeps count."""

    def __init__(
        self, runtime: Runtime, reader: FreshBooksReader, context: Context, unreadable: Mapping[tuple[str, int], Unreadable]
    ) -> None:
        self.result = Rehearsal()
        self._runtime = runtime
        self._reader = reader
        self._context = context
        self._unreadable = unreadable
        self._numbers: dict[tuple[Entity, str], int] = {}  # of what was decided so far → FreshBooks id
        with runtime.ledger.begin() as tx:
            self._ignored = {(held["source"], held["source_id"]) for held in tx.exceptions.unresolved() if held["status"] == IGNORED}

    def invoices(self, invoices: Sequence[Invoice], payments: _PaymentsByInvoice) -> None:
        """Decide about invoices and their payments, which are taken out of `payments`."""
        sales = self.take([map_invoice(invoice, payments.get(invoice.id, ()), self._context) for invoice in invoices], invoices)
        self._payments((sale, invoice, payments.pop(invoice.id, [])) for invoice, sale in zip(invoices, sales, strict=True))

    def unreadable(self, payments: _PaymentsByInvoice) -> None:
        """Decide about what cannot be read, and about the payments of such invoices, which are taken out of `payments`."""
        first, today = self._runtime.integration.start_date, self._runtime.today
        sales: dict[int | None, Mapped] = {}
        for source in DOCUMENTS:
            due = [one for (resource, _), one in self._unreadable.items() if resource == source and (one.date or today) <= today]
            mapped = [map_unreadable(one, one.date or first, self._context, sales.get(one.invoice_id)) for one in due]
            self.take(mapped)
            if source == "invoice":
                sales = {one.source_id: one for one in mapped}
        self._payments((sale, None, payments.pop(invoice_id, [])) for invoice_id, sale in sales.items())

    def _payments(self, groups: Iterable[tuple[Mapped | None, Invoice | None, Sequence[Payment]]], first: dt.date = dt.date.min) -> None:
        """Decide about the payments from `first` to today in groups of (decision about the invoice, invoice, its payments)."""
        due: list[Payment] = []
        mapped: list[Mapped] = []
        for sale, invoice, group in groups:
            for payment in group:
                if first <= payment.date <= self._runtime.today:
                    due.append(payment)
                    mapped.append(map_payment(payment, invoice, group, sale, self._context))
        self.take(mapped, due)

    def other_payments(self, payments: _PaymentsByInvoice) -> None:
        """Decide about the payments that are left: of older invoices, or of none. Earlier ones than the start date are out of scope."""
        first = self._runtime.integration.start_date
        due = [key for key, group in payments.items() if any(first <= payment.date <= self._runtime.today for payment in group)]
        invoices = self._invoices_by_id(key for key in due if key is not None)
        groups: list[tuple[Mapped | None, Invoice | None, Sequence[Payment]]] = []
        for key in due:
            invoice = invoices.get(key)
            sale = map_invoice(invoice, payments[key], self._context) if invoice is not None else None
            groups.append((sale, invoice, payments[key]))
        self._payments(groups, first)

    def take(self, mapped: Sequence[Mapped], records: Sequence[Invoice | Payment | Expense] = ()) -> list[Mapped]:
        """The decisions about records of one source after the checks that look at them together; counts them.

        `records` are those that were mapped, in the same order; none for what could not be read.
        """
        for record, one in zip(records, mapped, strict=False):
            self.result.usage.add(record, one, self._context)
        decided = hold_duplicates(mapped, self._taken(mapped))
        for one in decided:
            if one.document is not None and one.document.number:
                self._numbers.setdefault((one.document.entity, one.document.number), one.source_id)
        rows = validate_staged([to_row(one, one.date) for one in decided], self._context.company, self._runtime.integration)
        if not rows:
            return []
        held = [row for row in rows if row["outcome"] == Outcome.HELD.value]
        self.result.documents += len(held) + sum(row["outcome"] == Outcome.DOCUMENT.value for row in rows)
        self.result.held += [row | {"document": None} for row in self._to_report(held)]
        return [replace(one, outcome=Outcome(row["outcome"])) for one, row in zip(decided, rows, strict=True)]

    def _invoices_by_id(self, ids: Iterable[int]) -> Mapping[int | None, Invoice]:
        """Invoices, deleted ones too: those are hidden from lists, so what is missing there is asked for one by one."""
        wanted = set(ids)
        found: dict[int | None, Invoice] = {invoice.id: invoice for invoice, _ in self._reader.invoices_by_id(wanted)}
        for missing in sorted(wanted - found.keys()):
            try:
                one = self._reader.invoice(missing)
            except BadRecord:
                one = None
            if one is not None:
                found[missing] = one[0]
        return found

    def _taken(self, mapped: Sequence[Mapped]) -> dict[tuple[Entity, str], int]:
        numbers = [one.document.number for one in mapped if one.document is not None and one.document.number]
        with self._runtime.ledger.begin() as tx:
            posted = tx.posted.numbers(numbers)
        return self._numbers | kept_claims(posted, mapped)

    def _to_report(self, held: Sequence[Json]) -> list[Json]:
        if not held:
            return []
        with self._runtime.ledger.begin() as tx:
            posted = tx.posted.by_ids(held[0]["source"], [row["source_id"] for row in held])

        def unchanged(row: Json) -> bool:
            codes = {problem["code"] for problem in row["problems"]}
            stands = posted.get(row["source_id"])
            same = stands is not None and stands.state == POSTED and stands.fingerprint == row["fingerprint"]
            return same and codes == {Code.CLOSED_PERIOD.value}

        return [row for row in held if (row["source"], row["source_id"]) not in self._ignored and not unchanged(row)]
