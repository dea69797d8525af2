"""`fb-qbo plan`: what a sync would do, document by document, and not one write to QuickBooks."""

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import click

from fb_qbo_pipeline.cli.companies import Companies
from fb_qbo_pipeline.cli.connected import connected
from fb_qbo_pipeline.cli.listing import Amount, added, counted
from fb_qbo_pipeline.cli.options import Day, config_option, json_option, strict_option, verbose_option
from fb_qbo_pipeline.cli.output import log_to, out, print_json, progress, table
from fb_qbo_pipeline.cli.sync import Days, ranges_of
from fb_qbo_pipeline.pipeline.plan import Planned, plan
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.models import Integration


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
    held = any(one.action == "hold" for planned in results.values() for one in planned)
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
    }


def _show(name: str, planned: list[Planned]) -> None:
    console = out()
    if not planned:
        console.print(f"{name}: nothing to do")
        return
    rows = [(p.action, f"{p.source} {p.number}", p.date, p.amount, p.currency, p.becomes or p.code, p.reason) for p in planned]
    columns = ("action", "document", "date", "amount", "", "as", "why")
    console.print(table(f"{name}: what a sync would do", columns, rows, ("amount",), whole=("action", "date", "")))
    for action, count in Counter(one.action for one in planned).most_common():
        of_action = [one for one in planned if one.action == action]
        kinds = ", ".join(counted(number, source) for source, number in Counter(one.source for one in of_action).items())
        console.print(f"{count} to {action}: {kinds}; {added(Amount(one.amount, one.currency) for one in of_action)}")
