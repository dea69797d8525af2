"""The mirror of the QuickBooks lists, and the cursors of all feeds."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from fb_qbo_pipeline.ledger.tables import company_list, cursor

Json = dict[str, Any]


class CompanyLists:
    """QuickBooks' lists of one integration as last read, on one connection."""

    def __init__(self, connection: Connection, integration: str) -> None:
        self._connection = connection
        self._integration = integration

    def replace(self, entity: str, members: Iterable[Json]) -> None:
        """Make `members` the whole list of `entity`."""
        self._connection.execute(
            delete(company_list).where(company_list.c.integration == self._integration, company_list.c.entity == entity)
        )
        self.merge(entity, members)

    def merge(self, entity: str, members: Iterable[Json]) -> None:
        """Add or replace single members, by their Id."""
        rows = [{"integration": self._integration, "entity": entity, "qbo_id": str(m.get("Id", "")), "payload": m} for m in members]
        if rows:
            statement = insert(company_list)
            self._connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["integration", "entity", "qbo_id"], set_={"payload": statement.excluded.payload}
                ),
                rows,
            )

    def all(self) -> dict[str, Sequence[Json]]:
        """Every mirrored list by entity, members in the order of their ids."""
        found: dict[str, list[Json]] = {}
        statement = select(company_list.c.entity, company_list.c.payload).where(company_list.c.integration == self._integration)
        for entity, payload in self._connection.execute(statement.order_by(func.length(company_list.c.qbo_id), company_list.c.qbo_id)):
            found.setdefault(entity, []).append(payload)
        return dict(found)


class Cursors:
    """Named marks of one integration: how far a feed was read, what the settings were. Values are JSON."""

    def __init__(self, connection: Connection, integration: str) -> None:
        self._connection = connection
        self._integration = integration

    def get(self, name: str) -> Any:
        """The value, None if there is none."""
        statement = select(cursor.c.value).where(cursor.c.integration == self._integration, cursor.c.name == name)
        return self._connection.execute(statement).scalar_one_or_none()

    def set(self, name: str, value: Any) -> None:
        """Store a value."""
        statement = insert(cursor).values(integration=self._integration, name=name, value=value)
        self._connection.execute(
            statement.on_conflict_do_update(index_elements=["integration", "name"], set_={"value": value, "changed_at": func.now()})
        )

    def instant(self, name: str) -> dt.datetime | None:
        """A stored instant."""
        value = self.get(name)
        return dt.datetime.fromisoformat(value) if value else None

    def set_instant(self, name: str, value: dt.datetime) -> None:
        """Store an instant, in UTC."""
        self.set(name, value.astimezone(dt.UTC).isoformat())
