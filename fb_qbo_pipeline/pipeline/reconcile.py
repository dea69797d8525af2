"""Reads a period anew from both sides and compares it; writes nothing to either.

What QuickBooks shows of our documents is noted in the ledger, as what its change feed tells: a document that was changed or deleted
there is one from then on, whoever looks.
"""

import datetime as dt

from fb_qbo_pipeline.pipeline.intake import read_dates
from fb_qbo_pipeline.pipeline.runtime import Runtime
from fb_qbo_pipeline.pipeline.stage import restage
from fb_qbo_pipeline.posting.poster import Progress
from fb_qbo_pipeline.review.reconcile import Reconciliation, compare, standing, whereabouts


def reconcile(
    runtime: Runtime, start: dt.date, end: dt.date, progress: Progress | None = None, *, later_payments: bool = True
) -> Reconciliation:
    """The tie-out of the days from `start` to `end`.

    FreshBooks shows what is open on an invoice today, so payments later than the period are read, too: they explain why
    QuickBooks, synced up to `end`, shows more. `later_payments` False: the caller has just read them.
    """
    report = progress or (lambda _done, _all: None)
    runtime.catch_up()
    for _first, last in restage(runtime, start, end):
        report((last - start).days + 1, (end - start).days + 1)
    if later_payments and end < runtime.today and runtime.integration.payments is not None:
        read_dates(runtime, "payment", end + dt.timedelta(days=1), runtime.today, posts=False)
    found = standing(runtime.quickbooks, runtime.integration, start, end, runtime.books.observe)
    lost = whereabouts(runtime.quickbooks, runtime.ledger, found, start, end, runtime.books.observe)
    return compare(runtime.ledger, found, start, end, lost=lost)
