"""`fb-qbo plan`: what a sync would do, document by document, and not one write to QuickBooks."""

import datetime as dt
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import click

from fb_qbo_pipeline.cli.companies import Companies
from fb_qbo_pipeline.cli.connected import connected
from fb_qbo_pipeline.cli.listing import Amount, Reason, added, counted, print_group, print_text
from fb_qbo_pipeline.cli.options import Day, config_option, json_option, strict_option, verbose_option
from fb_qbo_pipeline.cli.output import log_to, out, print_json, progress
from fb_qbo_pipeline.cli.sync import Days, ranges_of
from fb_qbo_pipeline.pipeline.plan import Planned, plan
from fb_qbo_pipeline.posting.plan import Action
from fb_qbo_pipeline.review.words import number_of
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.models import Integration

_HOLD = Action.HOLD.value
_PARTY = 1  # of a line's cells: the one that gives way where the terminal is narrow


@click.command("plan")
@config_option
@click.option("--from", "start", type=Day(), default=None, help="First document date. [default: the integration start date]")
@click.option("--to", "end", type=Day(), default=None, help="Last document date. [default: today]")
@json_option
@strict_option
@verbose_option
def command(config: Path | None, start: dt.date | None, end: dt.date | None, as_json: bool, strict: bool, verbose: bool) -> int:
    """Show what would be created, changed, voided and held, and why. Exit status 3 with --strict where something is held."""
    environment = Environment.read()
    log_to(environment, verbose=verbose)
    companies = Companies(config, environment)
    days = ranges_of(companies, start, end)
    results = companies.each(lambda integration: _run(integration, environment, days[integration.name]))
    if as_json:
        print_json(companies.to_json({name: [_to_json(one) for one in planned] for name, planned in results.items()}))
    else:
        for name, planned in results.items():
            _show(name, planned)
    held = any(one.action == _HOLD for planned in results.values() for one in planned)
    return companies.end(3 if strict and held else 0)


def _run(integration: Integration, environment: Environment, days: Days | None) -> list[Planned]:
    with progress() as tick, connected(integration, environment) as runtime:
        first, last = days or (integration.start_date, runtime.today)
        return list(plan(runtime, first, last, progress=lambda done, total: tick(integration.name, done, total)))


def _to_json(one: Planned) -> dict[str, Any]:
    return {
        "action": one.action,
        "source": one.source,
        "source_id": one.source_id,
        "number": one.number,
        "date": one.date.isoformat(),
        "amount": f"{one.amount:.2f}",
        "currency": one.currency,
        "becomes": one.becomes,
        "code": one.code,
        "reason": one.reason,
        "party": one.party,
        "remedy": one.remedy,
    }


def _show(name: str, planned: list[Planned]) -> None:
    """What would be done: action by action with the reasons, what would be held last, then counts and money."""
    console = out()
    if not planned:
        print_text(console, f"{name}: nothing to do", 0)
        return
    print_text(console, f"{name}: what a sync would do; nothing was written", 0)
    groups: defaultdict[tuple[str, str], list[Planned]] = defaultdict(list)
    for one in planned:
        groups[one.action, one.code].append(one)
    for (action, code), alike in sorted(groups.items(), key=lambda group: (group[0][0] == _HOLD, group[0])):
        print_group(console, f"{action}{f': {code}' if code else ''}: {_summary(alike)}", _reasons(alike), _PARTY)
    console.print()
    for action, count in sorted(Counter(one.action for one in planned).items(), key=lambda item: (item[0] == _HOLD, -item[1])):
        of_action = [one for one in planned if one.action == action]
        kinds = ", ".join(counted(number, source) for source, number in Counter(one.source for one in of_action).items())
        print_text(console, f"{count:,} to {action}: {kinds}; {added(Amount(one.amount, one.currency) for one in of_action)}", 0)


def _reasons(alike: list[Planned]) -> list[Reason]:
    by_reason: defaultdict[tuple[str, str], list[Planned]] = defaultdict(list)
    for one in alike:
        by_reason[one.remedy, one.reason].append(one)
    return [Reason(reason, remedy, [_cells(one) for one in of]) for (remedy, reason), of in sorted(by_reason.items())]


def _cells(one: Planned) -> tuple[str, ...]:
    number = number_of(one.number, one.source_id)
    document = f"{one.source} {number or 'id ' + str(one.source_id)}"
    becomes = f"as {one.becomes}" if one.becomes else ""
    return document, one.party, f"{one.date}", str(Amount(one.amount, one.currency)), becomes


def _summary(alike: list[Planned]) -> str:
    return f"{counted(len(alike), 'document')}, {added(Amount(one.amount, one.currency) for one in alike)}"
