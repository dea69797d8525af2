"""Batches: up to thirty independent items in one request, each with its own answer or fault.

The request id together with the set of item ids identifies a batch. Answers are kept per item, so that a batch whose
connection broke half-way is finished, not repeated, when it is sent again.
"""

import re
from collections.abc import Callable, Iterator

from fb_qbo_pipeline.sandbox.quickbooks import operations, query
from fb_qbo_pipeline.sandbox.quickbooks.fields import unknown_property
from fb_qbo_pipeline.sandbox.quickbooks.refusals import Json, Refusal, missing
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks

MOST_ITEMS = 30
LONGEST_ITEM_ID = 10  # together with a request id; 50 without one
_NAME_ITEM = re.compile(rb'"(Customer|Vendor|Employee|Item|Account)"\s*:')
_KNOWN = frozenset({"bId", "operation", "optionsData", "Query"})
THROTTLED = Refusal("3001", "The request limit was reached.  Try again later", kind="SERVICE")

Spoil = Callable[[], bool]


def run_batch(company: QuickBooks, body: object, request_id: str, *, only: int | None = None, throttled: Spoil = lambda: False) -> Json:
    """The answer to a batch. `only`: stop after that many new items, as when the server's time runs out.

    `throttled` is asked before each item and refuses it with an item-level throttle fault when true.
    Raises Refusal for the batch as a whole: 1040, 2010, 2020, 2130, 2600.
    """
    with company.lock:
        items = _items(body, request_id)
        company.counters.batches += 1
        done: dict[str, Json] = {}
        if request_id and company.honours_request_id:
            done = company.batch_replies.setdefault((request_id, frozenset(item["bId"] for item in items)), {})
        if done:
            company.counters.replays += 1
        left = [item for item in items if item["bId"] not in done]
        answers = dict(done)
        for item in left[:only]:
            answer = {"bId": item["bId"], **(_throttled() if throttled() else _answer(company, item))}
            answers[item["bId"]] = answer
            if "Fault" not in answer or answer["Fault"]["Error"][0]["code"] != THROTTLED.code:
                done[item["bId"]] = answer
        return {"BatchItemResponse": [answers[item["bId"]] for item in items if item["bId"] in answers]}


def writes_names(body: bytes) -> bool:
    """Whether a batch holds a write to a list of names, which may not run beside another one."""
    return _NAME_ITEM.search(body) is not None


def _items(body: object, request_id: str) -> list[Json]:
    if not isinstance(body, dict) or not isinstance(body.get("BatchItemRequest"), list):
        raise missing("BatchItemRequest")
    for key in body:
        if key != "BatchItemRequest":
            raise unknown_property(key, "IntuitBatchRequest")
    items: list[Json] = body["BatchItemRequest"]
    if len(items) > MOST_ITEMS:
        raise Refusal("1040", f"Batch size exceeds allowed limit : {len(items)} items, at most {MOST_ITEMS} are allowed.")
    seen: set[str] = set()
    for item in items:
        item_id = item.get("bId") if isinstance(item, dict) else None
        if not isinstance(item_id, str) or not item_id:
            raise missing("bId")
        if len(item_id) > (LONGEST_ITEM_ID if request_id else 50):
            raise Refusal("2130", "Invalid Request Id Format : bId is too long", "bId")
        if item_id in seen:
            raise Refusal("2600", "Conflicting elements : bId is used twice", "bId")
        seen.add(item_id)
    return items


def _throttled() -> Json:
    return {"Fault": THROTTLED.fault()}


def _answer(company: QuickBooks, item: Json) -> Json:
    try:
        return _executed(company, item)
    except Refusal as refusal:
        return {"Fault": refusal.fault()}


def _executed(company: QuickBooks, item: Json) -> Json:
    if "Query" in item:
        return {"QueryResponse": query.run(company, str(item["Query"]))}
    entities = list(_entities(item))
    if len(entities) != 1:
        raise Refusal("2600", "Conflicting elements : an item of a batch holds one object.")
    entity = entities[0]
    operation, options = str(item.get("operation", "")), str(item.get("optionsData", ""))
    if operation not in ("create", "update", "delete", "void"):
        raise Refusal("2170", f"Invalid Enumeration : {operation}", "operation")
    return {entity: operations.write(company, entity, item[entity], operation=operation, include=options)}


def _entities(item: Json) -> Iterator[str]:
    for key in item:
        if key in _KNOWN:
            continue
        if key not in operations.WRITABLE_ENTITIES:
            raise unknown_property(key, "BatchItemRequest")
        yield key
