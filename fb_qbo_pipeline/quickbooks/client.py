"""The QuickBooks client: reads, and writes that are attempted exactly once.

A write's answer is a value, never an exception: it was done, it was refused, it was throttled, or nobody knows. Repeating
is left to the caller, who has stored the request id and the exact body before the call: QuickBooks answers a repeated
request id with the original answer, so an unknown outcome is resolved by sending the identical request again.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import requests

from fb_qbo_pipeline.http import Backoff, Json
from fb_qbo_pipeline.quickbooks import wire
from fb_qbo_pipeline.quickbooks.faults import Fault, Reaction, classify, fault_in
from fb_qbo_pipeline.quickbooks.limits import Kind, Limiter
from fb_qbo_pipeline.quickbooks.reader import QuickBooksReader
from fb_qbo_pipeline.quickbooks.transport import THROTTLE_SECONDS, Answered, Authorizer, Call, Lost, Recorder, Reply, Timeouts, Transport

log = logging.getLogger(__name__)

MAX_REQUEST_ID = 50  # characters, of a single write
MAX_BATCH_REQUEST_ID = 36
MAX_BID = 10  # characters, with a request id
MAX_BATCH = 30  # items

ALLOW_DUPLICATE_NUMBER = "allowduplicatedocnum"  # as `include` of a write or `options` of a batch item
Operation = Literal["create", "update", "delete", "void"]


@dataclass(frozen=True, slots=True)
class Done:
    """Carried out; `entity` is the object as QuickBooks has it now (of a deletion, a stub)."""

    entity: Json = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """Certainly not carried out, as far as this request goes; `reaction` says what to do about it.

    With DUPLICATE_REQUEST an earlier one may have been: look the object up.
    """

    fault: Fault
    reaction: Reaction


@dataclass(frozen=True, slots=True)
class Throttled:
    """Turned away for the number of requests; the same request with the same request id after the limiter's pause."""

    fault: Fault


@dataclass(frozen=True, slots=True)
class Unknown:
    """Perhaps carried out: the identical request with the same request id tells. `not_sent`: certainly not carried out."""

    reason: str
    fault: Fault | None = None
    not_sent: bool = False


Answer = Done | Refused | Throttled | Unknown


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One write of a batch. `bid` is unique in the batch; `options` is the batch's form of `include`."""

    bid: str
    operation: Operation
    entity: str
    body: Json = field(repr=False)
    options: str | None = None


@dataclass(frozen=True, slots=True)
class Voiding:
    """How an entity is voided: as arguments of `write` and of `BatchItem`."""

    operation: Operation
    include: str | None
    body: Json


def voiding(entity: str, id: str, sync_token: str) -> Voiding | None:
    """The request that voids a transaction; None for entities that QuickBooks can only delete, such as bills.

    Invoices have an operation of their own; payments and receipts are voided by a sparse update (Intuit's SDKs).
    """
    if entity == "Invoice":
        return Voiding("void", None, {"Id": id, "SyncToken": sync_token})
    if entity in {"Payment", "SalesReceipt", "BillPayment"}:
        return Voiding("update", "void", {"Id": id, "SyncToken": sync_token, "sparse": True})
    return None


class QuickBooksClient(QuickBooksReader):
    """One company of QuickBooks Online. Safe to use from several threads; the limiter is shared by all of the company's clients."""

    def __init__(
        self,
        base_url: str,
        realm_id: str,
        authorizer: Authorizer,
        *,
        limiter: Limiter,
        session: requests.Session | None = None,
        sleep: Callable[[float], None] = time.sleep,
        recorder: Recorder | None = None,
        timeouts: Timeouts | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        transport = Transport(base_url, realm_id, authorizer, limiter=limiter, session=session, recorder=recorder, timeouts=timeouts)
        super().__init__(transport, sleep=sleep, backoff=backoff)

    def write(
        self,
        entity: str,
        body: Json,
        *,
        request_id: str,
        operation: Operation | None = None,
        include: str | None = None,
        slot: Kind = "request",
    ) -> Answer:
        """One write of `entity`, sent once: creation, or with `Id` in the body a change, or what `operation` says.

        `request_id` has at most 50 characters and is unique among all of the company's requests. `slot` is "single" for one
        of many documents (see `limits`).
        Raises ConnectionRequired or ConfigurationError where there is no access or no such company, and what the
        authorizer raises where it gets no token; in each case nothing was carried out.
        """
        if not 1 <= len(request_id) <= MAX_REQUEST_ID:
            raise ValueError(f"a request id has 1 to {MAX_REQUEST_ID} characters")
        params: dict[str, str] = {}
        if operation == "delete" or operation == "void" or (operation == "update" and include is not None):
            params["operation"] = operation
        if include is not None:
            params["include"] = include
        done = operation or ("update" if "Id" in body else "create")
        reply = self._transport.send(Call("write", "POST", entity.lower(), entity, done, params, wire.dumps(body), request_id, slot))
        if isinstance(reply, Answered):
            return _entity_answer(reply.payload, entity)
        return _failure(reply)

    def next_kind(self) -> Kind:
        """How the next of many documents is sent soonest (see `Limiter.next_kind`)."""
        return self._transport.limiter.next_kind()

    def batch(self, items: Sequence[BatchItem], *, request_id: str) -> dict[str, Answer]:
        """Several independent writes in one request, sent once; each one's answer by its bId, in the order of `items`.

        A batch is identified by its request id (at most 36 characters) together with its bIds: a repetition has to have
        the same items. Items succeed and fail one by one; what befalls the whole request befalls every item.
        Raises like `write`.
        """
        _check_batch(items, request_id)
        body = wire.dumps({"BatchItemRequest": [_request(item) for item in items]})
        entities = ",".join(sorted({item.entity for item in items}))
        reply = self._transport.send(Call("write", "POST", "batch", entities, "batch", {}, body, request_id, slot="batch"))
        if not isinstance(reply, Answered):
            failure = _failure(reply)
            return {item.bid: failure for item in items}
        answers = _batch_answers(items, reply.payload)
        if any(isinstance(answer, Throttled) for answer in answers.values()):
            self._transport.limiter.pause(THROTTLE_SECONDS)
        return answers


def _failure(reply: Reply) -> Answer:
    """A write's answer where there is no entity to read."""
    assert not isinstance(reply, Answered)
    if isinstance(reply, Lost):
        return Unknown(reply.reason, not_sent=reply.not_sent)
    return _fault_answer(reply.fault, reply.reaction)


def _fault_answer(fault: Fault, reaction: Reaction) -> Answer:
    if reaction is Reaction.THROTTLED:
        return Throttled(fault)
    if reaction is Reaction.TRANSIENT:
        return Unknown(fault.summary, fault)
    return Refused(fault, reaction)


def _entity_answer(payload: Json, entity: str) -> Answer:
    found = payload.get(entity)
    if isinstance(found, dict) and found.get("Id"):
        return Done(found)
    return Unknown(f"an answer without the {entity} or its Id")


def _request(item: BatchItem) -> Json:
    request: Json = {"bId": item.bid, "operation": item.operation, item.entity: item.body}
    return request if item.options is None else {**request, "optionsData": item.options}


def _check_batch(items: Sequence[BatchItem], request_id: str) -> None:
    bids = [item.bid for item in items]
    if not 1 <= len(bids) <= MAX_BATCH:
        raise ValueError(f"a batch has 1 to {MAX_BATCH} items")
    if len(set(bids)) < len(bids) or not all(1 <= len(bid) <= MAX_BID for bid in bids):
        raise ValueError(f"bIds are unique within a batch and have 1 to {MAX_BID} characters")
    if not 1 <= len(request_id) <= MAX_BATCH_REQUEST_ID:
        raise ValueError(f"a batch's request id has 1 to {MAX_BATCH_REQUEST_ID} characters")


def _batch_answers(items: Sequence[BatchItem], payload: Json) -> dict[str, Answer]:
    """Each item's answer. An item that is not answered, or answered twice, is unknown; answers to strange bIds are dropped.

    Where there are any of those, a refusal may be meant for another item: it is unknown as well.
    """
    listed = payload.get("BatchItemResponse")
    responses = [response for response in listed if isinstance(response, dict)] if isinstance(listed, list) else []
    by_bid = {str(response.get("bId")): response for response in responses}
    times = Counter(str(response.get("bId")) for response in responses)
    strange = by_bid.keys() - {item.bid for item in items}
    if strange:
        log.warning("a batch's answer holds %d answers to items that were not sent", len(strange))
    answers = {item.bid: _item_answer(item, by_bid.get(item.bid), times[item.bid]) for item in items}
    if not strange and len(by_bid) == len(items) == len(responses):
        return answers
    return {
        bid: Unknown(f"a refusal in an answer that does not fit the batch: {answer.fault.summary}", answer.fault)
        if isinstance(answer, Refused)
        else answer
        for bid, answer in answers.items()
    }


def _item_answer(item: BatchItem, response: Json | None, times: int) -> Answer:
    if response is None:
        return Unknown("the batch's answer does not mention the item")
    if times > 1:
        return Unknown("the batch's answer mentions the item more than once")
    fault = fault_in(response)
    if fault is not None:
        return _fault_answer(fault, classify(fault))
    return _entity_answer(response, item.entity)
