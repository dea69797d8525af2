"""`fb-qbo check`: the preflight of an integration against both live accounts, with a remedy for each finding."""

from pathlib import Path

import click
from rich.console import Console

from fb_qbo_pipeline.cli.options import config_option, integrations, json_option, per_integration, strict_option, verbose_option
from fb_qbo_pipeline.cli.output import log_to, out, print_json, progress, table
from fb_qbo_pipeline.errors import ConfigurationError, PipelineError
from fb_qbo_pipeline.money import round_half_up
from fb_qbo_pipeline.pipeline.check import check
from fb_qbo_pipeline.pipeline.check_report import CheckFinding, CheckReport, failed
from fb_qbo_pipeline.pipeline.runtime import open_runtime
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.models import Integration

_SETTINGS = "settings"


@click.command("check")
@config_option
@json_option
@strict_option
@verbose_option
def command(config: Path | None, as_json: bool, strict: bool, verbose: bool) -> int:
    """Check the configuration against both accounts, and which documents a sync would hold.

    Reads only. Exit status 2 where the configuration is wrong, 1 where an account cannot be reached, 3 with --strict where
    documents would be held.
    """
    environment = Environment.read()
    log_to(environment.home, verbose=verbose)
    try:
        reports = {integration.name: _report(integration, environment) for integration in integrations(config, environment)}
    except ConfigurationError as error:  # no integration could be read; --json is promised a document all the same
        reports = {_SETTINGS: CheckReport([failed("Settings", _SETTINGS, error)])}
    if as_json:
        print_json(per_integration({name: report.to_json() for name, report in reports.items()}))
    else:
        for name, report in reports.items():
            _show(name, report)
    failures = [report.exit_status(strict=strict) for report in reports.values() if not report.ok]
    return max(failures or [report.exit_status(strict=strict) for report in reports.values()])


def _report(integration: Integration, environment: Environment) -> CheckReport:
    """The report of one integration; what keeps it from being opened at all is a finding, too."""
    try:
        with progress() as tick, open_runtime(integration, environment) as runtime:
            return check(runtime, lambda what, done, total: tick(f"{integration.name}: {what}", done, total))
    except PipelineError as error:
        return CheckReport([failed("Environment", "environment", error)])


def _show(name: str, report: CheckReport) -> None:
    console = out()
    console.print(table(f"{name}: what was checked", ("", "step", "result"), [(s.state.value, s.title, s.detail) for s in report.steps]))
    about_settings = [finding for finding in report.findings if not finding.holds]
    about_documents = [finding for finding in report.findings if finding.holds]
    if about_settings:
        rows = [(f.severity.value, f.key, f.message + _concerning(f), f.remedy) for f in about_settings]
        console.print()
        console.print(table("To put right", ("", "where", "what", "what to do"), rows))
    if about_documents:
        _show_documents(console, about_documents)
    if not report.findings:
        console.print("\nEverything fits: nothing would be held.")


def _show_documents(console: Console, findings: list[CheckFinding]) -> None:
    rows = [(f.key, f.documents, _money(f), "\n".join(f.examples), f.message, f.remedy) for f in findings]
    console.print()
    console.print(
        table("Documents that would be held", ("code", "documents", "money", "such as", "why", "what to do"), rows, ("documents", "money"))
    )


def _concerning(finding: CheckFinding) -> str:
    """How many documents a finding about a setting is about, and how much money."""
    return f"\n{finding.documents} documents: {_money(finding).replace(chr(10), ', ')}" if finding.documents else ""


def _money(finding: CheckFinding) -> str:
    return "\n".join(f"{round_half_up(amount):,} {currency}" for currency, amount in finding.amount.items())
