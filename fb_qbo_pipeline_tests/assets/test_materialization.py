"""What a run of the assets leaves behind: documents in QuickBooks, and in Dagster each day's counts and money."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from fb_qbo_pipeline.assets.factory import PARTITIONED
from fb_qbo_pipeline_tests.assets.deployment import Deployment
from fb_qbo_pipeline_tests.pipeline.world import START, World, day


def test_a_run_of_one_day_syncs_that_day_alone(world: World, deployment: Deployment) -> None:
    world.invoice("100.00", on=day(5))
    world.invoice("50.00", on=day(6))
    assert deployment.run(day(5)).success
    assert world.count() == {"Invoice": 1}
    assert world.balances()["Accounts Receivable (A/R)"] == Decimal("113.00")
    assert {asset: deployment.days(asset) for asset in PARTITIONED} == {asset: {"2026-03-05"} for asset in PARTITIONED}


def test_days_that_were_only_read_are_noted_by_the_next_look(world: World, deployment: Deployment) -> None:
    world.follow()
    world.invoice("100.00", on=day(5))
    assert deployment.run(day(5), assets=("raw_invoices",)).success
    assert world.look().waiting == 1
    assert deployment.run(day(5)).success
    assert world.look().waiting == 0


def test_a_range_is_one_run_and_each_of_its_days_has_its_own_counts_and_money(world: World, deployment: Deployment) -> None:
    invoice = world.invoice("100.00", on=day(5))
    world.invoice("10.00", on=day(5))
    world.payment(invoice, "113.00", on=day(7))
    world.expense("56.50", on=day(7))
    world.freshbooks.delete("invoice", world.invoice("1.00", on=day(7)))
    assert deployment.run(day(5), day(8)).success
    for asset in PARTITIONED:
        assert deployment.days(asset) == {f"2026-03-0{n}" for n in (5, 6, 7, 8)}
    counted = {asset: [deployment.metadata(asset, day(n))["dagster/row_count"] for n in (5, 6, 7, 8)] for asset in PARTITIONED[:9]}
    assert counted == {
        "raw_invoices": [2, 0, 0, 0],
        "raw_payments": [0, 0, 1, 0],
        "raw_expenses": [0, 0, 1, 0],
        "staged_invoices": [2, 0, 1, 0],
        "staged_payments": [0, 0, 1, 0],
        "staged_expenses": [0, 0, 1, 0],
        "posted_sales": [2, 0, 0, 0],
        "posted_payments": [0, 0, 1, 0],
        "posted_bills": [0, 0, 1, 0],
    }
    assert [deployment.metadata("raw_invoices", day(n))["deleted"] for n in (5, 7)] == [0, 1]
    assert [deployment.metadata("posted_sales", day(n))["money in QuickBooks"] for n in (5, 6)] == ["124.30 CAD", "0.00"]
    assert [deployment.metadata("posted_sales", day(n))["written by this run"] for n in (5, 6)] == [2, 0]
    assert [deployment.metadata("staged_invoices", day(n))["money to post"] for n in (5, 6)] == ["124.30 CAD", "0.00"]
    assert [deployment.metadata("reconciliation", day(n))["documents"] for n in (5, 6, 7, 8)] == [2, 0, 2, 0]


def test_every_materialization_has_what_a_plot_needs(world: World, deployment: Deployment) -> None:
    world.invoice("100.00", on=day(5))
    deployment.run(day(5), day(6))
    for asset in PARTITIONED:
        metadata = deployment.metadata(asset, day(6))
        assert {"run: requests to FreshBooks", "run: requests to QuickBooks", "run: seconds"} <= metadata.keys()
    assert deployment.metadata("raw_invoices", day(5))["run: requests to FreshBooks"] >= 2
    assert deployment.metadata("posted_sales", day(5))["run: requests to QuickBooks"] >= 2
    assert [deployment.metadata("posted_sales", day(n))["amount"] for n in (5, 6)] == [113.0, 0.0]


def test_a_payment_from_before_the_start_is_counted_in_the_first_partition(world: World, deployment: Deployment) -> None:
    invoice = world.invoice("100.00", on=START)
    world.payment(invoice, "13.00", on=START.replace(month=2))
    deployment.run(START)
    assert deployment.metadata("raw_payments", START)["dagster/row_count"] == 1
    assert deployment.metadata("posted_payments", START)["money in QuickBooks"] == "13.00 CAD"


def test_a_repeated_run_writes_nothing(world: World, deployment: Deployment) -> None:
    invoice = world.invoice("100.00", on=day(5))
    world.payment(invoice, "113.00", on=day(6))
    deployment.run(day(5), day(6))
    writes, books = world.quickbooks.counters.writes, world.balances()
    deployment.run(day(5), day(6))
    deployment.run(day(5))
    assert (world.quickbooks.counters.writes, world.balances()) == (writes, books)
    assert deployment.metadata("posted_sales", day(5))["written by this run"] == 0
    assert deployment.metadata("posted_sales", day(5))["money in QuickBooks"] == "113.00 CAD"


def test_a_failed_step_leaves_nothing_half_done_and_the_next_run_finishes(world: World, deployment: Deployment) -> None:
    invoice = world.invoice("100.00", on=day(5))
    world.payment(invoice, "113.00", on=day(6))
    world.fail(path="/payment", status=503, count=None)
    assert not deployment.run(day(5), day(6), raises=False).success
    assert deployment.days("posted_sales") == {"2026-03-05", "2026-03-06"}
    assert deployment.days("posted_payments") == deployment.days("reconciliation") == set()
    world.faults.faults.clear()
    assert deployment.run(day(5), day(6)).success
    assert world.count() == {"Invoice": 1, "Payment": 1}
    assert "Accounts Receivable (A/R)" not in world.balances()  # paid
    assert deployment.days("reconciliation") == {"2026-03-05", "2026-03-06"}


def test_a_workflow_that_is_off_leaves_its_days_empty(
    make_world: Callable[..., World], deploy: Callable[[World], Deployment], world_settings: dict[str, Any]
) -> None:
    world = make_world(settings={key: value for key, value in world_settings.items() if key != "expenses"})
    deployment = deploy(world)
    world.expense(on=day(7))
    deployment.run(day(7))
    assert world.count() == {}
    assert deployment.metadata("posted_bills", day(7))["dagster/row_count"] == 0


@pytest.mark.parametrize(
    ("source", "spoilt"), [("payment", {"amount": {"amount": "much", "code": "CAD"}}), ("expense", {"categoryid": None})]
)
def test_a_record_that_cannot_be_read_stops_no_run_and_its_days_settle(
    world: World, deployment: Deployment, source: str, spoilt: dict[str, Any]
) -> None:
    invoice = world.invoice("100.00", on=day(5))
    records = {"payment": world.payment(invoice, "20.00", on=day(6)), "expense": world.expense(on=day(6))}
    world.freshbooks.spoil(source, records[source], **spoilt)
    world.look()
    assert deployment.run(START, day(20)).success
    assert world.codes() == ["refused"]
    assert world.touched() == []
    verdict = deployment.verdict("reconciliation", "no_document_is_held", day(6))
    assert "cannot be read" in verdict.metadata["found"]
    assert "cannot be read" in deployment.metadata("reconciliation", day(6))["held documents"]
    assert deployment.verdict("reconciliation", "every_document_is_posted_or_held", day(6)).passed


def test_a_page_of_a_day_shows_money_and_what_is_held_before_what_the_run_cost(world: World, deployment: Deployment) -> None:
    world.invoice("40.00", on=day(6), taxes=(("Unheard of", "3"),), client=world.client("Umbrella"))
    world.expense(on=day(6))
    deployment.run(day(6), day(7))
    for asset, first in (
        ("staged_invoices", "money to post"),
        ("posted_sales", "money in QuickBooks"),
        ("reconciliation", "money that differs"),
    ):
        metadata = deployment.metadata(asset, day(6))
        names = list(metadata)
        assert names[0] == first
        assert names.index("held documents") < names.index("run: requests to FreshBooks")
        for told in ("Umbrella", "41.20 CAD", "unmapped_tax", "sales.taxes"):
            assert told in metadata["held documents"]
        assert "held documents" not in deployment.metadata(asset, day(7))
    assert "held documents" not in deployment.metadata("posted_bills", day(6))
