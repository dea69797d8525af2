"""The query language: one entity, AND only, a list of filterable properties, pages of at most a thousand.

A statement is parsed into a `Statement` (fault 4000 where it cannot be) and checked against what the entity allows to
filter (4001). Text compares without case; dates, times and numbers by value; list members that are inactive are left out
unless the statement speaks of Active.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any

from fb_qbo_pipeline.sandbox.quickbooks.company import company_info, preferences
from fb_qbo_pipeline.sandbox.quickbooks.refusals import Json, Refusal
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline.sandbox.quickbooks.store import LISTS

DEFAULT_PAGE, LARGEST_PAGE = 100, 1000

_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*')|(?P<op><=|>=|=|<|>)|(?P<mark>[(),*])|(?P<word>[^\s'(),*<>=]+))")
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: bool(a == b),
    "<": lambda a, b: bool(a < b),
    ">": lambda a, b: bool(a > b),
    "<=": lambda a, b: bool(a <= b),
    ">=": lambda a, b: bool(a >= b),
}

_COMMON = ("Id", "MetaData.CreateTime", "MetaData.LastUpdatedTime")
_SALE = ("DocNumber", "TxnDate", "CustomerRef", "TotalAmt", "Balance", "DueDate", "SalesTermRef", "DepartmentRef", "ClassRef")
_NAME = ("DisplayName", "GivenName", "FamilyName", "Active", "PrintOnCheckName", "PrimaryEmailAddr", "CompanyName", "Balance")
_TREE = ("Name", "FullyQualifiedName", "Active", "ParentRef")
FILTERABLE: dict[str, frozenset[str]] = {
    entity: frozenset((*_COMMON, *properties))
    for entity, properties in {
        **dict.fromkeys(("Invoice", "SalesReceipt", "CreditMemo", "RefundReceipt"), _SALE),
        "Payment": ("TxnDate", "CustomerRef", "TotalAmt", "UnappliedAmt", "PaymentRefNum", "PaymentMethodRef", "DepositToAccountRef"),
        **dict.fromkeys(("Bill", "VendorCredit"), ("DocNumber", "TxnDate", "DueDate", "VendorRef", "TotalAmt", "Balance", "APAccountRef")),
        "Purchase": ("DocNumber", "TxnDate", "TotalAmt", "PaymentType", "AccountRef"),
        "Customer": (*_NAME, "FullyQualifiedName", "ParentRef"),
        "Vendor": _NAME,
        "Employee": _NAME,
        "Item": (*_TREE, "Sku", "Type"),
        "Account": (*_TREE, "AccountType", "AccountSubType", "Classification", "SubAccount", "CurrentBalance", "Description"),
        "Class": _TREE,
        "Department": _TREE,
        "PaymentMethod": ("Name", "Active", "Type"),
        "Term": ("Name", "Active", "DueDays"),
        "TaxCode": ("Name", "Active", "Description", "Taxable", "TaxGroup"),
        "TaxRate": ("Name", "Active", "Description", "RateValue"),
        "TaxAgency": ("DisplayName", "Active"),
        "CompanyCurrency": ("Code", "Name", "Active"),
        "CompanyInfo": (),
        "Preferences": (),
    }.items()
}
_ENTITIES = {entity.casefold(): entity for entity in FILTERABLE}
_PROPERTIES = {entity: {name.casefold(): name for name in names} for entity, names in FILTERABLE.items()}
_NUMBERS = frozenset({"TotalAmt", "Balance", "UnappliedAmt", "DueDays", "RateValue", "CurrentBalance"})
_FLAGS = frozenset({"Active", "SubAccount", "Taxable", "TaxGroup"})
_PLAIN = frozenset({"Id", "DocNumber", "TxnDate", "DisplayName"})  # text at the top of a row: the shortest way to the value
_PREDICATE = Callable[[Json], bool]


@dataclass(slots=True)
class Condition:
    """`property operator values`; IN has any number of values, the others one. Values are (text, was it quoted)."""

    name: str
    operator: str
    values: list[tuple[str, bool]]


@dataclass(slots=True)
class Statement:
    """A parsed statement. `columns` is None for *; `order` holds (property, descending)."""

    entity: str
    columns: list[str] | None
    count: bool
    where: list[Condition]
    order: list[tuple[str, bool]]
    start: int = 1
    page: int = DEFAULT_PAGE


def run(company: QuickBooks, text: str) -> Json:
    """The QueryResponse of a statement; raises Refusal 4000 or 4001."""
    with company.lock:
        company.counters.reads += 1
        statement = parse(company, text)
        rows: Iterable[Json] = _rows(company, statement.entity)
        for predicate in _predicates(statement):
            rows = filter(predicate, rows)
        if statement.count:
            return {"totalCount": sum(1 for _ in rows)}
        for name, descending in reversed(statement.order):
            rows = sorted(rows, key=_sort_key(name), reverse=descending)
        found = list(islice(rows, statement.start - 1, statement.start - 1 + statement.page))
        if not found:
            return {}
        if statement.columns is not None:
            found = [_projected(row, statement.columns) for row in found]
        return {statement.entity: found, "startPosition": statement.start, "maxResults": len(found)}


# -------------------------------------------------------------------------------------------------------------- parsing


class _Tokens:
    """The words of a statement, read one after the other; whatever does not fit is fault 4000."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        position = 0
        while text[position:].strip():
            found = _TOKEN.match(text, position)
            if found is None:
                raise _parse_error(text[position : position + 20].strip())
            self.tokens.append((found.lastgroup or "", found.group(found.lastgroup or 0)))
            position = found.end()
        self.place = 0

    def peek(self) -> str:
        """The next token in lower case, "" at the end."""
        return self.tokens[self.place][1].casefold() if self.place < len(self.tokens) else ""

    def take(self, *kinds: str) -> str:
        """The next token, which has to be one of these kinds."""
        if self.place >= len(self.tokens):
            raise _parse_error("<EOF>")
        kind, text = self.tokens[self.place]
        if kinds and kind not in kinds:
            raise _parse_error(text)
        self.place += 1
        return text

    def accept(self, word: str) -> bool:
        """Skip the next token if it is this word."""
        if self.peek() != word:
            return False
        self.place += 1
        return True

    def expect(self, word: str) -> None:
        """Skip this word, which has to come now."""
        if not self.accept(word):
            raise _parse_error(self.peek() or "<EOF>")


def _parse_error(near: str) -> Refusal:
    return Refusal("4000", f'QueryParserError: Encountered " "{near}" "')


def _invalid(reason: str) -> Refusal:
    return Refusal("4001", f"QueryValidationError: {reason}")


def parse(company: QuickBooks, text: str) -> Statement:
    """A statement from its text; raises Refusal 4000 (grammar) or 4001 (entity, property, page)."""
    tokens = _Tokens(text)
    tokens.expect("select")
    columns, count = _columns(tokens)
    tokens.expect("from")
    name = tokens.take("word")
    entity = _ENTITIES.get(name.casefold())
    if entity is None or (entity not in company.tables and entity not in ("CompanyInfo", "Preferences")):
        raise _invalid(f"unknown entity {name}")
    statement = Statement(entity, columns, count, [], [])
    if tokens.accept("where"):
        statement.where.append(_condition(tokens, entity))
        while tokens.accept("and"):
            statement.where.append(_condition(tokens, entity))
    if tokens.accept("orderby") or (tokens.accept("order") and tokens.accept("by")):
        statement.order.append(_ordering(tokens, entity))
        while tokens.accept(","):
            statement.order.append(_ordering(tokens, entity))
    if tokens.accept("startposition"):
        statement.start = _position(tokens, None)
    if tokens.accept("maxresults"):
        statement.page = _position(tokens, LARGEST_PAGE)
    if tokens.peek():
        raise _parse_error(tokens.peek())
    return statement


def _columns(tokens: _Tokens) -> tuple[list[str] | None, bool]:
    if tokens.accept("*"):
        return None, False
    if tokens.accept("count"):
        for mark in ("(", "*", ")"):
            tokens.expect(mark)
        return None, True
    columns = [tokens.take("word")]
    while tokens.accept(","):
        columns.append(tokens.take("word"))
    return columns, False


def _property(tokens: _Tokens, entity: str) -> str:
    name = tokens.take("word")
    known = _PROPERTIES[entity].get(name.casefold())
    if known is None:
        raise _invalid(f"property '{name}' is not queryable")
    return known


def _condition(tokens: _Tokens, entity: str) -> Condition:
    name = _property(tokens, entity)
    if tokens.accept("in"):
        tokens.expect("(")
        values = [_literal(tokens)]
        while tokens.accept(","):
            values.append(_literal(tokens))
        tokens.expect(")")
        return Condition(name, "in", values)
    operator = "like" if tokens.accept("like") else tokens.take("op")
    if name == "Id" and operator != "=":
        raise _invalid("property 'Id' supports only = and IN")
    return Condition(name, operator, [_literal(tokens)])


def _literal(tokens: _Tokens) -> tuple[str, bool]:
    text = tokens.take("text", "word")
    if text.startswith("'"):
        return re.sub(r"\\(.)", r"\1", text[1:-1]), True
    return text, False


def _ordering(tokens: _Tokens, entity: str) -> tuple[str, bool]:
    name = _property(tokens, entity)
    descending = tokens.accept("desc")
    if not descending:
        tokens.accept("asc")
    return name, descending


def _position(tokens: _Tokens, largest: int | None) -> int:
    text = tokens.take("word")
    if not text.lstrip("-").isdigit():
        raise _parse_error(text)
    value = int(text)
    if value < 1:
        raise _invalid(f"value {value} is too small. Min allowed value is 1")
    if largest is not None and value > largest:
        raise _invalid(f"value {value} is too large. Max allowed value is {largest}")
    return value


# ------------------------------------------------------------------------------------------------------------ filtering


def _rows(company: QuickBooks, entity: str) -> Iterator[Json]:
    if entity == "CompanyInfo":
        return iter([company_info(company)])
    if entity == "Preferences":
        return iter([preferences(company)])
    return company.visible(entity, company.query_lag)


def _predicates(statement: Statement) -> list[_PREDICATE]:
    predicates = [_predicate(condition) for condition in statement.where]
    if statement.entity in LISTS and all(condition.name != "Active" for condition in statement.where):
        predicates.append(lambda row: bool(row["Active"]))
    return predicates


def value_of(row: Json, name: str) -> Any:
    """A row's value of a filterable property as it compares: folded text, Decimal, aware time, bool; None if absent."""
    value: Any = row
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, dict):
        value = value.get("value") or value.get("Address")
    if name.startswith("MetaData."):
        return dt.datetime.fromisoformat(value)
    return value.casefold() if isinstance(value, str) else value


def _wanted(name: str, literal: tuple[str, bool]) -> Any:
    """A literal as values of this property compare; raises Refusal 4001 where it is no such value."""
    text, quoted = literal
    try:
        if name in _FLAGS:
            return {"true": True, "false": False}[text.casefold()]
        if name in _NUMBERS:
            return Decimal(text)
        if name.startswith("MetaData."):
            moment = dt.datetime.fromisoformat(text)
            return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        if name in ("TxnDate", "DueDate"):
            return dt.date.fromisoformat(text[:10]).isoformat()
    except (KeyError, ValueError, InvalidOperation):
        raise _invalid(f"value '{text}' does not fit property '{name}'") from None
    if not quoted and not text.isdigit():
        raise _parse_error(text)  # a bare word where a quoted text is expected
    return text.casefold()


def _predicate(condition: Condition) -> _PREDICATE:
    name = condition.name
    if condition.operator == "like":
        pattern = re.compile(".*".join(map(re.escape, condition.values[0][0].casefold().split("%"))), re.DOTALL)
        return lambda row: (text := value_of(row, name)) is not None and pattern.fullmatch(str(text)) is not None
    if condition.operator == "in":
        members = {_wanted(name, literal) for literal in condition.values}
        return lambda row: value_of(row, name) in members
    wanted, compare = _wanted(name, condition.values[0]), _OPERATORS[condition.operator]
    if name in _PLAIN and condition.operator == "=":
        return lambda row: bool(row.get(name, "").casefold() == wanted)
    return lambda row: (value := value_of(row, name)) is not None and compare(value, wanted)


def _sort_key(name: str) -> Callable[[Json], Any]:
    if name == "Id":
        return lambda row: (0, int(row["Id"]), "") if row["Id"].isdigit() else (1, 0, row["Id"])

    def key(row: Json) -> tuple[bool, Any]:
        value = value_of(row, name)
        return (value is not None, value if value is not None else 0)

    return key


def _projected(row: Json, columns: Iterable[str]) -> Json:
    """A partial object, which QuickBooks marks as sparse; Id is always there."""
    wanted = {column.split(".")[0].casefold() for column in columns}
    return {key: value for key, value in row.items() if key.casefold() in wanted or key in ("Id", "domain")} | {"sparse": True}
