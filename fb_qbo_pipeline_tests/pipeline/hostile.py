"""QuickBooks' answers made odd on their way: the request was carried out, what comes back is something else."""

import json
from collections.abc import Callable
from typing import Any

import simplejson

from fb_qbo_pipeline_tests.pipeline.world import World

Json = dict[str, Any]
Change = Callable[[int, Any], tuple[int, Any]]
"""From status and body (JSON; None where it is none) to those that are answered; a body of bytes or text is sent as it is."""


def twist(world: World, path: str, change: Change, *, count: int | None = 1) -> list[str]:
    """Let the first `count` answers of QuickBooks to requests with `path` in "METHOD /path?query" be changed.

    Returns what was changed so far.
    """
    app = world.sandboxes.quickbooks.app
    assert app is not None
    changed: list[str] = []

    async def twisting(scope: Any, receive: Any, send: Any) -> None:
        target = f"{scope['method']} {scope['path']}?{scope.get('query_string', b'').decode()}"
        if path not in target or (count is not None and len(changed) >= count):
            await app(scope, receive, send)
            return
        changed.append(target)
        start: Json = {}
        body = b""

        async def keep(message: Any) -> None:
            nonlocal body
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                body += message.get("body", b"")

        await app(scope, receive, keep)
        try:
            parsed = simplejson.loads(body, use_decimal=True)
        except ValueError:
            parsed = None
        status, answer = change(int(start["status"]), parsed)
        if isinstance(answer, bytes | str):
            sent = answer.encode() if isinstance(answer, str) else answer
        else:
            sent = simplejson.dumps(answer, use_decimal=True, allow_nan=True).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(sent)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": sent})

    world.sandboxes.quickbooks.app = twisting
    return changed


def entities(body: Json) -> list[tuple[Json, str]]:
    """The transactions within an answer to a write or a batch, each as (holder, key)."""
    holders = body.get("BatchItemResponse", [body])
    return [(holder, key) for holder in holders for key, value in holder.items() if isinstance(value, dict) and key != "Fault"]


def with_fields(**fields: Any) -> Change:
    """Every transaction of the answer with other values."""

    def change(status: int, body: Any) -> tuple[int, Any]:
        for holder, key in entities(body):
            holder[key] |= fields
        return status, body

    return change


def without_fields(*names: str) -> Change:
    """Every transaction of the answer without some of its fields."""

    def change(status: int, body: Any) -> tuple[int, Any]:
        for holder, key in entities(body):
            for name in names:
                holder[key].pop(name, None)
        return status, body

    return change


def as_text(old: str, new: str) -> Change:
    """The answer's text with one spelling in the place of another, as JSON would not allow."""
    return lambda status, body: (status, simplejson.dumps(body, use_decimal=True).replace(old, new))


def of_another_type(status: int, body: Any) -> tuple[int, Any]:
    """Every transaction under another type's name."""
    for holder, key in entities(body):
        holder["Estimate"] = holder.pop(key)
    return status, body


def rotated(status: int, body: Any) -> tuple[int, Any]:
    """Each item of a batch with the answer of its neighbour."""
    items = body["BatchItemResponse"]
    ids = [item["bId"] for item in items]
    for item, bid in zip(items, ids[1:] + ids[:1], strict=True):
        item["bId"] = bid
    return status, body


def repeated(status: int, body: Any) -> tuple[int, Any]:
    """Each item of a batch twice."""
    return status, body | {"BatchItemResponse": body["BatchItemResponse"] * 2}


def halved(status: int, body: Any) -> tuple[int, Any]:
    """Only the first half of a batch's items."""
    items = body["BatchItemResponse"]
    return status, body | {"BatchItemResponse": items[: len(items) // 2]}


def renamed(status: int, body: Any) -> tuple[int, Any]:
    """Items that were not sent in the place of those that were."""
    for item in body["BatchItemResponse"]:
        item["bId"] = f"x{item['bId']}"
    return status, body


def refused(code: str, message: str = "no", detail: str = "") -> Change:
    """A definite refusal of what was carried out, of a request or of each item of a batch."""
    fault = {"Fault": {"type": "ValidationFault", "Error": [{"code": code, "Message": message, "Detail": detail}]}}

    def change(_status: int, body: Any) -> tuple[int, Any]:
        if "BatchItemResponse" in body:
            return 200, {"BatchItemResponse": [fault | {"bId": item["bId"]} for item in body["BatchItemResponse"]]}
        return 400, fault

    return change


def one_id_for_all(id: str) -> Change:
    """Every transaction under an id that another one has."""
    return with_fields(Id=id)


def deep(status: int, _body: Any) -> tuple[int, Any]:
    """Lists within lists without end."""
    return status, "[" * 100_000


def pretty(status: int, body: Any) -> tuple[int, Any]:
    """The same answer written otherwise: nothing is odd about it."""
    return status, json.dumps(json.loads(simplejson.dumps(body, use_decimal=True)), indent=2)
