"""What the finished runs of a company tell: which failed and why, which checks failed for which days, who is disconnected.

Every run in Dagster's storage counts, whoever started it: the schedule, a person in the UI, a backfill, the command line.
Dagster's own run failure sensors hear of runs that a code location launched only, one by one. Reasons of the pipeline's own
errors are told as they are, because they hold no secret and no customer's data; of any other error only the name is.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import dagster as dg
from dagster._core.storage.tags import WILL_RETRY_TAG
from dagster_shared.error import SerializableErrorInfo

from fb_qbo_pipeline.automation.alerts_rules import Problem
from fb_qbo_pipeline.automation.jobs import COMPANY_TAG
from fb_qbo_pipeline.errors import PipelineError
from fb_qbo_pipeline.redaction import redact

MOST_RUNS = 200  # a tick; the next one goes on from there
_FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
_STEP_FAILED = dg.DagsterEventType.STEP_FAILURE
_CHECKED = dg.DagsterEventType.ASSET_CHECK_EVALUATION


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a run failed: the error's name, the step, and words for a person."""

    error: str
    step: str
    text: str

    @property
    def disconnected(self) -> bool:
        """Whether a person has to connect an account again."""
        return self.error == "ConnectionRequired"


def finished_runs(instance: dg.DagsterInstance, name: str, after: dt.datetime) -> tuple[list[dg.DagsterRun], dt.datetime]:
    """The runs of company `name` that ended after an instant, oldest first, and the instant up to which that is all."""
    records = instance.get_run_records(
        dg.RunsFilter(statuses=_FINISHED, updated_after=after), limit=MOST_RUNS, order_by="update_timestamp", ascending=True
    )
    until = max((record.update_timestamp.replace(tzinfo=dt.UTC) for record in records), default=after)
    return [record.dagster_run for record in records if belongs_to(record.dagster_run, name)], until


def belongs_to(run: dg.DagsterRun, name: str) -> bool:
    """Whether a run is of company `name`: by its tag, or in a backfill from the UI by what it materializes."""
    return run.tags.get(COMPANY_TAG) == name or any(key.path[0] == name for key in run.asset_selection or ())


def will_be_retried(run: dg.DagsterRun) -> bool:
    """Whether Dagster starts the run again by itself."""
    return run.tags.get(WILL_RETRY_TAG) == "true"


def reason_of(instance: dg.DagsterInstance, run_id: str) -> Reason:
    """Why a run failed, from its first failed step."""
    for record in instance.get_records_for_run(run_id, of_type=_STEP_FAILED, limit=1).records:
        event = record.event_log_entry.get_dagster_event()
        step = (event.step_key or "").rpartition("__")[2]  # a step is named after its asset's key: acme__change_feed
        error = event.step_failure_data.error
        if error is not None:
            return _reason(step, error)
    return Reason("", "", "a run ended without a step's failure: its process died, or it never started")


def _reason(step: str, error: SerializableErrorInfo) -> Reason:
    known = _names(PipelineError)
    innermost: SerializableErrorInfo | None = error
    while innermost is not None:
        error = innermost
        if error.cls_name in known:
            said = " ".join(redact(error.message.partition(": ")[2]).split())
            return Reason(error.cls_name or "", step, f"{step} failed: {said}")
        innermost = innermost.cause
    return Reason(error.cls_name or "", step, f"{step} failed: unexpected {error.cls_name}")


def _names(kind: type[PipelineError]) -> set[str]:
    return {kind.__name__}.union(*(_names(inner) for inner in kind.__subclasses__()))


def failed_run(run: dg.DagsterRun, reason: Reason, ui: str) -> Problem:
    """A failed run as a problem; all that fail for the same reason are one."""
    link = f"{ui}/runs/{run.run_id}" if ui else ""
    return Problem("run", f"run:{reason.step}:{reason.error}", reason.text, link, frozenset({run.run_id}))


def failed_checks(instance: dg.DagsterInstance, runs: Iterable[dg.DagsterRun], ui: str) -> Iterator[Problem]:
    """The checks that fail after these runs, with the days of these runs; a day that a later run put right is not told.

    A failing check of the whole company is told by itself only where no day was run: each day is told when it is.
    """
    days: defaultdict[dg.AssetCheckKey, dict[str, bool]] = defaultdict(dict)
    summaries: dict[dg.AssetCheckKey, bool] = {}
    for run in runs:
        for record in instance.get_records_for_run(run.run_id, of_type=_CHECKED).records:
            evaluation = record.event_log_entry.get_dagster_event().asset_check_evaluation_data
            if evaluation.partition is None:  # of the whole company: of its days, those that have just been run are told
                summaries[evaluation.asset_check_key] = evaluation.passed
            else:
                days[evaluation.asset_check_key][evaluation.partition] = evaluation.passed
    for key in sorted(summaries.keys() | days.keys(), key=str):
        failing = frozenset(day for day, passed in days[key].items() if not passed)
        if failing or not (days[key] or summaries[key]):
            path = key.asset_key.path
            link = f"{ui}/assets/{'/'.join(path)}?view=checks" if ui else ""
            text = f"check of {path[-1]} fails: {key.name.replace('_', ' ')}"
            yield Problem("check", f"check:{path[-1]}:{key.name}", text, link, failing)
