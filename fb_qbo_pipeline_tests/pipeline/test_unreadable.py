"""A FreshBooks record that cannot be read is an exception that finance sees, and costs the others nothing."""

from typing import Any

import pytest

from fb_qbo_pipeline.pipeline.check import check
from fb_qbo_pipeline.pipeline.plan import plan
from fb_qbo_pipeline.pipeline.reconcile import reconcile
from fb_qbo_pipeline_tests.pipeline.world import START, TODAY, World, day

SPOILT = [
    ("invoice", "discount_value", "half"),
    ("payment", "amount", {"amount": "much", "code": "CAD"}),
    ("expense", "categoryid", None),
    ("expense", "taxAmount1", "some"),
]


@pytest.mark.parametrize(("source", "key", "value"), SPOILT)
def test_it_is_held_with_its_id_and_the_field_and_the_others_are_posted(world: World, source: str, key: str, value: Any) -> None:
    fine = world.invoice(on=day(6))
    invoice = world.invoice(on=day(5), number="31")
    ids = {"invoice": invoice, "payment": world.payment(fine, "20.00"), "expense": world.expense()}
    world.freshbooks.spoil(source, ids[source], **{key: value})
    world.follow()
    (held,) = world.held()
    assert (held["source"], held["source_id"], held["code"]) == (source, ids[source], "refused")
    assert key in held["reason"]
    assert "cannot be read" in held["reason"]
    assert world.document("invoice", fine)["TotalAmt"] > 0
    assert world.documents(source, ids[source]) == []


def test_it_is_posted_once_somebody_has_corrected_it(world: World) -> None:
    invoice = world.invoice(number="31")
    payment = world.payment(invoice, "20.00")
    world.freshbooks.spoil("invoice", invoice, discount_value="half")
    world.follow()
    assert world.codes() == ["refused", "waiting_for_invoice"]
    world.freshbooks.spoil("invoice", invoice, discount_value="0")
    world.follow()
    assert not world.held()
    assert world.document("payment", payment)["UnappliedAmt"] == 0


def test_a_document_that_stands_stays_while_its_record_cannot_be_read(world: World) -> None:
    expense = world.expense()
    world.follow()
    world.freshbooks.spoil("expense", expense, vendor="Other")
    world.freshbooks.spoil("expense", expense, amount=None)
    world.follow()
    assert world.codes() == ["refused"]
    assert world.document("expense", expense)["TotalAmt"] > 0


def test_it_is_left_out_where_the_settings_leave_it_out(world: World) -> None:
    for invoice in (world.invoice(status="draft"), world.invoice()):
        world.freshbooks.spoil("invoice", invoice, discount_value="half")
    world.freshbooks.delete("invoice", invoice)
    world.follow()
    assert not world.held()


def test_a_date_that_cannot_be_read_is_held_under_the_day_it_was_known_by(world: World) -> None:
    invoice = world.invoice(on=day(5))
    world.follow()
    world.freshbooks.spoil("invoice", invoice, create_date="soon")
    world.follow()
    (held,) = world.held()
    assert (held["code"], held["document_date"]) == ("refused", day(5))
    world.look()
    assert world.touched() == []


def test_it_counts_in_the_tie_out_and_in_the_preflight(world: World) -> None:
    invoice = world.invoice("100.00", number="31")
    world.payment(invoice, "20.00")
    world.freshbooks.spoil("invoice", invoice, discount_value="half")
    with world.runtime() as runtime:
        found = {finding.key: finding for finding in check(runtime).findings}
        planned = {one.code for one in plan(runtime, START, TODAY)}
    assert (found["refused"].documents, found["refused"].examples) == (1, ("invoice 31",))
    assert found["waiting_for_invoice"].documents == 1
    assert planned == {"refused", "waiting_for_invoice"}
    world.follow()
    with world.runtime() as runtime:
        result = reconcile(runtime, START, TODAY)
    assert result.agrees
    assert [(line.kind, line.documents, line.held_documents, f"{line.held:.2f}") for line in result.lines] == [
        ("payments", 1, 1, "20.00"),
        ("sales", 1, 1, "113.00"),
    ]
