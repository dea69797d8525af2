"""Staged documents into QuickBooks: decides what each needs, sees that its names exist, and sends what has changed.

One posting run per company at a time: the caller holds `Ledger.posting_lock`, and gives its turn. Customers, vendors and items are written
one by one, documents in batches. A document that cannot be posted becomes an exception and costs the others nothing.
"""

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import chain

from fb_qbo_pipeline.chunks import chunks
from fb_qbo_pipeline.errors import RemoteRefusal, Unreachable
from fb_qbo_pipeline.http import utc_now
from fb_qbo_pipeline.ledger.ledger import Ledger, PostingTurn
from fb_qbo_pipeline.ledger.posted import POSTED
from fb_qbo_pipeline.mapping.documents import Code, Document, Json, Outcome, Problem
from fb_qbo_pipeline.money import parse_decimal
from fb_qbo_pipeline.posting.adoption import Taken, as_taken, marking, take_over, told
from fb_qbo_pipeline.posting.books import ENTITIES, Books
from fb_qbo_pipeline.posting.counts import WORDS, Counts
from fb_qbo_pipeline.posting.customer_change import last_body
from fb_qbo_pipeline.posting.decisions import Decisions, decide_range
from fb_qbo_pipeline.posting.mirror import CompanyMirror
from fb_qbo_pipeline.posting.names import Names, Unanswered
from fb_qbo_pipeline.posting.plan import Action, Step, changed_by_hand
from fb_qbo_pipeline.posting.repair import with_rounding
from fb_qbo_pipeline.posting.resolve import MissingReference, resolve
from fb_qbo_pipeline.posting.settlement import Repair, Settlement, about, hold_row
from fb_qbo_pipeline.posting.writer import BATCH, Settled, Write, Writer
from fb_qbo_pipeline.quickbooks.client import QuickBooksClient, voiding
from fb_qbo_pipeline.quickbooks.company import Company
from fb_qbo_pipeline.settings.models import Integration

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with (documents settled, documents to write)."""


class Poster:
    """Posts one company's staged documents."""

    def __init__(
        self,
        client: QuickBooksClient,
        ledger: Ledger,
        turn: PostingTurn,
        mirror: CompanyMirror,
        books: Books,
        integration: Integration,
        writer: Writer,
        *,
        run_id: str | None = None,
        progress: Progress | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._turn = turn
        self._mirror = mirror
        self._books = books
        self._integration = integration
        self._writer = writer
        self._run_id = run_id
        self._progress = progress or (lambda _done, _all: None)
        self._sleep = sleep
        self._unanswered: list[Unanswered] = []

    def post(self, source: str, start: dt.date, end: dt.date) -> Counts:
        """Post what is staged of `source` in the partitions from `start` to `end`; what was done.

        Begins with the unknown outcomes of an interrupted run. Raises Unreachable, ConnectionRequired or
        ConfigurationError; what was settled until then stays settled.
        """
        counts = Counts()
        began = utc_now()
        self._recover(counts)
        decisions = self._decide(source, start, end)
        if decisions.due:
            log.info("%d documents to write to QuickBooks", decisions.due)
        company = self._mirror.before_posting() if decisions.due else self._mirror.company()
        names = Names(self._client, self._ledger, self._turn, self._mirror, company, sleep=self._sleep)
        replaced: set[int] = set()
        self._send(self._due(decisions, names, counts, replaced), decisions.due, company, names, counts)
        if made := [entity for entity in ENTITIES[source] if counts.created[WORDS[entity]] and not self._refuses_doubles(entity, company)]:
            self._books.see(made, began, start)
            later = (step for step in chain.from_iterable(self._decide(source, start, end).pieces) if step.undoes)
            undone = [self._known(step, names) for step in later]
            replaced.update(step.source_id for step in undone)
            self._send(undone, len(undone), company, names, counts)
        if replaced:  # what stood in the way is gone
            again = (step for step in chain.from_iterable(self._decide(source, start, end).pieces) if step.source_id in replaced)
            anew = (self._known(step, names) for step in again if step.action in (Action.CREATE, Action.ADOPT))
            self._send(anew, len(replaced), company, names, counts)
        counts.created.update(names.created)
        if self._unanswered:
            raise Unreachable(
                f"{self._unanswered[0].reason}; {len(self._unanswered)} documents that need one like it were not sent",
                "run the same command again later: what is done is not repeated",
            )
        return counts

    def _refuses_doubles(self, entity: str, company: Company) -> bool:
        """Whether QuickBooks itself refuses a second transaction with the number, as far as is known. If not, we look after our writes."""
        if entity == "Payment":  # has no number that QuickBooks would check
            return False
        if entity in ("Bill", "VendorCredit"):
            return company.preferences.warn_duplicate_bill_numbers
        return self._integration.sales is not None and not self._integration.sales.auto_number

    def _decide(self, source: str, start: dt.date, end: dt.date) -> Decisions:
        closed_until = self._mirror.company().preferences.closed_until
        return decide_range(self._ledger, self._books, self._integration, source, start, end, closed_until)

    def _due(self, decisions: Decisions, names: Names, counts: Counts, replaced: set[int]) -> Iterator[Step]:
        """What is to be written, as it is asked for; all other decisions are counted, or held, on the way."""
        for steps in decisions.pieces:
            counts.unchanged += sum(step.action is Action.UNCHANGED for step in steps)
            counts.held += sum(Outcome(step.row["outcome"]) is Outcome.HELD for step in steps)
            self._hold(steps, counts)
            due = [self._known(step, names) for step in steps if step.writes]
            replaced.update(step.source_id for step in due if step.replaces)
            yield from due

    def _known(self, step: Step, names: Names) -> Step:
        """The step, after what was found in QuickBooks has become the ledger's own."""
        posted = step.posted
        if posted is None or (posted.fingerprint and step.action is not Action.ADOPT):
            return step
        with self._ledger.begin() as tx:
            found = tx.found.get(posted.entity, posted.qbo_id)
            tx.posted.save([posted])
            tx.found.drop(posted.entity, [posted.qbo_id])
        standing = (found.payload if found else None) or self._client.read(posted.entity, posted.qbo_id) or {}
        if step.document is not None:
            names.expect(step.document, standing)
        return replace(step, standing=standing)

    def _recover(self, counts: Counts) -> None:
        settlement = self._settlement(counts, lambda _body, _difference: None)
        if self._writer.recover(settlement.settle):
            self._follow_up(settlement)

    def _settlement(self, counts: Counts, repair: Repair) -> Settlement:
        return Settlement(self._ledger, self._client, counts, repair, self._run_id, [])

    def _follow_up(self, settlement: Settlement) -> None:
        """Send repairs and undoings, and what follows from those."""
        while settlement.follow_ups or settlement.afterwards:
            if not settlement.follow_ups:
                settlement.follow_ups, settlement.afterwards = settlement.afterwards, []
            writes, settlement.follow_ups = settlement.follow_ups, []
            self._writer.send(writes, settlement.settle)

    def _hold(self, steps: Sequence[Step], counts: Counts) -> None:
        """Open and close the exceptions that follow from the decisions alone."""
        fine = [s.source_id for s in steps if s.action in (Action.UNCHANGED, Action.NOTHING) and s.row["outcome"] != Outcome.HELD]
        with self._ledger.begin() as tx:
            for step in steps:
                if step.problem is not None:
                    hold_row(tx, step.row, step.problem)
                    counts.held += 1
            if steps:
                tx.exceptions.resolve(steps[0].source, fine)

    def _send(self, due: Iterable[Step], expected: int, company: Company, names: Names, counts: Counts) -> None:
        settlement = self._settlement(counts, lambda body, difference: with_rounding(body, difference, self._integration, company))
        settled = 0
        if expected:
            self._progress(0, expected)

        def settle(answers: Sequence[Settled]) -> None:
            nonlocal settled
            settlement.settle(answers)
            settled += len(answers)
            self._progress(settled, expected)

        self._writer.send(self._writes(due, names, counts), settle)
        self._follow_up(settlement)
        self._books.advance(settlement.latest, settled)

    def _writes(self, due: Iterable[Step], names: Names, counts: Counts) -> Iterator[Write]:
        for steps in chunks(due, BATCH):
            invoices = self._posted_invoices(steps)
            for step in steps:
                write = _void(step) if step.action is Action.VOID else self._write_of(step, names, invoices, counts)
                if isinstance(write, Unanswered):
                    self._unanswered.append(write)
                elif isinstance(write, Problem):
                    with self._ledger.begin() as tx:
                        hold_row(tx, step.row, write)
                    counts.held += 1
                elif write is not None:
                    yield write

    def _write_of(self, step: Step, names: Names, invoices: Mapping[int, str], counts: Counts) -> Write | Problem | None:
        """What to write for a document: its problem where it cannot be, None where it stands as it is intended."""
        assert step.document is not None
        problem = names.ensure(step.document)
        if problem is not None:
            return problem
        try:
            body = self._body(step.document, names, invoices)
        except MissingReference as missing:
            return _missing(missing.reference)
        if step.action is Action.ADOPT:
            return self._taken_over(step, step.document, body, counts)
        return _write(step, step.document, body, sparse=not self._leaves_out(step, body))

    def _taken_over(self, step: Step, document: Document, body: Json, counts: Counts) -> Write | Problem | None:
        assert step.posted is not None
        verdict = take_over(document, body, step.standing)
        if verdict is Taken.MARK:
            return _write(step, document, marking(document, step.standing))
        if verdict is Taken.UPDATE and not step.posted.drift:
            return _write(step, document, body)
        if verdict is not Taken.SAME:
            return changed_by_hand(step.posted.drift or told(document, body, step.standing))
        with self._ledger.begin() as tx:
            tx.posted.save([as_taken(step.posted, step.row, step.standing, self._run_id)])
            tx.exceptions.resolve(step.source, [step.source_id])
        counts.unchanged += 1
        return None

    def _leaves_out(self, step: Step, body: Json) -> bool:
        """Whether a change has to clear something that we sent before, such as a location that the settings name no more."""
        if step.action is not Action.UPDATE:
            return False
        with self._ledger.begin() as tx:
            before = last_body(tx, step.source, step.source_id)
        return not before.keys() - {"Id", "SyncToken", "sparse"} <= body.keys()

    def _posted_invoices(self, due: Sequence[Step]) -> dict[int, str]:
        needed = [step.document.requires_invoice for step in due if step.document and step.document.requires_invoice is not None]
        with self._ledger.begin() as tx:
            found = tx.posted.by_ids("invoice", needed)
        return {source_id: posted.qbo_id for source_id, posted in found.items() if posted.state == POSTED and posted.entity == "Invoice"}

    def _body(self, document: Document, names: Names, invoices: Mapping[int, str]) -> Json:
        def look_up(reference: str) -> str | Decimal | None:
            kind, _, key = reference.partition("/")
            if kind == "invoice":
                return invoices.get(int(key))
            if kind == "rate":
                try:
                    return self._rate(*key.split("/"))
                except RemoteRefusal:  # QuickBooks has none: that is a matter of this document, not of the run
                    return None
            return names.id_of(reference)

        return resolve(document.body, look_up)

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


def _write(step: Step, document: Document, body: Json, *, sparse: bool = True) -> Write:
    """The creation or the change that a body makes; a document that was found is changed.

    A sparse change leaves what the body does not name as it is; one that is not clears it.
    """
    if step.action is Action.CREATE:
        return Write("create", document.entity.value, step.source, step.source_id, body, _intent(step))
    assert step.posted is not None
    body = {"Id": step.posted.qbo_id, "SyncToken": step.posted.sync_token, "sparse": sparse} | body
    return Write("update", document.entity.value, step.source, step.source_id, body, _intent(step) | {"adopted": step.posted.adopted})


def _void(step: Step) -> Write:
    assert step.posted is not None
    posted = step.posted
    gone = step.undoes or posted.state != POSTED  # what is void can only go
    request = None if gone else voiding(posted.entity, posted.qbo_id, posted.sync_token)
    body = request.body if request else {"Id": posted.qbo_id, "SyncToken": posted.sync_token}
    intent = _intent(step) | ({"undo": True} if step.undoes else {})
    return Write("void" if request else "delete", posted.entity, step.source, step.source_id, body, intent)


def _intent(step: Step) -> Json:
    return {"document": step.row["document"], "fingerprint": step.row["fingerprint"], "about": about(step.row)}


def _missing(reference: str) -> Problem:
    if reference.startswith("invoice/"):
        return Problem(
            Code.WAITING_FOR_INVOICE,
            "Its invoice does not stand in QuickBooks yet",
            "Resolve the invoice's exception: the payment follows by itself",
        )
    if reference.startswith("rate/"):
        _, currency, day = reference.split("/")
        return Problem(
            Code.CURRENCY_OFF,
            f"QuickBooks has no exchange rate of {currency} for {day}",
            "Enter the rate in QuickBooks (Settings › Currencies), then run: fb-qbo exceptions retry",
        )
    return Problem(Code.REFUSED, f"QuickBooks has no {reference.partition('/')[0]} for it", "Run: fb-qbo exceptions retry")
