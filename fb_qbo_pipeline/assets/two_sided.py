"""The asset of the scheduled comparison of both services: unpartitioned, because it chooses its days itself."""

import time
from typing import Any

import dagster as dg

from fb_qbo_pipeline.assets.checks import report_company
from fb_qbo_pipeline.assets.code import code_of
from fb_qbo_pipeline.assets.company import Company
from fb_qbo_pipeline.assets.describe import cost_metadata, findings_metadata, tie_out_table
from fb_qbo_pipeline.assets.factory import OWNERS, RECONCILIATION, resource_key
from fb_qbo_pipeline.assets.failures import failures_for_people
from fb_qbo_pipeline.pipeline.preflight import require_valid_settings
from fb_qbo_pipeline.pipeline.steps import look_at_company
from fb_qbo_pipeline.pipeline.two_sided import Comparison, compare_services
from fb_qbo_pipeline.review import rules
from fb_qbo_pipeline.review.findings import Books
from fb_qbo_pipeline.review.verdicts import Tally
from fb_qbo_pipeline.settings.models import Integration

TWO_SIDED = "two_sided_reconciliation"
BOTH_SERVICES_AGREE = "both_services_agree"
_SENTENCE = (
    "Both services, read anew, agree: every document stands in QuickBooks once, with FreshBooks' amounts, date and number, or is held. "
    "If not: the table names each document; fb-qbo trace shows it on both sides."
)
_DESCRIPTION = (
    "Reads FreshBooks and QuickBooks anew and compares them, document by document: daily the last months, once a month everything from "
    "the start date on. What a person has changed or deleted in QuickBooks without the change feed telling is found here."
)


def build_two_sided(integration: Integration) -> dg.AssetsDefinition:
    """The comparison of one integration."""
    key, reconciliation = (dg.AssetKey([integration.name, asset]) for asset in (TWO_SIDED, RECONCILIATION))
    resource = resource_key(integration)

    @dg.asset(
        key=key,
        group_name=integration.name,
        kinds={"python", "quickbooks"},
        description=_DESCRIPTION,
        deps=[reconciliation],
        owners=OWNERS,
        tags={"fb_qbo/company": integration.name, "fb_qbo/stage": "finance"},
        metadata=code_of(compare_services),
        required_resource_keys={resource},
        check_specs=[dg.AssetCheckSpec(BOTH_SERVICES_AGREE, asset=key, description=_SENTENCE)],
    )
    def two_sided_reconciliation(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
        company: Company = getattr(context.resources, resource)
        started = time.monotonic()
        with failures_for_people(), company.open(context.run.run_id) as runtime:
            runtime.catch_up()
            require_valid_settings(runtime)
            comparison = compare_services(runtime)
            at = runtime.clock().astimezone(integration.zone)
            report_company(context, reconciliation, rules.RECONCILED, look_at_company(runtime, rules.RECONCILED), at)
            cost = cost_metadata(runtime.audit.counts, time.monotonic() - started)
        context.log.info("%d documents compared, %d differences", comparison.documents, len(comparison.differences))
        verdict = dg.AssetCheckResult(check_name=BOTH_SERVICES_AGREE, passed=comparison.agrees, metadata=_found(comparison))
        return dg.MaterializeResult(metadata=_compared(comparison) | cost, check_results=[verdict])

    return two_sided_reconciliation


def _compared(comparison: Comparison) -> dict[str, Any]:
    return {
        "compared": f"{comparison.start} to {comparison.end}{', everything from the start date on' if comparison.whole else ''}",
        "documents": comparison.documents,
        "differences": len(comparison.differences),
        "held": comparison.held,
        "tie-out": dg.MarkdownMetadataValue(tie_out_table(comparison.lines)),
    }


def _found(comparison: Comparison) -> dict[str, Any]:
    found = rules.BOTH_SIDES_AGREE.find(Books((), {}, differences=comparison.differences))
    return {"compared": f"{comparison.start} to {comparison.end}"} | findings_metadata(Tally().add(found), "see the table")
