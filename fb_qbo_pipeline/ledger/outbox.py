"""Every write, committed before it is sent.

A row begins as `sent`, meaning that it may have been sent from now on, and ends as done, refused or withdrawn. What a crash
leaves as `sent` has an unknown outcome: the next run looks it up in QuickBooks before anything else is posted.
The body is kept byte for byte, so that a replay is identical.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from fb_qbo_pipeline.ledger.tables import outbox
from fb_qbo_pipeline.redaction import redact

SENT = "sent"
DONE = "done"
REFUSED = "refused"
WITHDRAWN = "withdrawn"  # never reached QuickBooks, as a look-up has shown


@dataclass(frozen=True, slots=True)
class Entry:
    """One write. `request_id` is shared by the items of one batch, which `bid` tells apart; `intent` is what is verified."""

    id: int
    request_id: str
    bid: str | None
    operation: str
    entity: str
    source: str
    source_id: int
    body: str
    intent: dict[str, Any]
    state: str
    run_id: str | None


_COLUMNS = [outbox.c[name] for name in Entry.__dataclass_fields__]


def new_request_id() -> str:
    """A fresh idempotency key: 36 characters, the most that a batch may have."""
    return str(uuid.uuid4())


class Outbox:
    """The outbox of one integration, on one connection."""

    def __init__(self, connection: Connection, integration: str) -> None:
        self._connection = connection
        self._integration = integration

    def prepare(self, rows: Sequence[dict[str, Any]]) -> list[Entry]:
        """Write the intents of one request (one row, or the rows of a batch). Commit before sending."""
        values = [{"integration": self._integration, "state": SENT} | row for row in rows]
        found = self._connection.execute(insert(outbox).returning(*_COLUMNS, sort_by_parameter_order=True), values)
        return [Entry(*row) for row in found]

    def mark(self, ids: Sequence[int], state: str, note: str = "") -> None:
        """End rows as done, refused or withdrawn."""
        self._connection.execute(
            update(outbox).where(outbox.c.id.in_(ids)).values(state=state, note=redact(note)[:2000], finished_at=func.now())
        )

    def unfinished(self) -> list[Entry]:
        """Rows whose outcome is not known, oldest first."""
        statement = select(*_COLUMNS).where(outbox.c.integration == self._integration, outbox.c.state == SENT)
        return [Entry(*row) for row in self._connection.execute(statement.order_by(outbox.c.id))]

    def size_of(self, request_id: str) -> int:
        """How many writes a request carries."""
        statement = select(func.count()).where(outbox.c.integration == self._integration, outbox.c.request_id == request_id)
        return int(self._connection.execute(statement).scalar_one())

    def of_document(self, source: str, source_id: int) -> list[Entry]:
        """Every write for one document, oldest first."""
        statement = select(*_COLUMNS).where(
            outbox.c.integration == self._integration, outbox.c.source == source, outbox.c.source_id == source_id
        )
        return [Entry(*row) for row in self._connection.execute(statement.order_by(outbox.c.id))]
