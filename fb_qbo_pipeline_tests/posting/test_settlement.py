"""What follows from QuickBooks' answers: adopted, held, repaired or undone; and nothing of a person's is overwritten."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from fb_qbo_pipeline.ledger.outbox import new_request_id
from fb_qbo_pipeline.ledger.tables import outbox, posted_document
from fb_qbo_pipeline.pipeline.intake import read_dates
from fb_qbo_pipeline.pipeline.post import post
from fb_qbo_pipeline.pipeline.stage import stage
from fb_qbo_pipeline.sandbox.freshbooks.clock import Clock
from fb_qbo_pipeline.sandbox.freshbooks.state import FreshBooks
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline.sandbox.sample_country import country_named, integration
from fb_qbo_pipeline_tests.pipeline.world import HST, NOW, START, TODAY, World, day, line

D = Decimal


def test_a_number_taken_by_our_own_document_is_adopted(world: World) -> None:
    invoice = world.invoice()
    world.sync()
    before = world.document("invoice", invoice)
    _forget(world)
    world.sync()
    assert world.document("invoice", invoice) == before
    assert not world.held()
    with world.ledger.begin() as tx:
        assert tx.posted.by_ids("invoice", [invoice])[invoice].qbo_id == before["Id"]


def test_a_number_taken_by_a_stranger_is_held(world: World) -> None:
    invoice = world.invoice(number="7")
    stranger = world.typed_by_hand("FB7", note=f"fb:OTHER/invoice/{invoice}")
    world.sync()
    assert world.codes() == ["duplicate_number"]
    assert f"Invoice {stranger}" in world.held()[0]["reason"]
    assert world.documents("invoice", invoice) == []


def test_a_stale_token_after_a_payment_was_linked_is_no_conflict(world: World) -> None:
    invoice = world.invoice()
    world.sync()
    world.payment(invoice, "60.00")
    world.sync()
    world.freshbooks.edit_invoice(invoice, lines=[line("200.00")])
    world.sync()
    posted = world.document("invoice", invoice)
    assert (posted["TotalAmt"], posted["Balance"]) == (D("226.00"), D("166.00"))
    assert not world.held()


def test_a_payment_whose_invoice_was_voided_can_still_be_voided(world: World) -> None:
    invoice = world.invoice()
    payment = world.payment(invoice, "60.00")
    world.sync()
    world.freshbooks.delete("invoice", invoice)
    world.freshbooks.delete("payment", payment)
    world.sync()
    assert world.balances() == {}
    assert not world.held()


@pytest.mark.parametrize("field", ["CustomerMemo", "DueDate", "DocNumber"])
def test_what_a_person_changed_is_not_overwritten(world: World, field: str) -> None:
    invoice = world.invoice()
    world.sync()
    changed = {"CustomerMemo": {"value": "Call first"}, "DueDate": "2026-12-31", "DocNumber": "MINE"}[field]
    world.quickbooks.edit("Invoice", world.document("invoice", invoice)["Id"], **{field: changed})
    world.freshbooks.edit_invoice(invoice, lines=[line("200.00")])
    world.sync()
    assert world.codes() == ["changed_in_quickbooks"]
    assert world.document("invoice", invoice)[field] == changed
    assert world.document("invoice", invoice)["TotalAmt"] == D("113.00")


def test_a_document_that_a_person_changed_is_not_voided(world: World) -> None:
    invoice = world.invoice()
    world.sync()
    world.quickbooks.edit("Invoice", world.document("invoice", invoice)["Id"], DueDate="2026-12-31")
    world.freshbooks.delete("invoice", invoice)
    world.sync()
    assert world.codes() == ["changed_in_quickbooks"]
    assert world.document("invoice", invoice)["TotalAmt"] == D("113.00")


def test_a_document_that_a_person_deleted_is_not_made_again(world: World) -> None:
    invoice = world.invoice()
    world.sync()
    world.quickbooks.remove("Invoice", world.document("invoice", invoice)["Id"])
    world.freshbooks.edit_invoice(invoice, lines=[line("200.00")])
    world.sync()
    assert world.codes() == ["changed_in_quickbooks"]
    assert world.documents("invoice", invoice) == []


def test_deleting_what_a_person_has_deleted_already_is_no_exception(world: World) -> None:
    invoice, expense = world.invoice(), world.expense()
    world.sync()
    world.quickbooks.remove("Invoice", world.document("invoice", invoice)["Id"])
    world.quickbooks.remove("Bill", world.document("expense", expense)["Id"])
    world.freshbooks.delete("invoice", invoice)
    world.freshbooks.delete("expense", expense)
    world.sync()
    assert not world.held()


def test_a_conflict_ends_when_freshbooks_is_changed_back(world: World) -> None:
    invoice = world.invoice()
    world.sync()
    world.quickbooks.edit("Invoice", world.document("invoice", invoice)["Id"], DueDate="2026-12-31")
    world.freshbooks.edit_invoice(invoice, lines=[line("200.00")])
    world.sync()
    world.freshbooks.edit_invoice(invoice, lines=[line("100.00")])
    world.sync()
    assert not world.held()


def test_a_period_closed_since_the_lists_were_read_holds_the_document(world: World) -> None:
    world.sync()
    world.quickbooks.close_date = day(6)
    invoice = world.invoice(on=day(5))
    later = world.invoice(on=day(7))
    world.sync()
    assert world.codes() == ["closed_period"]
    assert world.documents("invoice", invoice) == []
    assert len(world.documents("invoice", later)) == 1


def test_a_refused_document_costs_the_others_of_its_batch_nothing(world: World) -> None:
    refused, fine = world.invoice(number="7"), world.invoice(number="8")
    world.typed_by_hand("FB7")
    world.sync()
    assert world.documents("invoice", refused) == []
    assert len(world.documents("invoice", fine)) == 1


@pytest.fixture
def american(make_world: Callable[..., World]) -> World:
    """A company whose automated sales tax computes its own tax, whatever it was told."""
    freshbooks = FreshBooks(currency="USD", clock=Clock(NOW))
    quickbooks = QuickBooks("us", us_honours_total_tax=False)
    return make_world(settings=integration(country_named("us"), START), freshbooks=freshbooks, quickbooks=quickbooks)


def test_a_total_some_cents_off_is_repaired_with_the_rounding_product(american: World) -> None:
    invoice = american.invoice("60.00", taxes=(("Sales Tax", "7.30"),))  # 4.38; QuickBooks computes 4.35
    counts = american.sync()
    posted = american.document("invoice", invoice)
    assert posted["TotalAmt"] == D("64.38")
    assert [row["Amount"] for row in posted["Line"] if row.get("Description") == "Rounding"] == [D("0.03")]
    assert dict(counts.created)["invoice"] == 1
    assert american.sync().unchanged == 1
    assert [row["code"] for row in american.held()] == []


def test_a_total_further_off_is_taken_out_of_the_books_and_held(american: World) -> None:
    invoice = american.invoice("1000.00", taxes=(("Sales Tax", "7.30"),))  # 73.00; QuickBooks computes 72.50
    fine = american.invoice("100.00", taxes=(("Sales Tax", "7.25"),))
    american.sync()
    assert american.codes() == ["total_mismatch"]
    assert american.documents("invoice", invoice) == []
    assert american.document("invoice", fine)["TotalAmt"] == D("107.25")
    american.settings["sales"]["rounding_limit"] = "0.60"
    american.sync()
    assert american.document("invoice", invoice)["TotalAmt"] == D("1073.00")
    assert not american.held()


@pytest.mark.parametrize("path", ["/invoice?", "operation=delete"])
def test_a_lost_answer_while_a_document_is_undone_leaves_nothing_behind(american: World, path: str) -> None:
    invoice = american.invoice("1000.00", taxes=(("Sales Tax", "7.30"),))
    american.fail(path=path, when="after", drop_connection=True)
    american.sync()
    assert american.faults.struck == 1
    assert american.codes() == ["total_mismatch"]
    assert american.documents("invoice", invoice) == []
    assert american.unfinished() == 0


def test_a_lost_answer_while_a_total_is_repaired_repairs_it_once(american: World) -> None:
    invoice = american.invoice("60.00", taxes=(("Sales Tax", "7.30"),))
    american.fail(path="/invoice?", when="after", drop_connection=True, skip=1)
    american.sync()
    assert american.faults.struck == 1
    posted = american.document("invoice", invoice)
    assert posted["TotalAmt"] == D("64.38")
    assert [row["Amount"] for row in posted["Line"] if row.get("Description") == "Rounding"] == [D("0.03")]
    assert not american.held()


def test_a_changed_document_that_comes_back_different_is_held_and_says_so(american: World) -> None:
    invoice = american.invoice("100.00", taxes=(("Sales Tax", "7.25"),))
    american.sync()
    american.freshbooks.edit_invoice(invoice, lines=[line("1000.00", (("Sales Tax", "7.30"),))])
    american.sync()
    assert american.codes() == ["total_mismatch"]
    assert "stands in QuickBooks" in american.held()[0]["reason"]


def test_what_came_back_different_is_not_sent_again_until_something_has_changed(american: World) -> None:
    invoice = american.invoice("100.00", taxes=(("Sales Tax", "7.25"),))
    american.follow()
    american.freshbooks.edit_invoice(invoice, lines=[line("1000.00", (("Sales Tax", "7.30"),))])
    american.follow()
    writes, since = american.quickbooks.counters.writes, american.held()[0]["since"]
    assert american.sync().held == 1
    assert (american.quickbooks.counters.writes, american.held()[0]["since"]) == (writes, since)
    american.settings["sales"]["rounding_limit"] = "0.60"
    american.follow()
    assert american.document("invoice", invoice)["TotalAmt"] == D("1073.00")
    assert not american.held()


def _odd_cents(world: World) -> int:
    """An invoice of three lines whose tax FreshBooks and QuickBooks round differently: 0.20 in all, or 3 × 0.07."""
    return int(world.freshbooks.add_invoice(world.client(), lines=[line("0.52", (HST,))] * 3, date=day(5))["id"])


@pytest.mark.parametrize("answer", ["refused", "recomputed"])
def test_tax_amounts_that_quickbooks_does_not_take_are_made_up_for_by_the_rounding_product(world: World, answer: Any) -> None:
    world.quickbooks.tax_amounts = answer
    odd, fine = _odd_cents(world), world.invoice("100.00", number="8")
    world.sync()
    freshbooks = {row["id"]: row for row in world.freshbooks.view("invoice")}
    posted = world.document("invoice", odd)
    assert posted["TotalAmt"] == D(freshbooks[odd]["amount"]["amount"])
    assert [row["Description"] for row in posted["Line"] if row.get("Description") == "Rounding"] == ["Rounding"]
    assert world.document("invoice", fine)["TotalAmt"] == D("113.00")
    assert not world.held()
    assert world.sync().unchanged == 2


def _forget(world: World) -> None:
    """As if the ledger had been lost: nothing is known to stand in QuickBooks."""
    with world.ledger.begin() as tx:
        tx.connection.execute(posted_document.delete())
        tx.connection.execute(outbox.delete())


class _Late:
    """A QuickBooks client whose changes are carried out a moment before they are sent again."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def write(self, entity: str, body: Any, *, request_id: str, **more: Any) -> Any:
        self._client.write(entity, body, request_id=new_request_id(), **more)
        return self._client.write(entity, body, request_id=request_id, **more)


@pytest.mark.parametrize("change", ["edit", "delete"])
def test_a_change_carried_out_between_look_up_and_repetition_is_no_conflict(world: World, change: str) -> None:
    invoice = world.invoice()
    world.sync()
    if change == "edit":
        world.freshbooks.edit_invoice(invoice, lines=[line("200.00")])
    else:
        world.freshbooks.delete("invoice", invoice)
    with world.runtime() as runtime:
        read_dates(runtime, "invoice", START, TODAY)
        stage(runtime, "invoice", START, TODAY)
        runtime.quickbooks = _Late(runtime.quickbooks)  # type: ignore[assignment]
        post(runtime, "invoice", START, TODAY)
    assert not world.held()
    assert world.document("invoice", invoice)["TotalAmt"] == (D("226.00") if change == "edit" else 0)
