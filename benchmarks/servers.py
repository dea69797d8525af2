"""Both sandboxes in a process of their own, with delays and limits, and a log of what they were asked.

A process of its own, because the measured program must not share its interpreter with the service that it waits for.
"""

import datetime as dt
import multiprocessing
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from fb_qbo_pipeline.sandbox.freshbooks.app import create_app as freshbooks_app
from fb_qbo_pipeline.sandbox.freshbooks.behaviour import Behaviour
from fb_qbo_pipeline.sandbox.freshbooks.clock import Clock
from fb_qbo_pipeline.sandbox.freshbooks.payloads import Line
from fb_qbo_pipeline.sandbox.freshbooks.state import FreshBooks
from fb_qbo_pipeline.sandbox.quickbooks.app import create_app as quickbooks_app
from fb_qbo_pipeline.sandbox.quickbooks.faults import Latency, Limits
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline.sandbox.quickbooks.store import TRANSACTIONS
from fb_qbo_pipeline.sandbox.server import SandboxServer

SAMPLE_SECONDS = 0.05
PRODUCTS = ("Design", "Hosting", "Consulting", "Printing", "Photography")
TAXES = ((("HST", "13"),), (("GST", "5"), ("QST", "9.975")), ())


@dataclass(frozen=True)
class Books:
    """How much there is to copy: `invoices` of one to three lines over `days` up to `until`, of `clients`.

    `known`: QuickBooks has the customers and products already. `payments`, `expenses`: how many of the invoices are paid in full,
    and how many expenses there are.
    """

    invoices: int
    until: dt.date
    days: int = 1
    clients: int = 50
    known: bool = True
    payments: int = 0
    expenses: int = 0


@dataclass(frozen=True)
class Speed:
    """How slow and how strict the services are; the defaults are those of the published figures."""

    per_request: float = 0.15  # seconds
    per_batch_item: float = 0.05
    freshbooks: float = 0.15
    limits: Limits = field(default_factory=lambda: Limits(500, 40, 10))


NO_DELAY = Speed(0, 0, 0, Limits())


@dataclass(frozen=True)
class Sample:
    """What has happened by `at` (seconds since the epoch)."""

    at: float
    documents: int
    requests: int
    batches: int
    reads: int
    freshbooks_reads: int
    throttled: int


@dataclass
class Servers:
    """The running services, seen from the measuring process."""

    environment: dict[str, str]
    refresh_token: str
    ids: dict[str, Any]  # of a customer, an item and a tax code
    _pipe: Connection

    def samples(self) -> list[Sample]:
        """Everything logged so far."""
        self._pipe.send("samples")
        found: list[Sample] = self._pipe.recv()
        return found

    def now(self) -> Sample:
        """The present state."""
        return self.samples()[-1]


@contextmanager
def servers(books: Books, speed: Speed) -> Iterator[Servers]:
    """Start the services with their content; they end with the block."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, books, speed), daemon=True)
    process.start()
    try:
        environment, refresh_token, ids = ours.recv()
        yield Servers(environment, refresh_token, ids, ours)
        ours.send("stop")
        process.join(10)
    finally:
        process.kill()
        process.join()


class _Counting:
    """An ASGI application that counts what it is asked: reads, writes and batches."""

    def __init__(self, application: Any) -> None:
        self.counts: Counter[str] = Counter()
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and "/oauth" not in scope["path"]:
            self.counts["batch" if scope["path"].endswith("/batch") else "read" if scope["method"] == "GET" else "write"] += 1
        await self._application(scope, receive, send)


def _serve(pipe: Connection, books: Books, speed: Speed) -> None:
    company, account = QuickBooks(), FreshBooks(clock=Clock(dt.datetime.combine(books.until, dt.time(15), dt.UTC)))
    fill(account, company, books)
    quickbooks = _Counting(quickbooks_app(company, limits=speed.limits, latency=Latency(speed.per_request, speed.per_batch_item)))
    freshbooks = _Counting(freshbooks_app(account, behaviour=Behaviour(latency=speed.freshbooks)))
    log: list[Sample] = []

    def sample() -> None:
        asked = quickbooks.counts
        documents = sum(len(company.tables[entity]) for entity in TRANSACTIONS)
        log.append(
            Sample(
                time.time(),
                documents,
                sum(asked.values()),
                asked["batch"],
                asked["read"],
                freshbooks.counts["read"],
                company.counters.throttled,
            )
        )

    stopping = threading.Event()

    def watch() -> None:
        while not stopping.wait(SAMPLE_SECONDS):
            sample()

    with SandboxServer(freshbooks, quickbooks) as server:
        threading.Thread(target=watch, daemon=True).start()
        named = {"customer": ("Customer", client_name(1)), "item": ("Item", PRODUCTS[0]), "tax_code": ("TaxCode", "HST ON")}
        ids = {key: company.named(*name)["Id"] for key, name in named.items()} if books.known else {}
        pipe.send((server.environment(), server.refresh_token, ids))
        while pipe.recv() == "samples":
            sample()
            pipe.send(list(log))
        stopping.set()


def client_name(number: int) -> str:
    """What a client is called on both sides."""
    return f"Client {number:05} Ltd"


def fill(account: FreshBooks, company: QuickBooks, books: Books) -> None:
    """Invoices, payments and expenses for FreshBooks, and what QuickBooks knows of them."""
    for tax in {tax for taxes in TAXES for tax in taxes}:
        account.add_tax(*tax)
    clients = [
        account.add_client(client_name(number), "Jane", "Doe", f"client{number}@example.com")["id"]
        for number in range(1, books.clients + 1)
    ]
    if books.known:
        for number in range(1, books.clients + 1):
            company.add(
                "Customer",
                DisplayName=client_name(number),
                PrimaryEmailAddr={"Address": f"client{number}@example.com"},
                CurrencyRef=company.currency_ref("CAD"),
                Balance=0,
            )
        sales = company.named("Account", "Services")
        for name in PRODUCTS:
            company.add("Item", Name=name, FullyQualifiedName=name, Type="Service", IncomeAccountRef={"value": sales["Id"]}, Taxable=True)
    first = books.until - dt.timedelta(days=books.days - 1)
    for number in range(books.invoices):
        invoice = account.add_invoice(
            clients[number % len(clients)],
            lines=[
                Line(PRODUCTS[(number + place) % len(PRODUCTS)], 1 + place, f"{20 + number % 480}.{number % 100:02}", TAXES[number % 3])
                for place in range(1 + number % 3)
            ],
            date=first + dt.timedelta(days=number * books.days // books.invoices),
        )
        if number < books.payments:
            account.add_payment(invoice["id"], invoice["amount"]["amount"], invoice["create_date"])
    category = account.add_category("Advertising")["id"]
    for number in range(books.expenses):
        day = first + dt.timedelta(days=number * books.days // books.expenses)
        account.add_expense(f"{10 + number % 90}.13", category, day, vendor=f"Vendor {number % 40}")
