"""Any history of a company ends, after the next quiet sync, in the books that an accountant would have kept.

A state machine plays the people in FreshBooks, the schedule, the network and the database; it may stop anywhere. The same few
histories are played on every run; `HISTORIES=seed:number` plays others.
"""

import contextlib
import datetime as dt
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy.exc import DBAPIError

from fb_qbo_pipeline.errors import Unreachable
from fb_qbo_pipeline.sandbox.freshbooks.faults import Fault
from fb_qbo_pipeline.sandbox.quickbooks.store import TRANSACTIONS
from fb_qbo_pipeline_tests.pipeline.agreement import assert_agrees, chart_of, kept
from fb_qbo_pipeline_tests.pipeline.oracle import money
from fb_qbo_pipeline_tests.pipeline.outages import at_request, end_sessions
from fb_qbo_pipeline_tests.pipeline.world import HST, World, day, line

SOURCES = ("invoice", "payment", "expense")
LEVY = ("Eco Levy", "2")  # no tax code for it: such an invoice is held
API = "/v3/company/"  # a token whose answer is lost is another story: FreshBooks gives it once
FAULTS: tuple[dict[str, Any], ...] = (
    {"when": "after", "path": f"POST {API}"},  # carried out, and the answer is lost
    {"when": "after", "path": f"POST {API}", "dialect": "cut", "status": 200},
    {"when": "after", "path": f"POST {API}", "dialect": "empty", "status": 200},
    {"when": "after", "path": f"POST {API}", "drop_connection": True},
    {"when": "middle", "path": "/batch", "status": 504, "dialect": "gateway"},
    {"when": "item", "path": "/batch"},
    {"when": "before", "path": API, "status": 429, "dialect": "xml"},
    {"when": "before", "path": API, "status": 502},
    {"when": "before", "path": f"POST {API}", "status": 503, "dialect": "json", "count": 40},  # longer than anybody tries again
)

picks = st.integers(0, 30)
sources = st.sampled_from(SOURCES)
amounts = st.integers(100, 60_000).map(lambda cents: f"{cents / 100:.2f}")
days = st.integers(1, 20).map(day)
taxes = st.sampled_from(((HST,), (HST,), (("GST", "5"), ("QST", "9.975")), (), (LEVY,)))


class Histories(RuleBasedStateMachine):
    """One company's history."""

    def __init__(self, make_world: Callable[..., World], agreed: list[int]) -> None:
        super().__init__()
        self.agreed = agreed  # how many documents stood at the end of each history
        self.world = make_world()
        self.world.restore()  # the ledger of the history before is gone
        self.books = self.world.freshbooks
        self.chart = chart_of(self.world.quickbooks)

    @initialize()
    def begins(self) -> None:
        self.clients = [self.world.client("Acme Ltd"), self.world.client("Élan Ltd")]
        self.world.invoice("100.00", client=self.clients[0])

    # People in FreshBooks

    @rule(pick=picks, amount=amounts, on=days, taxes=taxes, discount=st.sampled_from((0, 0, "7.5")))
    def sells(self, pick: int, amount: str, on: dt.date, taxes: Any, discount: Any) -> None:
        self.world.invoice(amount, on=on, client=self.clients[pick % 2], taxes=taxes, discount_value=discount)

    @rule(pick=picks, on=days, part=st.sampled_from((1, 1, 2)), method=st.sampled_from(("PayPal", "Check")))
    def is_paid(self, pick: int, on: dt.date, part: int, method: str) -> None:
        invoice = self._pick("invoice", pick)
        outstanding = money(invoice["outstanding"])
        if invoice["vis_state"] == 0 and outstanding > 1:
            self.world.payment(invoice["id"], f"{outstanding / part:.2f}", on=on, method=method)

    @rule(amount=amounts, on=days, refund=st.booleans())
    def spends(self, amount: str, on: dt.date, refund: bool) -> None:
        self.world.expense(f"-{amount}" if refund else amount, on=on, taxes=())

    @rule(pick=picks, amount=amounts, taxes=taxes)
    def changes_an_invoice(self, pick: int, amount: str, taxes: Any) -> None:
        """To any amount; one that has been posted keeps taxes that can be posted."""
        invoice = self._pick("invoice", pick)
        if not (taxes == (LEVY,) and self.world.documents("invoice", invoice["id"])) and Decimal(amount) / 2 >= money(invoice["paid"]):
            self.books.edit_invoice(invoice["id"], lines=[line(amount, taxes)])

    @rule(pick=picks, amount=amounts)
    def changes_an_expense(self, pick: int, amount: str) -> None:
        if expense := self._pick("expense", pick):
            self.books.edit_expense(expense["id"], amount=amount)

    @rule(pick=picks, other=picks)
    def changes_a_payment(self, pick: int, other: int) -> None:
        """Its amount, or the invoice that it pays."""
        payment, invoice = self._pick("payment", pick), self._pick("invoice", other)
        if not payment or payment["vis_state"] == 1:
            return
        if payment["invoiceid"] == invoice["id"]:
            self.books.edit_payment(payment["id"], amount=f"{max(money(payment['amount']) / 2, Decimal(1)):.2f}")
        elif self._takes(invoice, payment):
            self.books.edit_payment(payment["id"], invoice_id=invoice["id"])

    @rule(source=sources, pick=picks, to=days)
    def moves(self, source: str, pick: int, to: dt.date) -> None:
        if record := self._pick(source, pick):
            edit: Callable[..., object] = getattr(self.books, f"edit_{source}")
            edit(record["id"], date=to)

    @rule(source=sources, pick=picks)
    def deletes(self, source: str, pick: int) -> None:
        """Not an invoice with payments: what becomes of those is a person's decision (`left_scope`)."""
        record = self._pick(source, pick)
        if record and (source != "invoice" or money(record["paid"]) == 0):
            self.books.delete(source, record["id"])

    @rule(source=sources, pick=picks)
    def restores(self, source: str, pick: int) -> None:
        gone = [row for row in self.books.view(source) if row["vis_state"] == 1]
        record = gone[pick % len(gone)] if gone else None
        if record and (source != "payment" or self._takes(self.books.get("invoice", record["invoiceid"]), record)):
            self.books.restore(source, record["id"])

    # The schedule, the network, the database

    @rule()
    def hourly(self) -> None:
        with _may_give_up():
            self.world.follow()

    @rule(start=days, end=days)
    def syncs_a_range(self, start: dt.date, end: dt.date) -> None:
        with _may_give_up():
            self.world.sync(min(start, end), max(start, end))

    @rule()
    def starts_anew(self) -> None:
        self.world.restart()

    @rule(fault=st.sampled_from(FAULTS))
    def quickbooks_fails(self, fault: dict[str, Any]) -> None:
        self.world.fail(**fault)

    @rule(dialect=st.sampled_from(("html", "cut", "empty")))
    def freshbooks_fails(self, dialect: Any) -> None:
        self.world.freshbooks_faults.add(Fault(502 if dialect == "html" else 200, dialect, "/accounting/", 2))

    @rule()
    def tokens_expire(self) -> None:
        self.world.expire_access_tokens()

    @rule(path=st.sampled_from(("/customer", "/invoice", "/batch", "/payment", "/bill")), answered=st.booleans())
    def the_database_restarts(self, path: str, answered: bool) -> None:
        at_request(self.world, path, lambda: end_sessions(self.world.engine), answered=answered)

    @rule()
    def quickbooks_forgets_request_ids(self) -> None:
        self.world.quickbooks.honours_request_id = False

    # What has to hold

    @invariant()
    def nothing_stands_twice(self) -> None:
        twice = [words for words, times in Counter(self._markers()).items() if times > 1]
        assert not twice

    def teardown(self) -> None:
        """The next quiet sync; after a step that failed there is nothing to see."""
        if sys.exc_info()[0] is not None:
            return
        world = self.world
        world.slow_down(0)  # the application without what waits for a request
        world.faults.faults.clear()
        world.freshbooks_faults.clear()
        world.restart()
        world.follow()
        assert_agrees(world, kept(world, self.chart))
        self.nothing_stands_twice()
        assert world.unfinished() == 0
        before = self._standing()
        world.restart()
        world.sync()
        assert self._standing() == before, "a further sync has written"
        self.agreed.append(len(before))

    def _markers(self) -> Iterator[str]:
        for entity in TRANSACTIONS:
            for row in self.world.quickbooks.rows(entity):
                yield row["PrivateNote"].removeprefix("Voided - ").split(" ")[0]

    def _standing(self) -> dict[tuple[str, str], str]:
        return {(entity, row["Id"]): row["SyncToken"] for entity in TRANSACTIONS for row in self.world.quickbooks.rows(entity)}

    def _takes(self, invoice: dict[str, Any], payment: dict[str, Any]) -> bool:
        """Whether a payment may belong to an invoice: without overpaying it, and not to one that is held, where it would stay as it was."""
        held = any(one["taxName1"] == LEVY[0] for one in invoice["lines"])
        return invoice["vis_state"] == 0 and not held and money(invoice["outstanding"]) >= money(payment["amount"])

    def _pick(self, source: str, pick: int) -> dict[str, Any]:
        records = self.books.view(source)
        return records[pick % len(records)] if records else {}


@contextlib.contextmanager
def _may_give_up() -> Iterator[None]:
    """A sync under faults that do not end says so, and so does one whose database went away; the next one goes on."""
    with contextlib.suppress(Unreachable, DBAPIError):
        yield


def test_any_history_ends_in_books_that_agree(make_world: Callable[..., World]) -> None:
    chosen, _, number = os.environ.get("HISTORIES", "").partition(":")
    plan = settings(
        max_examples=int(number or 10),
        stateful_step_count=20,
        deadline=None,
        derandomize=not chosen,
        database=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    agreed: list[int] = []
    machine: Any = lambda: Histories(make_world, agreed)  # noqa: E731
    run_state_machine_as_test(seed(int(chosen))(machine) if chosen else machine, settings=plan)
    assert any(agreed)
