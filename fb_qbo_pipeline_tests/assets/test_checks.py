"""Checks as a finance person finds them: by day, with severity, count, money and a bounded table; none left unanswered."""

import datetime as dt
from collections import Counter

import dagster as dg

from fb_qbo_pipeline.assets import checks
from fb_qbo_pipeline.assets.checks import QUIET_DAYS
from fb_qbo_pipeline.assets.describe import TABLE_ROWS
from fb_qbo_pipeline.pipeline.steps import look_at_company
from fb_qbo_pipeline.review.rules import RECONCILED
from fb_qbo_pipeline_tests.assets.deployment import Deployment
from fb_qbo_pipeline_tests.pipeline.world import World, day, line

UNKNOWN_TAX = (("Luxury", "3"),)


def test_a_held_row_fails_the_check_of_its_day_only_as_a_warning(world: World, deployment: Deployment) -> None:
    world.invoice("100.00", on=day(5))
    world.invoice("50.00", on=day(6), taxes=UNKNOWN_TAX, client=world.client("Umbrella | Co"))
    assert deployment.run(day(5), day(7)).success
    verdicts = {n: deployment.verdict("reconciliation", "no_document_is_held", day(n)) for n in (5, 6, 7)}
    assert {n: verdict.passed for n, verdict in verdicts.items()} == {5: True, 6: False, 7: True}
    assert verdicts[6].severity is dg.AssetCheckSeverity.WARN
    assert verdicts[6].metadata["documents"] == 1
    assert verdicts[6].metadata["money at stake"] == "51.50 CAD"
    assert "fb-qbo exceptions" in verdicts[6].metadata["what to do"]
    table = verdicts[6].metadata["found"]
    for told in ("0000002", "2026-03-06", "Umbrella \\| Co", "51.50 CAD", "unmapped_tax", "sales.taxes"):
        assert told in table
    assert world.count() == {"Invoice": 1}
    mapped = [deployment.verdict("staged_invoices", "taxes_and_products_are_mapped", day(n)).passed for n in (5, 6, 7)]
    assert mapped == [True, False, True]


def test_a_document_that_a_person_ignores_is_not_held(world: World, deployment: Deployment) -> None:
    world.invoice("50.00", on=day(6), taxes=UNKNOWN_TAX)
    deployment.run(day(6))
    with world.ledger.begin() as tx:
        tx.exceptions.set_status(world.held()[0]["id"], "ignored", "paper only")
    deployment.run(day(6))
    assert deployment.verdict("reconciliation", "no_document_is_held", day(6)).passed


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
    verdict = deployment.verdict("reconciliation", "no_document_is_held", day(6))
    assert verdict.metadata["documents"] == TABLE_ROWS + 3
    assert verdict.metadata["found"].count("unmapped_tax") == TABLE_ROWS
    assert "3 more" in verdict.metadata["found"]


def test_a_check_that_failed_passes_after_the_remedy(world: World, deployment: Deployment) -> None:
    invoice = world.invoice("50.00", on=day(6), taxes=UNKNOWN_TAX)
    deployment.run(day(6))
    world.freshbooks.edit_invoice(invoice, lines=[line("50.00")])
    deployment.run(day(6))
    assert deployment.verdict("reconciliation", "no_document_is_held", day(6)).passed


def test_every_check_passes_where_all_is_well(world: World, deployment: Deployment) -> None:
    invoice = world.invoice("100.00", on=day(5))
    world.payment(invoice, "113.00", on=day(6), type="PayPal")
    world.expense(on=day(6))
    deployment.run(day(5), day(6))
    failed = [
        (key.name, n)
        for key in deployment.checks()
        for n in (5, 6)
        if not deployment.verdict(key.asset_key.path[-1], key.name, day(n)).passed
    ]
    assert failed == []
    assert (
        "| PayPal | 1 | 113.00 CAD | 113.00 CAD | 0.00 CAD | 0.00 CAD |"
        in deployment.metadata("posted_payments", day(6))["clearing accounts"]
    )


def test_a_document_on_a_default_of_the_settings_is_told(world: World, deployment: Deployment) -> None:
    world.expense(on=day(6), vendor="")
    deployment.run(day(5), day(6))
    verdict = deployment.verdict("reconciliation", "no_fallback_was_used", day(6))
    assert not verdict.passed
    assert "names no vendor" in verdict.metadata["found"]
    assert deployment.verdict("reconciliation", "no_fallback_was_used", day(5)).passed


def test_the_step_of_another_asset_may_have_the_last_word_of_the_whole_company(world: World, deployment: Deployment) -> None:
    world.invoice("50.00", on=day(6), taxes=UNKNOWN_TAX)
    deployment.run(day(6))
    with world.ledger.begin() as tx:
        tx.exceptions.set_status(world.held()[0]["id"], "ignored", "paper only")

    @dg.asset
    def looks_at_everything(context: dg.AssetExecutionContext) -> None:
        with world.runtime() as runtime:
            verdicts = look_at_company(runtime, RECONCILED)
            checks.report_company(context, deployment.key("reconciliation"), RECONCILED, verdicts, runtime.clock())

    assert dg.materialize([looks_at_everything], instance=deployment.instance).success
    keys = [dg.AssetCheckKey(deployment.key("reconciliation"), rule.name) for rule in RECONCILED]
    latest = deployment.instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
    assert {latest[key].status.value for key in keys} == {"SUCCEEDED"}
    assert {latest[key].partition for key in keys} == {None}


def test_the_feed_is_fresh_by_what_looks_have_found_and_not_by_backfills(world: World, deployment: Deployment) -> None:
    world.invoice("100.00", on=day(5))
    deployment.look()
    deployment.run(day(5))
    assert deployment.feed().passed
    world.freshbooks.clock.advance(dt.timedelta(days=QUIET_DAYS - 1))
    world.expense(on=day(6))
    deployment.look()
    assert deployment.feed().passed
    world.freshbooks.clock.advance(dt.timedelta(days=1))
    deployment.run(day(5))
    deployment.look()
    verdict = deployment.feed()
    assert not verdict.passed
    assert verdict.metadata["nothing new of"] == "invoices, payments"
    assert verdict.metadata["days since the latest expense"] == 1


def test_checks_are_few_and_each_tells_a_controller_what_to_do(deployment: Deployment) -> None:
    graph = deployment.definitions.resolve_asset_graph()
    by_asset = Counter(key.asset_key for key in graph.asset_check_keys)
    assert max(by_asset.values()) <= 8
    for key in graph.asset_check_keys:
        spec = graph.get_check_spec(key)
        assert spec.description
        assert "If not:" in spec.description
        assert not spec.blocking  # bad documents are held; good ones flow


def test_what_is_deleted_in_quickbooks_fails_its_day_and_the_company_until_a_person_accepts_it(
    world: World, deployment: Deployment
) -> None:
    expense = world.expense(on=day(6))
    deployment.look()
    deployment.run(day(5), day(6))
    world.quickbooks.remove("Bill", world.document("expense", expense)["Id"])
    deployment.look()
    deployment.run(day(6))
    for name in ("freshbooks_and_quickbooks_agree", "no_document_is_held"):
        verdict = deployment.verdict("reconciliation", name, day(6))
        assert not verdict.passed
        assert "56.50 CAD" in str(verdict.metadata["money at stake"])
    assert deployment.verdict("reconciliation", "every_document_is_posted_or_held", day(6)).passed
    with world.ledger.begin() as tx:
        tx.exceptions.set_status(world.held()[0]["id"], "ignored", "a duplicate")
    deployment.run(day(6))
    for name in ("freshbooks_and_quickbooks_agree", "no_document_is_held"):
        assert deployment.verdict("reconciliation", name, day(6)).passed


def test_what_a_person_ignores_reaches_the_check_with_the_next_look_and_an_unchanged_verdict_is_not_told_again(
    world: World, deployment: Deployment
) -> None:
    world.invoice("50.00", on=day(6), taxes=UNKNOWN_TAX)
    deployment.look()
    assert deployment.history("reconciliation", "no_document_is_held") == 0, "of what no run has read nothing is said"
    deployment.run(day(1), day(20))
    told = deployment.history("reconciliation", "no_document_is_held")
    deployment.look()
    assert deployment.history("reconciliation", "no_document_is_held") == told
    assert not deployment.newest("reconciliation", "no_document_is_held").passed
    with world.ledger.begin() as tx:
        tx.exceptions.set_status(world.held()[0]["id"], "ignored", "paper only")
    deployment.look()
    assert deployment.newest("reconciliation", "no_document_is_held").passed


def test_days_that_no_run_has_taken_in_are_told_beside_the_verdict(world: World, deployment: Deployment) -> None:
    world.invoice(on=day(6))
    deployment.look()
    deployment.run(day(6), day(7))
    verdict = deployment.newest("reconciliation", "freshbooks_and_quickbooks_agree")
    assert (verdict.passed, verdict.metadata["days not taken in yet"]) == (True, "18 days wait")
    deployment.run(day(1), day(20))
    assert "days not taken in yet" not in deployment.newest("reconciliation", "freshbooks_and_quickbooks_agree").metadata


def test_documents_of_another_deployment_are_told_until_they_are_taken_over(world: World, deployment: Deployment) -> None:
    world.invoice(on=day(6))
    deployment.look()
    assert deployment.newest("change_feed", "no_other_deployment_posts").passed
    deployment.run(day(1), day(20))
    world.restore(None)
    deployment.look()
    assert not deployment.newest("change_feed", "no_other_deployment_posts").passed
    deployment.run(day(1), day(20))
    deployment.look()
    assert deployment.newest("change_feed", "no_other_deployment_posts").passed


def test_a_day_that_is_materialized_by_itself_asks_quickbooks_and_not_the_ledger_alone(world: World, deployment: Deployment) -> None:
    expense = world.expense(on=day(6))
    world.invoice(on=day(6))
    deployment.run(day(5), day(6))
    world.quickbooks.remove("Bill", world.document("expense", expense)["Id"])
    with world.ledger.begin() as tx:  # as another process
        tx.cursors.set("books", tx.cursors.get("books") | {"by": "another process"})
    deployment.run(day(6), assets=("reconciliation",))
    verdict = deployment.verdict("reconciliation", "freshbooks_and_quickbooks_agree", day(6))
    assert (verdict.passed, verdict.metadata["money at stake"]) == (False, "56.50 CAD")
    assert deployment.sensor_tick(), "and its day is run, so that the document is held"
