"""A sync that is killed at 60 moments under every fault, while the company goes on working: no document twice, none missing."""

import random
import signal
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from fb_qbo_pipeline.errors import PipelineError
from fb_qbo_pipeline.oauth import TokenPair
from fb_qbo_pipeline.pipeline.runtime import token_store
from fb_qbo_pipeline.sandbox.freshbooks import faults as freshbooks_faults
from fb_qbo_pipeline.sandbox.freshbooks.payloads import Line
from fb_qbo_pipeline.sandbox.quickbooks.faults import Fault
from fb_qbo_pipeline_tests.pipeline import crashing
from fb_qbo_pipeline_tests.pipeline.agreement import agrees, chart_of, kept
from fb_qbo_pipeline_tests.pipeline.crashing import DISCONNECTED, DISTURBED, Life, Moment
from fb_qbo_pipeline_tests.pipeline.world import World, day

TAXES: tuple[Any, ...] = ((("HST", "13"),), (("GST", "5"), ("QST", "9.975")), ())
QUICKBOOKS_FAULTS = (
    Fault("after", 502, "html", rate=0.06, count=None),  # carried out, and the answer is lost
    Fault("after", 200, "cut", rate=0.04, count=None),
    Fault("after", drop_connection=True, rate=0.04, count=None),
    Fault("middle", 504, "gateway", path="/batch", items=4, rate=0.1, count=None),  # a batch that is only partly done
    Fault("item", path="/batch", rate=0.02, count=None),
    Fault("before", 502, "html", rate=0.03, count=None),
    Fault("before", 429, "xml", rate=0.03, count=None),
    Fault("before", 503, "json", rate=0.02, count=None),
)
FRESHBOOKS_FAULTS = (
    freshbooks_faults.Fault(502, "html", "/accounting/", None, rate=0.05),
    freshbooks_faults.Fault(200, "cut", "/accounting/", None, rate=0.04),
    freshbooks_faults.Fault(429, "empty", "/accounting/", None, rate=0.03, retry_after=1),
)


class Company:
    """A company at work: what it adds, edits and deletes is chosen by a seeded chance."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self.world, self.chance = world, chance
        self.clients = [world.client(f"{name} Ltd") for name in ("Acme", "Borealis", "Cedar", "Dune", "Élan", "Fjord")]
        self.invoices: list[int] = []
        self.payments: list[int] = []
        self.expenses: list[int] = []

    def sells(self, count: int) -> None:
        """Add invoices, with one to three lines and sometimes a discount."""
        for _ in range(count):
            invoice = self.world.freshbooks.add_invoice(
                self.chance.choice(self.clients),
                lines=self._lines(),
                date=self._day(),
                discount_value=self.chance.choice((0, 0, 10, "7.5")),
            )
            self.invoices.append(invoice["id"])

    def is_paid(self, count: int) -> None:
        """Add payments, in part or in full, for invoices that are open."""
        view = {row["id"]: row for row in self.world.freshbooks.view("invoice") if row["vis_state"] == 0}
        unpaid = [view[i] for i in self.invoices if i in view and view[i]["payment_status"] == "unpaid"]
        for invoice in self.chance.sample(unpaid, min(count, len(unpaid))):
            share = self.chance.choice((1, 1, 2, 3))
            amount = (Decimal(invoice["outstanding"]["amount"]) / share).quantize(Decimal("0.01"))
            method = self.chance.choice(("PayPal", "Check", "Credit Card"))
            self.payments.append(self.world.payment(invoice["id"], str(amount), on=self._day(), method=method))

    def spends(self, count: int) -> None:
        """Add expenses."""
        for _ in range(count):
            net = self.chance.randint(1, 400) * 100
            taxes = (("HST", f"{net * 13 // 100 / 100:.2f}", "13"),)
            gross = f"{net * 113 // 100 / 100:.2f}"
            vendor = self.chance.choice(("Serano Bakery", "Staples", ""))
            self.expenses.append(self.world.expense(gross, on=self._day(), vendor=vendor, taxes=taxes))

    def changes_its_mind(self) -> None:
        """One edit, move, deletion or restoration."""
        books, chance = self.world.freshbooks, self.chance
        match chance.choice(("lines", "date", "delete invoice", "payment", "delete payment", "expense", "delete expense", "restore")):
            case "lines":
                books.edit_invoice(self._unpaid(), lines=self._lines())
            case "date":
                books.edit_invoice(chance.choice(self.invoices), date=self._day())
            case "delete invoice":
                books.delete("invoice", self._unpaid())
            case "payment":
                books.edit_payment(chance.choice(self.payments), date=self._day(), type="Cash")
            case "delete payment":
                books.delete("payment", chance.choice(self.payments))
            case "expense":
                books.edit_expense(chance.choice(self.expenses), amount="226.00", taxes=(("HST", "26.00", "13"),), date=self._day())
            case "delete expense":
                books.delete("expense", chance.choice(self.expenses))
            case "restore":
                for source in ("invoice", "expense"):
                    for row in books.view(source):
                        if row["vis_state"] == 1:
                            books.restore(source, row["id"])

    def _unpaid(self) -> int:
        return self.chance.choice([row["id"] for row in self.world.freshbooks.view("invoice") if row["payment_status"] == "unpaid"])

    def _lines(self) -> list[Line]:
        taxes = self.chance.choice(TAXES)
        names = self.chance.sample(("Design", "Consulting", "Sticker sheet", "Photo day"), self.chance.randint(1, 3))
        return [Line(name, self.chance.randint(1, 4), f"{self.chance.randint(100, 90_000) / 100:.2f}", taxes) for name in names]

    def _day(self) -> Any:
        return day(self.chance.randint(1, 20))


class Killer:
    """Starts one process after another and kills each; `kills` counts those that really were."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self.world, self.chance = world, chance
        self.kills = 0

    def strikes(self) -> None:
        """One life, ended at a random moment: of QuickBooks' work, of the ledger's, or of the clock."""
        kind = self.chance.choice(("writes", "database", "time"))
        dies = self._database_moment() if kind == "database" else None
        life = Life(self.world.settings, self.world.variables, hourly=self.chance.random() < 0.7, dies=dies)
        until = self.world.quickbooks.counters.writes + self.chance.randint(1, 25)
        process = crashing.begin(life)
        started, latest = time.monotonic(), self.chance.uniform(0.05, 0.6)
        while process.is_alive() and not (
            (kind == "writes" and self.world.quickbooks.counters.writes >= until)
            or (kind == "time" and time.monotonic() - started > latest)
        ):
            process.join(0.002)
        if kind == "writes":
            time.sleep(self.chance.uniform(0, 0.02))  # an answer is on its way, or a request
        process.kill()
        process.join()
        self._judge(process.exitcode)
        process.close()
        print(kind, dies, life.hourly, self.kills, round(time.monotonic()-started,2), self.world.quickbooks.counters.writes)

    def _database_moment(self) -> tuple[Moment, int]:
        moment: Moment = self.chance.choice(("before_cursor_execute", "commit", "checkin"))
        return moment, self.chance.randint(0, 400 if moment == "before_cursor_execute" else 120)

    def _judge(self, status: int | None) -> None:
        assert status in (-signal.SIGKILL, 0, DISTURBED, DISCONNECTED), f"a sync ended with {status}"
        self.kills += status == -signal.SIGKILL
        if status == DISCONNECTED:
            connect_freshbooks(self.world)


def connect_freshbooks(world: World) -> None:
    """As `fb-qbo connect freshbooks`: a process died between the rotation of its single-use token and the keeping of it."""
    tokens = world.freshbooks_tokens
    uri = world.environment.freshbooks_redirect_uri
    app = {"client_id": tokens.client_id, "client_secret": "sandbox-secret", "redirect_uri": uri}
    granted = tokens.grant(app | {"grant_type": "authorization_code", "code": tokens.issue_code(uri)})
    with token_store(world.engine, world.environment, world.integration, "freshbooks").locked() as store:
        store.save(TokenPair(granted["access_token"], granted["refresh_token"], None))


@pytest.mark.parametrize(("kills", "scale", "remembers"), [(55, 10, True), (12, 3, False)], ids=["300 documents", "forgetful request ids"])
def test_a_process_killed_at_any_moment_costs_nothing(make_world: Callable[..., World], kills: int, scale: int, remembers: bool) -> None:
    chance = random.Random(20260320)
    world = make_world()
    chart = chart_of(world.quickbooks)
    company, killer = Company(world, chance), Killer(world, chance)
    world.quickbooks.honours_request_id = remembers
    world.authority.rotation = "daily"
    world.slow_down(0.003)
    world.faults.faults.extend(QUICKBOOKS_FAULTS)
    for fault in FRESHBOOKS_FAULTS:
        world.freshbooks_faults.add(fault)
    while killer.kills < kills:
        if len(company.invoices) < 15 * scale:
            company.sells(scale // 2 + 1)
            company.is_paid(scale // 3 + 1)
            company.spends(scale // 6 + 1)
        company.changes_its_mind()
        if chance.random() < 0.2:
            world.expire_access_tokens()
        killer.strikes()
    world.slow_down(0)
    _finish(world)
    agrees(world, kept(world, chart))
    for source, ids in (("invoice", company.invoices), ("payment", company.payments), ("expense", company.expenses)):
        for source_id in ids:
            assert len(world.documents(source, source_id)) <= 1
    assert world.unfinished() == 0
    assert world.faults.struck > kills
    writes = world.quickbooks.counters.writes
    world.sync()
    assert world.quickbooks.counters.writes == writes


def _finish(world: World) -> None:
    """Follow what is left, with all faults on; one run may give up under them, and the next one goes on."""
    for _ in range(10):
        world.restart()
        try:
            world.follow()
        except PipelineError:
            continue
        return
    raise AssertionError("ten runs in a row gave up")
