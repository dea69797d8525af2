"""Rows in memory with their indexes: what a company's lists and transactions are kept in.

Rows are stored as QuickBooks would return them and are never changed in place: a write builds new rows and puts them all
at once after every rule has passed, so a refused request leaves no trace and an answer that was given can be replayed.
"""

import datetime as dt
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from fb_qbo_pipeline.sandbox.quickbooks.refusals import Json, inactive_reference, unknown_reference

PACIFIC = ZoneInfo("America/Los_Angeles")  # the offset of MetaData times, whatever the company's time zone
NAMES = ("Customer", "Vendor", "Employee")  # share one set of names and one sequence of ids
SALES = ("Invoice", "SalesReceipt", "CreditMemo", "RefundReceipt")
PURCHASES = ("Bill", "VendorCredit", "Purchase")
TRANSACTIONS = (*SALES, "Payment", *PURCHASES)
LISTS = (*NAMES, "Item", "Account", "Class", "Department", "PaymentMethod", "Term", "TaxCode", "TaxRate", "TaxAgency", "CompanyCurrency")
DELETED = " (deleted)"  # QuickBooks' suffix of an inactive member's name: it frees the name
KINDS = {"Customer": "Names", "Vendor": "Names", "Employee": "Names", "Class": "Klasses"}  # QuickBooks' words in fault 2500


def fold(name: str) -> str:
    """A name as QuickBooks compares names: without case and surrounding blanks."""
    return " ".join(name.split()).casefold()


@dataclass
class Counters:
    """What was asked of the company. A batch counts once as a batch, and each of its items as a read or a write."""

    reads: int = 0
    writes: int = 0
    batches: int = 0
    replays: int = 0  # requests answered from the store of request ids
    throttled: int = 0


class Store:
    """Tables, indexes, sequences and counters of one company. `clock` gives the present time, aware.

    All public methods may be called from any thread that holds `lock`; those that take it themselves say so.
    """

    def __init__(self, clock: Callable[[], dt.datetime]) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.counters = Counters()
        self.tables: dict[str, dict[str, Json]] = {entity: {} for entity in (*TRANSACTIONS, *LISTS)}
        self.deleted: dict[str, dict[str, str]] = defaultdict(dict)  # entity → id → when
        self.exchange_rates: dict[tuple[str, str], Decimal] = {}  # set by users: (currency, date) → home units
        self.replies: dict[tuple[str, ...], tuple[int, bytes]] = {}  # answers by request id
        self.batch_replies: dict[tuple[str, frozenset[str]], dict[str, Json]] = {}  # and of batches by item
        self.deposited: set[str] = set()  # ids of payments that sit in a bank deposit: locked (6540)
        self._sequences: dict[str, int] = defaultdict(int)
        self._last_number = 1000
        self._names: dict[tuple[str, str], tuple[str, str]] = {}
        self._numbers: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._born: dict[tuple[str, str], dt.datetime] = {}

    # ------------------------------------------------------------------------------------------------------- looking up

    def get(self, entity: str, row_id: str) -> Json | None:
        """A row by id, active or not."""
        return self.tables[entity].get(row_id)

    def rows(self, entity: str) -> list[Json]:
        """All rows of an entity in order of creation, inactive ones included. Not to be changed."""
        with self.lock:
            return list(self.tables[entity].values())

    def visible(self, entity: str, lag: float) -> Iterator[Json]:
        """The rows that a query sees now: without those younger than `lag` seconds."""
        rows = self.tables[entity].values()
        if not lag:
            return iter(rows)
        horizon = self.clock() - dt.timedelta(seconds=lag)
        return (row for row in rows if self._born[entity, row["Id"]] <= horizon)

    def named(self, entity: str, name: str) -> Json:
        """The active list member with this (fully qualified) name. Raises KeyError."""
        with self.lock:
            for row in self.tables[entity].values():
                if row["Active"] and name in (row.get("FullyQualifiedName"), row.get("DisplayName"), row.get("Name")):
                    return row
        raise KeyError(name)

    def require(self, entity: str, reference: Json, kind: str = "") -> Json:
        """The active row that a reference points to; raises Refusal 2500 (unknown) or 610 (inactive)."""
        kind = kind or KINDS.get(entity, f"{entity}s")
        row = self.tables[entity].get(reference["value"])
        if row is None:
            raise unknown_reference(kind, reference["value"])
        if not row.get("Active", True):
            raise inactive_reference(kind)
        return row

    def holder(self, space: str, name: str) -> tuple[str, str] | None:
        """Who has this name in a space of names: (entity, id)."""
        return self._names.get((space, fold(name)))

    def numbered(self, entity: str, number: str) -> set[str]:
        """Ids of the transactions of an entity with this DocNumber."""
        return self._numbers.get((entity, fold(number)), set())

    def today(self) -> dt.date:
        """The server's date: Pacific."""
        return self.clock().astimezone(PACIFIC).date()

    def timestamp(self, *, milliseconds: bool = False) -> str:
        """Now, as MetaData (seconds) or as the `time` of an answer (milliseconds)."""
        return self.clock().astimezone(PACIFIC).isoformat(timespec="milliseconds" if milliseconds else "seconds")

    # ---------------------------------------------------------------------------------------------------------- writing

    def next_id(self, entity: str) -> str:
        """A new id: transactions share one sequence, names another, every other list has its own."""
        sequence = "Transaction" if entity in TRANSACTIONS else "Name" if entity in NAMES else entity
        self._sequences[sequence] += 1
        return str(self._sequences[sequence])

    def next_number(self) -> str:
        """The next automatic number of the sales forms."""
        self._last_number += 1
        return str(self._last_number)

    def put(self, entity: str, row: Json) -> None:
        """Store a new version of a row, with its number, its name and its party's balance."""
        old = self.tables[entity].get(row["Id"])
        if old is None:
            self._born[entity, row["Id"]] = self.clock()
        else:
            self._forget(entity, old)
        self.tables[entity][row["Id"]] = row
        if number := row.get("DocNumber"):
            self._numbers[entity, fold(number)].add(row["Id"])
        if name := unique_name(entity, row):
            self._names[space_of(entity), fold(name)] = (entity, row["Id"])
        self._owe(entity, row, 1)

    def remove(self, entity: str, row_id: str) -> None:
        """Delete a transaction; change data capture shows the stub."""
        row = self.tables[entity].pop(row_id)
        self._forget(entity, row)
        self.deleted[entity][row_id] = self.timestamp()

    def touched(self, row: Json, **changes: Any) -> Json:
        """A new version of a row: changed, with the next SyncToken and a new LastUpdatedTime."""
        meta = {**row["MetaData"], "LastUpdatedTime": self.timestamp()}
        return {**row, **changes, "SyncToken": str(int(row["SyncToken"]) + 1), "MetaData": meta}

    def stamped(self, row_id: str, content: Json, previous: Json | None) -> Json:
        """A whole row from its content: Id, SyncToken and MetaData as a create or an update gives them."""
        now = self.timestamp()
        created = previous["MetaData"]["CreateTime"] if previous else now
        token = int(previous["SyncToken"]) + 1 if previous else 0
        return {
            **content,
            "Id": row_id,
            "SyncToken": str(token),
            "domain": "QBO",
            "sparse": False,
            "MetaData": {"CreateTime": created, "LastUpdatedTime": now},
        }

    def edit(self, entity: str, row_id: str, **changes: Any) -> Json:
        """Change a row as somebody would in QuickBooks' own screens: no rule is asked. Returns the new version."""
        with self.lock:
            row = self.touched(self.tables[entity][row_id], **changes)
            self.put(entity, row)
            return row

    def deactivate(self, entity: str, row_id: str) -> Json:
        """Make a list member inactive as QuickBooks' screens do: its name gets the suffix."""
        row = self.tables[entity][row_id]
        names = {key: row[key] + DELETED for key in ("DisplayName", "Name", "FullyQualifiedName") if key in row}
        return self.edit(entity, row_id, Active=False, **names)

    def add(self, entity: str, **content: Any) -> Json:
        """Add a list member without asking any rule; returns the row."""
        with self.lock:
            row = self.stamped(self.next_id(entity), {"Active": True, **content}, None)
            self.put(entity, row)
            return row

    # --------------------------------------------------------------------------------------------------------- internals

    def _forget(self, entity: str, row: Json) -> None:
        if number := row.get("DocNumber"):
            self._numbers[entity, fold(number)].discard(row["Id"])
        if (name := unique_name(entity, row)) and self.holder(space_of(entity), name) == (entity, row["Id"]):
            del self._names[space_of(entity), fold(name)]
        self._owe(entity, row, -1)

    def _owe(self, entity: str, row: Json, sign: int) -> None:
        """Add what a transaction leaves open to its customer's or vendor's balance; the party's SyncToken stays."""
        open_key, weight = _OPEN.get(entity, ("", 0))
        reference = row.get("CustomerRef") or row.get("VendorRef")
        if not weight or reference is None or not row[open_key]:
            return
        table = self.tables["Vendor" if "VendorRef" in row else "Customer"]
        party = table[reference["value"]]
        table[party["Id"]] = {**party, "Balance": party["Balance"] + sign * weight * row[open_key]}


_OPEN = {"Invoice": ("Balance", 1), "CreditMemo": ("Balance", -1), "Payment": ("UnappliedAmt", -1), "Bill": ("Balance", 1)}
_OPEN["VendorCredit"] = ("Balance", -1)


def space_of(entity: str) -> str:
    """The space in which a list member's name has to be unique."""
    return "Names" if entity in NAMES else entity


def unique_name(entity: str, row: Json) -> str | None:
    """The name that has to be unique: the full name where lists are trees, except for items."""
    if entity in NAMES:
        return str(row["DisplayName"])
    if entity in ("Account", "Class", "Department"):
        return str(row["FullyQualifiedName"])
    return str(row["Name"]) if entity in ("Item", "PaymentMethod", "Term") else None
