"""`fb-qbo exceptions`: documents held back, why, and what to do; retry, ignore, and take an ignore back."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from fb_qbo_pipeline.cli.options import (
    config_option,
    integrations,
    json_option,
    one_integration,
    per_integration,
    strict_option,
    verbose_option,
)
from fb_qbo_pipeline.cli.output import log_to, out, print_json, table
from fb_qbo_pipeline.cli.sync import show, synced
from fb_qbo_pipeline.errors import ConfigurationError
from fb_qbo_pipeline.ledger.exceptions import IGNORED, OPEN
from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.money import round_half_up
from fb_qbo_pipeline.pipeline.runtime import open_database
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.models import Integration


@click.group("exceptions", invoke_without_command=True)
@config_option
@json_option
@strict_option
@click.pass_context
def command(context: click.Context, config: Path | None, as_json: bool, strict: bool) -> int:
    """List documents held back. Exit status 3 with --strict while any is open."""
    context.obj = config
    if context.invoked_subcommand is not None:
        return 0
    environment = Environment.read()
    found: dict[str, list[dict[str, Any]]] = {}
    for integration in integrations(config, environment):
        with opened(environment, integration) as ledger, ledger.begin() as tx:
            found[integration.name] = [to_json(row) for row in tx.exceptions.unresolved()]
    if as_json:
        print_json(per_integration(found))
    else:
        for name, rows in found.items():
            _show(name, rows)
    return 3 if strict and any(row["status"] == OPEN for rows in found.values() for row in rows) else 0


@command.command("retry")
@click.argument("ids", nargs=-1, type=int)
@config_option
@verbose_option
@click.pass_context
def retry(context: click.Context, ids: tuple[int, ...], config: Path | None, verbose: bool) -> int:
    """Try exceptions again: those with the given IDs, or all open ones."""
    environment = Environment.read()
    log_to(environment, verbose=verbose)
    integration = one_integration(config or context.obj, environment)
    with opened(environment, integration) as ledger, ledger.begin() as tx:
        rows = [row for row in tx.exceptions.unresolved() if row["status"] == OPEN and (not ids or row["id"] in ids)]
        unknown = set(ids) - {row["id"] for row in rows}
        if unknown:
            raise ConfigurationError(f"no open exception {sorted(unknown)[0]}", "fb-qbo exceptions lists them with their ids")
        tx.touched.note({max(row["document_date"], integration.start_date) for row in rows}, "retried by a person")
        tx.cursors.set("lists_full", None)  # what a person has put right in QuickBooks has to be seen
    with synced(environment) as (instance, console):
        show(integration.name, console.run(integration, instance, None, touched_only=True, verbose=verbose))
    return 0


@command.command("ignore")
@click.argument("exception_id", metavar="ID", type=int)
@click.option("--reason", required=True, help="Why it need not be in QuickBooks; kept with the exception.")
@config_option
@click.pass_context
def ignore(context: click.Context, exception_id: int, reason: str, config: Path | None) -> int:
    """Leave a document out of QuickBooks, with a reason."""
    row = _set_status(context, config, exception_id, IGNORED, reason)
    out().print(f"ignored: {row['source']} {row['number']} ({reason})", markup=False)
    return 0


@command.command("unignore")
@click.argument("exception_id", metavar="ID", type=int)
@config_option
@click.pass_context
def unignore(context: click.Context, exception_id: int, config: Path | None) -> int:
    """Take an ignore back: the document is tried again in the next sync."""
    row = _set_status(context, config, exception_id, OPEN, "")
    out().print(f"open again: {row['source']} {row['number']}; the next sync tries it", markup=False)
    return 0


def _set_status(context: click.Context, config: Path | None, exception_id: int, status: str, reason: str) -> Mapping[Any, Any]:
    environment = Environment.read()
    integration = one_integration(config or context.obj, environment)
    with opened(environment, integration) as ledger, ledger.begin() as tx:
        row = tx.exceptions.set_status(exception_id, status, reason)
        if row is None:
            raise ConfigurationError(f"no exception {exception_id}", "fb-qbo exceptions lists them with their ids")
        if status == OPEN:
            tx.touched.note({max(row["document_date"], integration.start_date)}, "no longer ignored")
    return row


@contextmanager
def opened(environment: Environment, integration: Integration) -> Iterator[Ledger]:
    """The ledger of an integration."""
    engine = open_database(environment)
    try:
        yield Ledger(engine, integration.name)
    finally:
        engine.dispose()


def to_json(row: Mapping[Any, Any]) -> dict[str, Any]:
    """One exception as the contract has it; the amount is FreshBooks', rounded to cents, as text."""
    return {
        "id": row["id"],
        "source": row["source"],
        "source_id": row["source_id"],
        "number": row["number"],
        "date": row["document_date"].isoformat(),
        "amount": f"{round_half_up(row['amount']):f}",
        "currency": row["currency"],
        "code": row["code"],
        "reason": row["reason"],
        "remedy": row["remedy"],
        "status": row["status"],
        "since": row["since"].isoformat(timespec="seconds"),
    }


def show_open(environment: Environment, integration: Integration) -> None:
    """The documents that are held back, as a table."""
    with opened(environment, integration) as ledger, ledger.begin() as tx:
        rows = [to_json(row) for row in tx.exceptions.unresolved()]
    _show(integration.name, rows)


def _show(name: str, rows: list[dict[str, Any]]) -> None:
    console = out()
    if not rows:
        console.print(f"{name}: no document is held back")
        return
    columns = ("id", "document", "date", "amount", "code", "reason", "remedy", "status")
    cells = [
        (
            r["id"],
            f"{r['source']} {r['number']}",
            r["date"],
            f"{r['amount']} {r['currency']}",
            r["code"],
            r["reason"],
            r["remedy"],
            r["status"],
        )
        for r in rows
    ]
    console.print(table(f"{name}: {len(rows)} documents are held back", columns, cells, ("id", "amount")))
