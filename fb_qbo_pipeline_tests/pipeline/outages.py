"""What goes wrong around the product, at a chosen request.

A database session ends, a disk is full, another process steps in, a proxy delivers a request twice or late.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Engine, text

from fb_qbo_pipeline_tests.pipeline.world import World

_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
_HOLDERS = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"


def end_sessions(engine: Engine, *, holders_only: bool = False) -> None:
    """End every other session of the database, as a restart does; or only those that hold a lock."""
    with engine.connect() as connection:
        connection.execute(text(_HOLDERS if holders_only else _SESSIONS))


@contextlib.contextmanager
def full_disk(engine: Engine, table: str) -> Iterator[None]:
    """Let the server answer an insert into a table of the ledger as it does when its disk is full."""
    body = "BEGIN RAISE EXCEPTION USING ERRCODE = '53100', MESSAGE = 'could not extend file: No space left on device'; END"
    with engine.begin() as connection:
        connection.execute(text(f"CREATE FUNCTION fb_qbo.full_disk() RETURNS trigger LANGUAGE plpgsql AS $${body}$$"))
        connection.execute(text(f"CREATE TRIGGER full_disk BEFORE INSERT ON fb_qbo.{table} EXECUTE FUNCTION fb_qbo.full_disk()"))
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.execute(text("DROP FUNCTION fb_qbo.full_disk() CASCADE"))


def at_request(world: World, path: str, happens: Callable[[], None], *, answered: bool = False, skip: int = 0) -> None:
    """Let something happen at the first request to either side with `path` in it (the one after `skip`).

    That is before it is worked on, or when it is `answered`. Other requests are served meanwhile.
    """
    side = world.sandboxes.freshbooks if "/accounting/" in path else world.sandboxes.quickbooks
    app = side.app
    assert app is not None
    left = skip + 1

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        nonlocal left
        strikes = False
        if path in f"{scope['method']} {scope['path']}":
            left -= 1
            strikes = left == 0

        async def sent(message: Any) -> None:
            if strikes and answered and message["type"] == "http.response.start":
                await asyncio.to_thread(happens)
            await send(message)

        if strikes and not answered:
            await asyncio.to_thread(happens)
        await app(scope, receive, sent)

    side.app = watched


def deliver_twice(world: World, path: str, *, every: int = 1) -> list[str]:
    """As a proxy that repeats what it takes for lost: each so many-th request to QuickBooks with `path` arrives twice.

    The product gets the second answer. Returns what was repeated so far.
    """
    app = world.sandboxes.quickbooks.app
    assert app is not None
    matching = itertools.count(1)
    repeated: list[str] = []

    async def repeating(scope: Any, receive: Any, send: Any) -> None:
        if path not in f"{scope['method']} {scope['path']}" or next(matching) % every:
            await app(scope, receive, send)
            return
        body = await _body(receive)
        repeated.append(scope["path"])
        await app(scope, _once(body), _dropped)
        await app(scope, _once(body), send)

    world.sandboxes.quickbooks.app = repeating
    return repeated


def deliver_late(world: World, path: str) -> list[str]:
    """As a proxy that gives up on the first request with `path`, and delivers it after the next one all the same.

    Returns what was delivered late so far.
    """
    app = world.sandboxes.quickbooks.app
    assert app is not None
    kept: list[tuple[Any, bytes]] = []
    seen = itertools.count(1)
    repeated: list[str] = []

    async def delaying(scope: Any, receive: Any, send: Any) -> None:
        number = next(seen) if path in f"{scope['method']} {scope['path']}" else 0
        if number == 1:
            kept.append((scope, await _body(receive)))
            await send({"type": "http.response.start", "status": 504, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await app(scope, receive, send)
        if number == 2:
            late, body = kept.pop()
            repeated.append(late["path"])
            await app(late, _once(body), _dropped)

    world.sandboxes.quickbooks.app = delaying
    return repeated


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
