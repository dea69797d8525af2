"""`fb-qbo demo`: the main job with nothing to set up.

Both APIs' sandboxes, the embedded Postgres and a sample company in a folder of their own under FB_QBO_HOME. The sample is
made by a seed and dated from the day of the first run, and the sandbox's books are kept: a second run finds nothing to do.
"""

import datetime as dt
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import yaml

from fb_qbo_pipeline.automation.instance import dagster_home
from fb_qbo_pipeline.cli import exceptions, reconcile
from fb_qbo_pipeline.cli.connected import connected
from fb_qbo_pipeline.cli.listing import counted, print_text
from fb_qbo_pipeline.cli.output import err, log_to, out
from fb_qbo_pipeline.cli.services import HOST, require_free, serve
from fb_qbo_pipeline.cli.sync import show, synced
from fb_qbo_pipeline.http import utc_now
from fb_qbo_pipeline.oauth import TokenPair
from fb_qbo_pipeline.pipeline.runtime import SERVICES, open_database, token_store
from fb_qbo_pipeline.pipeline.steps import look_at_company
from fb_qbo_pipeline.review.rules import EVERY_RULE
from fb_qbo_pipeline.review.verdicts import Verdict
from fb_qbo_pipeline.review.words import Amount, added
from fb_qbo_pipeline.sandbox.freshbooks.app import create_app as freshbooks_app
from fb_qbo_pipeline.sandbox.quickbooks import snapshot
from fb_qbo_pipeline.sandbox.quickbooks.app import create_app as quickbooks_app
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline.sandbox.sample import SampleCompany, build_sample
from fb_qbo_pipeline.sandbox.server import SandboxServer
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.loading import load_integration
from fb_qbo_pipeline.settings.models import Integration

# The sandbox does not meter unless told to, so the demo need not wait for the real service's minute.
_REQUESTS, _BATCHES = 100_000, 10_000

_REMEDIES = 3  # of a check that are told


@click.command("demo")
@click.option("--country", type=click.Choice(["ca", "us", "uk"]), default="ca", show_default=True, help="Whose taxes the company has.")
@click.option("--exit", "leave", is_flag=True, help="Do not serve the Dagster UI afterwards.")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Port of the Dagster UI.")
def command(country: str, leave: bool, port: int) -> int:
    """Sync a sample company, print its tie-out, and serve the Dagster UI until Ctrl-C."""
    if not leave:
        require_free(HOST, port)  # before the sync, which takes a minute
    home = Environment.read().made_home() / f"demo_{country}"
    home.mkdir(exist_ok=True)
    sample = _sample(home, country)
    books = QuickBooks(sample.quickbooks_country)
    kept = home / "quickbooks.sandbox"
    if kept.exists():
        snapshot.load(books, kept)
    with SandboxServer(freshbooks_app(sample.freshbooks), quickbooks_app(books)) as server, _environment(home, sample, server):
        environment = Environment.read()
        log_to(environment, verbose=False)
        integration = load_integration(environment.config)
        _connect(environment, integration, server)
        try:
            agrees = _sync(environment, integration)
        finally:
            snapshot.save(books, kept)
        if leave:
            return 0 if agrees else 1
        try:
            return serve(
                dagster_home(environment),
                environment.home / "logs",
                HOST,
                port,
                lambda address: err().print(f"Dagster UI: {address}  (Ctrl-C stops)"),
            )
        finally:
            snapshot.save(books, kept)


def _sample(home: Path, country: str) -> SampleCompany:
    """The sample company as of the day of the first run in this folder."""
    file = home / "demo.json"
    if not file.exists():
        # a day that has begun everywhere: later ones would have no partition yet in the company's time zone
        file.write_text(json.dumps({"today": (utc_now() - dt.timedelta(hours=12)).date().isoformat()}))
    return build_sample(country, dt.date.fromisoformat(json.loads(file.read_text())["today"]))


@contextmanager
def _environment(home: Path, sample: SampleCompany, server: SandboxServer) -> Iterator[None]:
    """Point this process, and those that it starts, to the sandboxes and away from any real deployment."""
    config = home / "integration.yaml"
    config.write_text(yaml.safe_dump(_plain(sample.integration), sort_keys=False, allow_unicode=True))
    changed = server.environment(requests_per_minute=_REQUESTS, batches_per_minute=_BATCHES)
    changed |= {"FB_QBO_HOME": str(home), "FB_QBO_CONFIG": str(config)}
    before = dict(os.environ)
    keys = ("FB_QBO_SECRET_KEY", "FB_QBO_SECRET_KEY_FILE", "FB_QBO_SECRET_KEY_COMMAND", "CREDENTIALS_DIRECTORY")
    for name in (*keys, "FB_QBO_DATABASE_URL", "DAGSTER_HOME", "FB_QBO_ALERT_WEBHOOK", "FB_QBO_ALERT_EMAIL", "FB_QBO_SMTP"):
        os.environ.pop(name, None)
    os.environ.update(changed)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _plain(value: Any) -> Any:
    """Only what YAML has: dates as such, numbers that are exact as text."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, str | bool | int | dt.date) or value is None else str(value)


def _connect(environment: Environment, integration: Integration, server: SandboxServer) -> None:
    engine = open_database(environment)
    try:
        for service in SERVICES:  # the sandboxes are new, so whatever is stored from an earlier run is worth nothing
            with token_store(engine, environment, integration, service).locked() as tokens:
                tokens.save(TokenPair(access_token="", refresh_token=server.refresh_token, access_expires_at=None))
    finally:
        engine.dispose()


def _sync(environment: Environment, integration: Integration) -> bool:
    with synced(environment) as (instance, console):
        show(integration.name, console.run(integration, instance, None))
    exceptions.show(integration.name, exceptions.unresolved(environment, integration))
    out().print()
    result = reconcile.run(integration, environment)
    reconcile.show(integration.name, result)
    with connected(integration, environment) as runtime:
        verdicts = look_at_company(runtime, EVERY_RULE)
    show_checks(verdicts)
    return result.agrees


def show_checks(verdicts: Mapping[str, Verdict]) -> None:
    """Every check that fails: how many documents, how much money, what to do. The Dagster UI has the tables."""
    console = out()
    console.print()
    failing = [rule for rule in EVERY_RULE if not verdicts[rule.name].passed]
    passed = len(EVERY_RULE) - len(failing)
    if not failing:
        print_text(console, f"checks: all {passed} pass", 0)
        return
    fail = f"{counted(len(failing), 'fails', 'fail')}"
    print_text(console, f"checks: {passed} of {len(EVERY_RULE)} pass; {fail} (what is held is listed above)", 0)
    for rule in failing:
        found = verdicts[rule.name].found
        money = added(Amount(amount, currency) for currency, amount in found.amounts.items())
        print_text(console, f"{rule.name}: {counted(found.documents, 'document')}, {money}", 2)
        print_text(console, rule.sentence)
        remedies = list(dict.fromkeys(one.remedy for one in found.shown))
        for remedy in remedies[:_REMEDIES]:
            print_text(console, f"→ {remedy}")
        if len(remedies) > _REMEDIES:
            print_text(console, f"→ and {counted(len(remedies) - _REMEDIES, 'remedy', 'remedies')} more: fb-qbo exceptions")
