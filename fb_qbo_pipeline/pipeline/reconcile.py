"""Reads a period anew from both sides and compares it; writes nothing to either."""

import datetime as dt

from fb_qbo_pipeline.pipeline.intake import read_dates, read_lists
from fb_qbo_pipeline.pipeline.runtime import Runtime
from fb_qbo_pipeline.pipeline.stage import SOURCES, stage
from fb_qbo_pipeline.posting.poster import Progress
from fb_qbo_pipeline.review.reconcile import Reconciliation, compare, standing

_MONTH = dt.timedelta(days=31)


def reconcile(runtime: Runtime, start: dt.date, end: dt.date, progress: Progress | None = None) -> Reconciliation:
    """The tie-out of the days from `start` to `end`."""
    report = progress or (lambda _done, _all: None)
    read_lists(runtime)
    runtime.mirror.catch_up()
    total = (end - start).days + 1
    day = start
    while day <= end:
        last = min(day + _MONTH - dt.timedelta(days=1), end)
        for source in SOURCES:
            read_dates(runtime, source, day, last, posts=False)
        for source in SOURCES:
            stage(runtime, source, day, last)
        report((last - start).days + 1, total)
        day = last + dt.timedelta(days=1)
    found = standing(runtime.quickbooks, runtime.integration, start, end)
    return compare(runtime.ledger, found, start, end)
