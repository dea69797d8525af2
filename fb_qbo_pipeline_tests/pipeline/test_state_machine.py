"""Any history of edits, syncs, faults, restarts, lost ledgers and meddling ends, after one quiet sync, in books that agree.

The machine plays a company: its people in FreshBooks, a person in QuickBooks, the schedule, the network and the disk. What
has to hold is checked at the end of each history, so that everything before it may be as untidy as it is in real life.
"""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from fb_qbo_pipeline.errors import PipelineError
from fb_qbo_pipeline.sandbox.quickbooks import operations
from fb_qbo_pipeline.sandbox.quickbooks.store import TRANSACTIONS
from fb_qbo_pipeline_tests.pipeline.oracle import money
from fb_qbo_pipeline_tests.pipeline.world import HST, START, World, day, line

Key = tuple[str, int]  # a FreshBooks record: its resource and id
SOURCES = ("invoice", "payment", "expense")
FAULTS: tuple[dict[str, Any], ...] = (
    {"when": "after", "path": "POST"},  # carried out, and the answer is lost
    {"when": "after", "path": "POST", "dialect": "cut", "status": 200},
    {"when": "after", "path": "POST", "drop_connection": True},
    {"when": "middle", "path": "/batch", "status": 504, "dialect": "gateway"},
    {"when": "item", "path": "/batch"},
    {"when": "before", "status": 429, "dialect": "xml"},
    {"when": "before", "path": "POST", "status": 503, "dialect": "json", "count": 40},  # longer than anybody tries again
)

picks = st.integers(0, 30)
sources = st.sampled_from(SOURCES)
amounts = st.integers(1, 60).map(lambda tens: f"{tens * 10}.00")
days = st.integers(1, 20).map(day)
dates = st.one_of(days, days, st.just(START - dt.timedelta(days=9)))


class Histories(RuleBasedStateMachine):
    """One company's history."""

    def __init__(self, make_world: Callable[..., World]) -> None:
        super().__init__()
        self.world = make_world()
        self.world.restore()  # the ledger of the history before
        self.meddled: set[Key] = set()  # records whose QuickBooks document a person has touched
        self.backups: list[dict[str, list[dict[str, Any]]]] = []
        self.forgotten = False  # whether a ledger was lost, or replaced by an older one

    @initialize()
    def begins(self) -> None:
        self.acme = self.world.client()
        self.world.invoice("100.00", client=self.acme)

    # People in FreshBooks

    @rule(amount=amounts, on=days, taxes=st.sampled_from(((HST,), ())))
    def sells(self, amount: str, on: dt.date, taxes: Any) -> None:
        self.world.invoice(amount, on=on, client=self.acme, taxes=taxes)

    @rule(pick=picks, on=days, part=st.sampled_from((1, 1, 2)))
    def is_paid(self, pick: int, on: dt.date, part: int) -> None:
        invoice = self._pick("invoice", pick)
        outstanding = money(invoice["outstanding"])
        if invoice["vis_state"] == 0 and outstanding > 1:
            self.world.payment(invoice["id"], f"{outstanding / part:.2f}", on=on)

    @rule(amount=amounts, on=days, refund=st.booleans())
    def spends(self, amount: str, on: dt.date, refund: bool) -> None:
        self.world.expense(f"-{amount}" if refund else amount, on=on, taxes=())

    @rule(source=sources, pick=picks, amount=amounts)
    def changes_an_amount(self, source: str, pick: int, amount: str) -> None:
        record = self._pick(source, pick)
        if not record:
            return
        books = self.world.freshbooks
        if source == "invoice":
            books.edit_invoice(record["id"], lines=[line(amount)])
        elif source == "expense":
            books.edit_expense(record["id"], amount=amount)
        elif record["invoiceid"] is not None:
            invoice = books.get("invoice", record["invoiceid"])
            most = money(invoice["outstanding"]) + money(record["amount"])
            if record["vis_state"] == 0 and most > 0:
                books.edit_payment(record["id"], amount=f"{min(money(amount), most):.2f}")

    @rule(source=sources, pick=picks, to=dates)
    def moves(self, source: str, pick: int, to: dt.date) -> None:
        record = self._pick(source, pick)
        if record:
            edit: Callable[..., object] = getattr(self.world.freshbooks, f"edit_{source}")
            edit(record["id"], date=to)

    @rule(source=sources, pick=picks)
    def deletes(self, source: str, pick: int) -> None:
        record = self._pick(source, pick)
        if record:
            self.world.freshbooks.delete(source, record["id"])

    @rule(source=sources, pick=picks)
    def restores(self, source: str, pick: int) -> None:
        gone = [row for row in self.world.freshbooks.view(source) if row["vis_state"] == 1]
        if gone:
            self.world.freshbooks.restore(source, gone[pick % len(gone)]["id"])

    @rule(pick=picks, status=st.sampled_from(("draft", "sent")))
    def changes_a_status(self, pick: int, status: str) -> None:
        self.world.freshbooks.edit_invoice(self._pick("invoice", pick)["id"], status=status)

    @rule(pick=picks, other=picks)
    def pays_another_invoice(self, pick: int, other: int) -> None:
        payment, invoice = self._pick("payment", pick), self._pick("invoice", other)
        if payment and payment["vis_state"] == 0 and money(invoice["outstanding"]) >= money(payment["amount"]):
            self.world.freshbooks.edit_payment(payment["id"], invoice_id=invoice["id"])

    # A person in QuickBooks

    @rule(source=sources, pick=picks, how=st.sampled_from(("edit", "delete", "void")))
    def meddles(self, source: str, pick: int, how: str) -> None:
        record = self._pick(source, pick)
        found = self.world.documents(source, record["id"]) if record else []
        if not found:
            return
        entity, row = found[0]
        request = {"Id": row["Id"], "SyncToken": row["SyncToken"]}
        if how == "edit":
            self.world.quickbooks.edit(entity, row["Id"], TxnDate="2026-03-21")
        elif how == "delete":
            operations.write(self.world.quickbooks, entity, request, operation="delete")
        elif entity == "Invoice":
            operations.write(self.world.quickbooks, entity, request, operation="void")
        self.meddled.add((source, record["id"]))

    # The schedule, the network, the machine

    @rule()
    def hourly(self) -> None:
        with _may_give_up():
            self.world.follow()

    @rule()
    def only_looks(self) -> None:
        with _may_give_up():
            self.world.look()

    @rule(start=days, end=days)
    def syncs_a_range(self, start: dt.date, end: dt.date) -> None:
        with _may_give_up():
            self.world.sync(min(start, end), max(start, end))

    @rule(fault=st.sampled_from(FAULTS))
    def fails(self, fault: dict[str, Any]) -> None:
        self.world.fail(**fault)

    @rule()
    def starts_anew(self) -> None:
        self.world.restart()

    @rule()
    def saves_a_backup(self) -> None:
        self.backups.append(self.world.backup())

    @precondition(lambda self: self.backups)
    @rule(pick=picks)
    def goes_back_to_a_backup(self, pick: int) -> None:
        self.world.restore(self.backups[pick % len(self.backups)])
        self.forgotten = True

    @rule()
    def loses_the_ledger(self) -> None:
        self.world.restore()
        self.forgotten = True

    # What has to hold

    def teardown(self) -> None:
        world = self.world
        world.faults.faults.clear()
        world.restart()
        world.follow()
        held = {(row["source"], row["source_id"]): row["code"] for row in world.held()}
        for source in SOURCES:
            for record in world.freshbooks.view(source):
                self._check(source, record, held)
        self._check_codes(held)
        assert world.unfinished() == 0
        before = self._standing()
        world.restart()
        world.sync()
        assert self._standing() == before, "a second sync has written"

    def _check(self, source: str, record: dict[str, Any], held: dict[Key, str]) -> None:
        key = (source, record["id"])
        documents = self.world.documents(source, record["id"])
        assert len(documents) <= 1, f"{key} stands {len(documents)} times"
        if key in held or key in self.meddled or ("invoice", record.get("invoiceid")) in self.meddled | held.keys():
            return
        total = sum(-row["TotalAmt"] if entity == "VendorCredit" else row["TotalAmt"] for entity, row in documents)
        expected = money(record["amount"]) if self._in_scope(source, record) else 0
        assert total == expected, f"{key} stands with {total}, not {expected}"
        if expected:
            assert documents[0][1]["TxnDate"] == record["date" if source != "invoice" else "create_date"]
        if source == "invoice" and expected and not self.meddled and not any(name == "payment" for name, _ in held):
            assert documents[0][1]["Balance"] == max(0, money(record["outstanding"])), f"the balance of {key}"

    def _in_scope(self, source: str, record: dict[str, Any]) -> bool:
        if record["vis_state"] == 1:
            return False
        if source == "payment":
            owner = self.world.freshbooks.get("invoice", record["invoiceid"])
            return self._in_scope("invoice", owner)
        if source == "invoice":
            return record["create_date"] >= START.isoformat() and record["v3_status"] in self.world.settings["sales"]["statuses"]
        return bool(record["date"] >= START.isoformat())

    def _check_codes(self, held: dict[Key, str]) -> None:
        """Nobody is asked about what nobody has done: without meddling, only what has left the scope needs a decision."""
        expected = {"left_scope"}
        if self.meddled or self.forgotten:
            expected |= {"changed_in_quickbooks"}
        if not self.meddled:
            assert set(held.values()) <= expected, held

    def _standing(self) -> dict[tuple[str, str], str]:
        return {(name, row["Id"]): row["SyncToken"] for name in TRANSACTIONS for row in self.world.quickbooks.rows(name)}

    def _pick(self, source: str, pick: int) -> dict[str, Any]:
        records = self.world.freshbooks.view(source)
        return records[pick % len(records)] if records else {}


@contextlib.contextmanager
def _may_give_up() -> Iterator[None]:
    """A sync under faults that do not end tells so; the next one goes on."""
    with contextlib.suppress(PipelineError):
        yield


def test_any_history_ends_in_books_that_agree(make_world: Callable[..., World]) -> None:
    quick = settings(
        max_examples=40,
        stateful_step_count=20,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(lambda: Histories(make_world), settings=quick)
