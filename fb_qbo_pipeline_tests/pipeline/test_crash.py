"""A sync that is killed at 50 moments under every fault, while the company goes on working: no document twice, none missing."""

import itertools
import random
import signal
import time
from collections.abc import Callable
from dataclasses import replace
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
from fb_qbo_pipeline_tests.pipeline.agreement import assert_agrees, chart_of, kept
from fb_qbo_pipeline_tests.pipeline.crashing import DISCONNECTED, DISTURBED, Life, Moment
from fb_qbo_pipeline_tests.pipeline.outages import deliver_twice
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
        self.ids: dict[str, list[int]] = {"invoice": [], "payment": [], "expense": []}

    def grows(self, documents: int) -> None:
        """Add documents until there are so many: of six, three are invoices, two payments and one an expense."""
        adds = itertools.cycle((self._sells, self._is_paid, self._sells, self._spends, self._sells, self._is_paid))
        while sum(map(len, self.ids.values())) < documents:
            next(adds)()

    def _sells(self) -> None:
        customer, discount = self.chance.choice(self.clients), self.chance.choice((0, 0, 10, "7.5"))
        invoice = self.world.freshbooks.add_invoice(customer, lines=self._lines(), date=self._day(), discount_value=discount)
        self.ids["invoice"].append(invoice["id"])

    def _is_paid(self) -> None:
        """A payment of an open invoice, in part or in full."""
        unpaid = self.world.freshbooks.get("invoice", self._unpaid())
        amount = (Decimal(unpaid["outstanding"]["amount"]) / self.chance.choice((1, 1, 2, 3))).quantize(Decimal("0.01"))
        method = self.chance.choice(("PayPal", "Check", "Credit Card"))
        self.ids["payment"].append(self.world.payment(unpaid["id"], str(amount), on=self._day(), method=method))

    def _spends(self) -> None:
        net = self.chance.randint(1, 400) * Decimal(10)
        tax = net * 13 / 100
        vendor = self.chance.choice(("Serano Bakery", "Staples", ""))
        self.ids["expense"].append(
            self.world.expense(f"{net + tax:.2f}", on=self._day(), vendor=vendor, taxes=(("HST", f"{tax:.2f}", "13"),))
        )

    def changes_its_mind(self) -> None:
        """One edit, move or deletion, or the restoration of everything that was deleted; nothing before it has one of each kind."""
        if not all(self.ids.values()):
            return
        books = self.world.freshbooks
        one = {source: self.chance.choice(ids) for source, ids in self.ids.items() if ids}
        changes: list[Callable[[], object]] = [
            lambda: books.edit_invoice(self._unpaid(), lines=self._lines()),
            lambda: books.edit_invoice(one["invoice"], date=self._day()),
            lambda: books.delete("invoice", self._unpaid()),
            lambda: books.edit_payment(one["payment"], date=self._day(), type="Cash"),
            lambda: books.delete("payment", one["payment"]),
            lambda: books.edit_expense(one["expense"], amount="226.00", taxes=(("HST", "26.00", "13"),), date=self._day()),
            lambda: books.delete("expense", one["expense"]),
            self._restores,
        ]
        self.chance.choice(changes)()

    def _restores(self) -> None:
        for source in ("invoice", "expense"):
            for row in self.world.freshbooks.view(source):
                if row["vis_state"] == 1:
                    self.world.freshbooks.restore(source, row["id"])

    def _unpaid(self) -> int:
        """An open invoice; a new one where there is none."""
        rows = self.world.freshbooks.view("invoice")
        unpaid = [row["id"] for row in rows if row["payment_status"] == "unpaid" and row["vis_state"] == 0]
        if not unpaid:
            self._sells()
            return self.ids["invoice"][-1]
        return self.chance.choice(unpaid)

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
        until = self.world.quickbooks.counters.writes + self.chance.randint(1, 6)
        process = crashing.begin(life)
        started, latest = time.monotonic(), self.chance.uniform(0.05, 0.5)
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

    def _database_moment(self) -> tuple[Moment, int]:
        moment: Moment = self.chance.choice(("before_cursor_execute", "commit", "checkin"))
        return moment, self.chance.randint(0, 240 if moment == "before_cursor_execute" else 70)

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


@pytest.mark.parametrize(
    ("kills", "documents", "remembers"), [(50, 300, True), (8, 40, False)], ids=["300 documents", "40 with forgotten request ids"]
)
def test_a_process_killed_at_any_moment_costs_nothing(
    make_world: Callable[..., World], kills: int, documents: int, remembers: bool
) -> None:
    chance = random.Random(20260320)
    world = make_world()
    chart = chart_of(world.quickbooks)
    company, killer = Company(world, chance), Killer(world, chance)
    world.quickbooks.honours_request_id = remembers
    world.authority.rotation = "daily"  # as QuickBooks' own; FreshBooks' tokens always rotate
    world.slow_down(0.003)
    if remembers:
        deliver_twice(world, "POST /v3", every=7)
    world.faults.faults.extend(replace(fault) for fault in QUICKBOOKS_FAULTS)
    for fault in FRESHBOOKS_FAULTS:
        world.freshbooks_faults.add(fault)
    while killer.kills < kills:
        company.grows(documents * (killer.kills + 1) // kills)
        company.changes_its_mind()
        if chance.random() < 0.2:
            world.expire_access_tokens()
        killer.strikes()
    world.slow_down(0)
    _finish(world)
    assert_agrees(world, kept(world, chart))
    for source, ids in company.ids.items():
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
