"""Whatever becomes of a request or of the process: in the end each document stands once, and the books add up."""

import random
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest

from fb_qbo_pipeline.errors import Unreachable
from fb_qbo_pipeline.pipeline.intake import read_dates
from fb_qbo_pipeline.pipeline.post import post
from fb_qbo_pipeline.pipeline.stage import stage
from fb_qbo_pipeline_tests.pipeline.outages import deliver_late, deliver_twice
from fb_qbo_pipeline_tests.pipeline.world import START, TODAY, World, day, line

D = Decimal

# Each is a rule of the sandbox's fault plan (`sandbox.quickbooks.faults.Fault`).
FAULTS: dict[str, dict[str, Any]] = {
    "connection broken before anything was done": {"when": "before", "drop_connection": True},
    "connection broken after the commit": {"when": "after", "drop_connection": True},
    "502 in HTML before anything was done": {"when": "before", "status": 502},
    "504 after the commit": {"when": "after", "status": 504, "dialect": "empty"},
    "503 of the gateway": {"when": "before", "status": 503, "dialect": "gateway"},
    "system failure after the commit": {"when": "after", "status": 500, "dialect": "json"},
    "answer cut short": {"when": "after", "status": 200, "dialect": "cut"},
    "empty answer": {"when": "after", "status": 200, "dialect": "empty"},
    "a page in HTML under status 200": {"when": "after", "status": 200, "dialect": "html"},
    "throttled": {"when": "before", "status": 429, "dialect": "xml"},
}
# Faults of changes, and whether QuickBooks honours a repeated request id.
CHANGE_FAULTS = [
    ("connection broken after the commit", True),
    ("connection broken after the commit", False),
    ("502 in HTML before anything was done", False),
    ("throttled", True),
]


class _Company:
    """A world with invoices, payments and expenses, and what QuickBooks has to hold in the end."""

    def __init__(self, world: World, invoices: int = 3) -> None:
        self.world = world
        client = world.client()
        self.invoices = [world.invoice("100.00", client=client, on=day(3 + n)) for n in range(invoices)]
        self.payments = [world.payment(invoice, "60.00", on=day(12)) for invoice in self.invoices]
        self.expenses = [world.expense("56.50", on=day(3 + n)) for n in range(invoices)]

    def assert_stands(self) -> None:
        """Everything stands exactly once, and nothing is held or unknown."""
        count = len(self.invoices)
        assert self.world.count() == {"Invoice": count, "Payment": count, "Bill": count}
        for source, ids in (("invoice", self.invoices), ("payment", self.payments), ("expense", self.expenses)):
            for source_id in ids:
                self.world.document(source, source_id)
        assert not self.world.held()
        assert self.world.unfinished() == 0
        assert len(self.world.quickbooks.rows("Customer")) == len(self.world.quickbooks.rows("Vendor")) == 1
        assert self.world.balances() == {
            "Accounts Payable (A/P)": count * D("-56.50"),
            "Accounts Receivable (A/R)": count * D("53.00"),
            "Advertising": count * D("50.00"),
            "Services": count * D("-100.00"),
            "Tax:HST (ON)": count * D("-13.00"),
            "Tax:HST (ON) ITC": count * D("6.50"),
            "Undeposited Funds": count * D("60.00"),
        }


@pytest.mark.parametrize("fault", FAULTS)
def test_a_batch_with_a_fault_is_carried_out_once(world: World, fault: str) -> None:
    company = _Company(world)
    world.fail(path="/batch", **FAULTS[fault])
    world.sync()
    assert world.faults.struck == 1
    company.assert_stands()


@pytest.mark.parametrize(
    ("entity", "fault"),
    [(entity, "connection broken after the commit") for entity in ("invoice", "payment", "bill", "customer", "vendor", "item")]
    + [(entity, "502 in HTML before anything was done") for entity in ("payment", "customer")],
)
def test_a_single_write_with_a_fault_is_carried_out_once(world: World, entity: str, fault: str) -> None:
    company = _Company(world, invoices=1)
    world.fail(path=f"POST /v3/company/{world.quickbooks.realm_id}/{entity}?", **FAULTS[fault])
    world.sync()
    assert world.faults.struck == 1
    company.assert_stands()


@pytest.mark.parametrize("count", [3, 6])
def test_a_fault_that_is_repeated_for_the_same_request_is_left_behind(world: World, count: int) -> None:
    company = _Company(world)
    world.fail(path="/batch", when="before", status=500, dialect="json", count=count)
    world.sync()
    company.assert_stands()


def test_a_batch_that_broke_in_its_middle_is_finished(world: World) -> None:
    company = _Company(world)
    world.fail(path="/batch", when="middle", items=1, drop_connection=True)
    world.sync()
    company.assert_stands()


def test_a_throttled_item_of_a_batch_is_sent_again(world: World) -> None:
    company = _Company(world)
    world.fail(path="/batch", when="item", count=2)
    world.sync()
    company.assert_stands()


@pytest.mark.parametrize("fault", ["connection broken after the commit", "502 in HTML before anything was done"])
def test_a_server_that_forgets_request_ids_gets_no_double(world: World, fault: str) -> None:
    world.quickbooks.honours_request_id = False
    company = _Company(world)
    world.fail(path="/batch", **(FAULTS[fault] | {"count": 3}))
    world.sync()
    company.assert_stands()


def test_a_server_whose_queries_show_new_documents_late_gets_no_double(world: World) -> None:
    with world.runtime() as runtime:
        runtime.mirror.refresh()
    world.quickbooks.query_lag = 3600.0
    company = _Company(world)
    world.fail(path="/batch", **FAULTS["connection broken after the commit"])
    world.sync()
    company.assert_stands()


@pytest.mark.parametrize("documents", [1, 3])
def test_neither_late_queries_nor_forgotten_request_ids_make_a_double(world: World, documents: int) -> None:
    with world.runtime() as runtime:
        runtime.mirror.refresh()
    company = _Company(world, documents)
    world.quickbooks.honours_request_id = world.quickbooks.warn_duplicate_numbers = False
    world.show_late(4.0)
    for path in ("/customer?", "/vendor?", "/item?", *(("/batch?",) if documents > 1 else ("/invoice?", "/payment?", "/bill?"))):
        world.fail(path=path, **FAULTS["connection broken after the commit"])
    world.sync()
    company.assert_stands()


def test_a_payment_that_no_query_shows_is_found_from_its_invoice(world: World) -> None:
    company = _Company(world, 1)
    world.sync()
    company.payments.append(world.payment(company.invoices[0], "10.00", on=day(13)))
    world.quickbooks.honours_request_id = False
    world.quickbooks.query_lag = 3600.0
    world.fail(path="/payment?", **FAULTS["connection broken after the commit"])
    world.sync()
    assert world.count()["Payment"] == 2
    assert not world.held()
    assert world.unfinished() == 0


@pytest.mark.parametrize("documents", [1, 3])
def test_documents_that_quickbooks_numbers_are_found_again_without_a_number(world: World, documents: int) -> None:
    world.quickbooks.custom_numbers = False
    world.quickbooks.honours_request_id = False
    world.settings["sales"] |= {"number_prefix": "", "auto_number": True}
    company = _Company(world, documents)
    world.fail(path="/batch" if documents > 1 else "/invoice?", **FAULTS["connection broken after the commit"])
    world.sync()
    company.assert_stands()


@pytest.mark.parametrize("documents", [1, 3])
@pytest.mark.parametrize("deliver", [deliver_twice, deliver_late])
def test_a_request_that_a_proxy_delivers_twice_or_late_is_carried_out_once(
    world: World, documents: int, deliver: Callable[[World, str], Sequence[str]]
) -> None:
    company = _Company(world, documents)
    paths = ("customer", "vendor", "item", *(("batch",) if documents > 1 else ("invoice", "payment", "bill")))
    repeated = [deliver(world, f"POST /v3/company/{world.quickbooks.realm_id}/{path}") for path in paths]
    world.sync()
    assert all(repeated)
    company.assert_stands()


@pytest.mark.parametrize("documents", [1, 3])
def test_numbers_and_names_keep_a_repeated_request_from_making_a_double_where_its_id_does_not(world: World, documents: int) -> None:
    """A payment has neither: there a repetition by a proxy can only be found, by `fb-qbo reconcile`."""
    world.quickbooks.honours_request_id = False
    company = _Company(world, documents)
    for payment in company.payments:
        world.freshbooks.delete("payment", payment)
    deliver_twice(world, "POST /v3")
    world.sync()
    assert world.count() == {"Invoice": documents, "Bill": documents}
    assert len(world.quickbooks.rows("Customer")) == len(world.quickbooks.rows("Vendor")) == 1
    assert (world.held(), world.unfinished()) == ([], 0)


@pytest.mark.parametrize("seed", range(3))
def test_a_bad_day_ends_well(world: World, seed: int) -> None:
    world.quickbooks.honours_request_id = seed % 2 == 0
    company = _Company(world, invoices=4)
    chance = random.Random(seed)
    for rule in FAULTS.values():
        world.fail(**(rule | {"path": "POST /v3", "rate": chance.uniform(0.02, 0.12), "count": 5}))
    for _ in range(4):
        try:
            world.sync()
        except Unreachable:
            continue
        break
    world.faults.faults.clear()
    world.sync()
    world.sync()
    company.assert_stands()


@pytest.mark.parametrize(("fault", "honours"), CHANGE_FAULTS)
def test_updates_with_a_fault_are_carried_out_once(world: World, fault: str, honours: bool) -> None:
    company = _Company(world)
    world.sync()
    world.quickbooks.honours_request_id = honours
    for payment in company.payments:
        world.freshbooks.edit_payment(payment, amount="50.00")
    for expense in company.expenses:
        world.freshbooks.edit_expense(expense, amount="113.00", taxes=(("HST", "13.00", "13"),))
    for invoice in company.invoices:
        world.freshbooks.edit_invoice(invoice, lines=[line("200.00")])
    world.fail(path="/batch", **(FAULTS[fault] | {"count": 2}))
    world.sync()
    assert not world.held()
    assert [world.document("invoice", invoice)["Balance"] for invoice in company.invoices] == [D("176.00")] * 3
    assert world.balances()["Accounts Payable (A/P)"] == D("-339.00")


@pytest.mark.parametrize(("fault", "honours"), CHANGE_FAULTS)
def test_deletions_with_a_fault_are_carried_out(world: World, fault: str, honours: bool) -> None:
    company = _Company(world)
    world.sync()
    world.quickbooks.honours_request_id = honours
    for source, ids in (("payment", company.payments), ("expense", company.expenses)):
        for source_id in ids:
            world.freshbooks.delete(source, source_id)
    world.fail(path="/batch", **(FAULTS[fault] | {"count": 2}))
    world.sync()
    assert not world.held()
    assert world.unfinished() == 0
    assert world.count()["Payment"] == 3
    assert "Bill" not in world.count()
    assert "Undeposited Funds" not in world.balances()


def test_a_poisonous_document_costs_the_others_nothing(world: World) -> None:
    company = _Company(world)
    world.freshbooks.edit_invoice(company.invoices[1], number="POISON")
    healthy = world.sandboxes.quickbooks.app
    assert healthy is not None
    world.sandboxes.quickbooks.app = _poisoned(healthy, b"POISON")
    with pytest.raises(Unreachable):
        world.sync()
    assert len(world.quickbooks.rows("Invoice")) == 2
    assert world.unfinished() == 1
    world.sandboxes.quickbooks.app = healthy
    world.sync()
    company.assert_stands()


@pytest.mark.parametrize("carried_out", [True, False])
@pytest.mark.parametrize("documents", [1, 3])
def test_a_process_killed_between_sending_and_recording_is_made_up_for(world: World, carried_out: bool, documents: int) -> None:
    company = _Company(world, invoices=documents)
    _killed_while_posting(world, carried_out)
    assert world.unfinished() == documents
    assert len(world.quickbooks.rows("Invoice")) == (documents if carried_out else 0)
    world.sync()
    company.assert_stands()


def test_a_process_killed_while_updating_is_made_up_for(world: World) -> None:
    company = _Company(world)
    world.sync()
    for invoice in company.invoices:
        world.freshbooks.edit_invoice(invoice, lines=[line("200.00")])
    _killed_while_posting(world, carried_out=True)
    for invoice in company.invoices:
        world.freshbooks.edit_invoice(invoice, lines=[line("100.00")])
    world.sync()
    company.assert_stands()


def test_a_creation_that_nobody_answered_is_voided_when_its_record_is_deleted(world: World) -> None:
    company = _Company(world, invoices=1)
    _killed_while_posting(world, carried_out=True)
    world.freshbooks.delete("payment", company.payments[0])
    world.freshbooks.delete("invoice", company.invoices[0])
    world.sync()
    assert world.document("invoice", company.invoices[0])["TotalAmt"] == 0
    assert "Accounts Receivable (A/R)" not in world.balances()


class Killed(Exception):
    """Stands for the end of the process."""


class _Dying:
    """A QuickBooks client whose process is killed by its first write: before it is sent, or before its answer is recorded."""

    def __init__(self, client: Any, carried_out: bool) -> None:
        self._client, self._carried_out = client, carried_out

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def batch(self, *args: Any, **options: Any) -> Any:
        if self._carried_out:
            self._client.batch(*args, **options)
        raise Killed

    def write(self, entity: str, *args: Any, **options: Any) -> Any:
        if entity in ("Customer", "Vendor", "Item"):
            return self._client.write(entity, *args, **options)
        if self._carried_out:
            self._client.write(entity, *args, **options)
        raise Killed


def _killed_while_posting(world: World, carried_out: bool) -> None:
    with world.runtime() as runtime:
        for source in ("invoice", "payment"):
            read_dates(runtime, source, START, TODAY)
        runtime.mirror.refresh()
        stage(runtime, "invoice", START, TODAY)
        runtime.quickbooks = _Dying(runtime.quickbooks, carried_out)  # type: ignore[assignment]
        with pytest.raises(Killed):
            post(runtime, "invoice", START, TODAY)


def _poisoned(app: Callable[..., Any], poison: bytes) -> Callable[..., Any]:
    """The application, except that a request with the poison in it ends in a 500 whatever else it holds."""

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        if poison in body:
            await send({"type": "http.response.start", "status": 500, "headers": [(b"content-type", b"text/html")]})
            await send({"type": "http.response.body", "body": b"<html></html>"})
            return

        async def again() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        await app(scope, again, send)

    return guarded
