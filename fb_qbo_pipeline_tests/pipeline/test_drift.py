"""What a person deletes or changes in QuickBooks is seen by the next look, told with its money, and comes back by decision only."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from fb_qbo_pipeline.errors import ConfigurationError
from fb_qbo_pipeline.ledger.posted import POSTED
from fb_qbo_pipeline.pipeline.post_anyway import post_anyway
from fb_qbo_pipeline.review.tieout import Line, tie_out
from fb_qbo_pipeline.sandbox.quickbooks import operations
from fb_qbo_pipeline_tests.pipeline.world import START, TODAY, World, day

D = Decimal


def _void(world: World, entity: str, row: dict[str, Any]) -> None:
    body = {"Id": row["Id"], "SyncToken": row["SyncToken"], "sparse": True}
    if entity == "Invoice":
        operations.write(world.quickbooks, entity, body, operation="void")
    else:
        operations.write(world.quickbooks, entity, body, operation="update", include="void")


def _post(world: World) -> None:
    """A person decides that the one held document is to be posted, and the next sync follows."""
    (held,) = world.held()
    with world.runtime() as runtime:
        post_anyway(runtime, held, "Ann")
    world.follow()


def _kind(world: World, kind: str) -> Line:
    return next(line for line in tie_out(world.ledger, START, TODAY) if line.kind == kind)


def test_a_document_that_was_deleted_in_quickbooks_is_seen_by_the_next_look_and_told_with_its_money(world: World) -> None:
    invoice = world.invoice()
    world.invoice("50.00", on=day(6))
    world.follow()
    world.quickbooks.remove("Invoice", world.document("invoice", invoice)["Id"])
    world.restart()
    world.look()
    assert world.touched() == [day(5)]
    sales = _kind(world, "sales")
    assert (sales.quickbooks, sales.difference, sales.agrees) == (D("56.50"), D("113.00"), False)
    world.follow()
    (held,) = world.held()
    assert (held["code"], held["amount"]) == ("changed_in_quickbooks", D("113.00"))
    assert "deleted in QuickBooks" in held["reason"]
    assert "fb-qbo exceptions post" in held["remedy"]
    assert not _kind(world, "sales").agrees, "held for what a person did, it differs until somebody accepts that"


def test_the_next_look_sees_it_even_within_the_hour_in_which_this_process_has_posted(world: World) -> None:
    expense = world.expense()
    world.follow()
    world.quickbooks.remove("Bill", world.document("expense", expense)["Id"])
    world.follow()
    assert world.codes() == ["changed_in_quickbooks"]


def test_an_amount_that_was_changed_in_quickbooks_counts_as_it_stands_there(world: World) -> None:
    invoice = world.invoice()
    world.follow()
    world.quickbooks.edit("Invoice", world.document("invoice", invoice)["Id"], TotalAmt=D("99.00"), Balance=D("99.00"))
    world.look()
    sales = _kind(world, "sales")
    assert (sales.quickbooks, sales.difference) == (D("99.00"), D("14.00"))
    assert sales.differing == [
        "invoice 0000001: 113.00 in FreshBooks, 99.00 in QuickBooks (it was changed: total 99.00 instead of 113.00 there)"
    ]


def test_a_text_that_was_changed_in_quickbooks_differs_although_the_totals_are_equal(world: World) -> None:
    invoice = world.invoice()
    world.follow()
    world.quickbooks.edit("Invoice", world.document("invoice", invoice)["Id"], CustomerMemo={"value": "changed by hand"})
    world.look()
    sales = _kind(world, "sales")
    assert (sales.difference, sales.agrees) == (D("0.00"), False)


def test_a_change_that_is_undone_in_quickbooks_agrees_again(world: World) -> None:
    expense = world.expense()
    world.follow()
    row = world.document("expense", expense)
    world.quickbooks.edit("Bill", row["Id"], DocNumber="MINE")
    world.follow()
    assert world.codes() == ["changed_in_quickbooks"]
    world.quickbooks.edit("Bill", row["Id"], DocNumber=row["DocNumber"])
    world.follow()
    assert world.codes() == []
    assert _kind(world, "expenses").agrees


@pytest.mark.parametrize("removal", ["deleted", "voided"])
def test_an_invoice_that_is_gone_is_made_again_by_decision_and_its_payments_are_applied_to_it(world: World, removal: str) -> None:
    invoice = world.invoice()
    payment = world.payment(invoice, "113.00")
    world.follow()
    balances = world.balances()
    row = world.document("invoice", invoice)
    if removal == "voided":
        _void(world, "Invoice", row)
    else:
        world.quickbooks.remove("Invoice", row["Id"])
        world.quickbooks.edit("Payment", world.document("payment", payment)["Id"], Line=[], UnappliedAmt=D("113.00"))
    world.follow()
    assert world.codes() == ["changed_in_quickbooks"]
    _post(world)
    assert world.codes() == []
    again = world.document("invoice", invoice)
    assert (again["Id"] != row["Id"], again["TotalAmt"], again["Balance"]) == (True, D("113.00"), 0)
    assert world.balances() == balances
    assert all(line.agrees for line in tie_out(world.ledger, START, TODAY))


@pytest.mark.parametrize("source", ["payment", "expense"])
def test_a_payment_or_a_bill_that_was_deleted_is_made_again_by_decision(world: World, source: str) -> None:
    invoice = world.invoice()
    made = {"payment": world.payment(invoice, "50.00"), "expense": world.expense()}
    world.follow()
    balances = world.balances()
    entity, row = world.documents(source, made[source])[0]
    if source == "payment":
        body = {"Id": row["Id"], "SyncToken": row["SyncToken"]}
        operations.write(world.quickbooks, "Payment", body, operation="delete")
    else:
        world.quickbooks.remove(entity, row["Id"])
    world.follow()
    assert world.codes() == ["changed_in_quickbooks"]
    _post(world)
    assert world.codes() == []
    assert world.document(source, made[source])["TotalAmt"] == row["TotalAmt"]
    assert world.balances() == balances


def test_who_decided_what_about_which_document_is_kept(world: World) -> None:
    expense = world.expense()
    world.follow()
    world.quickbooks.remove("Bill", world.document("expense", expense)["Id"])
    world.follow()
    _post(world)
    with world.ledger.begin() as tx:
        (row,) = tx.staging.by_ids("expense", [expense]).values()
        assert tx.decisions.fingerprints("post", "expense", [expense]) == {(expense, row["fingerprint"])}
        assert tx.posted.by_ids("expense", [expense])[expense].state == POSTED


def test_what_was_changed_there_is_not_written_over_by_a_decision(world: World) -> None:
    expense = world.expense()
    world.follow()
    world.quickbooks.edit("Bill", world.document("expense", expense)["Id"], DocNumber="MINE")
    world.follow()
    with pytest.raises(ConfigurationError, match="nothing is written over that"):
        _post(world)


def test_a_payment_that_only_looks_like_one_in_quickbooks_is_posted_beside_it_by_decision(world: World) -> None:
    invoice = world.invoice()
    world.follow()
    sale = world.document("invoice", invoice)
    body = {
        "CustomerRef": sale["CustomerRef"],
        "TotalAmt": D("50.00"),
        "TxnDate": day(10).isoformat(),
        "Line": [{"Amount": D("50.00"), "LinkedTxn": [{"TxnId": sale["Id"], "TxnType": "Invoice"}]}],
    }
    operations.write(world.quickbooks, "Payment", body)
    payment = world.payment(invoice, "50.00")
    world.restart()
    world.follow()
    assert world.codes() == ["duplicate_number"]
    _post(world)
    assert world.codes() == []
    assert world.document("payment", payment)["TotalAmt"] == D("50.00")
    assert len(world.quickbooks.rows("Payment")) == 2


def test_what_others_changed_while_documents_were_being_posted_is_seen_by_the_next_look(world: World) -> None:
    """The feed is asked from the last answer on, not from what was posted last."""
    expense = world.expense()
    world.follow()
    world.invoice()
    world.look()
    world.quickbooks.clock = lambda: dt.datetime.now(dt.UTC) + dt.timedelta(seconds=5)
    world.quickbooks.remove("Bill", world.document("expense", expense)["Id"])
    world.quickbooks.clock = lambda: dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60)
    world.sync()
    world.follow()
    assert world.codes() == ["changed_in_quickbooks"]


def test_marks_that_were_made_under_a_clock_ahead_of_the_present_are_not_believed(world: World) -> None:
    world.expense()
    world.follow()
    ahead = dt.datetime.now(dt.UTC) + dt.timedelta(days=2)
    with world.ledger.begin() as tx:
        tx.cursors.set("books", tx.cursors.get("books") | {"since": ahead.isoformat()})
        for name in ("lists_changes", "lists_full"):
            tx.cursors.set_instant(name, ahead)
    world.look()
    with world.ledger.begin() as tx:
        assert tx.cursors.instant("lists_full") < ahead
        assert dt.datetime.fromisoformat(tx.cursors.get("books")["since"]) < ahead


def test_a_feed_that_refuses_a_kind_of_transaction_still_tells_the_lists(world: World) -> None:
    world.expense()
    world.follow()
    app = world.sandboxes.quickbooks.app
    assert app is not None

    async def refusing(scope: Any, receive: Any, send: Any) -> None:
        if "/cdc" in scope["path"] and b"Bill" in scope["query_string"]:
            scope = scope | {"query_string": scope["query_string"].replace(b"Bill", b"Unheard")}
        await app(scope, receive, send)

    world.sandboxes.quickbooks.app = refusing
    world.quickbooks.add("Account", Name="Late", FullyQualifiedName="Late", AccountType="Bank", AccountSubType="Checking", Active=True)
    queries = world.quickbooks.counters.reads
    world.look()
    with world.runtime() as runtime:
        assert runtime.mirror.company().account("Late") is not None
    assert world.quickbooks.counters.reads - queries < 12, "the lists were not read in full"
