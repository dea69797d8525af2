"""Whether a transaction that was found in QuickBooks is the document that is intended. No I/O.

The ledger does not know what it was made from, so a difference may come from FreshBooks, or from a person in QuickBooks. One
that nobody has touched since it was created can only be older than FreshBooks' record; otherwise a person decides.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any

from fb_qbo_pipeline.ledger.posted import Posted
from fb_qbo_pipeline.mapping.documents import Document, Json
from fb_qbo_pipeline.posting.verify import content, differences, has_marker, money, stands


class Taken(StrEnum):
    """What to do with a found transaction."""

    SAME = "same"  # nothing to write
    MARK = "mark"  # taken over by a person's decision: our marker has to be written into its memo
    UPDATE = "update"
    HOLD = "hold"


def take_over(document: Document, body: Json, standing: Json) -> Taken:
    """The verdict about a transaction; `body` is what would be sent to create the document."""
    if not has_marker(standing, marker_of(document)):
        return Taken.MARK if not told(document, body, standing) else Taken.HOLD
    if stands(body, standing):
        return Taken.SAME
    if str(standing.get("SyncToken", "0")) == "0":
        return Taken.UPDATE
    return Taken.HOLD if told(document, body, standing) else Taken.SAME


def told(document: Document, body: Json, standing: Json) -> str:
    """What differs that counts in the books, in words; empty where nothing does."""
    found = [f"{d.field} {d.found} instead of {d.intended}" for d in differences(document, standing)]
    if str(standing.get("TxnDate"))[:10] != body.get("TxnDate"):
        found.append(f"date {standing.get('TxnDate')} instead of {body.get('TxnDate')}")
    parties = [name for name in ("CustomerRef", "VendorRef") if name in body]
    found += [f"another {name.removesuffix('Ref').lower()}" for name in parties if _id(standing, name) != _id(body, name)]
    return "; ".join(found)


def marking(document: Document, standing: Json) -> Json:
    """The change that writes our marker before whatever the memo holds; the rest of the transaction stays as it is."""
    note = f"{marker_of(document)} {standing.get('PrivateNote') or ''}".strip()[:4000]
    kept = {name: {"value": _id(standing, name)} for name in ("CustomerRef", "VendorRef") if name in standing}
    return kept | {"Id": str(standing["Id"]), "SyncToken": str(standing.get("SyncToken", "0")), "sparse": True, "PrivateNote": note}


def as_taken(posted: Posted, row: Mapping[Any, Any], standing: Json, run_id: str | None) -> Posted:
    """A found document after it proved to be what its staged row intends: from now on the ledger knows what it was made from."""
    return replace(
        posted,
        fingerprint=str(row["fingerprint"]),
        sync_token=str(standing.get("SyncToken", "0")),
        number=standing.get("DocNumber"),
        document_date=row["document_date"],
        total=money(standing, "TotalAmt"),
        tax=money(standing, "TxnTaxDetail", "TotalTax"),
        content=content(standing),
        run_id=run_id,
        drift="",
    )


def marker_of(document: Document) -> str:
    """The marker in a document's memo."""
    return str(document.body["PrivateNote"]).split(" ", 1)[0]


def _id(transaction: Json, name: str) -> object:
    return (transaction.get(name) or {}).get("value")
