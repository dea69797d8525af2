"""QuickBooks' query language: literals and statements.

The language knows no OR, no brackets and no NOT; one entity a statement. Literals stand in single quotes (booleans
bare), an apostrophe and a backslash are escaped with a backslash. Rows come in pages of at most 1,000; without an order
a page may repeat or miss rows, so every statement is ordered. List entities return active members only unless asked.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

PAGE = 1000  # QuickBooks' largest page

Value = str | bool | int | Decimal | date | datetime
Operator = Literal["=", "<", ">", "<=", ">=", "LIKE"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*)*")


def literal(value: Value) -> str:
    """A value as the language writes it. Instants need a time zone, because QuickBooks would take its own for a missing one."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("an instant in a query needs a time zone")
        return f"'{value.isoformat(timespec='seconds')}'"
    if isinstance(value, date):
        return f"'{value.isoformat()}'"
    if isinstance(value, Decimal):
        return f"'{value:f}'"
    if isinstance(value, int):
        return f"'{value}'"
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"no name of an entity or a property: {text!r}")
    return text


def compare(prop: str, operator: Operator, value: Value) -> str:
    """A condition such as `TxnDate >= '2025-01-31'`. In LIKE, `%` stands for any text and cannot be escaped."""
    return f"{_name(prop)} {operator} {literal(value)}"


def is_in(prop: str, values: Iterable[Value]) -> str:
    """A condition `prop IN (…)`; raises ValueError without values, which the language cannot express."""
    listed = ", ".join(literal(value) for value in values)
    if not listed:
        raise ValueError("IN needs a value")
    return f"{_name(prop)} IN ({listed})"


ACTIVE_OR_NOT = is_in("Active", (True, False))  # list members whether active or not


@dataclass(frozen=True, slots=True)
class Select:
    """A query of one entity. `where` holds conditions made by `compare` and `is_in`; all of them have to be met."""

    entity: str
    where: tuple[str, ...] = ()
    order: str = "Id"

    def also(self, *conditions: str) -> "Select":
        """The same query with more conditions."""
        return replace(self, where=(*self.where, *conditions))

    def page(self, start: int = 1, size: int = PAGE) -> str:
        """The statement of the page that begins with row `start` (the first is 1)."""
        if start < 1 or not 1 <= size <= PAGE:
            raise ValueError(f"no page of {size} rows from row {start}")
        return f"SELECT * FROM {self._source()} ORDERBY {_name(self.order)} STARTPOSITION {start} MAXRESULTS {size}"  # noqa: S608 - no SQL; literals are escaped

    def count(self) -> str:
        """The statement that counts the rows."""
        return f"SELECT COUNT(*) FROM {self._source()}"  # noqa: S608 - no SQL; literals are escaped

    def _source(self) -> str:
        conditions = f" WHERE {' AND '.join(self.where)}" if self.where else ""
        return f"{_name(self.entity)}{conditions}"


def in_groups(values: Iterable[str], longest: int = 1500) -> list[list[str]]:
    """Split `values` so that the literals of a group, written in a list, have at most `longest` characters.

    The statement travels in the address, and proxies cut addresses at about 8,000 characters after percent-encoding.
    """
    groups: list[list[str]] = []
    room = 0
    for value in values:
        need = len(literal(value)) + 2
        if not groups or need > room:
            groups.append([])
            room = longest
        groups[-1].append(value)
        room -= need
    return groups
