"""Every document of the integration's period through the mapping, in memory: what a sync would hold back, and why.

Nothing is written, not even to the ledger: a record that was read outside of a sync would look unchanged to the next one,
and stay unsynced. Records come month by month and are let go again; kept are the payments, which belong to invoices of any
month, and what is held.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fb_qbo_pipeline.freshbooks.fields import BadRecord
from fb_qbo_pipeline.freshbooks.reader import FreshBooksReader
from fb_qbo_pipeline.freshbooks.records import Invoice, Payment
from fb_qbo_pipeline.ledger.exceptions import IGNORED
from fb_qbo_pipeline.ledger.posted import POSTED
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Code, Entity, Json, Mapped, Outcome
from fb_qbo_pipeline.mapping.expenses import map_expense
from fb_qbo_pipeline.mapping.invoices import map_invoice
from fb_qbo_pipeline.mapping.numbers import hold_duplicates
from fb_qbo_pipeline.mapping.payments import map_payment
from fb_qbo_pipeline.mapping.rows import to_row
from fb_qbo_pipeline.pipeline.changes import resources
from fb_qbo_pipeline.pipeline.intake import months
from fb_qbo_pipeline.pipeline.runtime import Runtime
from fb_qbo_pipeline.schemas.staged import validate_staged

Tick = Callable[[str, int, int], None]
"""Called with (what is read now, months done, months there are)."""

_PaymentsByInvoice = dict[int | None, list[Payment]]


@dataclass
class Rehearsal:
    """How many documents are in scope, and the rows (as staged, without the document) of those that would be held, by date.

    What a person has chosen to ignore is not among them, nor what stands unchanged in a period that has been closed since.
    """

    documents: int = 0
    held: list[Json] = field(default_factory=list)


def rehearse(runtime: Runtime, reader: FreshBooksReader, context: Context, tick: Tick) -> Rehearsal:
    """Map everything dated from the start date to today that the settings pick up. Raises what the reader raises."""
    used = resources(runtime)
    periods = months(runtime.integration.start_date, runtime.today)
    tick("payments", 0, len(periods))
    payments: _PaymentsByInvoice = defaultdict(list)
    if "payment" in used:
        for payment, _ in reader.payments():
            payments[payment.invoice_id].append(payment)
    stage = _Stage(runtime, reader, context)
    for done, (first, last) in enumerate(periods):
        tick(f"{first:%B %Y}", done, len(periods))
        if "invoice" in used:
            invoices = [invoice for deleted in (False, True) for invoice, _ in reader.invoices(first, last, deleted=deleted)]
            stage.invoices(invoices, payments)
        if "expense" in used:
            stage.take([map_expense(expense, context) for expense, _ in reader.expenses(first, last)])
    stage.other_payments(payments)
    stage.result.held.sort(key=lambda row: (row["document_date"], row["source_id"]))
    return stage.result


class _Stage:
    """Decides as `pipeline.stage` does, and keeps count."""

    def __init__(self, runtime: Runtime, reader: FreshBooksReader, context: Context) -> None:
        self.result = Rehearsal()
        self._runtime = runtime
        self._reader = reader
        self._context = context
        self._numbers: dict[tuple[Entity, str], int] = {}  # of what was decided so far → FreshBooks id
        with runtime.ledger.begin() as tx:
            self._ignored = {(held["source"], held["source_id"]) for held in tx.exceptions.unresolved() if held["status"] == IGNORED}

    def invoices(self, invoices: Sequence[Invoice], payments: _PaymentsByInvoice) -> None:
        """Decide about invoices and their payments, which are taken out of `payments`."""
        sales = self.take([map_invoice(invoice, payments.get(invoice.id, ()), self._context) for invoice in invoices])
        paid = [
            map_payment(payment, invoice, payments[invoice.id], sale, self._context)
            for invoice, sale in zip(invoices, sales, strict=True)
            for payment in payments.get(invoice.id, ())
            if payment.date <= self._runtime.today
        ]
        self.take(paid)
        for invoice in invoices:
            payments.pop(invoice.id, None)

    def other_payments(self, payments: _PaymentsByInvoice) -> None:
        """Decide about the payments that are left: of older invoices, or of none. Earlier ones than the start date are out of scope."""
        first, today = self._runtime.integration.start_date, self._runtime.today
        due = {key: [payment for payment in group if first <= payment.date <= today] for key, group in payments.items()}
        invoices = self._invoices_by_id(key for key, group in due.items() if group and key is not None)
        mapped = []
        for invoice_id, group in due.items():
            invoice = invoices.get(invoice_id)
            siblings = payments[invoice_id] if invoice_id is not None else []
            sale = map_invoice(invoice, siblings, self._context) if invoice is not None else None
            mapped += [map_payment(payment, invoice, siblings, sale, self._context) for payment in group]
        self.take(mapped)

    def take(self, mapped: Sequence[Mapped]) -> list[Mapped]:
        """The decisions about records of one source after the checks that look at them together; counts them."""
        decided = hold_duplicates(mapped, self._taken(mapped))
        for one in decided:
            if one.document is not None and one.document.number:
                self._numbers.setdefault((one.document.entity, one.document.number), one.source_id)
        rows = validate_staged([to_row(one, one.date) for one in decided], self._context.company, self._runtime.integration)
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
        return self._numbers | {(Entity(entity), number): source_id for (entity, number), source_id in posted.items()}

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
