"""A ledger that knows less than QuickBooks: a restored backup, or one that was lost."""

import pytest
from sqlalchemy import Engine, delete

from fb_qbo_pipeline.ledger.tables import link, outbox, posted_document, staged_document
from fb_qbo_pipeline_tests.pipeline.world import World, day


def forget(engine: Engine, source: str | None = None) -> None:
    """Lose what stands in QuickBooks, of one kind or of all."""
    with engine.begin() as connection:
        if source is not None:
            connection.execute(delete(posted_document).where(posted_document.c.source == source))
            return
        for table in (posted_document, staged_document, outbox, link):
            connection.execute(table.delete())


@pytest.fixture
def paid(world: World) -> int:
    """A synced invoice over 113.00 with 60.00 paid."""
    invoice = world.invoice("100.00", on=day(5))
    world.payment(invoice, "60.00", on=day(10))
    world.expense("56.50", on=day(7))
    world.sync()
    return invoice


@pytest.mark.parametrize("source", ["payment", None])
def test_what_the_ledger_has_forgotten_is_recognised_and_not_posted_again(world: World, paid: int, engine: Engine, source: str) -> None:
    books = world.balances()
    forget(engine, source)
    world.sync()
    assert world.count() == {"Invoice": 1, "Payment": 1, "Bill": 1}
    assert world.balances() == books
    assert world.held() == []
    counts = world.sync()
    assert (counts.created, counts.updated, counts.voided) == ({}, {}, {})


def test_a_forgotten_payment_says_that_it_was_found_and_counts_as_unchanged(world: World, paid: int, engine: Engine) -> None:
    forget(engine, "payment")
    counts = world.sync()
    assert (counts.created["payment"], counts.updated["payment"]) == (0, 0)
    with world.ledger.begin() as tx:
        (posted,) = [document for document in tx.posted.in_dates(day(10), day(10)) if document.source == "payment"]
    assert posted.adopted


def test_a_forgotten_payment_that_has_changed_since_is_changed_and_not_doubled(world: World, paid: int, engine: Engine) -> None:
    forget(engine, "payment")
    (payment,) = [row["id"] for row in world.freshbooks.view("payment")]
    world.freshbooks.edit_payment(payment, amount="70.00")
    world.sync()
    assert world.count()["Payment"] == 1
    assert str(world.document("payment", payment)["TotalAmt"]) == "70.00"
    assert str(world.document("invoice", paid)["Balance"]) == "43.00"


def test_a_new_payment_costs_one_read_more_and_other_documents_none(world: World, paid: int) -> None:
    def reads() -> int:
        with world.engine.connect() as connection:
            return connection.exec_driver_sql(
                "SELECT count(*) FROM fb_qbo.audit WHERE service = 'quickbooks' AND kind = 'read'"
            ).scalar_one()

    before = reads()
    world.payment(paid, "10.00", on=day(11))
    world.sync(day(11), day(11))
    with_payment = reads() - before
    world.expense("56.50", on=day(12))
    world.sync(day(12), day(12))
    assert with_payment - (reads() - before - with_payment) == 1
