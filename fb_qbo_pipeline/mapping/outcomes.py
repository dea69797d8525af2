"""Turning what the rules found about a record into its outcome.

A document whose *only* problem is a closed period is held, but kept with the decision: where it stands in QuickBooks
already, unchanged, there is nothing to post and nothing to report. Every other held record has no document.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from fb_qbo_pipeline.mapping.documents import Code, Document, Mapped, Outcome, Problem
from fb_qbo_pipeline.settings.models import Integration

log = logging.getLogger(__name__)

NOTHING = "an amount of 0.00: nothing to post"  # of payments and expenses, which QuickBooks does not take without an amount


def blocking(problems: Iterable[Problem]) -> bool:
    """Whether any problem is more than a closed period, so that no document can be built."""
    return any(problem.code is not Code.CLOSED_PERIOD for problem in problems)


def decide(base: Mapped, document: Document | None, problems: Sequence[Problem]) -> Mapped:
    """`base` with the outcome that follows: DOCUMENT, or HELD with the problems."""
    if not problems:
        assert document is not None, "a record without problems has a document"
        return replace(base, outcome=Outcome.DOCUMENT, document=document, problems=())
    return replace(base, outcome=Outcome.HELD, document=None if blocking(problems) else document, problems=tuple(problems))


def held(base: Mapped, problem: Problem) -> Mapped:
    """`base` held by one problem."""
    return decide(base, None, [problem])


def out_of_scope(base: Mapped, reason: str) -> Mapped:
    """`base` left out by a setting: no document, no exception."""
    return replace(base, outcome=Outcome.OUT_OF_SCOPE, reason=reason)


def deleted(base: Mapped, integration: Integration) -> Mapped:
    """`base` gone in FreshBooks: its document goes, too, or stays, as the settings want it."""
    if integration.on_delete == "keep":
        return kept(base, "deleted in FreshBooks; on_delete is keep")
    return replace(base, outcome=Outcome.DELETED, reason="deleted in FreshBooks")


def kept(base: Mapped, reason: str) -> Mapped:
    """`base` gone in FreshBooks, but not its document."""
    return replace(base, outcome=Outcome.KEPT, reason=reason)


def guarded(base: Mapped, deciding: Callable[[], Mapped]) -> Mapped:
    """`deciding()`; where it fails, which it never should, `base` held: a mistake of ours over one record stops no other.

    The log names the failure and its place, and nothing of the record: that is customer data.
    """
    try:
        return deciding()
    except Exception as error:  # noqa: BLE001 - whatever it is, the other documents go on
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace is not None else "unknown"
        log.error("mapping %s %s failed: %s at %s", base.source.value, base.source_id, type(error).__name__, place)
        return held(
            base,
            Problem(
                Code.REFUSED,
                f"the {base.source.value} could not be mapped ({type(error).__name__} at {place})",
                "This is a fault of the pipeline, not of your data: report it with the output of `fb-qbo trace`",
            ),
        )
