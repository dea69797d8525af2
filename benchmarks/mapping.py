"""Mapping and validation: documents a second on one core, from FreshBooks' JSON to the validated staged row. No network, no database."""

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from benchmarks.ours import settings
from benchmarks.servers import Books, fill
from fb_qbo_pipeline.chunks import chunks
from fb_qbo_pipeline.freshbooks.parsing import parse_client, parse_invoice
from fb_qbo_pipeline.http import loads
from fb_qbo_pipeline.json_text import dump_json
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.invoices import map_invoice
from fb_qbo_pipeline.mapping.numbers import hold_duplicates
from fb_qbo_pipeline.mapping.rows import to_row
from fb_qbo_pipeline.pipeline.stage import PIECE
from fb_qbo_pipeline.quickbooks.company import Company
from fb_qbo_pipeline.quickbooks.lists import build_company
from fb_qbo_pipeline.sandbox.freshbooks.clock import Clock
from fb_qbo_pipeline.sandbox.freshbooks.state import FreshBooks
from fb_qbo_pipeline.sandbox.quickbooks.company import company_info, preferences
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline.schemas.staged import validate_staged

DAY = dt.date(2026, 3, 20)
LISTS = ("Account", "Item", "TaxCode", "TaxRate", "Customer", "Vendor")
T = TypeVar("T")


@dataclass(frozen=True)
class Speeds:
    """Microseconds of processor time a document."""

    documents: int
    parsing: float
    mapping: float
    rows: float
    validation: float

    @property
    def a_second(self) -> float:
        """Documents a second through mapping and validation (parsing the raw JSON apart)."""
        return 1e6 / (self.mapping + self.rows + self.validation)


def prepare(documents: int) -> tuple[list[dict[str, Any]], Context, Company]:
    """Invoices as FreshBooks gives them, and what the mapping knows."""
    account, quickbooks = FreshBooks(clock=Clock(dt.datetime.combine(DAY, dt.time(15), dt.UTC))), QuickBooks()
    fill(account, quickbooks, Books(documents, DAY))
    lists: dict[str, Any] = {entity: quickbooks.rows(entity) for entity in LISTS}
    lists |= {"CompanyInfo": [company_info(quickbooks)], "Preferences": [preferences(quickbooks)]}
    company = build_company(quickbooks.realm_id, loads(dump_json(lists)))
    payloads = loads(dump_json(account.view("invoice")))
    clients = {client.id: client for client in map(parse_client, loads(dump_json(account.view("client"))))}
    return payloads, Context(integration=settings(DAY), company=company, clients=clients, items=[], categories={}), company


def measure(documents: int) -> Speeds:
    """Each step over all documents, in pieces as staging takes them; processor time, so that a busy machine does not count."""
    payloads, context, company = prepare(documents)
    spent = [0.0] * 4
    for piece in chunks(payloads, PIECE):
        records, parsing = _timed(lambda piece=piece: [parse_invoice(payload) for payload in piece])
        mapped, mapping = _timed(lambda records=records: hold_duplicates([map_invoice(one, [], context) for one in records], {}))
        rows, as_rows = _timed(lambda mapped=mapped: [to_row(one, DAY) for one in mapped])
        checked, validation = _timed(lambda rows=rows: validate_staged(rows, company, context.integration))
        held = [row for row in checked if row["problems"]]
        assert not held, held[0]["problems"]
        spent = [sum(pair) for pair in zip(spent, (parsing, mapping, as_rows, validation), strict=True)]
    return Speeds(documents, *(seconds * 1e6 / documents for seconds in spent))


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    started = time.process_time()
    result = work()
    return result, time.process_time() - started
