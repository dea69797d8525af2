"""What follows from an answer: the ledger is brought up to date, and a document that is not as intended is put right.

A difference from the intent is recorded before it is repaired, so that a crash in between leaves an exception and not a
silent cent. Repair is the rounding product within its limit; otherwise a document just created is deleted again and held.
"""

import datetime as dt
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from fb_qbo_pipeline.json_text import load_json
from fb_qbo_pipeline.ledger import outbox
from fb_qbo_pipeline.ledger.exceptions import POSTING, Held
from fb_qbo_pipeline.ledger.ledger import Ledger, Transaction
from fb_qbo_pipeline.ledger.outbox import Entry
from fb_qbo_pipeline.ledger.posted import DELETED, DIFFERS, GONE_BY_HAND, POSTED, VOIDED, Posted
from fb_qbo_pipeline.mapping.documents import Code, Document, Entity, Json, Problem
from fb_qbo_pipeline.mapping.rows import document_from_json
from fb_qbo_pipeline.money import ZERO
from fb_qbo_pipeline.posting.adoption import marker_of
from fb_qbo_pipeline.posting.answers import oddity
from fb_qbo_pipeline.posting.books import changed_at, found_in
from fb_qbo_pipeline.posting.counts import WORDS, Counts
from fb_qbo_pipeline.posting.customer_change import SENT_AGAIN, UNAPPLIES, unapplying
from fb_qbo_pipeline.posting.look_up import carried_out, find_carried_out
from fb_qbo_pipeline.posting.names import refusal
from fb_qbo_pipeline.posting.plan import changed_by_hand
from fb_qbo_pipeline.posting.renumbering import PARKED, held_by, holder_of, once_more, under_its_number
from fb_qbo_pipeline.posting.repair import without_tax_amounts
from fb_qbo_pipeline.posting.verify import Difference, content, differences, has_marker, money
from fb_qbo_pipeline.posting.writer import Settled, Write
from fb_qbo_pipeline.quickbooks.client import Done, QuickBooksClient, Refused
from fb_qbo_pipeline.quickbooks.faults import Reaction, assigned_transaction, may_be_about_tax, may_be_gone

log = logging.getLogger(__name__)

Repair = Callable[[Json, Decimal], Json | None]
"""A request body with a difference put right, None where that is not possible (`repair.with_rounding`)."""


@dataclass
class Settlement:
    """Settles the answers to one posting run.

    `follow_ups` are writes that have to be sent next (repairs, undoings), `afterwards` those that wait for them to be settled.
    """

    ledger: Ledger
    client: QuickBooksClient
    counts: Counts
    repair: Repair
    run_id: str | None
    follow_ups: list[Write]
    afterwards: list[Write] = field(default_factory=list)
    latest: dt.datetime | None = None  # of QuickBooks' own clock

    def settle(self, answers: Sequence[Settled]) -> None:
        """Record the outcomes of one request: what came back as intended together, everything else one by one."""
        intended: list[tuple[Entry, Document, Json]] = []
        for entry, answer in answers:
            if isinstance(answer, Done):
                self._note_time(answer.entity)
            if isinstance(answer, Done) and entry.intent.get(UNAPPLIES):
                self._unapplied(entry, answer.entity)
            elif isinstance(answer, Done) and entry.operation in ("create", "update"):
                document, entity = document_from_json(entry.intent["document"]), answer.entity
                if entry.intent.get(PARKED):
                    self._parked(entry, document, entity)
                elif found := differences(document, entity, repaired=bool(entry.intent.get("repair"))):
                    entity, found = self._confirmed(entry, document, entity, found)
                    if found:
                        self._differs(entry, document, entity, found)
                    else:
                        intended.append((entry, document, entity))
                else:
                    intended.append((entry, document, entity))
            elif isinstance(answer, Done):
                self._removed(entry, answer.entity)
            else:
                self._turned_away(entry, answer)
        self._as_intended(intended)

    def _turned_away(self, entry: Entry, answer: Refused) -> None:
        if answer.reaction is Reaction.DUPLICATE_NUMBER and (write := self._once_more(entry, answer)) is not None:
            self.follow_ups.append(write)
        elif answer.reaction is Reaction.DUPLICATE_NUMBER and entry.operation == "create":
            self._number_taken(entry, answer)
        elif answer.reaction is Reaction.STALE:
            self._stale(entry)
        elif self._about_tax(entry, answer) and (body := without_tax_amounts(load_json(entry.body))) is not None:
            with self.ledger.begin() as tx:
                tx.outbox.mark([entry.id], outbox.REFUSED, "tax amounts: sent again without them")
            self.follow_ups.append(Write(entry.operation, entry.entity, entry.source, entry.source_id, body, entry.intent))
        elif entry.operation in ("void", "delete") and self._gone(entry, answer):
            self._removed(entry, {})
        elif answer.reaction is Reaction.GONE:
            self._stale(entry)
        elif answer.reaction is Reaction.REFUSED and (writes := self._unapplying(entry)):
            *unapplying, again = writes
            self.follow_ups += unapplying
            self.afterwards.append(again)
        else:
            self._refused(entry, refusal(answer))

    def _gone(self, entry: Entry, answer: Refused) -> bool:
        """Whether what was to be removed is not there: QuickBooks says so, or where its words are not known, does not find it."""
        if answer.reaction is Reaction.GONE:
            return True
        return may_be_gone(answer.fault) and self.client.read(entry.entity, str(load_json(entry.body)["Id"])) is None

    def _about_tax(self, entry: Entry, answer: Refused) -> bool:
        """Whether to send it once more without tax amounts: QuickBooks says so, or may say so in another language."""
        unsaid = entry.operation == "create" and answer.reaction is Reaction.REFUSED and may_be_about_tax(answer.fault)
        return answer.reaction is Reaction.TAX_REFUSED or unsaid

    def _as_intended(self, settled: Sequence[tuple[Entry, Document, Json]]) -> None:
        if not settled:
            return
        with self.ledger.begin() as tx:
            tx.outbox.mark([entry.id for entry, _, _ in settled], outbox.DONE)
            tx.posted.save([self._posted(*one, str(one[0].intent["fingerprint"])) for one in settled])
            for source in {entry.source for entry, _, _ in settled}:
                tx.exceptions.resolve(source, [entry.source_id for entry, _, _ in settled if entry.source == source])
        for entry, document, _ in settled:
            created = entry.operation == "create" or bool(entry.intent.get("created"))
            counted = self.counts.created if created else self.counts.updated
            counted[WORDS[entry.entity]] += 1
            self.counts.add_money(document.currency, document.total)

    def _note_time(self, entity: Json) -> None:
        changed = changed_at(entity)
        if changed is not None:
            self.latest = max(self.latest or changed, changed)

    def _posted(self, entry: Entry, document: Document, entity: Json, fingerprint: str) -> Posted:
        return Posted(
            source=entry.source,
            source_id=entry.source_id,
            entity=entry.entity,
            qbo_id=str(entity["Id"]),
            sync_token=str(entity.get("SyncToken", "0")),
            number=entity.get("DocNumber"),
            document_date=document.date,
            currency=document.currency,
            total=money(entity, "TotalAmt"),
            tax=money(entity, "TxnTaxDetail", "TotalTax"),
            state=POSTED,
            fingerprint=fingerprint,
            content=content(entity),
            adopted=bool(entry.intent.get("adopted")),
            run_id=self.run_id,
        )

    def _removed(self, entry: Entry, entity: Json) -> None:
        undone = bool(entry.intent.get("undo"))
        with self.ledger.begin() as tx:
            tx.outbox.mark([entry.id], outbox.DONE)
            before = tx.posted.by_ids(entry.source, [entry.source_id])[entry.source_id]
            tx.posted.save([_with_state(before, VOIDED if entry.operation == "void" else DELETED, entity, self.run_id)])
            if entry.operation == "void" and entry.entity == Entity.INVOICE:
                tx.posted.unapplied(entry.source_id)
            if not undone:
                tx.exceptions.resolve(entry.source, [entry.source_id])
        if not undone and before.state == POSTED:
            self.counts.voided[WORDS[entry.entity]] += 1

    def _differs(self, entry: Entry, document: Document, entity: Json, found: list[Difference]) -> None:
        with self.ledger.begin() as tx:
            tx.outbox.mark([entry.id], outbox.DONE)
            tx.posted.save([self._posted(entry, document, entity, DIFFERS)])
        told = "; ".join(f"{d.field} {d.found} instead of {d.intended}" for d in found)
        if self._may_round(entry, found):
            repaired = self.repair(load_json(entry.body), document.total - money(entity, "TotalAmt"))
            if repaired is not None:
                repaired |= {"Id": str(entity["Id"]), "SyncToken": str(entity.get("SyncToken", "0")), "sparse": True}
                intent = entry.intent | {"repair": True, "created": entry.operation == "create"}
                self.follow_ups.append(Write("update", entry.entity, entry.source, entry.source_id, repaired, intent))
                return
        created = entry.operation == "create" or bool(entry.intent.get("created"))
        where = "it was taken out of the books again" if created else "the changed document stands in QuickBooks"
        problem = Problem(
            Code.TOTAL_MISMATCH,
            f"QuickBooks made another document than intended ({told}); {where}",
            "Compare tax rates and the rounding product with FreshBooks, then run: fb-qbo exceptions retry",
        )
        self.hold(entry, problem)
        if created:
            body = {"Id": str(entity["Id"]), "SyncToken": str(entity.get("SyncToken", "0"))}
            self.follow_ups.append(Write("delete", entry.entity, entry.source, entry.source_id, body, entry.intent | {"undo": True}))

    def _confirmed(self, entry: Entry, document: Document, entity: Json, found: list[Difference]) -> tuple[Json, list[Difference]]:
        """What stands in QuickBooks, read once more before anything is taken out or repaired because of one answer."""
        standing = self.client.read(entry.entity, str(entity["Id"]))
        if standing is None or oddity(standing):
            return entity, found
        return standing, differences(document, standing, repaired=bool(entry.intent.get("repair")))

    def _may_round(self, entry: Entry, found: list[Difference]) -> bool:
        return (
            entry.entity in ("Invoice", "SalesReceipt") and not entry.intent.get("repair") and {d.field for d in found} <= {"total", "tax"}
        )

    def _once_more(self, entry: Entry, answer: Refused) -> Write | None:
        with self.ledger.begin() as tx:
            write = once_more(tx, entry, answer.fault)
            if write is not None:
                tx.outbox.mark([entry.id], outbox.REFUSED, "the number is about to become free: sent again")
        return write

    def _parked(self, entry: Entry, document: Document, entity: Json) -> None:
        with self.ledger.begin() as tx:
            tx.outbox.mark([entry.id], outbox.DONE)
            tx.posted.save([self._posted(entry, document, entity, DIFFERS)])
        self.follow_ups.append(under_its_number(entry, entity))

    def _unapplying(self, entry: Entry) -> list[Write]:
        with self.ledger.begin() as tx:
            writes = unapplying(tx, entry)
            if writes:
                tx.outbox.mark([entry.id], outbox.REFUSED, "its payments are unapplied first: sent again after that")
        return writes

    def _unapplied(self, entry: Entry, entity: Json) -> None:
        with self.ledger.begin() as tx:
            tx.outbox.mark([entry.id], outbox.DONE)
            before = tx.posted.by_ids(entry.source, [entry.source_id])[entry.source_id]
            token = str(entity.get("SyncToken", before.sync_token))
            tx.posted.save([replace(before, sync_token=token, content=content(entity), fingerprint=DIFFERS)])

    def _number_taken(self, entry: Entry, answer: Refused) -> None:
        """The number stands in QuickBooks: ours, whose answer was lost, or somebody else's."""
        other = assigned_transaction(answer.fault)
        document = document_from_json(entry.intent["document"])
        if other is None:  # QuickBooks does not always say which
            ours = find_carried_out(self.client, [entry]).get(entry.id)
        elif other.type == entry.entity:
            ours = self.client.read(other.type, other.id)
        else:
            ours = None
        if ours is not None and oddity(ours):
            ours = None  # nothing that could be recorded; the next attempt looks again
        if ours is not None and has_marker(ours, marker_of(document)):
            self.settle([(entry, Done(ours))])
            return
        with self.ledger.begin() as tx:
            holder = holder_of(tx, entry.entity, str(document.number), answer.fault)
        if holder is not None:
            self._refused(entry, held_by(holder, document))
            return
        theirs = found_in(entry.entity, ours, "") if ours is not None else None
        if theirs is not None:
            with self.ledger.begin() as tx:  # so that it can be taken over
                tx.found.merge([theirs])
        which = f"{other.type} {other.id}" if other is not None else "another document"
        self._refused(
            entry,
            Problem(
                Code.DUPLICATE_NUMBER,
                f"The number {document.number} is already used in QuickBooks by {which}, which is not this pipeline's",
                "If it is the same document, take it over: fb-qbo exceptions adopt, with the id of this exception. "
                "If not, change one of the numbers and run: fb-qbo exceptions retry",
            ),
        )

    def _stale(self, entry: Entry) -> None:
        """Somebody changed the document since: QuickBooks itself (a payment was linked), a person, or this very request.

        A request that was taken for lost may be carried out between its look-up and its repetition.
        """
        body = load_json(entry.body)
        entity = self.client.read(entry.entity, str(body["Id"]))
        with self.ledger.begin() as tx:
            before = tx.posted.by_ids(entry.source, [entry.source_id]).get(entry.source_id)
        if entity is not None and oddity(entity):
            self._refused(entry, _UNREADABLE)
            return
        if carried_out(entry, body, entity):
            self.settle([(entry, Done(entity or {}))])
            return
        if entity is None:
            problem = changed_by_hand(GONE_BY_HAND)
            if before is not None:
                with self.ledger.begin() as tx:
                    tx.posted.observed(before, before.sync_token, GONE_BY_HAND)
        elif before is not None and content(entity) == before.content and not entry.intent.get(SENT_AGAIN):
            with self.ledger.begin() as tx:
                tx.outbox.mark([entry.id], outbox.REFUSED, "stale: sent again with the present token")
            again = body | {"SyncToken": str(entity.get("SyncToken", "0"))}
            self.follow_ups.append(
                Write(entry.operation, entry.entity, entry.source, entry.source_id, again, entry.intent | {SENT_AGAIN: True})
            )
            return
        else:
            problem = Problem(
                Code.CHANGED_IN_QUICKBOOKS,
                "It was changed in QuickBooks after it was posted, and has changed in FreshBooks, too; nothing was overwritten",
                "Make the change by hand in QuickBooks and ignore this, or undo the change in QuickBooks and run: fb-qbo exceptions retry",
            )
        self._refused(entry, problem)

    def _refused(self, entry: Entry, problem: Problem) -> None:
        with self.ledger.begin() as tx:
            tx.outbox.mark([entry.id], outbox.REFUSED, f"{problem.code}: {problem.reason}")
            tx.exceptions.hold(held(entry.intent, entry.source, entry.source_id, problem))
        self.counts.held += 1

    def hold(self, entry: Entry, problem: Problem) -> None:
        """Open an exception for a document that was written."""
        with self.ledger.begin() as tx:
            tx.exceptions.hold(held(entry.intent, entry.source, entry.source_id, problem))
        self.counts.held += 1


_UNREADABLE = Problem(
    Code.REFUSED,
    "It was changed in QuickBooks since it was posted, and what QuickBooks shows of it cannot be read",
    "Look at the document in QuickBooks, then run: fb-qbo exceptions retry",
)


def _with_state(before: Posted, state: str, entity: Json, run_id: str | None) -> Posted:
    values: dict[str, Any] = {name: getattr(before, name) for name in Posted.__dataclass_fields__}
    token = str(entity.get("SyncToken", before.sync_token))
    return Posted(
        **values | {"state": state, "sync_token": token, "total": ZERO, "tax": ZERO, "content": content(entity), "run_id": run_id}
    )


def held(intent: Json, source: str, source_id: int, problem: Problem, stage: str = POSTING) -> Held:
    """An exception, from what an intent knows of the document."""
    known = intent["about"]
    return Held(
        source=source,
        source_id=source_id,
        number=known["label"],
        party=known["party"],
        document_date=known["date"],
        amount=known["amount"],
        currency=known["currency"],
        code=problem.code.value,
        reason=problem.reason,
        remedy=problem.remedy,
        stage=stage,
        fingerprint=str(intent.get("fingerprint") or ""),
    )


def about(row: Mapping[Any, Any]) -> Json:
    """What a person knows a staged row by, as plain JSON: part of every intent, and of the exception that may follow from it."""
    return {name: row[name] for name in ("label", "party", "amount", "currency")} | {"date": row["document_date"].isoformat()}


def hold_row(tx: Transaction, row: Mapping[Any, Any], problem: Problem, stage: str = POSTING) -> None:
    """Open an exception for a staged row; `stage`: who found it and may resolve it."""
    intent = {"about": about(row), "fingerprint": row["fingerprint"]}
    tx.exceptions.hold(held(intent, row["source"], row["source_id"], problem, stage))
