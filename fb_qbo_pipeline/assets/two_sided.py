"""The asset of the scheduled comparison of both services: unpartitioned, because it chooses its days itself."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import dagster as dg

from fb_qbo_pipeline.assets.company import Company
from fb_qbo_pipeline.assets.describe import cost_metadata, findings_metadata, tie_out_table
from fb_qbo_pipeline.ledger.differences import Difference
from fb_qbo_pipeline.pipeline.preflight import require_valid_settings
from fb_qbo_pipeline.pipeline.runtime import Runtime
from fb_qbo_pipeline.pipeline.two_sided import Comparison, compare_services
from fb_qbo_pipeline.review.findings import Finding
from fb_qbo_pipeline.review.tieout import totals

TWO_SIDED = "two_sided_reconciliation"
BOTH_SERVICES_AGREE = "both_services_agree"
_SENTENCE = (
    "Both services, read anew, agree: every document stands in QuickBooks once, with the amounts, date and number of FreshBooks, or is held. "
    "If not: the table names each document; fb-qbo trace shows it on both sides."
)
