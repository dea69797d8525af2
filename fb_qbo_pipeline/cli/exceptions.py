"""`fb-qbo exceptions`: documents held back, why, and what to do; retry, post, adopt, ignore, and take an ignore back."""

import getpass
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click

from fb_qbo_pipeline.cli.companies import Companies, one_integration
from fb_qbo_pipeline.cli.connected import connected
from fb_qbo_pipeline.cli.listing import Amount, Reason, added, counted, print_group, print_text
from fb_qbo_pipeline.cli.options import config_option, json_option, strict_option, verbose_option
from fb_qbo_pipeline.cli.output import log_to, out, print_json
from fb_qbo_pipeline.cli.sync import show as show_sync
from fb_qbo_pipeline.cli.sync import synced
from fb_qbo_pipeline.errors import ConfigurationError
from fb_qbo_pipeline.http import utc_now
from fb_qbo_pipeline.ledger.exceptions import IGNORED, OPEN
from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.mapping.documents import Code
from fb_qbo_pipeline.money import round_half_up
from fb_qbo_pipeline.pipeline.adopt import adopt as take_over
from fb_qbo_pipeline.pipeline.post_anyway import post_anyway
from fb_qbo_pipeline.pipeline.runtime import open_database
from fb_qbo_pipeline.review.words import called, number_of
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.models import Integration

Row = Mapping[Any, Any]  # of the exceptions table

_PARTY = 2  # of a line's cells: the one that gives way where the terminal is narrow


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
    log_to(environment, verbose=False)
    companies = Companies(config, environment)
    found = companies.each(lambda integration: unresolved(environment, integration))
    if as_json:
        print_json(companies.to_json({name: [to_json(row) for row in rows] for name, rows in found.items()}))
    else:
        for name, rows in found.items():
            show(name, rows)
    return companies.end(3 if strict and any(row["status"] == OPEN for rows in found.values() for row in rows) else 0)


ids_argument = click.argument("ids", metavar="[ID]...", nargs=-1, type=int)
code_option = click.option("--code", type=click.Choice([code.value for code in Code]), metavar="CODE", help="All with this code.")
all_option = click.option("--all", "every", is_flag=True, help="All of them.")


@command.command("retry")
@ids_argument
@code_option
@config_option
@json_option
@verbose_option
@click.pass_context
def retry(context: click.Context, ids: tuple[int, ...], code: str | None, config: Path | None, as_json: bool, verbose: bool) -> int:
    """Try exceptions again: those with the given IDs, those of a code, or all open ones.

    Reads and compares anew. It does not make again what was deleted in QuickBooks, nor write over what was changed there:
    see `fb-qbo exceptions post`.
    """
    environment = Environment.read()
    log_to(environment, verbose=verbose)
    integration = one_integration(config or context.obj, environment)
    with opened(environment, integration) as ledger, ledger.begin() as tx:
        rows = chosen(tx.exceptions.unresolved(), OPEN, ids, code, every=not ids and code is None)
        tx.exceptions.try_again([row["id"] for row in rows])
        tx.touched.note({max(row["document_date"], integration.start_date) for row in rows}, "retried by a person")
        tx.cursors.set("lists_full", None)  # what a person has put right in QuickBooks has to be seen
    _sync_touched(environment, integration, as_json=as_json, verbose=verbose)
    _tell_what_retry_cannot_do(environment, integration, {row["id"] for row in rows})
    return 0


def _tell_what_retry_cannot_do(environment: Environment, integration: Integration, ids: Collection[int]) -> None:
    for row in unresolved(environment, integration):
        if row["id"] in ids and row["status"] == OPEN and row["code"] == Code.CHANGED_IN_QUICKBOOKS:
            click.echo(f"{row['source']} {row['number']} is held still: {row['reason']}\n  → {row['remedy']}", err=True)


@command.command("post")
@click.argument("exception_id", metavar="ID", type=int)
@click.option("--by", default=getpass.getuser, show_default="the user of this machine", help="Who decides; kept with the decision.")
@config_option
@json_option
@verbose_option
@click.pass_context
def post(context: click.Context, exception_id: int, by: str, config: Path | None, as_json: bool, verbose: bool) -> int:
    """Post a document that is held: it was deleted or voided in QuickBooks, or what looks like it there is another one.

    A document that was voided there makes room for the new one. What a person has changed there is never written over.
    """
    environment = Environment.read()
    log_to(environment, verbose=verbose)
    integration = one_integration(config or context.obj, environment)
    with connected(integration, environment) as runtime:
        with runtime.ledger.begin() as tx:
            (row,) = chosen(tx.exceptions.unresolved(), OPEN, [exception_id], None, every=False)
        post_anyway(runtime, row, by)
    _sync_touched(environment, integration, as_json=as_json, verbose=verbose)
    return 0


@command.command("adopt")
@click.argument("exception_id", metavar="ID", type=int)
@config_option
@json_option
@verbose_option
@click.pass_context
def adopt(context: click.Context, exception_id: int, config: Path | None, as_json: bool, verbose: bool) -> int:
    """Take over the QuickBooks transaction that an exception is about: typed by hand, or copied by another tool.

    The two are compared; the marker is written into its memo, and from then on it is kept true to FreshBooks.
    """
    environment = Environment.read()
    log_to(environment, verbose=verbose)
    integration = one_integration(config or context.obj, environment)
    with connected(integration, environment) as runtime:
        with runtime.ledger.begin() as tx:
            (row,) = chosen(tx.exceptions.unresolved(), OPEN, [exception_id], None, every=False)
        take_over(runtime, row)
    _sync_touched(environment, integration, as_json=as_json, verbose=verbose)
    return 0


def _sync_touched(environment: Environment, integration: Integration, *, as_json: bool, verbose: bool) -> None:
    with synced(environment) as (instance, console):
        result = console.run(integration, instance, None, touched_only=True, verbose=verbose)
    if as_json:
        print_json(result.to_json())
    else:
        show_sync(integration.name, result)


@command.command("ignore")
@ids_argument
@code_option
@all_option
@click.option("--reason", required=True, help="Why it need not be in QuickBooks; kept with the exception.")
@config_option
@click.pass_context
def ignore(context: click.Context, ids: tuple[int, ...], code: str | None, every: bool, reason: str, config: Path | None) -> int:
    """Leave documents out of QuickBooks, with a reason: those with the given IDs, those of a code, or all open ones."""
    if not reason.strip():
        raise click.UsageError("--reason is empty: say why it need not be in QuickBooks")
    for row in _set_status(context, config, Choice(ids, code, every), OPEN, IGNORED, reason.strip()):
        print_text(out(), f"ignored: {_called(row)} ({reason.strip()})", 0)
    return 0


@command.command("unignore")
@ids_argument
@code_option
@all_option
@config_option
@click.pass_context
def unignore(context: click.Context, ids: tuple[int, ...], code: str | None, every: bool, config: Path | None) -> int:
    """Take an ignore back: the documents are tried again in the next sync."""
    for row in _set_status(context, config, Choice(ids, code, every), IGNORED, OPEN, ""):
        print_text(out(), f"open again: {_called(row)}; the next sync tries it", 0)
    return 0


class Choice(NamedTuple):
    """Which exceptions a person means."""

    ids: tuple[int, ...]
    code: str | None
    every: bool


def chosen(rows: Sequence[Row], status: str, ids: Sequence[int], code: str | None, *, every: bool) -> list[Row]:
    """The rows of this status that a person means. Raises ConfigurationError for an id that is none of them."""
    by_id = {row["id"]: row for row in rows}
    for wanted in ids:
        row = by_id.get(wanted)
        if row is None:
            raise ConfigurationError(f"no exception {wanted} is open or ignored", "fb-qbo exceptions lists them with their ids")
        if row["status"] != status:
            remedy = f"first: fb-qbo exceptions unignore {wanted}" if status == OPEN else "nothing needs to be taken back"
            raise ConfigurationError(f"exception {wanted} is {row['status']}", remedy)
    return [row for row in rows if row["status"] == status and (every or row["id"] in ids or row["code"] == code)]


def _set_status(context: click.Context, config: Path | None, choice: Choice, old: str, new: str, reason: str) -> list[Row]:
    if not (choice.ids or choice.code or choice.every):
        raise click.UsageError("which ones? Name IDs (fb-qbo exceptions lists them), or --code CODE, or --all")
    environment = Environment.read()
    log_to(environment, verbose=False)
    integration = one_integration(config or context.obj, environment)
    with opened(environment, integration) as ledger, ledger.begin() as tx:
        rows = chosen(tx.exceptions.unresolved(), old, choice.ids, choice.code, every=choice.every)
        if not rows:
            raise ConfigurationError(f"no such exception is {old}", "fb-qbo exceptions lists them with their codes")
        for row in rows:
            tx.exceptions.set_status(row["id"], new, reason)
            if new == OPEN:
                tx.exceptions.try_again([row["id"]])
                tx.touched.note({max(row["document_date"], integration.start_date)}, "no longer ignored")
    return rows


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


def unresolved(environment: Environment, integration: Integration) -> list[Row]:
    """The open and the ignored exceptions, by document date."""
    with opened(environment, integration) as ledger, ledger.begin() as tx:
        return list(tx.exceptions.unresolved())


def show(name: str, rows: Sequence[Row]) -> None:
    """The documents that are held back, by code."""
    console = out()
    held = [row for row in rows if row["status"] == OPEN]
    ignored = [row for row in rows if row["status"] == IGNORED]
    if not rows:
        print_text(console, f"{name}: no document is held back", 0)
        return
    told = f"{_summary(held)} held back" if held else "no document is held back"
    print_text(console, f"{name}: {told}" + (f"; {_summary(ignored)} ignored" if ignored else ""), 0)
    for code, alike in _by(held, "code"):
        reasons = [Reason(str(words), of[0]["remedy"], [_cells(row) for row in of]) for words, of in _by(alike, "reason")]
        reasons.sort(key=lambda reason: reason.remedy)
        print_group(console, f"{code}: {_summary(alike)}", reasons, _PARTY)
    for why, alike in _by(ignored, "ignore_reason"):
        reason = Reason(f"ignored: {why}", "fb-qbo exceptions unignore ID takes it back", [_cells(row) for row in alike])
        print_group(console, f"ignored: {_summary(alike)}", [reason], _PARTY)


def _by(rows: Sequence[Row], column: str) -> list[tuple[str, list[Row]]]:
    """The rows by the values of a column, the largest group first."""
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[column]].append(row)
    return sorted(groups.items(), key=lambda group: -len(group[1]))


def _called(row: Row) -> str:
    return called(row["source"], row["number"], row["source_id"], row["party"])


def _cells(row: Row) -> tuple[str, ...]:
    """A line of an exception: its id, which document, whom it is with, when, how much, and for how long it is held.

    A document without a number of its own (an expense) is found in FreshBooks by its vendor, date and amount; its id is there
    to be searched for.
    """
    number = number_of(row["number"], row["source_id"])
    document = f"{row['source']} {number or 'id ' + str(row['source_id'])}"
    amount = str(Amount(row["amount"], row["currency"]))
    days = (utc_now() - row["since"]).days
    age = f"for {counted(days, 'day')}" if days else "since today"
    return str(row["id"]), document, row["party"], f"{row['document_date']}", amount, age


def _summary(rows: Sequence[Row]) -> str:
    money = added(Amount(row["amount"], row["currency"]) for row in rows)
    return counted(len(rows), "document") + (f", {money}" if money else "")
