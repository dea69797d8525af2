"""A sync on demand: the schedule's job in this process, span by span."""

import base64
import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import pytest

from fb_qbo_pipeline.errors import ConnectionRequired, Unreachable
from fb_qbo_pipeline.oauth import TokenPair
from fb_qbo_pipeline.on_demand import SyncIncomplete, SyncResult, sync, sync_touched
from fb_qbo_pipeline.pipeline.runtime import token_store
from fb_qbo_pipeline.sandbox.sample_country import country_named, integration
from fb_qbo_pipeline_tests.assets.deployment import CompanyOf
from fb_qbo_pipeline_tests.pipeline.outages import at_request
from fb_qbo_pipeline_tests.pipeline.world import TODAY, World, day

FIRST = day(14)
ATTEMPTS = 8  # of a write, before its outcome is left to the next run
Sync = Callable[..., SyncResult]


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """A company since a week ago: a first sync of few days."""
    return make_world(settings=integration(country_named("ca"), FIRST))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def run(world: World, instance: dg.DagsterInstance) -> Sync:
    """Syncs `world`."""
    return lambda days=None, **options: sync(CompanyOf(world), instance, world.ledger, days, **options)


def test_the_first_sync_takes_every_day_and_the_second_only_what_changed(world: World, run: Sync, instance: dg.DagsterInstance) -> None:
    invoice = world.invoice("100.00", on=day(15))
    first = run()
    assert (first.counts.created["invoice"], first.exceptions, len(first.runs)) == (1, 0, 2)
    key = dg.AssetKey(["acme", "reconciliation"])
    assert len(instance.get_materialized_partitions(key)) == 7
    world.payment(invoice, "113.00", on=day(18))
    seen: list[str] = []
    second = run(on_span=lambda span, done, total: seen.append(f"{span} {done}/{total}"))
    assert seen == ["2026-03-15 0/2", "2026-03-18 1/2"]
    assert second.counts.created == {"payment": 1}
    third = run()
    assert (third.counts.created, len(third.runs), third.calls["quickbooks_writes"]) == ({}, 1, 0)


def test_a_span_that_fails_does_not_stop_the_others_and_is_tried_again_next_time(world: World, run: Sync) -> None:
    run()
    world.invoice("100.00", on=day(15))
    world.expense(on=day(18))
    world.fail(path="/invoice", status=503, count=ATTEMPTS)
    with pytest.raises(SyncIncomplete, match=r"1 of 2 spans of days could not be synced:\n  2026-03-15: ") as failed:
        run()
    assert isinstance(failed.value.__cause__, Unreachable)
    assert failed.value.result.counts.created["bill"] == 1
    assert world.touched() == [day(15)]
    run()
    assert (world.touched(), world.count()) == ([], {"Invoice": 1, "Bill": 1})


def test_a_range_is_synced_month_by_month_and_a_month_that_fails_does_not_stop_the_next(world: World, run: Sync) -> None:
    world.invoice("100.00", on=day(15))
    world.expense(on=FIRST + dt.timedelta(days=32))
    with world.ledger.begin() as tx:
        tx.touched.note([day(15), FIRST + dt.timedelta(days=32)], "test")
    world.fail(path="/invoice", status=503, count=ATTEMPTS)
    spans: list[str] = []
    days = (FIRST, FIRST + dt.timedelta(days=32))
    with pytest.raises(SyncIncomplete, match="2026-03-14 – 2026-04-13"):
        run(days, on_span=lambda span, _done, _all: spans.append(str(span)))
    assert spans == ["2026-03-14 – 2026-04-13", "2026-04-14 – 2026-04-15"]
    assert world.touched() == [day(15)]
    assert world.count() == {"Bill": 1, "Invoice": 1}  # looked up by the second run before it posts anything


def test_a_connection_that_is_gone_stops_at_once(world: World, run: Sync) -> None:
    run()
    world.invoice("100.00", on=day(15))
    world.look()
    with token_store(world.engine, world.environment, world.integration, "freshbooks").locked() as tokens:
        tokens.save(TokenPair("", "revoked", None))
    with pytest.raises(ConnectionRequired):
        run()


@pytest.mark.parametrize(("service", "path"), [("freshbooks", "/accounting/account/ABC123/payments"), ("quickbooks", "/batch")])
def test_a_connection_that_ends_in_mid_run_stops_with_what_to_do_and_is_made_up_for(
    world: World, run: Sync, service: str, path: str
) -> None:
    invoices = [world.invoice("100.00", on=day(15)) for _ in range(2)]
    for invoice in invoices:
        world.payment(invoice, "113.00", on=day(16))
    store, fresh = token_store(world.engine, world.environment, world.integration, service), ""

    def another_tool_uses_the_token() -> None:
        nonlocal fresh
        with store.locked() as tokens:
            assert tokens.pair is not None
            fresh = _refreshed_elsewhere(world, service, tokens.pair.refresh_token)
        world.expire_access_tokens()

    at_request(world, path, another_tool_uses_the_token)
    with pytest.raises(ConnectionRequired) as stopped:
        run()
    assert stopped.value.remedy == f"run: fb-qbo connect {service}"
    assert (world.count(), world.unfinished()) == ({}, 0)
    with store.locked() as tokens:
        tokens.save(TokenPair("", fresh, None))
    run()
    assert world.count() == {"Invoice": 2, "Payment": 2}


def _refreshed_elsewhere(world: World, service: str, refresh_token: str) -> str:
    """The refresh token that takes the place of the one that the product holds."""
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    if service == "freshbooks":
        app = {"client_id": "sandbox-client", "client_secret": "sandbox-secret", "redirect_uri": "https://elsewhere.example/"}
        return str(world.freshbooks_tokens.grant(form | app)["refresh_token"])
    _status, answer = world.authority.token(form, "Basic " + base64.b64encode(b"sandbox-client:sandbox-secret").decode())
    return str(answer["refresh_token"])


def test_a_document_of_the_future_waits_until_its_day(world: World, run: Sync) -> None:
    world.invoice("100.00", on=TODAY + dt.timedelta(days=2))
    assert run().counts.created == {}
    world.freshbooks.clock.advance(dt.timedelta(days=2))
    assert run().counts.created["invoice"] == 1


def _settings(world: World, start: dt.date) -> None:
    world.settings = world.settings | {"start_date": start}


def test_a_start_date_that_moves_back_brings_the_days_before_in(world: World, run: Sync) -> None:
    _settings(world, day(17))
    early, late = world.invoice("100.00", on=day(15)), world.invoice("10.00", on=day(18))
    run()
    assert world.count() == {"Invoice": 1}
    _settings(world, FIRST)
    assert run().counts.created["invoice"] == 1
    assert world.document("invoice", early)
    assert world.document("invoice", late)


def test_a_start_date_that_moves_on_leaves_earlier_documents_to_a_person(world: World, run: Sync) -> None:
    world.invoice("100.00", on=day(15))
    run()
    with world.ledger.begin() as tx:
        tx.touched.note([day(15)], "noted under the earlier start date")
    _settings(world, day(17))
    result = run()
    assert (world.count(), world.touched()) == ({"Invoice": 1}, [])
    assert (world.codes(), result.exceptions) == (["left_scope"], 1)


def test_exceptions_that_may_pass_now_are_tried_again_after_a_change_of_settings(world: World, run: Sync) -> None:
    world.invoice("50.00", on=day(16), taxes=(("Luxury", "13"),))
    assert run().exceptions == 1
    taxes: dict[str, Any] = world.settings["sales"]["taxes"] | {"Luxury": "HST ON"}
    world.settings = world.settings | {"sales": world.settings["sales"] | {"taxes": taxes}}
    result = run()
    assert (result.counts.created["invoice"], result.exceptions) == (1, 0)


def test_what_waits_can_be_synced_without_a_look(world: World, instance: dg.DagsterInstance) -> None:
    world.invoice("100.00", on=day(15))
    with world.ledger.begin() as tx:
        tx.touched.note([day(15)], "retry")
    result = sync_touched(CompanyOf(world), instance, world.ledger)
    assert (result.counts.created["invoice"], world.touched()) == (1, [])


def test_no_two_runs_of_a_company_overlap(world: World) -> None:
    with world.ledger.run_lock():
        assert world.ledger.is_running()
    assert not world.ledger.is_running()
