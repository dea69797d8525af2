"""`fb-qbo reconcile`: FreshBooks and QuickBooks read anew and compared, document by document."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from fb_qbo_pipeline.cli.companies import Companies
from fb_qbo_pipeline.cli.connected import connected
from fb_qbo_pipeline.cli.listing import print_text
from fb_qbo_pipeline.cli.options import Day, config_option, json_option, strict_option, verbose_option
from fb_qbo_pipeline.cli.output import log_to, out, print_json, print_table, progress, table
from fb_qbo_pipeline.cli.sync import Days, ranges_of
from fb_qbo_pipeline.pipeline.reconcile import reconcile
from fb_qbo_pipeline.review.conclusion import conclusion, notes, why_strict
from fb_qbo_pipeline.review.csv_file import write_csv
from fb_qbo_pipeline.review.links import web_of
from fb_qbo_pipeline.review.reconcile import Finding, Reconciliation
from fb_qbo_pipeline.review.tieout import Line, to_json
from fb_qbo_pipeline.review.words import called
from fb_qbo_pipeline.review.workbook import write_workbook
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.models import Integration

_WRITERS = {".xlsx": write_workbook, ".csv": write_csv}


def _file(_context: click.Context, _parameter: click.Parameter, file: Path | None) -> Path | None:
    """The file to write; whatever is wrong with its name is told before anything is read."""
    if file is not None and file.suffix.lower() not in _WRITERS:
        raise click.BadParameter(f"{file.name} is neither: name it FILE.xlsx for a workbook, or FILE.csv for its list of documents")
    if file is not None and not file.absolute().parent.is_dir():
        raise click.BadParameter(f"the folder {file.parent} is not there: make it, or choose another file")
    return file


@click.command("reconcile")
@config_option
@click.option("--from", "start", type=Day(), default=None, help="First day. [default: the integration start date]")
@click.option("--to", "end", type=Day(), default=None, help="Last day. [default: today]")
@click.option(
    "--out",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=_file,
    default=None,
    help="Write a workbook, too: FILE.xlsx; or the list of documents: FILE.csv.",
)
@json_option
@strict_option
@verbose_option
def command(
    config: Path | None, start: dt.date | None, end: dt.date | None, file: Path | None, as_json: bool, strict: bool, verbose: bool
) -> int:
    """Tie out FreshBooks and QuickBooks: both are read anew and compared, document by document.

    Exit status 3 with --strict where anything differs. A held document is told with its money, but is no difference: the
    exception says why it is not in QuickBooks (fb-qbo exceptions --strict is 3 while one is open).
    """
    environment = Environment.read()
    log_to(environment, verbose=verbose)
    companies = Companies(config, environment)
    days = ranges_of(companies, start, end)
    results = companies.each(lambda integration: run(integration, environment, days[integration.name]))
    if file is not None:
        _WRITERS[file.suffix.lower()](file, results)
    if as_json:
        print_json(companies.to_json({name: document(result) for name, result in results.items()}))
    else:
        for place, (name, result) in enumerate(results.items()):
            if place:
                out().print()
            show(name, result)
            if strict:
                print_text(out(), why_strict(result), 0)
    return companies.end(3 if strict and not all(result.agrees for result in results.values()) else 0)


def run(integration: Integration, environment: Environment, days: Days | None = None) -> Reconciliation:
    """Reconcile one integration: all its days unless some are given."""
    with progress() as tick, connected(integration, environment) as runtime:
        first, last = days or (integration.start_date, runtime.today)
        as_of = runtime.clock().astimezone(integration.zone)
        result = reconcile(runtime, first, last, progress=lambda done, total: tick(integration.name, done, total))
        result.as_of, result.web = as_of, web_of(environment.quickbooks_api_url)
        return result


def document(result: Reconciliation) -> dict[str, Any]:
    """The document of `reconcile --json`; money is exact text."""
    return {
        "from": result.start.isoformat(),
        "to": result.end.isoformat(),
        "as_of": result.as_of.isoformat(timespec="seconds") if result.as_of is not None else None,
        "agrees": result.agrees,
        "conclusion": conclusion(result),
        "lines": [to_json(line) for line in result.lines],
        "totals": [to_json(line) for line in result.totals],
        "findings": [
            {
                "source": finding.source,
                "source_id": finding.source_id,
                "number": finding.number,
                "date": finding.date.isoformat(),
                "problem": finding.problem,
                "party": finding.party,
                "remedy": finding.remedy,
            }
            for finding in result.findings
        ],
    }


def show(name: str, result: Reconciliation) -> None:
    """The tie-out as a table, everything that does not agree with its remedy, and what it comes to."""
    console = out()
    as_of = f", as of {result.as_of:%Y-%m-%d %H:%M} {result.as_of:%Z}" if result.as_of is not None else ""
    print_text(console, f"{name}: {result.start} to {result.end}{as_of}", 0)
    for currency in dict.fromkeys(line.currency for line in result.lines):
        _show_currency(console, currency, [line for line in (*result.lines, *result.totals) if line.currency == currency])
    for finding in result.findings:
        _show_finding(console, finding)
    if result.findings:
        console.print()
    print_text(console, conclusion(result), 0)
    for note in notes(result):
        print_text(console, f"→ {note}", 2)


def _show_currency(console: Console, currency: str, lines: list[Line]) -> None:
    """The lines of one currency, kind by kind: so they fit into 80 columns, up to ten millions."""
    booked = any(line.held_booked for line in lines)
    columns = [currency, "count", "FreshBooks", "QuickBooks", "held\ncount", "held\nmoney", "difference"]
    if booked:
        columns.insert(6, "of it in\nQuickBooks")
    rows: list[tuple[object, ...]] = []
    for kind in dict.fromkeys(line.kind for line in lines):
        rows += [(kind, *("" for _ in columns[1:])), *(_row(line, booked=booked) for line in lines if line.kind == kind)]
    print_table(console, table("", columns, rows, columns[1:], whole=columns[:1], tight=booked))
    console.print()


def _row(line: Line, *, booked: bool) -> tuple[object, ...]:
    return tuple(_cells(line, booked=booked))


def _cells(line: Line, *, booked: bool) -> Iterator[object]:
    yield from (f" {line.period}", line.documents, line.freshbooks, line.quickbooks, line.held_documents or "")
    yield line.held_money if line.held_documents else ""
    if booked:
        yield line.held_booked if line.held_booked else ""
    yield line.difference


def _show_finding(console: Console, finding: Finding) -> None:
    name = called(finding.source, finding.number, finding.source_id, finding.party)
    whose = f", {finding.party}" if finding.party and finding.party not in name else ""
    print_text(console, f"differs: {name}{whose}, {finding.date}: {finding.problem}", 0)
    if finding.remedy:
        print_text(console, f"→ {finding.remedy}", 2)
