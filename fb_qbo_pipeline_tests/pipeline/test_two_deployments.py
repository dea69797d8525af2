"""Two deployments post the same FreshBooks account into the same company: each document stands once, and a person is told."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from fb_qbo_pipeline.ledger.database import connect, migrate
from fb_qbo_pipeline.pipeline.runtime import SERVICES, token_store
from fb_qbo_pipeline.posting.verify import content
from fb_qbo_pipeline.sandbox.quickbooks import operations
from fb_qbo_pipeline_tests.pipeline.world import Sandboxes, World, day

D = Decimal


@pytest.fixture
def elsewhere(engine: Engine) -> Iterator[Engine]:
    """Another deployment's database."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("DROP DATABASE IF EXISTS elsewhere"))
        connection.execute(text("CREATE DATABASE elsewhere"))
    other = connect(engine.url.set(database="elsewhere").render_as_string(hide_password=False))
    migrate(other)
    yield other
    other.dispose()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("DROP DATABASE elsewhere WITH (FORCE)"))


@pytest.fixture
def both(make_world: Callable[..., World], sandboxes: Sandboxes, elsewhere: Engine, tmp_path: Path) -> tuple[World, World]:
    """Two worlds that share both services."""
    first = make_world()
    second = World(sandboxes, elsewhere, tmp_path / "second", freshbooks=first.freshbooks, quickbooks=first.quickbooks)
    first.authority, first.freshbooks_tokens = second.authority, second.freshbooks_tokens  # both talk to the second's applications
    with first.runtime() as runtime:  # connects: a refresh token works once, so the other one takes over what comes of it
        runtime.catch_up()
        runtime.reader.me()
    for service in SERVICES:
        with token_store(first.engine, first.environment, first.integration, service).locked() as tokens:
            pair = tokens.pair
        assert pair is not None
        with token_store(elsewhere, second.environment, second.integration, service).locked() as tokens:
            tokens.save(pair)
    return first, second


def _invoices(world: World, count: int) -> list[int]:
    client = world.client()
    return [world.invoice("100.00", client=client, on=day(3)) for _ in range(count)]


def _at_once(worlds: tuple[World, World]) -> None:
    """Both sync at the same time, without having looked at QuickBooks before: their looks of a moment ago count still."""
    errors: list[Exception] = []

    def sync(world: World) -> None:
        try:
            world.sync()
        except Exception as error:  # noqa: BLE001 - shown by the test
            errors.append(error)

    worlds[1].slow_down(0.1)
    threads = [threading.Thread(target=sync, args=(world,)) for world in worlds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    worlds[1].slow_down(0)
    assert errors == []


@pytest.mark.parametrize("amount", ["40.00", "113.00"])
def test_payments_that_two_deployments_post_at_the_same_instant_stand_once(both: tuple[World, World], amount: str) -> None:
    """In full, QuickBooks refuses the second one itself: there is nothing open any more."""
    invoices = _invoices(both[0], 20)
    for world in both:
        world.sync()
    payments = [both[0].payment(invoice, amount, on=day(12)) for invoice in invoices]
    _at_once(both)
    assert len([both[0].document("payment", payment) for payment in payments]) == 20
    for world in both:
        world.restart()
        world.follow()
    assert len([both[0].document("payment", payment) for payment in payments]) == 20
    assert [world.codes() for world in both] == [[], []]


def _posted_again(world: World, payment: int) -> str:
    """Let a second transaction of the same payment stand, as a deployment makes it that looked before the first one wrote; its id."""
    row = world.document("payment", payment)
    body = {name: row[name] for name in ("CustomerRef", "TotalAmt", "TxnDate", "PrivateNote", "DepositToAccountRef")}
    return str(operations.write(world.quickbooks, "Payment", body)["Id"])


def test_where_the_other_one_posted_later_and_leaves_it_a_person_is_told_and_its_deletion_is_seen(world: World) -> None:
    payment = world.payment(world.invoice(), "113.00")
    world.follow()
    double = _posted_again(world, payment)
    world.follow()
    (held,) = world.held()
    assert held["code"] == "changed_in_quickbooks"
    assert f"Payment {double}" in held["remedy"]
    world.quickbooks.remove("Payment", double)
    world.follow()
    assert world.codes() == []


def test_a_deployment_takes_back_only_what_it_posted_later_itself(world: World) -> None:
    payment = world.payment(world.invoice(), "113.00")
    world.follow()
    theirs = world.document("payment", payment)["Id"]
    ours = _posted_again(world, payment)
    with world.ledger.begin() as tx:  # the ledger's is the later one
        known = tx.posted.by_ids("payment", [payment])[payment]
        row = world.quickbooks.tables["Payment"][ours]
        tx.posted.save([replace(known, qbo_id=ours, sync_token=row["SyncToken"], content=content(row))])
    world.restart()
    world.follow()
    assert world.document("payment", payment)["Id"] == theirs
    assert world.codes() == []


def test_a_second_deployment_is_recognised_at_its_first_look_and_the_first_at_its_next(both: tuple[World, World]) -> None:
    first, second = both
    assert first.look().not_posted == 0
    first.payment(first.invoice(), "40.00")
    first.follow()
    assert second.look().not_posted == 2
    second.follow()
    assert second.look().not_posted == 0, "taken over"
    second.invoice("50.00", on=day(6))
    second.follow()
    assert first.look().not_posted == 1
