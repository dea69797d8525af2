"""`fb-qbo sandbox`: both APIs' sandboxes on given ports, to try commands against."""

import shlex

import click

from fb_qbo_pipeline.cli.output import err, out
from fb_qbo_pipeline.cli.services import require_free
from fb_qbo_pipeline.sandbox.freshbooks.app import create_app as freshbooks_app
from fb_qbo_pipeline.sandbox.quickbooks.app import create_app as quickbooks_app
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline.sandbox.sample import build_sample
from fb_qbo_pipeline.sandbox.server import HOST, REFRESH_TOKEN, SandboxServer, serve


@click.command("sandbox")
@click.option(
    "--country", type=click.Choice(["ca", "us", "uk"]), default="ca", show_default=True, help="Whose taxes the sample company has."
)
@click.option("--freshbooks-port", type=click.IntRange(0, 65535), default=8601, show_default=True)
@click.option("--quickbooks-port", type=click.IntRange(0, 65535), default=8602, show_default=True)
@click.option("--empty", is_flag=True, help="FreshBooks without the sample company's records.")
def command(country: str, freshbooks_port: int, quickbooks_port: int, empty: bool) -> int:
    """Serve sandboxes of both APIs until Ctrl-C, with the sample company in FreshBooks.

    Prints the environment variables that point the other commands to them; the refresh token of both is "sandbox-refresh".
    """
    if freshbooks_port == quickbooks_port != 0:
        raise click.UsageError("the two sandboxes need a port each")
    for option, port in (("--freshbooks-port", freshbooks_port), ("--quickbooks-port", quickbooks_port)):
        require_free(HOST, port, option)
    sample = build_sample(country)
    account = type(sample.freshbooks)(sample.freshbooks.account_id) if empty else sample.freshbooks
    company = QuickBooks(sample.quickbooks_country)

    def announce(server: SandboxServer) -> None:
        console = out()
        for name, value in server.environment().items():
            console.print(f"export {name}={shlex.quote(value)}", markup=False)
        err().print(f"both sandboxes are up; refresh token of both: {REFRESH_TOKEN}; Ctrl-C stops them")

    serve(
        freshbooks_app(account),
        quickbooks_app(company),
        freshbooks_port=freshbooks_port,
        quickbooks_port=quickbooks_port,
        announce=announce,
    )
    return 0
