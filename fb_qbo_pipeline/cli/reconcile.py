"""`fb-qbo reconcile`: FreshBooks and QuickBooks read anew and compared, document by document."""

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import click

from fb_qbo_pipeline.cli.companies import Companies
from fb_qbo_pipeline.cli.connected import connected
from fb_qbo_pipeline.cli.options import Day, config_option, json_option, strict_option, verbose_option
from fb_qbo_pipeline.cli.output import log_to, out, print_json, progress, table
from fb_qbo_pipeline.cli.sync import Days, ranges_of
from fb_qbo_pipeline.pipeline.reconcile import reconcile
from fb_qbo_pipeline.review.reconcile import Reconciliation
from fb_qbo_pipeline.review.tieout import KINDS, Line, to_json, totals
from fb_qbo_pipeline.review.workbook import write_workbook
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.models import Integration


@click.command("reconcile")
@config_option
@click.option("--from", "start", type=Day(), default=None, help="First day. [default: the integration start date]")
@click.option("--to", "end", type=Day(), default=None, help="Last day. [default: today]")
@click.option("--out", "file", type=click.Path(path_type=Path, dir_okay=False), default=None, help="Write a workbook, too: FILE.xlsx.")
@json_option
@strict_option
@verbose_option
def command(
    config: Path | None, start: dt.date | None, end: dt.date | None, file: Path | None, as_json: bool, strict: bool, verbose: bool
) -> int:
    """Tie out FreshBooks and QuickBooks. Exit status 3 with --strict where anything differs."""
    environment = Environment.read()
    log_to(environment, verbose=verbose)
    companies = Companies(config, environment)
    days = ranges_of(companies, start, end)
    results = companies.each(lambda integration: run(integration, environment, days[integration.name]))
    if file is not None:
        write_workbook(file, results)
    if as_json:
        print_json(companies.to_json({name: document(result) for name, result in results.items()}))
    else:
        for name, result in results.items():
            show(name, result)
    return companies.end(3 if strict and not all(result.agrees for result in results.values()) else 0)


def run(integration: Integration, environment: Environment, days: Days | None = None) -> Reconciliation:
    """Reconcile one integration: all its days unless some are given."""
    with progress() as tick, connected(integration, environment) as runtime:
        first, last = days or (integration.start_date, runtime.today)
        return reconcile(runtime, first, last, progress=lambda done, total: tick(integration.name, done, total))


def document(result: Reconciliation) -> dict[str, Any]:
    """The document of `reconcile --json`; money is exact text."""
    return {
        "from": result.start.isoformat(),
        "to": result.end.isoformat(),
        "agrees": result.agrees,
        "lines": [to_json(line) for line in result.lines],
        "totals": [to_json(line) for line in _totals(result)],
        "findings": [
            {
                "source": finding.source,
                "source_id": finding.source_id,
                "number": finding.number,
                "date": finding.date.isoformat(),
                "problem": finding.problem,
            }
            for finding in result.findings
        ],
    }


def show(name: str, result: Reconciliation) -> None:
    """The tie-out as a table, and everything that does not agree."""
    console = out()
    columns = ("period", "kind", "count", "FreshBooks", "QuickBooks", "held", "difference", "")
    rows = [_row(line) for line in (*result.lines, *_totals(result))]
    console.print(table(f"{name}: {result.start} to {result.end}", columns, rows, columns[2:7], whole=("period", "kind", "")))
    for finding in result.findings:
        console.print(f"differs: {finding.source} {finding.number} of {finding.date}: {finding.problem}", markup=False)
    console.print("FreshBooks and QuickBooks agree." if result.agrees else "FreshBooks and QuickBooks do NOT agree.")


def _totals(result: Reconciliation) -> list[Line]:
    """The lines added up over the periods, by kind and currency: sales and the payments of them are no common sum."""
    found = []
    for kind in dict.fromkeys(KINDS.values()):
        of_kind = totals(line for line in result.lines if line.kind == kind)
        found += [dataclasses.replace(total, kind=kind) for total in of_kind]
    return found


def _row(line: Line) -> tuple[object, ...]:
    return (line.period, line.kind, line.documents, line.freshbooks, line.quickbooks, line.held, line.difference, line.currency)
