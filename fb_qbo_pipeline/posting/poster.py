"""Staged documents into QuickBooks: decides what each needs, sees that its names exist, and sends what has changed.

One posting run per company at a time: the caller holds `Ledger.posting_lock`. Customers, vendors and items are written
one by one, documents in batches. A document that cannot be posted becomes an exception and costs the others nothing.
"""

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from fb_qbo_pipeline.ledger.exceptions import IGNORED, POSTING
from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.ledger.posted import POSTED
from fb_qbo_pipeline.mapping.documents import Code, Document, Json, Outcome, Problem
from fb_qbo_pipeline.money import parse_decimal
from fb_qbo_pipeline.posting.counts import Counts
from fb_qbo_pipeline.posting.mirror import CompanyMirror
from fb_qbo_pipeline.posting.names import Names
from fb_qbo_pipeline.posting.plan import Action, Step, decide
from fb_qbo_pipeline.posting.recognise import instead, marker_of, standing_unknown
from fb_qbo_pipeline.posting.repair import with_rounding
from fb_qbo_pipeline.posting.resolve import MissingReference, resolve
from fb_qbo_pipeline.posting.settlement import Repair, Settlement, hold_row
from fb_qbo_pipeline.posting.verify import stands
from fb_qbo_pipeline.posting.writer import Settle, Write, Writer
from fb_qbo_pipeline.quickbooks.client import QuickBooksClient, voiding
from fb_qbo_pipeline.quickbooks.company import Company
from fb_qbo_pipeline.settings.models import Integration

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with (documents settled, documents to write)."""


def plan_rows(ledger: Ledger, integration: Integration, source: str, start: dt.date, end: dt.date) -> list[Step]:
    """The decisions about everything staged of `source` in the partitions from `start` to `end`, oldest first. No writes."""
    with ledger.begin() as tx:
        rows = tx.staging.in_partitions(source, start, end)
        posted = tx.posted.by_ids(source, [row["source_id"] for row in rows])
        ignored = {e["source_id"] for e in tx.exceptions.unresolved() if e["source"] == source and e["status"] == IGNORED}
    steps = []
    for row in rows:
        if row["source_id"] in ignored:
            steps.append(Step(Action.NOTHING, row, posted.get(row["source_id"]), reason="ignored by a person"))
        else:
            steps.append(decide(row, posted.get(row["source_id"]), integration.on_delete))
    return steps


class Poster:
    """Posts one company's staged documents."""

    def __init__(
        self,
        client: QuickBooksClient,
        ledger: Ledger,
        mirror: CompanyMirror,
        integration: Integration,
        writer: Writer,
        *,
        run_id: str | None = None,
        progress: Progress | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._mirror = mirror
        self._integration = integration
        self._writer = writer
        self._run_id = run_id
        self._progress = progress or (lambda _done, _all: None)
        self._sleep = sleep

    def post(self, source: str, start: dt.date, end: dt.date) -> Counts:
        """Post what is staged of `source` in the partitions from `start` to `end`; what was done.

        Begins with the unknown outcomes of an interrupted run. Raises Unreachable, ConnectionRequired or
        ConfigurationError; what was settled until then stays settled.
        """
        counts = Counts()
        self._recover(counts)
        steps = plan_rows(self._ledger, self._integration, source, start, end)
        counts.unchanged = sum(step.action is Action.UNCHANGED for step in steps)
        counts.held += sum(Outcome(step.row["outcome"]) is Outcome.HELD for step in steps)
        self._hold(steps, counts)
        due = [step for step in steps if step.action in (Action.CREATE, Action.UPDATE, Action.VOID)]
        if due:
            company = self._mirror.before_posting()
            names = Names(self._client, self._ledger, self._mirror, company, sleep=self._sleep)
            self._send(due, company, names, counts)
            counts.created.update(names.created)
        return counts

    def _recover(self, counts: Counts) -> None:
        settlement = self._settlement(counts, lambda _body, _difference: None)
        if self._writer.recover(settlement.settle):
            self._follow_up(settlement)

    def _settlement(self, counts: Counts, repair: Repair) -> Settlement:
        return Settlement(self._ledger, self._client, counts, repair, self._run_id, [])

    def _follow_up(self, settlement: Settlement) -> None:
        """Send repairs and undoings, and what follows from those."""
        while settlement.follow_ups:
            writes, settlement.follow_ups = settlement.follow_ups, []
            self._writer.send(writes, settlement.settle)

    def _hold(self, steps: Sequence[Step], counts: Counts) -> None:
        """Open and close the exceptions that follow from the decisions alone."""
        fine = [s.source_id for s in steps if s.action in (Action.UNCHANGED, Action.NOTHING) and s.row["outcome"] != Outcome.HELD]
        with self._ledger.begin() as tx:
            for step in steps:
                if step.problem is not None:
                    hold_row(tx, step.row, step.problem, POSTING)
                    counts.held += 1
            if steps:
                tx.exceptions.resolve(steps[0].source, fine)

    def _send(self, due: Sequence[Step], company: Company, names: Names, counts: Counts) -> None:
        settlement = self._settlement(counts, lambda body, difference: with_rounding(body, difference, self._integration, company))
        settled = 0
        log.info("%d documents to write to QuickBooks", len(due))
        self._progress(0, len(due))

        def settle(entry: Any, answer: Any) -> None:
            nonlocal settled
            settlement.settle(entry, answer)
            settled += 1
            self._progress(settled, len(due))

        self._writer.send(self._unknown_to_quickbooks(self._writes(due, names, counts), due, settle), settle)
        self._follow_up(settlement)

    def _unknown_to_quickbooks(self, writes: Iterator[Write], due: Sequence[Step], settle: Settle) -> Iterator[Write]:
        """The writes, without creations of what stands already: that is taken over, and changed where it differs."""
        standing = standing_unknown(self._client, due)
        for write in writes:
            entity = standing.get(marker_of(write)) if write.operation == "create" else None
            if entity is None:
                yield write
                continue
            update = instead(write, entity)
            # whose it is stays as it is: names that QuickBooks made unique may have been found or made anew
            if stands({key: value for key, value in update.body.items() if key != "CustomerRef"}, entity):
                self._writer.acknowledge(update, entity, settle)
            else:
                yield update

    def _writes(self, due: Sequence[Step], names: Names, counts: Counts) -> Iterator[Write]:
        invoices = self._posted_invoices(due)
        for step in due:
            if step.action is Action.VOID:
                yield _void(step)
                continue
            assert step.document is not None
            problem = names.ensure(step.document)
            if problem is None:
                try:
                    yield self._write(step, step.document, names, invoices)
                    continue
                except MissingReference as missing:
                    problem = _missing(missing.reference)
            with self._ledger.begin() as tx:
                hold_row(tx, step.row, problem, POSTING)
            counts.held += 1

    def _posted_invoices(self, due: Sequence[Step]) -> dict[int, str]:
        needed = [step.document.requires_invoice for step in due if step.document and step.document.requires_invoice is not None]
        with self._ledger.begin() as tx:
            found = tx.posted.by_ids("invoice", needed)
        return {source_id: posted.qbo_id for source_id, posted in found.items() if posted.state == POSTED and posted.entity == "Invoice"}

    def _write(self, step: Step, document: Document, names: Names, invoices: Mapping[int, str]) -> Write:
        def look_up(reference: str) -> str | Decimal | None:
            kind, _, key = reference.partition("/")
            if kind == "invoice":
                return invoices.get(int(key))
            if kind == "rate":
                return self._rate(*key.split("/"))
            return names.id_of(reference)

        body = resolve(document.body, look_up)
        if step.action is Action.UPDATE:
            assert step.posted is not None
            body |= {"Id": step.posted.qbo_id, "SyncToken": step.posted.sync_token, "sparse": True}
        return Write(step.action.value, document.entity.value, step.source, step.source_id, body, _intent(step))

    def _rate(self, currency: str, day: str) -> Decimal:
        """The exchange rate of a day; read once and kept, so that a document says the same on every run."""
        key = f"{currency}/{day}"
        with self._ledger.begin() as tx:
            known = tx.cursors.get(f"rate/{key}")
        if known is not None:
            return parse_decimal(known)
        rate = self._client.exchange_rate(currency, dt.date.fromisoformat(day))
        with self._ledger.begin() as tx:
            tx.cursors.set(f"rate/{key}", str(rate))
        return rate


def _void(step: Step) -> Write:
    assert step.posted is not None
    posted = step.posted
    request = voiding(posted.entity, posted.qbo_id, posted.sync_token)
    body = request.body if request else {"Id": posted.qbo_id, "SyncToken": posted.sync_token}
    return Write("void" if request else "delete", posted.entity, step.source, step.source_id, body, _intent(step))


def _intent(step: Step) -> Json:
    row = step.row
    about = {name: row[name] for name in ("label", "party", "amount", "currency")} | {"date": row["document_date"].isoformat()}
    return {"document": row["document"], "fingerprint": row["fingerprint"], "about": about}


def _missing(reference: str) -> Problem:
    if reference.startswith("invoice/"):
        return Problem(
            Code.WAITING_FOR_INVOICE,
            "Its invoice does not stand in QuickBooks yet",
            "Resolve the invoice's exception: the payment follows by itself",
        )
    return Problem(Code.REFUSED, f"QuickBooks has no {reference.partition('/')[0]} for it", "Run: fb-qbo exceptions retry")
