"""Checks as a finance person finds them: by day, with severity, count, money and a bounded table; none left unanswered."""

import dagster as dg

from fb_qbo_pipeline.assets.describe import TABLE_ROWS
from fb_qbo_pipeline_tests.assets.deployment import Deployment
from fb_qbo_pipeline_tests.pipeline.world import World, day, line

UNKNOWN_TAX = (("Luxury", "3"),)


def test_a_held_row_fails_the_check_of_its_day_only_as_a_warning(world: World, deployment: Deployment) -> None:
    world.invoice("100.00", on=day(5))
    world.invoice("50.00", on=day(6), taxes=UNKNOWN_TAX, client=world.client("Umbrella | Co"))
    assert deployment.run(day(5), day(7)).success
    verdicts = {n: deployment.verdict("staged_invoices", "no_document_is_held", day(n)) for n in (5, 6, 7)}
    assert {n: verdict.passed for n, verdict in verdicts.items()} == {5: True, 6: False, 7: True}
    assert verdicts[6].severity is dg.AssetCheckSeverity.WARN
    assert verdicts[6].metadata["documents held"] == 1
    assert verdicts[6].metadata["money held"] == "51.50 CAD"
    table = verdicts[6].metadata["held"]
    for told in ("0000002", "2026-03-06", "Umbrella \\| Co", "51.50 CAD", "unmapped_tax", "sales.taxes"):
        assert told in table
    assert world.count() == {"Invoice": 1}


def test_every_day_of_a_run_has_an_evaluation_and_none_stays_planned(world: World, deployment: Deployment) -> None:
    world.invoice("50.00", on=day(6), taxes=UNKNOWN_TAX)
    deployment.run(day(6))
    deployment.run(day(5), day(7))
    assert deployment.planned() == []
    for key in deployment.checks():
        assert deployment.evaluated(key) == {f"2026-03-0{n}" for n in (5, 6, 7)}


def test_a_check_tells_about_fifty_documents_and_how_many_more_there_are(world: World, deployment: Deployment) -> None:
    client = world.client()
    for _ in range(TABLE_ROWS + 3):
        world.invoice("1.00", on=day(6), taxes=UNKNOWN_TAX, client=client)
    deployment.run(day(6))
    verdict = deployment.verdict("staged_invoices", "no_document_is_held", day(6))
    assert verdict.metadata["documents held"] == TABLE_ROWS + 3
    assert verdict.metadata["held"].count("unmapped_tax") == TABLE_ROWS
    assert "3 more" in verdict.metadata["held"]


def test_a_check_that_failed_passes_after_the_remedy(world: World, deployment: Deployment) -> None:
    invoice = world.invoice("50.00", on=day(6), taxes=UNKNOWN_TAX)
    deployment.run(day(6))
    world.freshbooks.edit_invoice(invoice, lines=[line("50.00")])
    deployment.run(day(6))
    assert deployment.verdict("staged_invoices", "no_document_is_held", day(6)).passed
