"""The sensors that tell people: one of alerts and one of the daily sync report for each company; none unless configured.

The alert sensor looks at what has ended since its last tick, keeps what it has told in its cursor, and sends at most one
message in a while (`alerts_rules`). To mute a company, switch its sensor off in the UI. What no sensor can tell is that the
daemon itself is down: `dagster-daemon liveness-check` is for that, and deploy/ uses it.
"""

import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from dagster._utils.schedules import cron_string_iterator
from sqlalchemy.exc import SQLAlchemyError

from fb_qbo_pipeline.assets.company import Company
from fb_qbo_pipeline.assets.factory import CHANGE_FEED
from fb_qbo_pipeline.automation.alerts_delivery import Message, chat_of, deliver, mail_of
from fb_qbo_pipeline.automation.alerts_rules import Memory, Problem, due, observe, sent
from fb_qbo_pipeline.automation.alerts_runs import failed_checks, failed_run, finished_runs, reason_of, will_be_retried
from fb_qbo_pipeline.errors import PipelineError
from fb_qbo_pipeline.http import utc_now
from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.pipeline.clock import told
from fb_qbo_pipeline.pipeline.runtime import open_database
from fb_qbo_pipeline.review.report import SyncReport, report_is_due, report_text, sync_report
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.models import Integration

Clock = Callable[[], dt.datetime]
_RUNNING = dg.DefaultSensorStatus.RUNNING


def build_alert_sensors(company: Company, clock: Clock = utc_now) -> list[dg.SensorDefinition]:
    """The sensors of one company; none where the environment names neither a webhook nor a mail server."""
    environment = company.environment or Environment.read()
    if not (environment.alert_webhook or environment.smtp):
        return []
    return [_alerts(company.integration, environment, clock), _report(company.integration, environment, clock)]


@dataclass
class Watch:
    """What the alert sensor remembers between ticks: its cursor."""

    since: dt.datetime
    runs_until: dt.datetime
    stopped: str = ""
    memory: Memory = field(default_factory=Memory)

    def to_cursor(self) -> str:
        """The cursor's text."""
        values: dict[str, Any] = {
            "since": self.since.isoformat(),
            "runs_until": self.runs_until.isoformat(),
            "stopped": self.stopped,
            "memory": self.memory.to_json(),
        }
        return json.dumps(values)

    @classmethod
    def from_cursor(cls, cursor: str | None, now: dt.datetime) -> "Watch":
        """What a cursor holds; without one, watching begins now."""
        if not cursor:
            return cls(now, now)
        values = json.loads(cursor)
        return cls(
            dt.datetime.fromisoformat(values["since"]),
            dt.datetime.fromisoformat(values["runs_until"]),
            values["stopped"],
            Memory.from_json(values["memory"]),
        )


def _alerts(integration: Integration, environment: Environment, clock: Clock) -> dg.SensorDefinition:
    channels = [*chat_of(environment), *mail_of(environment)]
    every = dt.timedelta(minutes=environment.alert_every_minutes)

    @dg.sensor(
        name=f"{integration.name}_alerts",
        minimum_interval_seconds=60,
        default_status=_RUNNING,
        description="Tells by webhook and e-mail: failed runs and checks, a stopped connection, silence. Switch it off to mute them.",
    )
    def alerts(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        now = clock()
        watch = Watch.from_cursor(context.cursor, now)
        found = look(context.instance, integration, environment, watch, now)
        watch.memory = observe(watch.memory, found, now)
        telling = due(watch.memory, now, every)
        if telling:
            subject, body = subject_of(integration.name, telling), body_of(telling)
            deliver([Message(channel, subject, body) for channel in channels], context.log.error)
            watch.memory = sent(watch.memory, now)
        context.update_cursor(watch.to_cursor())
        waiting = len(watch.memory.waiting)
        return dg.SkipReason(f"{len(telling)} problems told" if telling else f"{waiting} problems wait for the next message")

    return alerts


def look(instance: dg.DagsterInstance, integration: Integration, environment: Environment, watch: Watch, now: dt.datetime) -> list[Problem]:
    """What there is to tell: failed runs and checks since the last look, and present states. Moves `watch` on."""
    ui = environment.ui_url or ""
    found: list[Problem] = []
    runs, watch.runs_until = finished_runs(instance, integration.name, watch.runs_until)
    for run in runs:
        if run.is_success:
            watch.stopped = ""
            continue
        if will_be_retried(run):
            continue
        reason = reason_of(instance, run.run_id)
        if reason.disconnected:
            watch.stopped = reason.text
        else:
            found.append(failed_run(run, reason, ui))
    found += failed_checks(instance, runs, ui)
    if watch.stopped:
        found.append(Problem("state", "connection", f"connection stopped: {watch.stopped}"))
    states = (_silence(instance, integration, environment, watch, now), _clock(integration, environment))
    return [*found, *(state for state in states if state is not None)]


def _clock(integration: Integration, environment: Environment) -> Problem | None:
    """The clock of this machine is off by more than minutes, as the services' answers told the last look."""
    try:
        engine = open_database(environment)
        with Ledger(engine, integration.name).begin() as tx:
            seconds = tx.cursors.get("clock_off_seconds")
        engine.dispose()
    except (PipelineError, SQLAlchemyError):  # told by the runs that fail for it
        return None
    if not seconds:
        return None
    return Problem("state", "clock", f"this machine's clock is {told(dt.timedelta(seconds=seconds))} the services': set it")


def _silence(
    instance: dg.DagsterInstance, integration: Integration, environment: Environment, watch: Watch, now: dt.datetime
) -> Problem | None:
    """A look for changes is overdue. A backfill does not break the silence: old months arrive, and nothing new."""
    if not integration.schedule.enabled:
        return None
    event = instance.get_latest_materialization_event(dg.AssetKey([integration.name, CHANGE_FEED]))
    last = dt.datetime.fromtimestamp(event.timestamp, dt.UTC) if event else None
    watched = max(last or watch.since, watch.since)
    expected = next(cron_string_iterator(watched.timestamp() + 1, integration.schedule.cron, integration.timezone))
    if now - expected < dt.timedelta(hours=environment.alert_silent_hours):
        return None
    when = f"since {last.astimezone(integration.zone):%Y-%m-%d %H:%M}" if last else "at all"
    text = f"no look for changes has succeeded {when}: see its runs, and whether the schedule {integration.name}_hourly is on"
    return Problem("state", "silence", text)


def subject_of(name: str, problems: Sequence[Problem]) -> str:
    """The first line of a message."""
    over = sum(problem.text.startswith("over: ") for problem in problems)
    parts = [f"{count} {word}" for count, word in ((len(problems) - over, "to look at"), (over, "over")) if count]
    return f"FreshBooks to QuickBooks, {name}: {', '.join(parts)}"


def body_of(problems: Sequence[Problem]) -> str:
    """The problems, a line each."""
    return "\n".join(f"• {problem.line()}" for problem in problems)


def _report(integration: Integration, environment: Environment, clock: Clock) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"{integration.name}_report",
        minimum_interval_seconds=600,
        default_status=_RUNNING,
        description="Sends the daily sync report: what was written, what is held and why, what differs.",
    )
    def report(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        now = clock()
        since = dt.datetime.fromisoformat(context.cursor) if context.cursor else now
        if not report_is_due(now.astimezone(integration.zone), since, environment.report_hour):
            context.update_cursor(since.isoformat())
            return dg.SkipReason(f"the next report is sent after {environment.report_hour}:00")
        _send_report(_read(integration, environment, since, now), environment, context)
        context.update_cursor(now.isoformat())
        return dg.SkipReason("sent")

    return report


def _read(integration: Integration, environment: Environment, since: dt.datetime, now: dt.datetime) -> SyncReport:
    engine = open_database(environment)
    try:
        return sync_report(Ledger(engine, integration.name), since.astimezone(integration.zone), now.astimezone(integration.zone))
    finally:
        engine.dispose()


def _send_report(report: SyncReport, environment: Environment, context: dg.SensorEvaluationContext) -> None:
    """The whole of it by e-mail; a chat gets counts, codes and amounts."""
    ui = environment.ui_url or ""
    messages = [Message(channel, *report_text(report, ui, details=True)) for channel in mail_of(environment)]
    messages += [Message(channel, *report_text(report, ui, details=False)) for channel in chat_of(environment)]
    deliver(messages, context.log.error)
