"""What people have decided about documents: by whom, when, about which content. Rows are only added."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from fb_qbo_pipeline.ledger.tables import decision

POST = "post"  # post it, although something in QuickBooks speaks against it


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision. `fingerprint`: of the document that it is about; another content is another question."""

    kind: str
    source: str
    source_id: int
    fingerprint: str
    decided_by: str
    note: str = ""


class Decisions:
    """The decisions about the documents of one integration, on one connection."""

    def __init__(self, connection: Connection, integration: str) -> None:
        self._connection = connection
        self._integration = integration

    def add(self, one: Decision) -> None:
        """Keep a decision."""
        values = {name: getattr(one, name) for name in Decision.__dataclass_fields__}
        self._connection.execute(insert(decision).values(integration=self._integration, **values))

    def fingerprints(self, kind: str, source: str, ids: Collection[int]) -> set[tuple[int, str]]:
        """Which contents of these documents there is such a decision about: source id and fingerprint."""
        if not ids:
            return set()
        columns = decision.c
        statement = select(columns.source_id, columns.fingerprint).where(
            columns.integration == self._integration, columns.kind == kind, columns.source == source, columns.source_id.in_(ids)
        )
        return {(source_id, fingerprint) for source_id, fingerprint in self._connection.execute(statement)}
