"""The first sync, and what follows from each kind of change in FreshBooks."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest

from fb_qbo_pipeline.errors import Unreachable
from fb_qbo_pipeline.pipeline.plan import plan
from fb_qbo_pipeline.pipeline.reconcile import reconcile
from fb_qbo_pipeline.pipeline.runtime import Runtime
from fb_qbo_pipeline.review.tieout import tie_out
from fb_qbo_pipeline_tests.pipeline.world import START, TODAY, World, day, line

D = Decimal


def test_the_first_sync_puts_everything_into_quickbooks_to_the_cent(world: World) -> None:
    invoice = world.invoice("100.00")
    world.payment(invoice, "60.00")
    world.expense("56.50")
    counts = world.sync()
    assert dict(counts.created) == {"invoice": 1, "payment": 1, "bill": 1, "customer": 1, "vendor": 1, "item": 1}
    posted = world.document("invoice", invoice)
    assert (posted["TotalAmt"], posted["Balance"]) == (D("113.00"), D("53.00"))
    assert not world.held()
    assert world.balances() == {
        "Accounts Payable (A/P)": D("-56.50"),
        "Accounts Receivable (A/R)": D("53.00"),
        "Advertising": D("50.00"),
        "Services": D("-100.00"),
        "Tax:HST (ON)": D("-13.00"),
        "Tax:HST (ON) ITC": D("6.50"),
        "Undeposited Funds": D("60.00"),
    }


def test_a_second_look_without_changes_touches_nothing(world: World) -> None:
    world.payment(world.invoice(), "113.00")
    world.expense()
    world.look()
    world.sync()
    look = world.look()
    assert not look.first
    assert not any(look.changed.values())
    assert world.touched() == []


def test_a_second_sync_without_changes_writes_nothing(world: World) -> None:
    world.payment(world.invoice(), "113.00")
    world.expense()
    world.sync()
    before = world.quickbooks.counters.writes
    counts = world.sync()
    assert (counts.unchanged, dict(counts.created), dict(counts.updated)) == (3, {}, {})
    assert world.quickbooks.counters.writes == before


def test_an_exception_that_stays_is_not_tried_again_at_every_look(world: World) -> None:
    world.invoice(taxes=(("Unheard of", "3"),))
    world.invoice()
    world.follow()
    world.follow()
    world.look()
    assert world.codes() == ["unmapped_tax"]
    assert world.touched() == []


def test_an_edited_invoice_is_updated_in_its_place(world: World) -> None:
    invoice = world.invoice("100.00")
    world.follow()
    before = world.document("invoice", invoice)
    world.freshbooks.edit_invoice(invoice, lines=[line("250.00")])
    counts = world.follow()
    after = world.document("invoice", invoice)
    assert dict(counts.updated) == {"invoice": 1}
    assert (after["Id"], after["TotalAmt"]) == (before["Id"], D("282.50"))


def test_a_moved_date_touches_both_days(world: World) -> None:
    invoice = world.invoice(on=day(5))
    world.follow()
    world.freshbooks.edit_invoice(invoice, date=day(12))
    world.look()
    assert world.touched() == [day(5), day(12)]
    world.follow()
    assert world.document("invoice", invoice)["TxnDate"] == day(12).isoformat()


def test_a_moved_date_is_noticed_when_only_its_old_day_is_synced(world: World) -> None:
    invoice = world.invoice(on=day(5))
    world.sync()
    world.freshbooks.edit_invoice(invoice, date=day(12))
    world.sync(day(5), day(5))
    assert day(12) in world.touched()


@pytest.mark.parametrize("kind", ["invoice", "payment"])
def test_what_is_deleted_in_freshbooks_is_voided(world: World, kind: str) -> None:
    ids = {"invoice": world.invoice()}
    if kind == "payment":
        ids["payment"] = world.payment(ids["invoice"], "50.00")
    world.follow()
    world.freshbooks.delete(kind, ids[kind])
    counts = world.follow()
    assert dict(counts.voided) == {kind: 1}
    assert world.document(kind, ids[kind])["TotalAmt"] == 0
    assert not world.held()


def test_a_deleted_expense_is_deleted_because_bills_cannot_be_voided(world: World) -> None:
    expense = world.expense()
    world.follow()
    world.freshbooks.delete("expense", expense)
    assert dict(world.follow().voided) == {"bill": 1}
    assert world.documents("expense", expense) == []
    assert world.balances() == {}


def test_a_deleted_document_stays_with_its_payments_where_the_settings_keep_it_and_both_sides_agree(world: World) -> None:
    world.settings["on_delete"] = "keep"
    invoice, other = world.invoice(), world.invoice("10.00")
    payment = world.payment(invoice, "50.00")
    world.follow()
    world.freshbooks.delete("invoice", invoice)
    world.follow()
    assert world.document("invoice", invoice)["TotalAmt"] == D("113.00")
    assert world.document("payment", payment)["TotalAmt"] == D("50.00")
    assert not world.held()
    with world.runtime() as runtime:
        found = reconcile(runtime, START, TODAY)
    assert found.agrees
    assert [(compared.source_id, compared.state) for compared in found.documents] == [(other, "agrees")]
    assert [(line.kind, line.freshbooks, line.quickbooks) for line in tie_out(world.ledger, START, TODAY)] == [
        ("sales", D("11.30"), D("11.30"))
    ]


def test_an_edited_payment_follows(world: World) -> None:
    invoice = world.invoice("100.00")
    payment = world.payment(invoice, "60.00")
    world.follow()
    world.freshbooks.edit_payment(payment, amount="113.00", type="PayPal")
    world.follow()
    assert world.document("invoice", invoice)["Balance"] == 0
    assert world.balances()["PayPal Clearing"] == D("113.00")
    assert "Undeposited Funds" not in world.balances()


def test_a_payment_moved_to_another_invoice_follows(world: World) -> None:
    client = world.client()
    first, second = world.invoice(client=client), world.invoice(client=client, on=day(6))
    payment = world.payment(first, "113.00")
    world.follow()
    world.freshbooks.edit_payment(payment, invoice_id=second)
    world.follow()
    assert [world.document("invoice", one)["Balance"] for one in (first, second)] == [D("113.00"), 0]


def test_an_invoice_lowered_together_with_its_payment_follows(world: World) -> None:
    invoice = world.invoice("100.00", on=day(5))
    payment = world.payment(invoice, "113.00", on=day(10))
    world.follow()
    world.freshbooks.edit_invoice(invoice, lines=[line("80.00")])
    world.freshbooks.edit_payment(payment, amount="90.40")
    world.follow()
    posted = world.document("invoice", invoice)
    assert (posted["TotalAmt"], posted["Balance"]) == (D("90.40"), 0)
    assert not world.held()


def test_an_invoice_raised_together_with_its_payment_follows(world: World) -> None:
    invoice = world.invoice("100.00", on=day(5))
    payment = world.payment(invoice, "113.00", on=day(10))
    world.follow()
    world.freshbooks.edit_invoice(invoice, lines=[line("200.00")])
    world.freshbooks.edit_payment(payment, amount="226.00")
    world.follow()
    posted = world.document("invoice", invoice)
    assert (posted["TotalAmt"], posted["Balance"]) == (D("226.00"), 0)
    assert not world.held()


def test_an_exception_closes_when_freshbooks_is_corrected(world: World) -> None:
    invoice = world.invoice(taxes=(("Unheard of", "3"),))
    world.follow()
    assert world.codes() == ["unmapped_tax"]
    assert world.documents("invoice", invoice) == []
    world.freshbooks.edit_invoice(invoice, lines=[line("100.00")])
    world.follow()
    assert not world.held()
    assert world.document("invoice", invoice)["TotalAmt"] == D("113.00")


def test_a_payment_waits_for_its_invoice_and_follows_by_itself(world: World) -> None:
    invoice = world.invoice(taxes=(("Unheard of", "3"),), on=day(5))
    payment = world.payment(invoice, "50.00", on=day(15))
    world.follow()
    assert world.codes() == ["unmapped_tax", "waiting_for_invoice"]
    world.freshbooks.edit_invoice(invoice, lines=[line("100.00")])
    world.follow()
    assert not world.held()
    assert world.document("payment", payment)["UnappliedAmt"] == 0


def test_a_payment_whose_invoice_quickbooks_refused_follows_by_itself(world: World) -> None:
    invoice = world.invoice(on=day(5), number="7")
    payment = world.payment(invoice, "50.00", on=day(15))
    stranger = world.typed_by_hand(number="FB7")
    world.follow()
    assert world.codes() == ["duplicate_number", "waiting_for_invoice"]
    world.quickbooks.remove("Invoice", stranger)
    world.sync(day(5), day(5))
    assert world.touched() == [day(15)]
    world.follow()
    assert not world.held()
    assert world.document("payment", payment)["UnappliedAmt"] == 0


def test_an_invoice_moved_before_the_start_date_is_left_to_a_person(world: World) -> None:
    invoice = world.invoice()
    world.follow()
    world.freshbooks.edit_invoice(invoice, date="2026-02-27")
    world.follow()
    assert world.codes() == ["left_scope"]
    assert world.document("invoice", invoice)["TxnDate"] == day(5).isoformat()


def test_a_payment_dated_before_the_start_belongs_to_the_first_partition(world: World) -> None:
    invoice = world.invoice("100.00", on=day(1))
    payment = world.payment(invoice, "13.00", on="2026-02-20")  # type: ignore[arg-type]
    world.sync(day(1), day(1))
    assert world.document("payment", payment)["TxnDate"] == "2026-02-20"
    assert world.document("invoice", invoice)["Balance"] == D("100.00")


def test_a_record_that_freshbooks_no_longer_knows_is_voided(world: World) -> None:
    invoice = world.invoice()
    world.sync()
    world.freshbooks.forget("invoice", invoice)
    world.sync()
    assert world.document("invoice", invoice)["TotalAmt"] == 0


def test_an_unchanged_document_in_a_period_closed_since_is_no_exception(world: World) -> None:
    invoice = world.invoice(on=day(5))
    world.follow()
    world.quickbooks.close_date = day(6)
    counts = world.sync(fresh=True)
    assert not world.held()
    assert counts.unchanged == 1
    assert world.document("invoice", invoice)["TotalAmt"] == D("113.00")


def test_a_changed_document_in_a_closed_period_is_held_until_the_period_opens(world: World) -> None:
    invoice = world.invoice(on=day(5))
    world.follow()
    world.quickbooks.close_date = day(6)
    world.freshbooks.edit_invoice(invoice, lines=[line("250.00")])
    world.look()
    world.sync(fresh=True)
    assert world.codes() == ["closed_period"]
    assert world.document("invoice", invoice)["TotalAmt"] == D("113.00")
    world.quickbooks.close_date = None
    world.sync(fresh=True)
    assert not world.held()
    assert world.document("invoice", invoice)["TotalAmt"] == D("282.50")


def test_a_closing_date_that_is_moved_back_is_seen_by_the_next_sync_while_it_holds_something(world: World) -> None:
    world.quickbooks.close_date = day(6)
    invoice, still = world.invoice(on=day(5)), world.invoice(on=day(3))
    world.follow()
    assert world.codes() == ["closed_period"] * 2
    world.quickbooks.close_date = day(4)
    world.follow()
    assert len(world.documents("invoice", invoice)) == 1
    assert world.documents("invoice", still) == []
    assert world.codes() == ["closed_period"]


def test_an_ignored_document_is_left_alone(world: World) -> None:
    invoice = world.invoice(taxes=(("Unheard of", "3"),))
    world.follow()
    with world.ledger.begin() as tx:
        tx.exceptions.set_status(world.held()[0]["id"], "ignored", "entered by hand")
    world.freshbooks.edit_invoice(invoice, lines=[line("100.00")])
    world.follow()
    assert world.documents("invoice", invoice) == []
    assert [row["status"] for row in world.held()] == ["ignored"]


def test_an_invoice_whose_only_product_is_missing_is_held_and_stops_nothing_else(world: World) -> None:
    world.settings["sales"]["products"] = {"create": False}
    world.invoice()
    world.expense()
    counts = world.sync()
    assert world.codes() == ["unmapped_product"]
    assert counts.created["bill"] == 1


def test_a_payment_of_a_deleted_invoice_from_before_the_start_is_no_exception(world: World) -> None:
    invoice = world.invoice(on=START - dt.timedelta(days=40))
    world.payment(invoice, "113.00", on=START - dt.timedelta(days=30))
    world.freshbooks.delete("invoice", invoice)
    counts = world.sync()
    assert world.codes() == []
    assert not counts.created["payment"]


@pytest.mark.parametrize("only_read", [lambda runtime: list(plan(runtime, START, TODAY)), lambda runtime: reconcile(runtime, START, TODAY)])
def test_a_change_that_a_plan_or_a_reconciliation_has_read_first_is_synced_all_the_same(
    world: World, only_read: Callable[[Runtime], object]
) -> None:
    invoice = world.invoice("100.00")
    world.look()
    world.follow()
    world.freshbooks.edit_invoice(invoice, lines=[line("200.00")])
    writes = world.quickbooks.counters.writes
    with world.runtime() as runtime:
        only_read(runtime)
    assert world.quickbooks.counters.writes == writes
    world.look()
    world.follow()
    assert world.document("invoice", invoice)["TotalAmt"] == D("226.00")


def test_what_a_run_has_read_and_not_posted_is_synced_by_the_next_look(world: World) -> None:
    world.follow()
    invoice = world.invoice(on=day(5))
    world.fail(path="POST /v3", status=503, count=20)
    with pytest.raises(Unreachable):
        world.sync(day(5), day(5))  # on demand: no look has noted the day
    world.faults.faults.clear()
    assert world.touched() == []
    world.follow()
    assert world.document("invoice", invoice)
    assert world.look().waiting == 0


def test_an_invoice_that_was_read_for_its_payment_only_is_synced_by_the_next_look(world: World) -> None:
    world.follow()
    invoice = world.invoice(on=day(5))
    payment = world.payment(invoice, "113.00", on=day(12))
    world.sync(day(12), day(12))
    world.follow()
    assert world.document("payment", payment)["TotalAmt"] == world.document("invoice", invoice)["TotalAmt"]


def test_a_part_of_the_history_agrees_although_later_payments_have_not_been_synced(world: World) -> None:
    invoice = world.invoice("100.00", on=day(5))
    world.payment(invoice, "113.00", on=day(12))
    world.sync(START, day(8))
    with world.runtime() as runtime:
        result = reconcile(runtime, START, day(8))
    assert result.findings == []
    assert result.agrees


def test_a_part_of_the_history_agrees_where_later_payments_stand_in_quickbooks_already(world: World) -> None:
    invoice = world.invoice("100.00", on=day(5))
    world.payment(invoice, "113.00", on=day(12))
    world.sync()
    with world.runtime() as runtime:
        assert reconcile(runtime, START, day(8)).findings == []
