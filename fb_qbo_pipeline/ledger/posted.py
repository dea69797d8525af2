"""What stands in QuickBooks, as the pipeline last saw it, and which QuickBooks record each FreshBooks thing became."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from fb_qbo_pipeline.ledger.tables import link, posted_document, raw_record
from fb_qbo_pipeline.money import ZERO

POSTED = "posted"
VOIDED = "voided"  # stands there with zero amounts
DELETED = "deleted"  # does not stand there any more

DIFFERS = "differs"  # the fingerprint of what stands there otherwise than it was intended

GONE_BY_HAND = "it was deleted"  # the drift of what a person has deleted in QuickBooks
VOIDED_BY_HAND = "it was voided"


@dataclass(frozen=True, slots=True)
class Posted:
    """A document of ours in QuickBooks. `total` and `tax` as QuickBooks returned them.

    An empty `fingerprint`: found there; what it was made from is not known. `drift`: what a person has changed there since, and
    `drift_total` the total that QuickBooks has shown since then.
    """

    source: str
    source_id: int
    entity: str
    qbo_id: str
    sync_token: str
    number: str | None
    document_date: dt.date
    currency: str
    total: Decimal
    tax: Decimal
    state: str
    fingerprint: str
    content: str = ""
    adopted: bool = False
    run_id: str | None = None
    drift: str = ""
    drift_total: Decimal | None = None

    @property
    def stands(self) -> bool:
        """Whether it counts in QuickBooks' books: posted, and neither deleted nor voided there by a person since."""
        return self.state == POSTED and self.drift not in (GONE_BY_HAND, VOIDED_BY_HAND)

    @property
    def present_total(self) -> Decimal:
        """The total as QuickBooks shows it now, as far as that is known; zero where it does not stand there any more."""
        if not self.stands:
            return ZERO
        return self.drift_total if self.drift and self.drift_total is not None else self.total

    @property
    def signed_total(self) -> Decimal:
        """The present total as FreshBooks counts it: a vendor credit is a negative expense."""
        return -self.present_total if self.entity == "VendorCredit" else self.present_total


_FIELDS = tuple(Posted.__dataclass_fields__)


class PostedDocuments:
    """The posted documents of one integration, on one connection."""

    def __init__(self, connection: Connection, integration: str) -> None:
        self._connection = connection
        self._integration = integration

    def save(self, documents: Sequence[Posted]) -> None:
        """Record what stands in QuickBooks now."""
        if not documents:
            return
        statement = insert(posted_document)
        changed: dict[str, Any] = {name: statement.excluded[name] for name in _FIELDS if name not in ("source", "source_id")}
        changed["adopted"] = posted_document.c.adopted | statement.excluded.adopted  # once found, not created: for ever
        rows = [{"integration": self._integration} | {name: getattr(one, name) for name in _FIELDS} for one in documents]
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["integration", "source", "source_id"], set_=changed | {"changed_at": func.now()}
            ),
            rows,
        )

    def by_ids(self, source: str, ids: Collection[int]) -> dict[int, Posted]:
        """Documents by source id."""
        if not ids:
            return {}
        return {d.source_id: d for d in self._select(posted_document.c.source == source, posted_document.c.source_id.in_(ids))}

    def by_qbo_ids(self, entity: str, ids: Collection[str]) -> dict[str, Posted]:
        """Documents by QuickBooks id."""
        if not ids:
            return {}
        return {d.qbo_id: d for d in self._select(posted_document.c.entity == entity, posted_document.c.qbo_id.in_(ids))}

    def unapplied(self, invoice_id: int) -> None:
        """Record that QuickBooks has set the payments of a FreshBooks invoice free: they are sent again when it stands once more."""
        columns = posted_document.c
        known = (columns.integration == self._integration) & (columns.fingerprint != "")
        self._connection.execute(update(posted_document).where(known, self._pays(invoice_id)).values(fingerprint=DIFFERS))

    def payments_of(self, invoice_id: int) -> list[Posted]:
        """The payments of a FreshBooks invoice that stand in QuickBooks."""
        return self._select(self._pays(invoice_id))

    def _pays(self, invoice_id: int) -> ColumnElement[bool]:
        columns, raw = posted_document.c, raw_record.c
        paid_by = select(raw.source_id).where(raw.integration == self._integration, raw.resource == "payment", raw.invoice_id == invoice_id)
        return (columns.source == "payment") & (columns.state == POSTED) & columns.source_id.in_(paid_by)

    def observed(self, document: Posted, sync_token: str, drift: str, total: Decimal | None = None) -> None:
        """Record what QuickBooks says of a posted document now; `total`: what it shows where a person has changed the document."""
        columns = posted_document.c
        statement = update(posted_document).where(
            columns.integration == self._integration, columns.source == document.source, columns.source_id == document.source_id
        )
        # Over a person's change our own token stays: an update must be refused, whatever else is overlooked.
        self._connection.execute(statement.values(drift=drift, drift_total=total, sync_token=document.sync_token if drift else sync_token))

    def drifted(self, source: str, start: dt.date, end: dt.date) -> bool:
        """Whether a person has changed a document of a source dated from `start` to `end`."""
        columns = posted_document.c
        return bool(self._select(columns.source == source, columns.document_date.between(start, end), columns.drift != ""))

    def in_dates(self, start: dt.date, end: dt.date) -> list[Posted]:
        """Documents dated from `start` to `end`."""
        return self._select(posted_document.c.document_date.between(start, end))

    def numbers(self, numbers: Collection[str]) -> dict[tuple[str, str], int]:
        """Which document holds (entity, number in lower case) in QuickBooks."""
        if not numbers:
            return {}
        found = self._select(func.lower(posted_document.c.number).in_([n.lower() for n in numbers]), posted_document.c.state == POSTED)
        return {(d.entity, (d.number or "").lower()): d.source_id for d in found}

    def standing_numbers(self, numbers: Collection[str]) -> list[tuple[str, str]]:
        """Entity and number of every document that stands in QuickBooks under one of these numbers, whatever its case."""
        if not numbers:
            return []
        columns = posted_document.c
        folded = [number.lower() for number in numbers]
        statement = select(columns.entity, columns.number).where(
            columns.integration == self._integration, columns.state == POSTED, func.lower(columns.number).in_(folded)
        )
        return [(entity, number) for entity, number in self._connection.execute(statement)]

    def _select(self, *conditions: object) -> list[Posted]:
        columns = [posted_document.c[name] for name in _FIELDS]
        statement = select(*columns).where(posted_document.c.integration == self._integration, *conditions)  # type: ignore[arg-type]
        return [Posted(*row) for row in self._connection.execute(statement.order_by(posted_document.c.source_id))]


@dataclass(frozen=True, slots=True)
class Link:
    """A customer, vendor or item: the key on the FreshBooks side and the id in QuickBooks."""

    kind: str
    key: str
    qbo_id: str
    name: str
    created: bool


class Links:
    """The links of one integration, on one connection."""

    def __init__(self, connection: Connection, integration: str) -> None:
        self._connection = connection
        self._integration = integration

    def all(self, kind: str) -> dict[str, Link]:
        """Links of a kind by key."""
        columns = link.c
        rows = self._connection.execute(
            select(columns.kind, columns.key, columns.qbo_id, columns.name, columns.created).where(
                columns.integration == self._integration, columns.kind == kind
            )
        )
        return {row[1]: Link(*row) for row in rows}

    def save(self, entry: Link) -> None:
        """Remember a link; a newer one replaces it."""
        statement = insert(link).values(
            integration=self._integration, kind=entry.kind, key=entry.key, qbo_id=entry.qbo_id, name=entry.name, created=entry.created
        )
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["integration", "kind", "key"],
                set_={name: statement.excluded[name] for name in ("qbo_id", "name", "created")} | {"linked_at": func.now()},
            )
        )
