"""The checks of `review.rules` as Dagster has them: an evaluation for every day of a run, and last one of the whole company.

Dagster plans a check for every day of a run, but stores the returned result without a day, and the days stay planned for
ever; so each day's evaluation is logged by itself. Of a check without partitions, which these are, the UI shows the row that
was stored last, whatever its day: the rows of the days are stored when a run is planned, the returned result when its step
ends. So the returned result is the company's verdict as of now, after a single day as after a range, and the tile is true.
All of that is undocumented behaviour of public classes (`AssetCheckEvaluation`), so tests pin it.

An evaluation is an event, 10 to 50 ms each: hence few checks, each on the asset whose step has just computed what it is
about, and never one for each document.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from fb_qbo_pipeline.assets.describe import findings_metadata, money_text, tie_out_table
from fb_qbo_pipeline.pipeline.changes import told_of_others
from fb_qbo_pipeline.review.rules import Rule
from fb_qbo_pipeline.review.tieout import Line, totals
from fb_qbo_pipeline.review.verdicts import Judgement, Verdict

Metadata = dict[str, Any]
WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR

QUIET_DAYS = 7  # without a new or changed record, a person should look whether FreshBooks is still used, or still connected
FEED_IS_FRESH = "feed_is_fresh"
FEED_IS_FRESH_SENTENCE = (
    f"FreshBooks has told something new of invoices, payments and expenses within {QUIET_DAYS} days; backfills do not count. "
    "If not: look into FreshBooks whether nothing was entered, or the wrong account is connected: fb-qbo check"
)

NO_OTHER_POSTS = "no_other_deployment_posts"
NO_OTHER_POSTS_SENTENCE = (
    "Every document of this FreshBooks account in QuickBooks was posted by this deployment, or taken over by it. "
    "If not: another deployment posts into the same company, and one of the two is to be switched off; or the database is a new or "
    "restored one, and the next run takes them over."
)


def spec(rule: Rule, asset: dg.AssetKey) -> dg.AssetCheckSpec:
    """A rule as a check of an asset. Without partitions: one with them would show days that were checked long ago."""
    return dg.AssetCheckSpec(rule.name, asset=asset, description=f"{rule.sentence} If not: {rule.next}")


def report(context: dg.AssetExecutionContext, judgements: Sequence[Judgement], days: Sequence[dt.date]) -> list[dg.AssetCheckResult]:
    """Log each rule's verdict on each of `days`; return those on the whole company, which Dagster stores last."""
    for judged in judgements:
        for day in days:
            _log(context, context.asset_key, judged.rule, judged.days.get(day), day)
    return [_result(judged, sum(day in judged.days for day in days)) for judged in judgements]


def report_company(
    context: dg.AssetExecutionContext, asset: dg.AssetKey, rules: Sequence[Rule], verdicts: Mapping[str, Verdict], at: dt.datetime
) -> None:
    """Log the verdicts on the whole company from the step of any asset, as the last word of the checks of `asset`."""
    for rule in rules:
        verdict = verdicts[rule.name]
        _evaluate(context, asset, rule, verdict.passed, company_words(verdict, at), company_metadata(rule, verdict, at))


def report_news(
    context: dg.AssetExecutionContext, asset: dg.AssetKey, rules: Sequence[Rule], verdicts: Mapping[str, Verdict], at: dt.datetime
) -> None:
    """As `report_company`, but only where there is a last word, and it is another one: a look every hour must not fill the event log.

    So what a person ignores, or changes in QuickBooks, reaches the check with the next look, whether a run follows or not.
    """
    keys = {rule.name: dg.AssetCheckKey(asset, rule.name) for rule in rules}
    known = context.instance.event_log_storage.get_latest_asset_check_execution_by_key(list(keys.values()))
    news = [rule for rule in rules if known.get(keys[rule.name]) and _last_word(known[keys[rule.name]]) != _word_of(verdicts[rule.name])]
    report_company(context, asset, news, verdicts, at)


def _word_of(verdict: Verdict) -> tuple[bool, object, object]:
    return verdict.passed, verdict.found.documents, money_text(verdict.found.amounts)


def _last_word(record: Any) -> tuple[bool, object, object] | None:
    """What a check said last of the whole company; None where its last word is about something else, or a run that did not end."""
    event = record.event.dagster_event if record is not None and record.event is not None else None
    if event is None or event.event_type_value != dg.DagsterEventType.ASSET_CHECK_EVALUATION.value:
        return None
    evaluation = event.asset_check_evaluation_data
    if evaluation.partition is not None:
        return None
    told = {name: evaluation.metadata[name].value for name in ("documents", "money at stake") if name in evaluation.metadata}
    return evaluation.passed, told.get("documents"), told.get("money at stake")


def alone(not_posted: int, account_id: str) -> dg.AssetCheckResult:
    """Whether this deployment is the only one that posts this FreshBooks account. `not_posted`: documents of others' that stand there."""
    words = told_of_others(not_posted, account_id) if not_posted else "passed"
    metadata: Metadata = {"documents that this deployment did not post": not_posted}
    return dg.AssetCheckResult(check_name=NO_OTHER_POSTS, passed=not not_posted, severity=WARN, description=words, metadata=metadata)


def freshness(latest: Mapping[str, dt.datetime], now: dt.datetime) -> dg.AssetCheckResult:
    """Whether each resource has changed lately. `latest`: when a look last found a change."""
    quiet = {resource: (now - instant).days for resource, instant in latest.items()}
    stale = sorted(resource for resource, days in quiet.items() if days >= QUIET_DAYS)
    metadata: Metadata = {f"days since the latest {resource}": days for resource, days in quiet.items()}
    if stale:
        metadata["nothing new of"] = ", ".join(f"{resource}s" for resource in stale)
    return dg.AssetCheckResult(check_name=FEED_IS_FRESH, passed=not stale, severity=WARN, metadata=metadata)


def company_words(verdict: Verdict, at: dt.datetime) -> str:
    """What the history shows of a verdict on the whole company."""
    waits = f"; {_days(verdict.waiting)} for a run" if verdict.waiting else ""
    return f"The whole company as of {_instant(at)}: {_words(verdict)}{waits}"


def company_metadata(rule: Rule, verdict: Verdict, at: dt.datetime) -> Metadata:
    """What a person reads of a verdict on the whole company: as of when, how many, how much, which, and what to do."""
    waits = {"days not taken in yet": _days(verdict.waiting)} if verdict.waiting else {}
    return {"of": "the whole company", "as of": _instant(at)} | waits | _metadata(rule, verdict, totals(verdict.lines))


def _result(judged: Judgement, failing: int) -> dg.AssetCheckResult:
    verdict = judged.company
    return dg.AssetCheckResult(
        check_name=judged.rule.name,
        passed=verdict.passed,
        severity=_severity(judged.rule),
        description=company_words(verdict, judged.at),
        metadata=company_metadata(judged.rule, verdict, judged.at) | {"days of this run that fail": failing},
    )


def _log(context: dg.AssetExecutionContext, asset: dg.AssetKey, rule: Rule, failed: Verdict | None, day: dt.date) -> None:
    """Log a day's verdict; None: it passed."""
    metadata: Metadata = {"day": day.isoformat()}
    if failed is not None:
        metadata |= _metadata(rule, failed, failed.lines)
    words = f"{day.isoformat()} alone: {_words(failed) if failed is not None else 'passed'}"
    _evaluate(context, asset, rule, failed is None, words, metadata, day.isoformat())


def _evaluate(
    context: dg.AssetExecutionContext,
    asset: dg.AssetKey,
    rule: Rule,
    passed: bool,
    words: str,
    metadata: Metadata,
    partition: str | None = None,
) -> None:
    context.op_execution_context.log_event(  # accepted at run time, though not declared
        dg.AssetCheckEvaluation(  # type: ignore[arg-type]
            asset_key=asset,
            check_name=rule.name,
            passed=passed,
            severity=_severity(rule),
            description=words,
            metadata=metadata,
            partition=partition,
        )
    )


def _severity(rule: Rule) -> dg.AssetCheckSeverity:
    return ERROR if rule.is_error else WARN


def _words(verdict: Verdict) -> str:
    if verdict.passed:
        return "passed"
    found = verdict.found
    if not found.documents:
        return "the two sides differ"
    return f"{found.documents} {'document' if found.documents == 1 else 'documents'}, {money_text(found.amounts)}"


def _metadata(rule: Rule, verdict: Verdict, lines: Sequence[Line]) -> Metadata:
    tie_out = {"tie-out": dg.MarkdownMetadataValue(tie_out_table(lines))} if lines else {}
    return tie_out | findings_metadata(verdict.found, rule.next)


def _days(count: int) -> str:
    return f"{count} {'day waits' if count == 1 else 'days wait'}"


def _instant(at: dt.datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} ({at.tzinfo})"
