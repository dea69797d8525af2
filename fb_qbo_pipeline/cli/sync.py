"""`fb-qbo sync`: what has changed since the last sync, or a range of days."""

import contextlib
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import click
import dagster as dg

from fb_qbo_pipeline.assets.company import Company
from fb_qbo_pipeline.assets.spans import Span
from fb_qbo_pipeline.automation.instance import open_instance
from fb_qbo_pipeline.cli.companies import Companies
from fb_qbo_pipeline.cli.connected import require_connections
from fb_qbo_pipeline.cli.options import Day, config_option, json_option, strict_option, verbose_option
from fb_qbo_pipeline.cli.output import echo, log_to, out, print_json, progress, table
from fb_qbo_pipeline.errors import ConfigurationError
from fb_qbo_pipeline.http import utc_now
from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.on_demand import OnSpan, SyncIncomplete, SyncResult, sync, sync_touched
from fb_qbo_pipeline.pipeline.runtime import open_database
from fb_qbo_pipeline.posting.poster import Progress
from fb_qbo_pipeline.review.words import counted
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.models import Integration

Days = tuple[dt.date, dt.date]


@click.command("sync")
@config_option
@click.option("--from", "start", type=Day(), default=None, help="First document date of a range to sync again.")
@click.option("--to", "end", type=Day(), default=None, help="Last document date. [default: today]")
@json_option
@strict_option
@verbose_option
def command(config: Path | None, start: dt.date | None, end: dt.date | None, as_json: bool, strict: bool, verbose: bool) -> int:
    """Sync what has changed since the last sync, or the days of a range.

    Runs the same Dagster job as the schedule. Exit status 3 with --strict while exceptions are open.
    """
    environment = Environment.read()
    log_to(environment, verbose=verbose)
    companies = Companies(config, environment)
    days = ranges_of(companies, start, end)
    with synced(environment) as (instance, console):

        def run(integration: Integration) -> SyncResult:
            try:
                return console.run(integration, instance, days[integration.name], verbose=verbose)
            except SyncIncomplete as incomplete:
                companies.failed(integration, incomplete)
                return incomplete.result

        results = companies.each(run)
    if as_json:
        print_json(companies.to_json({name: result.to_json() for name, result in results.items()}))
    else:
        for name, result in results.items():
            show(name, result)
    for name, result in results.items():
        for notice in result.notices:
            echo(f"{name}: {notice}", err=True)
    return companies.end(3 if strict and any(result.exceptions for result in results.values()) else 0)


def ranges_of(companies: Companies, start: dt.date | None, end: dt.date | None) -> dict[str, Days | None]:
    """`range_of` for each integration, so that a range that cannot be is told before anything is done for any of them."""
    return {integration.name: range_of(integration, start, end) for integration in companies.usable}


def range_of(integration: Integration, start: dt.date | None, end: dt.date | None) -> Days | None:
    """The days asked for, within the integration's; None for whatever has changed."""
    if start is None and end is None:
        return None
    first, today = integration.start_date, utc_now().astimezone(integration.zone).date()
    begin, finish = max(start or first, first), min(end or today, today)
    if start is not None and end is not None and start > end:
        raise ConfigurationError(f"--from {start} is after --to {end}", "exchange them")
    if begin > finish:
        raise ConfigurationError(f"no day of {integration.name} is in that range", f"its days are {first} (start_date) to {today} (today)")
    return begin, finish


class Console:
    """Runs syncs with their progress on standard error."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def run(
        self,
        integration: Integration,
        instance: dg.DagsterInstance,
        days: Days | None,
        *,
        touched_only: bool = False,
        verbose: bool = False,
    ) -> SyncResult:
        """Sync one integration."""
        engine = open_database(self._environment)
        try:
            require_connections(engine, self._environment, integration)
            ledger = Ledger(engine, integration.name)
            with progress() as tick:
                where = integration.name

                def on_span(span: Span, done: int, total: int) -> None:
                    nonlocal where
                    where = f"{integration.name} {span}" + (f" ({done + 1} of {total})" if total > 1 else "")
                    tick(where, 0, 0)  # reading and mapping; then the documents are counted

                on_document: Progress = lambda done, total: tick(where, done, total)  # noqa: E731
                waits = lambda: click.echo(f"{integration.name}: another run is at work; this one waits until it has ended", err=True)  # noqa: E731
                company = Company(integration, self._environment, on_document, waits)
                announce: OnSpan = on_span
                if touched_only:
                    return sync_touched(company, instance, ledger, verbose=verbose, on_span=announce)
                return sync(company, instance, ledger, days, verbose=verbose, on_span=announce)
        finally:
            engine.dispose()


@contextlib.contextmanager
def synced(environment: Environment) -> Iterator[tuple[dg.DagsterInstance, Console]]:
    """The Dagster instance and a console for syncs."""
    open_database(environment).dispose()  # says in words what is wrong with it; Dagster would retry, and then fail with a traceback
    with open_instance(environment) as instance:
        yield instance, Console(environment)


def show(name: str, result: SyncResult) -> None:
    """What a sync did, as a table."""
    values = result.to_json()
    kinds = [kind for kind in values["created"] if any(values[part].get(kind) for part in ("created", "updated", "voided"))]
    rows = [(kind.replace("_", " "), *(values[part].get(kind, 0) for part in ("created", "updated", "voided"))) for kind in kinds]
    console = out()
    if rows:
        console.print(table(f"{name}: written to QuickBooks", ("", "created", "updated", "voided"), rows, ("created", "updated", "voided")))
    else:
        console.print(f"{name}: nothing to write to QuickBooks")
    calls = values["api_calls"]
    console.print(
        f"{values['unchanged']:,} unchanged; {counted(values['exceptions'], 'exception')} open"
        f"{' (fb-qbo exceptions)' if values['exceptions'] else ''}; calls: {calls['freshbooks']:,} FreshBooks, "
        f"{counted(calls['quickbooks_reads'], 'QuickBooks read')}, {counted(calls['quickbooks_writes'], 'write')}; {values['seconds']} s"
    )
