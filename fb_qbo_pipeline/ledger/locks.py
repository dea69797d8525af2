"""Locks of the whole deployment: Postgres' advisory locks, held by a session and lost with it.

A killed process leaves none behind, because the server releases them when the connection ends, however it ends. The other side
of that: a connection can end without its process (a restart of the server, a time-out of idle sessions, a broken network), and
then somebody else may get the lock while the former holder still works. So whoever acts under a lock asks `holds` on the lock's
own connection, in the transaction that precedes the act.

Waiting is polling: a call that blocks within the server cannot be ended with Ctrl-C.
"""

import contextlib
import hashlib
import logging
import time
from collections.abc import Callable, Iterator

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from fb_qbo_pipeline.errors import ConfigurationError, Unreachable

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.2
_HELD_BY_THIS_SESSION = text(
    "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()"
    " AND objsubid = 1 AND (classid::bigint << 32 | objid::bigint) = :key)"
)


@contextlib.contextmanager
def advisory_lock(
    connection: Connection, name: str, *, wait_seconds: float | None = None, on_wait: Callable[[], None] | None = None
) -> Iterator[None]:
    """Hold the session-wide advisory lock `name` on this connection; `on_wait` is called once where it is not free at once.

    Waits for ever, or raises Unreachable after `wait_seconds`. Raises ConfigurationError behind a pooler that hands out sessions
    by transaction: there a lock belongs to nobody.
    """
    _acquire(connection, name, wait_seconds, on_wait)
    try:
        yield
    finally:
        _release(connection, name)


def holds(connection: Connection, name: str) -> bool:
    """Whether the session of this connection has the lock `name`: not after it was lost and opened anew."""
    return bool(connection.execute(_HELD_BY_THIS_SESSION, {"key": _lock_key(name)}).scalar())


def is_locked(connection: Connection, name: str) -> bool:
    """Whether anybody holds the advisory lock `name`."""
    key = {"key": _lock_key(name)}
    free = bool(connection.execute(text("SELECT pg_try_advisory_lock(:key)"), key).scalar())
    if free:
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)
    connection.commit()
    return not free


def _lock_key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def _acquire(connection: Connection, name: str, wait_seconds: float | None, on_wait: Callable[[], None] | None) -> None:
    key = {"key": _lock_key(name)}
    if holds(connection, name):  # a session may take its lock again and again, so somebody else's would be ours, too
        raise ConfigurationError(
            "the database's pooler gives one session to several processes, so that locks keep nobody out",
            "set FB_QBO_DATABASE_URL to the server itself, or let the pooler keep sessions (PgBouncer: pool_mode = session)",
        )
    deadline = None if wait_seconds is None else time.monotonic() + wait_seconds
    waits = False
    while not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), key).scalar():
        connection.commit()
        if deadline is not None and time.monotonic() > deadline:
            raise Unreachable(f"another process holds {name}", "wait until it has finished, or stop it")
        if not waits and on_wait is not None:
            on_wait()
        waits = True
        time.sleep(_POLL_SECONDS)
    connection.commit()


def _release(connection: Connection, name: str) -> None:
    if connection.closed or connection.invalidated:
        return
    try:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _lock_key(name)})
        connection.commit()
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        log.warning("the database connection that held %s had ended, and the lock with it", name)
