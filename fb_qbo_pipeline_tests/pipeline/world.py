"""A company with both sandboxes behind real HTTP, synced by the steps that a run calls but without Dagster; no wait really waits."""

import contextlib
import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from sqlalchemy import Engine, RowMapping

from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.ledger.tables import metadata
from fb_qbo_pipeline.oauth import TokenPair
from fb_qbo_pipeline.pipeline.changes import Look, look_for_changes
from fb_qbo_pipeline.pipeline.runtime import SERVICES, Runtime, Waiting, open_runtime, token_store
from fb_qbo_pipeline.pipeline.stage import SOURCES
from fb_qbo_pipeline.pipeline.steps import run_steps
from fb_qbo_pipeline.posting.books import Books
from fb_qbo_pipeline.posting.counts import Counts
from fb_qbo_pipeline.sandbox.freshbooks.app import create_app as freshbooks_app
from fb_qbo_pipeline.sandbox.freshbooks.clock import Clock
from fb_qbo_pipeline.sandbox.freshbooks.payloads import Line
from fb_qbo_pipeline.sandbox.freshbooks.state import FreshBooks
from fb_qbo_pipeline.sandbox.quickbooks import operations
from fb_qbo_pipeline.sandbox.quickbooks.app import create_app as quickbooks_app
from fb_qbo_pipeline.sandbox.quickbooks.faults import Fault, FaultPlan, Latency
from fb_qbo_pipeline.sandbox.quickbooks.ledger import trial_balance
from fb_qbo_pipeline.sandbox.quickbooks.oauth import Authority
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline.sandbox.quickbooks.store import TRANSACTIONS
from fb_qbo_pipeline.sandbox.sample_country import country_named, integration
from fb_qbo_pipeline.sandbox.server import REFRESH_TOKEN, SandboxServer
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.models import Integration

START = dt.date(2026, 3, 1)
TODAY = dt.date(2026, 3, 20)
NOW = dt.datetime(2026, 3, 20, 15, tzinfo=dt.UTC)  # 11:00 in Toronto
HST = ("HST", "13")


def day(number: int) -> dt.date:
    """A day of the company's first month."""
    return START.replace(day=number)


def line(amount: str, taxes: Any = (HST,)) -> Line:
    """An invoice line over `amount` before tax."""
    return Line("Design", 1, amount, taxes)


def skipping(slept: Callable[[float], None] = lambda _seconds: None) -> Waiting:
    """Waits that pass at once: sleeping moves the clock, and `slept` hears of it."""
    passed = itertools.count()
    state = {"now": 0.0}

    def sleep(seconds: float) -> None:
        slept(seconds)
        state["now"] += seconds

    return Waiting(clock=lambda: state["now"] + next(passed) * 1e-4, sleep=sleep)


class Exchangeable:
    """An ASGI application whose content is exchanged for every test, so that one server serves them all."""

    def __init__(self) -> None:
        self.app: Callable[..., Any] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


class Sandboxes:
    """The servers of both sandboxes, whose content a test sets."""

    def __init__(self) -> None:
        self.freshbooks, self.quickbooks = Exchangeable(), Exchangeable()
        self.server = SandboxServer(self.freshbooks, self.quickbooks)


class World:
    """One integration between a FreshBooks account and a QuickBooks company."""

    def __init__(
        self,
        sandboxes: Sandboxes,
        engine: Engine,
        home: Path,
        *,
        settings: dict[str, Any] | None = None,
        freshbooks: FreshBooks | None = None,
        quickbooks: QuickBooks | None = None,
    ) -> None:
        self.freshbooks = freshbooks or FreshBooks(clock=Clock(NOW))
        self.quickbooks = quickbooks or QuickBooks()
        self.sandboxes = sandboxes
        self.faults = FaultPlan()
        self._seen: set[str] = set()
        self._process = "first"
        self._slept = dt.timedelta()
        self.authority = Authority(self.quickbooks.realm_id)
        app = freshbooks_app(self.freshbooks)
        self.freshbooks_tokens, self.freshbooks_faults = app.state.tokens, app.state.behaviour.faults
        sandboxes.freshbooks.app = app
        self.slow_down(0)
        self.settings = settings or integration(country_named("ca"), START)
        self.engine = engine
        limits = sandboxes.server.environment(requests_per_minute=1_000_000, batches_per_minute=1_000_000, concurrency=4)
        self.variables = limits | {
            "FB_QBO_HOME": str(home),
            "FB_QBO_DATABASE_URL": engine.url.render_as_string(hide_password=False),
            "FB_QBO_SECRET_KEY": Fernet.generate_key().decode(),
        }
        self.environment = Environment.read(self.variables)
        self.ledger = Ledger(engine, self.integration.name)
        self._connect()

    def _connect(self) -> None:
        for service in SERVICES:
            with token_store(self.engine, self.environment, self.integration, service).locked() as tokens:
                tokens.save(TokenPair("", REFRESH_TOKEN, None))

    @property
    def integration(self) -> Integration:
        """The settings as they are now; a test changes `settings`."""
        return Integration.model_validate(self.settings)

    # Running

    @contextlib.contextmanager
    def runtime(self) -> Iterator[Runtime]:
        """The integration, opened."""
        with open_runtime(self.integration, self.environment, run_id="run", engine=self.engine, waiting=skipping(self._pass)) as runtime:
            runtime.clock = self.freshbooks.clock.now
            runtime.books = Books(self.ledger, runtime.quickbooks, self.integration, process=self._process)
            yield runtime

    def _pass(self, seconds: float) -> None:
        self._slept += dt.timedelta(seconds=seconds)

    def show_late(self, seconds: float) -> None:
        """Let QuickBooks' queries show what is new only after so long; what the product sleeps through passes there, too."""
        self.quickbooks.query_lag = seconds
        self.quickbooks.clock = lambda: dt.datetime.now(dt.UTC) + self._slept

    def sync(self, start: dt.date = START, end: dt.date = TODAY, *, fresh: bool = False) -> Counts:
        """What a run of the partitions from `start` to `end` does. `fresh`: QuickBooks' lists are read in full before."""
        counts = Counts()
        with self.runtime() as runtime:
            if fresh:
                runtime.mirror.refresh()
            run_steps(runtime, start, end, counts, self._sources())
        return counts

    def _sources(self) -> list[str]:
        """The sources that FreshBooks has, or had, records of: the others' steps would only take time."""
        self._seen |= {source for source in SOURCES if self.freshbooks.view(source)}
        return [source for source in SOURCES if source in self._seen]

    def look(self) -> Look:
        """What the hourly look does."""
        with self.runtime() as runtime:
            runtime.catch_up()
            return look_for_changes(runtime)

    def follow(self) -> Counts:
        """A look, and a run for what it has touched: the hourly sync, until nothing waits any more."""
        self.look()
        counts = Counts()
        for _ in range(5):
            touched = self.touched()
            if not touched:
                return counts
            counts.add(self.sync(min(touched), max(touched)))
        raise AssertionError(f"still waiting after five runs: {self.touched()}")

    def slow_down(self, seconds: float) -> None:
        """Let QuickBooks work so long on every request."""
        self.sandboxes.quickbooks.app = quickbooks_app(
            self.quickbooks, oauth=self.authority, plan=self.faults, latency=Latency(per_request=seconds)
        )

    def fail(self, **fault: Any) -> None:
        """Let QuickBooks fail (see `Fault`)."""
        self.faults.faults.append(Fault(**fault))

    def expire_access_tokens(self) -> None:
        """Let both sides' access tokens end now."""
        self.authority.expire_access_tokens()
        self.freshbooks_tokens.expire_access_tokens()

    # FreshBooks

    def client(self, organization: str = "Acme Ltd", **details: Any) -> int:
        return int(
            self.freshbooks.add_client(organization, "Jane", "Doe", f"{organization.split()[0].lower()}@example.com", **details)["id"]
        )

    def invoice(
        self, amount: str = "100.00", *, on: dt.date | None = None, client: int | None = None, taxes: Any = (HST,), **more: Any
    ) -> int:
        """An invoice of one line over `amount` before tax."""
        customer = client if client is not None else self.client()
        return int(self.freshbooks.add_invoice(customer, lines=[line(amount, taxes)], date=on or day(5), **more)["id"])

    def payment(self, invoice: int, amount: str, *, on: dt.date | None = None, **more: Any) -> int:
        return int(self.freshbooks.add_payment(invoice, amount, on or day(10), **more)["id"])

    def expense(self, amount: str = "56.50", *, on: dt.date | None = None, vendor: str = "Serano Bakery", **more: Any) -> int:
        categories = [category["id"] for category in self.freshbooks.view("category") if category["category"] == "Advertising"]
        category = categories[0] if categories else self.freshbooks.add_category("Advertising")["id"]
        taxes = more.pop("taxes", (("HST", "6.50", "13"),))
        return int(self.freshbooks.add_expense(amount, category, on or day(7), vendor=vendor, taxes=taxes, **more)["id"])

    # QuickBooks

    def typed_by_hand(self, number: str, note: str = "", *, on: dt.date | None = None) -> str:
        """An invoice over 9.00 that a person has typed into QuickBooks; its id."""
        customer = self.quickbooks.add(
            "Customer", DisplayName="Somebody", CurrencyRef=self.quickbooks.currency_ref("CAD"), Balance=Decimal(0)
        )
        detail = {
            "ItemRef": {"value": self.quickbooks.named("Item", "Services")["Id"]},
            "TaxCodeRef": {"value": self.quickbooks.named("TaxCode", "Exempt")["Id"]},
        }
        lines = [{"Amount": Decimal("9.00"), "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}]
        body = {
            "CustomerRef": {"value": customer["Id"]},
            "DocNumber": number,
            "TxnDate": (on or day(2)).isoformat(),
            "PrivateNote": note,
            "Line": lines,
        }
        return str(operations.write(self.quickbooks, "Invoice", body)["Id"])

    def documents(self, source: str, source_id: int) -> list[tuple[str, dict[str, Any]]]:
        """The transactions with the marker of a FreshBooks record, voided ones too."""
        words = f"fb:{self.freshbooks.account_id}/{source}/{source_id}"
        return [
            (entity, row)
            for entity in TRANSACTIONS
            for row in self.quickbooks.rows(entity)
            if words in row.get("PrivateNote", "").replace("Voided - ", "").split(" ")
        ]

    def document(self, source: str, source_id: int) -> dict[str, Any]:
        """The one transaction of a FreshBooks record."""
        found = self.documents(source, source_id)
        assert len(found) == 1, f"{source} {source_id} stands {len(found)} times"
        return found[0][1]

    def count(self) -> dict[str, int]:
        """How many transactions QuickBooks holds by type."""
        counts: dict[str, int] = defaultdict(int)
        for entity in TRANSACTIONS:
            if rows := self.quickbooks.rows(entity):
                counts[entity] = len(rows)
        return dict(counts)

    def balances(self) -> dict[str, Decimal]:
        """QuickBooks' trial balance."""
        return trial_balance(self.quickbooks)

    # The ledger

    def restart(self) -> None:
        """As if a new process went on."""
        self._process = f"after {self._process}"

    def backup(self) -> dict[str, list[dict[str, Any]]]:
        """What the ledger holds now, tokens left aside."""
        with self.engine.connect() as connection:
            return {
                table.name: [dict(row) for row in connection.execute(table.select()).mappings()]
                for table in metadata.sorted_tables
                if table.name != "token"
            }

    def restore(self, backup: dict[str, list[dict[str, Any]]] | None = None) -> None:
        """Put a backup back; without one, lose the ledger. Another process goes on with it."""
        with self.engine.begin() as connection:
            for table in metadata.sorted_tables:
                if table.name != "token":
                    connection.execute(table.delete())
                    if rows := (backup or {}).get(table.name):
                        connection.execute(table.insert(), rows)
        self.restart()

    def held(self) -> list[RowMapping]:
        """The unresolved exceptions."""
        with self.ledger.begin() as tx:
            return tx.exceptions.unresolved()

    def codes(self) -> list[str]:
        """The codes of the unresolved exceptions."""
        return [row["code"] for row in self.held()]

    def touched(self) -> list[dt.date]:
        """The dates that wait for a run."""
        with self.ledger.begin() as tx:
            return [touched.date for touched in tx.touched.waiting()]

    def unfinished(self) -> int:
        """How many writes have an unknown outcome."""
        with self.ledger.begin() as tx:
            return len(tx.outbox.unfinished())
