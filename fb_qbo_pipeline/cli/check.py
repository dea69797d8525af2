"""`fb-qbo check`: the preflight of an integration against both live accounts, with a remedy for each finding."""

from pathlib import Path

import click

from fb_qbo_pipeline.cli.companies import Companies
from fb_qbo_pipeline.cli.listing import Amount, Reason, added, counted, print_group, print_text
from fb_qbo_pipeline.cli.options import config_option, json_option, strict_option, verbose_option
from fb_qbo_pipeline.cli.output import log_to, out, print_json, print_table, progress, table
from fb_qbo_pipeline.errors import ConfigurationError, PipelineError
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
    log_to(environment, verbose=verbose)
    try:
        companies = Companies(config, environment)
    except ConfigurationError as error:  # no integration could be read
        if not as_json:
            raise
        print_json(_unusable(error).to_json())
        return error.exit_status
    reports = companies.each(lambda integration: _report(integration, environment))
    reports |= {name: _unusable(error) for name, error in companies.broken.items()}
    if as_json:
        print_json(companies.to_json({name: report.to_json() for name, report in reports.items()}))
    else:
        for name, report in reports.items():
            _show(name, report)
    failures = [report.exit_status(strict=strict) for report in reports.values() if not report.ok]
    return max(failures or [report.exit_status(strict=strict) for report in reports.values()])


def _unusable(error: ConfigurationError) -> CheckReport:
    """The report of a file with mistakes."""
    return CheckReport([failed("Settings", _SETTINGS, error)])


def _report(integration: Integration, environment: Environment) -> CheckReport:
    """The report of one integration; what keeps it from being opened at all is a finding, too."""
    try:
        with progress() as tick, open_runtime(integration, environment) as runtime:
            return check(runtime, lambda what, done, total: tick(f"{integration.name}: {what}", done, total))
    except PipelineError as error:
        return CheckReport([failed("Environment", "environment", error)])


def _show(name: str, report: CheckReport) -> None:
    console = out()
    steps = [(step.state.value, step.title, step.detail) for step in report.steps]
    print_table(console, table(f"{name}: what was checked", ("", "step", "result"), steps, whole=("", "step")))
    about_settings = [finding for finding in report.findings if not finding.holds]
    about_documents = [finding for finding in report.findings if finding.holds]
    if about_settings:
        console.print("\nTo put right")
    for finding in about_settings:
        console.print()
        print_text(console, f"{finding.severity.value}: {finding.key}: {finding.message}{_concerning(finding)}", 2)
        print_text(console, f"→ {finding.remedy}")
    if about_documents:
        console.print("\nDocuments that would be held")
    for finding in about_documents:
        money = added(Amount(value, currency) for currency, value in finding.amount.items())
        title = f"  {finding.key}: {counted(finding.documents, 'document')}, {money}"
        more = finding.documents - len(finding.examples)
        such_as = ", ".join(finding.examples) + (f" and {more:,} more" if more > 0 else "")
        print_group(console, title, [Reason(f"{finding.message}: {such_as}", finding.remedy, ())])
    if not report.findings:
        console.print("\nEverything fits: nothing would be held.")


def _concerning(finding: CheckFinding) -> str:
    """How many documents a finding about a setting is about, and how much money."""
    money = added(Amount(value, currency) for currency, value in finding.amount.items())
    return f" ({counted(finding.documents, 'document')}, {money})" if finding.documents else ""
