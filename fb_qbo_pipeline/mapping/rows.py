"""Mapping decisions as rows of the staged table, and back.

The fingerprint is taken over the intended document with its symbolic references: it changes when the content changes,
and not when QuickBooks' ids or a client's addresses do. An invoice in FreshBooks does not change when its client gets
another e-mail address, so neither does the one in QuickBooks, least of all in a closed period.
"""

import datetime as dt
from typing import Any

from fb_qbo_pipeline.json_text import fingerprint
from fb_qbo_pipeline.mapping.documents import Document, Entity, ItemRequest, Json, Mapped, PartyRequest, Source
from fb_qbo_pipeline.money import parse_decimal

_OF_THE_CLIENT = frozenset({"BillEmail"})


def to_row(mapped: Mapped, partition_date: dt.date) -> Json:
    """A row of `staged_document` (without `integration`); every column is present."""
    document = mapped.document
    return {
        "source": mapped.source.value,
        "source_id": mapped.source_id,
        "partition_date": partition_date,
        "outcome": mapped.outcome.value,
        "document_date": mapped.date,
        "label": mapped.label,
        "party": mapped.party,
        "amount": mapped.amount,
        "currency": mapped.currency,
        "entity": document.entity.value if document else None,
        "number": document.number if document else None,
        "total": document.total if document else None,
        "tax": document.tax if document else None,
        "balance": document.balance if document else None,
        "requires_invoice": document.requires_invoice if document else None,
        "fingerprint": document_fingerprint(document) if document else None,
        "document": document_to_json(document) if document else None,
        "problems": [{"code": p.code.value, "reason": p.reason, "remedy": p.remedy} for p in mapped.problems],
        "reason": mapped.reason,
        "notes": list(document.notes) if document else [],
    }


def document_fingerprint(document: Document) -> str:
    """Identity of the intended content."""
    content = {key: value for key, value in document.body.items() if key not in _OF_THE_CLIENT}
    return fingerprint([document.entity.value, document.number, document.total, content])


def document_to_json(document: Document) -> Json:
    """A JSON object; Decimals stay Decimals."""
    return _fields(document) | {
        "source": document.source.value,
        "entity": document.entity.value,
        "date": document.date.isoformat(),
        "parties": [_fields(party) for party in document.parties],
        "items": [_fields(item) for item in document.items],
    }


def _fields(value: Document | PartyRequest | ItemRequest) -> Json:
    """The fields by name. `dataclasses.asdict` would copy every value in depth: half of the time that mapping takes."""
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def document_from_json(values: Json) -> Document:
    """The document that `document_to_json` wrote."""
    return Document(
        source=Source(values["source"]),
        source_id=int(values["source_id"]),
        entity=Entity(values["entity"]),
        date=dt.date.fromisoformat(values["date"]),
        number=values["number"],
        currency=values["currency"],
        total=parse_decimal(values["total"]),
        tax=parse_decimal(values["tax"]),
        body=values["body"],
        balance=_optional_decimal(values["balance"]),
        parties=tuple(PartyRequest(**{**party, "aliases": tuple(party["aliases"])}) for party in values["parties"]),
        items=tuple(ItemRequest(**item) for item in values["items"]),
        requires_invoice=values["requires_invoice"],
        notes=tuple(values["notes"]),
    )


def _optional_decimal(value: Any) -> Any:
    return None if value is None else parse_decimal(value)
