"""The asset of the scheduled comparison of both services: unpartitioned, because it chooses its days itself."""

import time
from typing import Any

import dagster as dg

from fb_qbo_pipeline.assets.company import Company
from fb_qbo_pipeline.assets.describe import cost_metadata, findings_metadata, tie_out_table
from fb_qbo_pipeline.assets.factory import OWNERS, resource_key
from fb_qbo_pipeline.ledger.differences import Difference
from fb_qbo_pipeline.pipeline.preflight import require_valid_settings
from fb_qbo_pipeline.pipeline.two_sided import Comparison, compare_services
from fb_qbo_pipeline.review.findings import Finding
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
    key = dg.AssetKey([integration.name, TWO_SIDED])
    resource = resource_key(integration)

    @dg.asset(
        key=key,
        group_name="finance",
        kinds={"python", "quickbooks"},
        description=_DESCRIPTION,
        deps=[dg.AssetKey([integration.name, "reconciliation"])],
        owners=OWNERS,
        tags={"fb_qbo/company": integration.name},
        required_resource_keys={resource},
        check_specs=[dg.AssetCheckSpec(BOTH_SERVICES_AGREE, asset=key, description=_SENTENCE)],
    )
    def two_sided_reconciliation(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
        company: Company = getattr(context.resources, resource)
        started = time.monotonic()
        with company.open(context.run.run_id) as runtime:
            runtime.catch_up()
            require_valid_settings(runtime)
            comparison = compare_services(runtime)
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
    found = [finding_of(one) for one in comparison.differences]
    return {"compared": f"{comparison.start} to {comparison.end}"} | findings_metadata(found, "see the table")


def finding_of(one: Difference) -> Finding:
    """A difference as the checks show it."""
    return Finding(
        source=one.source,
        number=one.number,
        party=one.party,
        date=one.document_date,
        day=one.partition_date,
        amount=one.amount,
        currency=one.currency,
        reason=one.problem,
        remedy=one.remedy,
    )
