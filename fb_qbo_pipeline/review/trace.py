"""One document's story out of the ledger: what FreshBooks said, what was decided, what was sent, what stands."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import cast, func, or_, select
from sqlalchemy.types import Text

from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.ledger.tables import audit, exception, outbox, posted_document, raw_record, staged_document

Row = dict[str, Any]


@dataclass(frozen=True)
class Story:
    """Everything the ledger knows of a document; rows are those of its tables."""

    record: Row | None
    staged: Row
    posted: Row | None
    exceptions: list[Row]
    writes: list[Row]
    requests: list[Row]

    def to_json(self) -> Row:
        """Plain JSON; instants and dates become text when printed."""
        return {
            "freshbooks": self.record["payload"] if self.record else None,
            "mapping": {name: value for name, value in self.staged.items() if name != "integration"},
            "quickbooks": self.posted,
            "exceptions": self.exceptions,
            "writes": self.writes,
            "requests": self.requests,
        }


def stories(ledger: Ledger, number: str) -> list[Story]:
    """The documents with this FreshBooks number, QuickBooks number or FreshBooks id; mostly one and its payments."""
    columns = staged_document.c
    wanted = or_(
        func.lower(columns.label) == number.lower(), func.lower(columns.number) == number.lower(), cast(columns.source_id, Text) == number
    )
    with ledger.begin() as tx:
        statement = select(staged_document).where(columns.integration == ledger.integration, wanted)
        rows = [dict(row) for row in tx.connection.execute(statement.order_by(columns.source, columns.source_id)).mappings()]

        def of(table: Any, row: Row, source: str = "source") -> list[Row]:
            c = table.c
            mine = select(table).where(c.integration == ledger.integration, c[source] == row["source"], c.source_id == row["source_id"])
            return [dict(found) for found in tx.connection.execute(mine).mappings()]

        told = []
        for row in rows:
            writes = sorted(of(outbox, row), key=lambda write: write["id"])
            ids = [write["request_id"] for write in writes]
            calls = select(audit).where(audit.c.integration == ledger.integration, audit.c.request_id.in_(ids)).order_by(audit.c.id)
            requests = [dict(call) for call in tx.connection.execute(calls).mappings()]
            record, posted = of(raw_record, row, "resource"), of(posted_document, row)
            told.append(Story(record[0] if record else None, row, posted[0] if posted else None, of(exception, row), writes, requests))
    return told
