"""Lets FreshBooks answer records that mean nothing: what it sends is changed on its way, at any place and to any value."""

import json
from collections.abc import Callable
from typing import Any

from fb_qbo_pipeline_tests.pipeline.world import World

PLURALS = {
    "invoice": "invoices",
    "payment": "payments",
    "expense": "expenses",
    "client": "clients",
    "item": "items",
    "category": "categories",
}
_ID = {"invoice": "invoiceid", "payment": "logid", "expense": "expenseid", "client": "userid", "item": "itemid", "category": "categoryid"}


class OddFreshBooks:
    """Stands before the world's FreshBooks. `change`: what becomes of the record of that resource and id, in lists and alone."""

    def __init__(self, world: World) -> None:
        assert world.sandboxes.freshbooks.app is not None
        self._app = world.sandboxes.freshbooks.app
        self.changes: dict[tuple[str, int], Callable[[Any], Any]] = {}
        world.sandboxes.freshbooks.app = self

    def change(self, resource: str, record_id: int, changed: Callable[[Any], Any]) -> None:
        """Send `changed(record)` in the place of a record."""
        self.changes[resource, record_id] = changed

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not self.changes:
            await self._app(scope, receive, send)
            return
        sent: list[Any] = []

        async def keep(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, keep)
        body = b"".join(message.get("body", b"") for message in sent)
        start = next(message for message in sent if message["type"] == "http.response.start")
        body = self._changed(body)
        start["headers"] = [(key, value) for key, value in start["headers"] if key.lower() != b"content-length"]
        start["headers"].append((b"content-length", str(len(body)).encode()))
        await send(start)
        await send({"type": "http.response.body", "body": body})

    def _changed(self, body: bytes) -> bytes:
        try:
            answer = json.loads(body)
            result = answer["response"]["result"]
        except (ValueError, KeyError, TypeError):
            return body
        for (resource, record_id), changed in self.changes.items():
            own = _ID[resource]
            rows = result.get(PLURALS[resource])
            if isinstance(rows, list):
                rows[:] = [changed(row) if isinstance(row, dict) and row.get(own) == record_id else row for row in rows]
            one = result.get(resource)
            if isinstance(one, dict) and one.get(own) == record_id and isinstance(spoilt := changed(one), dict):
                result[resource] = spoilt
        return json.dumps(answer).encode()


def put(*path: str | int, value: Any) -> Callable[[Any], Any]:
    """A record with `value` at `path`; no path: `value` in the place of the record."""

    def changed(record: Any) -> Any:
        if not path:
            return value
        inner = record
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value
        return record

    return changed
