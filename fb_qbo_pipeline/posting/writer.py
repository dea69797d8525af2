"""Writes that happen exactly once, whatever becomes of their answers.

Every write is committed to the outbox before it is sent. An answer that is lost, garbled, throttled or a 5xx leaves the
outcome unknown; then the document is looked up by its marker, and only what is not there is sent again: first the identical
request with its identical id, later under a new one (QuickBooks may have forgotten the id, or may replay a fault for ever),
at last one by one, so that a poisonous document cannot cost the others anything. An answer that cannot be about the document
(`answers.disbelief`) is unknown as well; and a creation that was refused is looked up before that is believed, because a
refusal can come after the commit, and sending it again later would make a double. A request id alone is not trusted:
integrators report doubles. Nor is a query that does not show what may have been created a moment ago: QuickBooks' lists
may lag a few seconds behind, so absence is believed after `SETTLED_AFTER` only. What stays unknown is left in the outbox
for the next run, which begins with the same look-up.
"""

import concurrent.futures
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from fb_qbo_pipeline.chunks import chunks
from fb_qbo_pipeline.errors import PipelineError, Unreachable
from fb_qbo_pipeline.http import Backoff
from fb_qbo_pipeline.json_text import dump_json, load_json
from fb_qbo_pipeline.ledger import outbox
from fb_qbo_pipeline.ledger.ledger import PostingTurn
from fb_qbo_pipeline.ledger.outbox import Entry
from fb_qbo_pipeline.mapping.documents import Json
from fb_qbo_pipeline.posting.answers import disbelief, is_shortened, oddity, shared_ids
from fb_qbo_pipeline.posting.look_up import find_carried_out
from fb_qbo_pipeline.quickbooks.client import Answer, BatchItem, Done, QuickBooksClient, Refused, Throttled, Unknown
from fb_qbo_pipeline.quickbooks.faults import Reaction

log = logging.getLogger(__name__)

BATCH = 30  # QuickBooks' limit of items
ROUNDS = 7  # of looking up and sending again; with the waits between them a few minutes
SETTLED_AFTER = 10.0  # seconds after a lost answer until queries are taken to show what it created
_REPLAYS = 2  # rounds in which the identical request is repeated under its own id
_TOGETHER = 4  # rounds in which documents are still sent in batches


@dataclass(frozen=True)
class Write:
    """One write: what is sent, and what its answer is verified against (`intent`, JSON)."""

    operation: str  # create | update | void | delete
    entity: str
    source: str
    source_id: int
    body: Json = field(repr=False)
    intent: dict[str, Any] = field(repr=False)


Settled = tuple[Entry, Done | Refused]
"""A write and its known outcome."""

Settle = Callable[[Sequence[Settled]], None]


class Writer:
    """Sends writes of one company, as long as its posting turn lasts: nothing is sent that was not committed within the turn.

    `settle` is called on the caller's thread, once a request, with each write whose outcome is known.
    """

    def __init__(
        self,
        client: QuickBooksClient,
        turn: PostingTurn,
        *,
        run_id: str | None = None,
        concurrency: int = 8,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        backoff: Backoff | None = None,
    ) -> None:
        self._client = client
        self._turn = turn
        self._run_id = run_id
        self._concurrency = concurrency
        self._clock = clock
        self._sleep = sleep
        self._lost: dict[int, float] = {}  # when the answer to an entry that may have been carried out was lost
        self._backoff = backoff or Backoff()

    def send(self, writes: Iterable[Write], settle: Settle) -> None:
        """Carry out all writes. Raises Unreachable where some outcome stayed unknown, after everything else is settled."""
        unknown = self._send_groups(self._fitting(iter(writes)), settle)
        if unknown:
            self._recover(unknown, settle)

    def recover(self, settle: Settle) -> int:
        """Settle what an earlier, interrupted run left with an unknown outcome; how many writes that were."""
        with self._turn.begin() as tx:
            left = tx.outbox.unfinished()
        if left:
            log.info("%d writes of an interrupted run have an unknown outcome: looking them up in QuickBooks", len(left))
            self._note_lost(left)
            self._recover(left, settle)
        return len(left)

    def _fitting(self, writes: Iterator[Write]) -> Iterator[list[Write]]:
        """Batches while the minute has some left, single writes in what they leave of it."""
        while group := list(islice(writes, BATCH if self._client.next_kind() == "batch" else 1)):
            yield group

    def _send_groups(self, groups: Iterable[Sequence[Write]], settle: Settle) -> list[Entry]:
        """Send groups, several at a time; the entries whose outcome is unknown."""
        remaining = iter(groups)
        unknown: list[Entry] = []
        failure: Exception | None = None
        with concurrent.futures.ThreadPoolExecutor(self._concurrency, thread_name_prefix="quickbooks") as pool:
            running: dict[concurrent.futures.Future[dict[int, Answer]], list[Entry]] = {}
            while True:
                while failure is None and len(running) < self._concurrency and (group := next(remaining, None)) is not None:
                    entries = self._prepare(group)
                    running[pool.submit(self._call, entries)] = entries
                if not running:
                    break
                finished, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in finished:
                    entries = running.pop(future)
                    error = future.exception()
                    if isinstance(error, Exception):
                        failure = failure or error
                        if isinstance(error, PipelineError):  # no access; anything else leaves the outcome unknown
                            self._end(entries, outbox.WITHDRAWN, "not sent: no access")
                        continue
                    unknown += self._settle_known(entries, future.result(), settle)
        if failure is not None:
            raise failure
        return unknown

    def _prepare(self, writes: Sequence[Write]) -> list[Entry]:
        request_id = outbox.new_request_id()
        rows = [
            {
                "request_id": request_id,
                "bid": str(position) if len(writes) > 1 else None,
                "operation": write.operation,
                "entity": write.entity,
                "source": write.source,
                "source_id": write.source_id,
                "body": dump_json(write.body),
                "intent": write.intent,
                "run_id": self._run_id,
            }
            for position, write in enumerate(writes, 1)
        ]
        with self._turn.begin() as tx:
            return tx.outbox.prepare(rows)

    def _call(self, entries: Sequence[Entry]) -> dict[int, Answer]:
        """Send one request, or the identical request again; the answers by entry id."""
        if len(entries) == 1 and entries[0].bid is None:
            entry = entries[0]
            operation, include = _verb(entry)
            answer = self._client.write(
                entry.entity, load_json(entry.body), request_id=entry.request_id, operation=operation, include=include, slot="single"
            )
            return {entry.id: answer}
        items = []
        for entry in entries:
            operation, options = _verb(entry)
            items.append(BatchItem(str(entry.bid), operation, entry.entity, load_json(entry.body), options))
        answers = self._client.batch(items, request_id=entries[0].request_id)
        return {entry.id: answers[str(entry.bid)] for entry in entries}

    def _settle_known(self, entries: Sequence[Entry], answers: dict[int, Answer], settle: Settle) -> list[Entry]:
        believed = self._believed(entries, answers)
        unknown: list[Entry] = []
        known: list[Settled] = []
        for entry in entries:
            answer = believed[entry.id]
            if isinstance(answer, Unknown | Throttled) or answer_is_duplicate_request(answer):
                unknown.append(entry)
                if not isinstance(answer, Throttled) and not (isinstance(answer, Unknown) and answer.not_sent):
                    self._note_lost([entry])
            else:
                known.append((entry, answer))
        settle(known)
        return unknown

    def _believed(self, entries: Sequence[Entry], answers: dict[int, Answer]) -> dict[int, Answer]:
        """The answers to one request, those unknown that cannot be about what was sent, and refusals of what stands all the same.

        Where one answer of several is about something else, a refusal may be meant for a neighbour: it is unknown as well.
        """
        believed = {entry.id: self._judged(entry, answers[entry.id]) for entry in entries}
        done = [(entry, answer.entity) for entry in entries if isinstance(answer := believed[entry.id], Done)]
        for entry_id in shared_ids(done, self._owners(done)):
            believed[entry_id] = Unknown("an id that another document has")
        if any(isinstance(answers[entry.id], Done) and not isinstance(believed[entry.id], Done) for entry in entries):
            believed = {
                entry_id: Unknown("a refusal among answers that are mixed up") if isinstance(answer, Refused) else answer
                for entry_id, answer in believed.items()
            }
        refused = [entry for entry in entries if entry.operation == "create" and _is_final(believed[entry.id])]
        if refused:
            for entry_id, entity in find_carried_out(self._client, refused).items():
                log.warning("a creation that QuickBooks refused stands there all the same: it is taken as carried out")
                believed[entry_id] = Unknown("what stands there cannot be read") if oddity(entity) else Done(entity)
        return believed

    def _judged(self, entry: Entry, answer: Answer) -> Answer:
        """An answer, completed where it was shortened; unknown where it cannot be about what was sent."""
        if not isinstance(answer, Done):
            return answer
        body = load_json(entry.body)
        why = disbelief(entry, body, answer.entity)
        if not why and is_shortened(entry, answer.entity):
            whole = self._client.read(entry.entity, str(answer.entity["Id"])) or {}
            answer, why = Done(whole), disbelief(entry, body, whole)
            why = why or ("it cannot be read in full" if is_shortened(entry, whole) else "")
        if why:
            log.warning(
                "the answer to the %s of %s %d cannot be believed: %s; it is looked up", entry.operation, entry.source, entry.source_id, why
            )
            return Unknown(why)
        return answer

    def _owners(self, done: Sequence[tuple[Entry, Json]]) -> dict[tuple[str, str], tuple[str, int]]:
        """Whose the ids are that creations were answered with, as far as the ledger knows them already."""
        ids: defaultdict[str, list[str]] = defaultdict(list)
        for entry, entity in done:
            if entry.operation == "create":
                ids[entry.entity].append(str(entity["Id"]))
        if not ids:
            return {}
        with self._turn.begin() as tx:
            known = [(name, tx.posted.by_qbo_ids(name, listed)) for name, listed in ids.items()]
        return {(name, id): (posted.source, posted.source_id) for name, rows in known for id, posted in rows.items()}

    def _recover(self, entries: list[Entry], settle: Settle) -> None:
        incomplete: set[str] = set()
        for attempt in range(ROUNDS):
            if attempt:
                self._sleep(self._backoff.delay(attempt))
            found = self._look_up(entries)
            # What stands there but cannot be read is neither carried out nor missing: it is looked up again, never sent.
            unreadable = [entry for entry in entries if found.get(entry.id) and oddity(found[entry.id])]
            settle([(entry, Done(found[entry.id])) for entry in entries if entry.id in found and entry not in unreadable])
            entries = [entry for entry in entries if entry.id not in found]
            entries = unreadable + self._send_again(entries, attempt, incomplete, settle)
            if not entries:
                return
        raise Unreachable(
            f"the outcome of {len(entries)} writes to QuickBooks is unknown after {ROUNDS} attempts",
            "run the same command again later: it begins by looking them up, and nothing is posted twice",
        )

    def _note_lost(self, entries: Sequence[Entry]) -> None:
        self._lost.update(dict.fromkeys((entry.id for entry in entries), self._clock()))

    def _look_up(self, entries: Sequence[Entry]) -> dict[int, Json]:
        """What was carried out, by entry id. What is not found although it may just have been created is looked up once more."""
        found = find_carried_out(self._client, entries)
        doubtful = [entry for entry in entries if entry.operation == "create" and entry.id in self._lost and entry.id not in found]
        if doubtful:
            wait = max(self._lost[entry.id] for entry in doubtful) + SETTLED_AFTER - self._clock()
            if wait > 0:
                self._sleep(wait)
                found |= find_carried_out(self._client, doubtful)
        return found

    def _send_again(self, entries: list[Entry], attempt: int, incomplete: set[str], settle: Settle) -> list[Entry]:
        """Send what was not found; the entries that are unknown still."""
        unknown: list[Entry] = []
        anew: list[Entry] = []
        for request_id, group in _by_request(entries).items():
            if attempt < _REPLAYS and self._is_whole(request_id, group):
                unknown += self._settle_known(group, self._call(group), settle)
            elif attempt < _REPLAYS and request_id not in incomplete:
                incomplete.add(request_id)  # part of it was carried out: perhaps it still is being carried out
                unknown += group
            else:
                anew += group
        if anew:
            self._end(anew, outbox.WITHDRAWN, "not found in QuickBooks; sent again under a new request id")
            size = BATCH if attempt < _TOGETHER else 1
            unknown += self._send_groups(chunks(map(_again, anew), size), settle)
        return unknown

    def _is_whole(self, request_id: str, group: Sequence[Entry]) -> bool:
        """Whether all items of a request are unknown: only then it can be repeated as it was."""
        with self._turn.begin() as tx:
            return tx.outbox.size_of(request_id) == len(group)

    def _end(self, entries: Sequence[Entry], state: str, note: str) -> None:
        with self._turn.begin() as tx:
            tx.outbox.mark([entry.id for entry in entries], state, note)


def answer_is_duplicate_request(answer: Answer) -> bool:
    """Whether QuickBooks has seen the request id but does not repeat the answer: the document has to be looked up."""
    return isinstance(answer, Refused) and answer.reaction is Reaction.DUPLICATE_REQUEST


def _is_final(answer: Answer) -> bool:
    """Whether this is a refusal that nobody looks into later: whose a number is, is found out by the settlement."""
    return isinstance(answer, Refused) and answer.reaction not in (Reaction.DUPLICATE_REQUEST, Reaction.DUPLICATE_NUMBER)


def _by_request(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    groups: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.request_id].append(entry)
    return groups


def _again(entry: Entry) -> Write:
    return Write(entry.operation, entry.entity, entry.source, entry.source_id, load_json(entry.body), entry.intent)


def _verb(entry: Entry) -> tuple[Any, str | None]:
    """QuickBooks' operation and option: payments and receipts are voided by an update."""
    if entry.operation == "void" and entry.entity != "Invoice":
        return "update", "void"
    return entry.operation, None
