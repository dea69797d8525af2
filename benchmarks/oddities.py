"""Odd answers of QuickBooks and odd records of FreshBooks, by chance from a seed.

What is left out is what nobody could notice: a well-formed answer that lies, such as an amount, a memo or an id that another
document could have. TLS keeps those out; everything else can come from a proxy, a cache, an overloaded service or a bug.
"""

import asyncio
import copy
import random
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import simplejson

Json = dict[str, Any]
App = Callable[..., Any]

ODD_VALUES: tuple[Any, ...] = (
    None, True, [], {}, [None], [{}], {"value": None}, "", " ", "much", "NaN", "Infinity", "1e3", "1_000", "１２", "0x10", "--1", "1,5",
    "2026-13-45", "\u202egnp", "\x1b[31m", "x" * 6000, -1, 2**70, Decimal("1e27"), Decimal("1e999999"), Decimal("-0.000000001"),
)  # fmt: skip
OF_RECORDS = tuple(str(value) if isinstance(value, Decimal) else value for value in (*ODD_VALUES, 10**27, 0.5))  # FreshBooks writes texts
REFUSALS = ("2050", "2500", "610", "6000", "6140", "6210", "6240", "4000", "2020", "987654")
_HIDING = ("PrivateNote", "DocNumber", "TxnDate", "Id")  # in a row of a query these say which document it is
_OF_TRANSACTIONS = ("TotalAmt", "Line", "TxnTaxDetail", "CurrencyRef", "MetaData", "SyncToken", "CustomerRef", "DueDate")


class OddQuickBooks:
    """An ASGI application in front of QuickBooks that spoils answers, and sometimes requests, at a rate. `struck` counts how."""

    def __init__(self, app: App, chance: random.Random, reads: float, writes: float) -> None:
        self._app, self._chance = app, chance
        self._rates = {"GET": reads, "POST": writes}
        self.struck: Counter[str] = Counter()
        self._late: list[tuple[Any, bytes]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer, oddly or as QuickBooks does."""
        path = scope.get("path", "")
        if "/v3/" not in path or self._chance.random() >= self._rates[scope["method"]]:
            await self._app(scope, receive, send)
            return
        body = await _body(receive)
        write = scope["method"] == "POST"
        kinds = list(_WRITES if write else _READS)
        if write and path.endswith("/batch"):
            kinds += _BATCHES
        kind = self._chance.choice(kinds)
        self.struck[f"{'write' if write else 'read'}: {kind}"] += 1
        if kind == "lost on its way":
            return  # nothing was done, and the connection breaks without an answer
        if kind == "refused by a gateway":
            await _answer(send, 502, b"<html><body>Bad gateway</body></html>")
            return
        if kind == "throttled":
            odd = self._chance.choice(["1", "-7", "1e999", "NaN", "soon", "Fri, 31 Dec 9999 23:59:59 GMT"])
            await _answer(send, 429, b"", (b"retry-after", odd.encode()))
            return
        if kind == "delivered late":
            self._late.append((scope, body))
            await _answer(send, 504, b"")
            await asyncio.sleep(0)
            return
        if kind == "delivered twice":
            await self._app(scope, _once(body), _dropped)
        status, answer = await self._done(scope, body)
        while write and self._late:
            late, late_body = self._late.pop()
            await self._app(late, _once(late_body), _dropped)
        if kind == "answer lost":
            return
        status, answer, *headers = self._spoilt(kind, status, answer)
        await _answer(send, status, answer, *headers)

    async def catch_up(self) -> None:
        """Deliver what a proxy still keeps."""
        while self._late:
            late, body = self._late.pop()
            await self._app(late, _once(body), _dropped)

    async def _done(self, scope: Any, body: bytes) -> tuple[int, bytes]:
        status, answer = 0, b""

        async def keep(message: Any) -> None:
            nonlocal status, answer
            if message["type"] == "http.response.start":
                status = int(message["status"])
            answer += message.get("body", b"")

        await self._app(scope, _once(body), keep)
        return status, answer

    def _spoilt(self, kind: str, status: int, answer: bytes) -> tuple[Any, ...]:
        """Status and body, and headers, of an answer after something has happened to it."""
        chance = self._chance
        if kind == "cut":
            return status, answer[: chance.randrange(max(1, len(answer)))]
        if kind == "its middle gone":
            cut = chance.randrange(max(1, len(answer)))
            return status, answer[:cut] + b"\xff\x00{" + answer[cut + chance.randrange(1, 40) :]
        if kind == "a page in HTML":
            return 200, b"<!DOCTYPE html><html><body>Sign in to the network</body></html>"
        if kind == "empty":
            return chance.choice([200, 204, 500, 503]), b""
        if kind == "moved":
            return 302, b"", (b"location", b"http://127.0.0.1:9/elsewhere")
        if kind == "nested without end":
            return 200, b'{"a":[' * 50_000
        if kind == "a fault under status 200":
            return 200, simplejson.dumps(_fault(chance.choice(REFUSALS))).encode()
        if kind == "an unreadable fault":
            return 400, b"<Error>" * 20_000
        try:
            parsed = simplejson.loads(answer, use_decimal=True)
        except ValueError:
            return status, answer
        changed = _CHANGES[kind](parsed, chance)
        if isinstance(changed, tuple):
            return changed[0], simplejson.dumps(changed[1], use_decimal=True).encode()
        return status, simplejson.dumps(changed, use_decimal=True, allow_nan=True).encode()


class OddFreshBooks:
    """An ASGI application in front of FreshBooks that sends some records with other values; `values` by resource and id."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.values: dict[tuple[str, int], Json] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer as FreshBooks does, but for those records."""
        if "/accounting/" not in scope.get("path", ""):
            await self._app(scope, receive, send)
            return
        start: Json = {}
        body = b""

        async def keep(message: Any) -> None:
            nonlocal body
            if message["type"] == "http.response.start":
                start.update(message)
            body += message.get("body", b"")

        await self._app(scope, receive, keep)
        await _answer(send, int(start["status"]), self._spoilt(body))

    def _spoilt(self, body: bytes) -> bytes:
        try:
            parsed = simplejson.loads(body, use_decimal=True)
        except ValueError:
            return body
        result = (parsed.get("response") or {}).get("result") or {}
        for (resource, record_id), values in self.values.items():
            rows = [*(result.get(f"{resource}s") or []), *([result[resource]] if resource in result else [])]
            for row in rows:
                if row.get("id") == record_id:
                    row.update(copy.deepcopy(values))
        return simplejson.dumps(parsed, use_decimal=True).encode()


def _fault(code: str) -> Json:
    return {"Fault": {"type": "ValidationFault", "Error": [{"code": code, "Message": "no", "Detail": "no"}]}}


def _entities(body: Json) -> list[tuple[Json, str]]:
    holders = body.get("BatchItemResponse", [body])
    return [(holder, key) for holder in holders for key, value in holder.items() if isinstance(value, dict) and key != "Fault"]


def _wrong_type(body: Json, chance: random.Random) -> Json:
    for holder, key in _entities(body):
        entity = holder[key]
        if entity and chance.random() < 0.7:
            name = chance.choice(list(entity))
            if name == "Id":
                entity[name] = chance.choice([None, {}, [], True, "much", ""])
            elif name == "PrivateNote":
                del entity[name]
            else:
                entity[name] = copy.deepcopy(chance.choice(ODD_VALUES))
    return body


def _wrong_row(body: Json, chance: random.Random) -> Json:
    """In an answer to a query: its envelope, or what does not tell which document a row is."""
    response = body.get("QueryResponse")
    if not isinstance(response, dict) or chance.random() < 0.3:
        return {key: copy.deepcopy(chance.choice(ODD_VALUES)) for key in body}
    for name, rows in response.items():
        if isinstance(rows, list) and rows:
            if chance.random() < 0.3:
                response[name] = chance.choice([{"a": 1}, "rows", [None, *rows], [*rows, 7], [rows]])
            else:
                row = chance.choice(rows)
                if isinstance(row, dict):
                    row[chance.choice(_OF_TRANSACTIONS)] = copy.deepcopy(chance.choice(ODD_VALUES))
    return body


def _of_another_type(body: Json, _chance: random.Random) -> Json:
    for holder, key in _entities(body):
        holder["Estimate"] = holder.pop(key)
    return body


def _one_id(body: Json, _chance: random.Random) -> Json:
    found = _entities(body)
    for holder, key in found:
        if "Id" in holder[key]:
            holder[key]["Id"] = found[0][0][found[0][1]].get("Id")
    return body


def _short(body: Json, _chance: random.Random) -> Json:
    for holder, key in _entities(body):
        holder[key] = {name: value for name, value in holder[key].items() if name in ("Id", "SyncToken", "status", "domain")}
    return body


def _refused(body: Json, chance: random.Random) -> tuple[int, Json]:
    fault = _fault(chance.choice(REFUSALS))
    if "BatchItemResponse" in body:
        return 200, {"BatchItemResponse": [fault | {"bId": item.get("bId")} for item in body["BatchItemResponse"]]}
    return 400, fault


def _mixed(body: Json, chance: random.Random) -> Json:
    items = body.get("BatchItemResponse", [])
    ids = [item.get("bId") for item in items]
    chance.shuffle(ids)
    for item, bid in zip(items, ids, strict=True):
        item["bId"] = bid
    return body


def _half(body: Json, chance: random.Random) -> Json:
    items = body.get("BatchItemResponse", [])
    return body | {"BatchItemResponse": chance.sample(items, len(items) // 2)}


def _twice(body: Json, chance: random.Random) -> Json:
    items = body.get("BatchItemResponse", [])
    return body | {"BatchItemResponse": items + chance.sample(items, max(1, len(items) // 2)) if items else items}


_CHANGES: dict[str, Callable[[Json, random.Random], Any]] = {
    "wrong types": _wrong_type,
    "wrong rows": _wrong_row,
    "another type": _of_another_type,
    "one id for all": _one_id,
    "shortened": _short,
    "refused after the commit": _refused,
    "mixed up": _mixed,
    "half of it": _half,
    "twice": _twice,
    "delivered twice": lambda body, _chance: body,
}
_ANYWHERE = (
    "lost on its way",
    "answer lost",
    "refused by a gateway",
    "throttled",
    "cut",
    "its middle gone",
    "a page in HTML",
    "empty",
    "moved",
)
_READS = (*_ANYWHERE, "nested without end", "a fault under status 200", "an unreadable fault", "wrong rows")
_WRITES = (
    *_ANYWHERE,
    "nested without end",
    "a fault under status 200",
    "an unreadable fault",
    "wrong types",
    "another type",
    "shortened",
    "refused after the commit",
    "delivered twice",
    "delivered late",
)
_BATCHES = ("one id for all", "mixed up", "half of it", "twice")


def odd_record(record: Json, chance: random.Random) -> tuple[str, Json]:
    """A record with one value spoilt, its own id left alone: the path of that value, and what has to change at the top."""
    path: list[Any] = []
    holder: Any = record
    while True:
        keys = list(range(len(holder))) if isinstance(holder, list) else [key for key in holder if key not in _IDS or path]
        path.append(chance.choice(keys))
        inner = holder[path[-1]]
        if not (isinstance(inner, dict | list) and inner) or chance.random() < 0.3:
            break
        holder = inner
    changed = copy.deepcopy(record[path[0]])
    value = copy.deepcopy(chance.choice(OF_RECORDS))
    if len(path) == 1:
        changed = value
    else:
        within = changed
        for key in path[1:-1]:
            within = within[key]
        within[path[-1]] = value
    return "/".join(map(str, path)), {path[0]: changed}


_IDS = ("id", "invoiceid", "logid", "expenseid", "accounting_systemid")


async def _body(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


def _once(body: bytes) -> Callable[[], Any]:
    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _dropped(_message: Any) -> None:
    """Nobody hears the answer."""


async def _answer(send: Any, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", str(len(body)).encode()), *headers]})
    await send({"type": "http.response.body", "body": body})
