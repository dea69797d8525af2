"""What goes wrong on this side, at a chosen request: a database session ends, a disk is full, another process steps in."""

import asyncio
import contextlib
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
