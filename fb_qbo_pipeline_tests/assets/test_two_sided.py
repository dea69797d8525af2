"""The scheduled comparison as a run: what its materialization and its check say."""

from collections.abc import Callable

import dagster as dg

from fb_qbo_pipeline.assets.two_sided import BOTH_SERVICES_AGREE, TWO_SIDED
from fb_qbo_pipeline.automation.two_sided import build_comparison_job
from fb_qbo_pipeline_tests.assets.deployment import Deployment
from fb_qbo_pipeline_tests.pipeline.world import START, TODAY, World


def _compare(deployment: Deployment) -> tuple[dict[str, object], dg.AssetCheckEvaluation]:
    job = deployment.definitions.resolve_job_def(build_comparison_job(deployment.world.integration).name)
    result = job.execute_in_process(instance=deployment.instance)
    (materialization,) = result.asset_materializations_for_node(f"{deployment.world.integration.name}__{TWO_SIDED}")
    (evaluation,) = [one for one in result.get_asset_check_evaluations() if one.check_name == BOTH_SERVICES_AGREE]
    return {name: value.value for name, value in materialization.metadata.items()}, evaluation


def test_a_comparison_says_what_it_compared_and_what_it_read(world: World, deployment: Deployment) -> None:
    world.payment(world.invoice(), "50.00")
    world.follow()
    metadata, evaluation = _compare(deployment)
    assert evaluation.passed
    assert metadata["compared"] == f"{START} to {TODAY}, everything from the start date on"
    assert (metadata["documents"], metadata["differences"], metadata["held"]) == (2, 0, 0)
    assert metadata["run: requests to QuickBooks"] > 0  # type: ignore[operator]


def test_what_differs_fails_its_check_and_is_named_with_money_and_remedy(
    world: World, deployment: Deployment, deploy: Callable[[World], Deployment]
) -> None:
    expense = world.expense()
    world.follow()
    world.quickbooks.remove("Bill", world.document("expense", expense)["Id"])
    _metadata, evaluation = _compare(deployment)
    assert not evaluation.passed
    table = str(evaluation.metadata["found"].value)
    assert "Serano Bakery" in table
    assert "56.50 CAD" in table
    assert "was deleted there" in table
    assert not deployment.newest("reconciliation", "freshbooks_and_quickbooks_agree").passed
    assert deployment.sensor_tick(), "its day is run, so that the document is held"
