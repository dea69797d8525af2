"""Changes that QuickBooks may take only in steps, or not at all: restored, renumbered, given to another customer, of no amount."""

from decimal import Decimal

import pytest

from fb_qbo_pipeline_tests.pipeline.world import World, day

D = Decimal


@pytest.mark.parametrize("kind", ["invoice", "payment", "expense"])
def test_what_is_restored_in_freshbooks_stands_again_once(world: World, kind: str) -> None:
    ids = {"invoice": world.invoice(), "expense": world.expense()}
    ids["payment"] = world.payment(ids["invoice"], "50.00")
    world.follow()
    before = world.balances()
    world.freshbooks.delete(kind, ids[kind])
    if kind == "invoice":  # its payments cannot stand without it
        world.freshbooks.delete("payment", ids["payment"])
    world.follow()
    assert world.balances() != before
    world.freshbooks.restore(kind, ids[kind])
    if kind == "invoice":
        world.freshbooks.restore("payment", ids["payment"])
    counts = world.follow()
    assert world.document(kind, ids[kind])["TotalAmt"] > 0
    assert not counts.voided
    assert not counts.updated
    assert world.balances() == before
    assert not world.held()


def test_a_payment_that_outlives_its_invoice_is_linked_again_when_that_is_restored(world: World) -> None:
    invoice = world.invoice(on=day(5))
    payment = world.payment(invoice, "50.00", on=day(10))
    world.follow()
    before = world.balances()
    world.freshbooks.delete("invoice", invoice)
    world.follow()
    assert world.codes() == ["left_scope"]  # the payment: money that a person decides about
    world.freshbooks.restore("invoice", invoice)
    world.follow()
    assert world.document("invoice", invoice)["Balance"] == D("63.00")
    assert world.document("payment", payment)["UnappliedAmt"] == 0
    assert world.balances() == before
    assert not world.held()


def test_a_paid_invoice_goes_to_another_customer_with_its_payments(world: World) -> None:
    invoice = world.invoice(client=world.client("Acme Ltd"), on=day(5))
    payments = [world.payment(invoice, "50.00", on=day(7)), world.payment(invoice, "63.00", on=day(15))]
    world.follow()
    before = world.balances()
    other = world.freshbooks.add_client("Beta Ltd", "Max", "Roe", "max@beta.example")
    world.freshbooks.edit_invoice(invoice, client_id=other["id"])
    world.follow()
    standing = [world.document("invoice", invoice), *(world.document("payment", payment) for payment in payments)]
    assert {row["CustomerRef"]["name"] for row in standing} == {"Max Roe"}
    assert [row.get("Balance", row.get("UnappliedAmt")) for row in standing] == [0, 0, 0]
    assert world.balances() == before
    assert not world.held()


def test_a_deposited_payment_keeps_its_invoice_with_the_old_customer_and_both_are_told(world: World) -> None:
    invoice = world.invoice(client=world.client("Acme Ltd"), on=day(5))
    payment = world.payment(invoice, "113.00", on=day(7))
    world.follow()
    world.quickbooks.deposited.add(world.document("payment", payment)["Id"])
    other = world.freshbooks.add_client("Beta Ltd", "Max", "Roe", "max@beta.example")
    world.freshbooks.edit_invoice(invoice, client_id=other["id"])
    world.follow()
    assert world.codes() == ["refused", "refused"]
    assert world.document("invoice", invoice)["Balance"] == 0
    assert "Undo the deposit" in world.held()[1]["remedy"]


@pytest.mark.parametrize("later", [5, 9], ids=["on one day", "on two days"])
def test_invoices_that_exchange_or_pass_on_their_numbers_follow(world: World, later: int) -> None:
    client = world.client()
    first, second, third = (world.invoice(client=client, number=number, on=day(on)) for number, on in (("1", 5), ("2", later), ("3", 9)))
    world.follow()
    for invoice, number in ((first, "x"), (second, "1"), (first, "2"), (third, "4")):
        world.freshbooks.edit_invoice(invoice, number=number)
    new = world.invoice(client=client, number="3", on=day(5))
    counts = world.follow()
    numbers = [world.document("invoice", one)["DocNumber"] for one in (first, second, third, new)]
    assert numbers == ["FB2", "FB1", "FB4", "FB3"]
    assert (counts.updated["invoice"], counts.created["invoice"]) == (3, 1)
    assert not world.held()


@pytest.mark.parametrize("skip", [1, 3])
def test_a_lost_answer_while_a_change_is_made_in_steps_costs_nothing(world: World, skip: int) -> None:
    client = world.client("Acme Ltd")
    first, second, paid, restored = (world.invoice(client=client, number=number, on=day(5)) for number in "1278")
    world.payment(paid, "113.00", on=day(7))
    world.follow()
    world.freshbooks.delete("invoice", restored)
    world.follow()
    world.freshbooks.restore("invoice", restored)
    for invoice, number in ((first, "x"), (second, "1"), (first, "2")):
        world.freshbooks.edit_invoice(invoice, number=number)
    other = world.freshbooks.add_client("Beta Ltd", "Max", "Roe", "max@beta.example")
    world.freshbooks.edit_invoice(paid, client_id=other["id"])
    world.fail(path="POST", when="after", drop_connection=True, skip=skip)
    world.follow()
    assert world.faults.struck == 1
    standing = [world.document("invoice", one) for one in (first, second, paid, restored)]
    assert [(row["DocNumber"], row["Balance"]) for row in standing] == [("FB2", 113), ("FB1", 113), ("FB7", 0), ("FB8", 113)]
    assert not world.held()
    assert world.unfinished() == 0


def test_a_number_that_becomes_free_on_another_day_wakes_who_waits_for_it(world: World) -> None:
    client = world.client()
    first = world.invoice(client=client, number="1", on=day(9))
    world.follow()
    second = world.invoice(client=client, number="1", on=day(5))
    world.follow()
    assert world.codes() == ["duplicate_number"]
    world.freshbooks.edit_invoice(first, number="2")
    world.sync(day(9), day(9))
    assert world.touched() == [day(5)]
    world.follow()
    assert [world.document("invoice", one)["DocNumber"] for one in (first, second)] == ["FB2", "FB1"]
    assert not world.held()


def test_the_number_of_a_voided_invoice_is_told_to_be_on_it_still(world: World) -> None:
    first = world.invoice(number="1")
    world.follow()
    world.freshbooks.delete("invoice", first)
    world.follow()
    world.invoice(number="1")
    world.follow()
    assert world.codes() == ["duplicate_number"]
    assert "which was voided because it is deleted in FreshBooks" in world.held()[0]["reason"]


def test_what_has_no_amount_is_told_and_not_posted(world: World) -> None:
    ids = {"payment": world.payment(world.invoice(), "0.00"), "expense": world.expense("0.00", taxes=())}
    assert set(world.follow().created) == {"invoice", "customer", "item"}
    assert not world.held()
    with world.ledger.begin() as tx:
        rows = [tx.staging.by_ids(source, [source_id])[source_id] for source, source_id in ids.items()]
    assert {(row["outcome"], row["reason"]) for row in rows} == {("out_of_scope", "an amount of 0.00: nothing to post")}
