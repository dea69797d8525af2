"""`fb-qbo`: the command line. Commands are loaded when they are called, because Dagster takes a second to import.

Exit status: 0 done, 1 failed, 2 wrong usage or configuration, 3 with --strict and something left to do.
"""

import importlib
import logging
import os
import sys
import warnings
from typing import Any

import click

from fb_qbo_pipeline import __version__
from fb_qbo_pipeline.errors import PipelineError
from fb_qbo_pipeline.redaction import redact

log = logging.getLogger(__name__)

# Command → module of this package and what it does, in the order of use.
COMMANDS = {
    "demo": "Sync a sample company between two sandboxes and look at it; nothing to set up.",
    "connect": "Connect the FreshBooks account or the QuickBooks company.",
    "check": "Check the configuration against both accounts.",
    "plan": "Show what a sync would do, without writing to QuickBooks.",
    "sync": "Sync what has changed, or a range of days.",
    "exceptions": "List documents held back; retry or ignore them.",
    "reconcile": "Tie out FreshBooks and QuickBooks for a period.",
    "trace": "Tell one document's story.",
    "up": "Run the Dagster UI, the schedule and the sensors.",
    "sandbox": "Serve sandboxes of both APIs.",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"fb_qbo_pipeline.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fb-qbo")
def cli() -> None:
    """FreshBooks to QuickBooks Online, exactly once and to the cent."""


def main() -> None:
    """Run the command line; every expected error is a message with a remedy, never a traceback."""
    warnings.simplefilter("ignore")  # of libraries; they are for developers, and tests turn them into errors
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "200")  # events of a range are stored together
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run a command; its exit status."""
    try:
        result: Any = cli.main(arguments, prog_name="fb-qbo", standalone_mode=False)
    except click.exceptions.Exit as stopped:
        return stopped.exit_code
    except click.Abort:
        click.echo("stopped", err=True)
        return 1
    except click.ClickException as error:
        error.show(sys.stderr)
        return 2
    except KeyboardInterrupt:
        click.echo("stopped; what was done stays done, the next sync goes on from there", err=True)
        return 1
    except PipelineError as error:
        click.echo(f"error: {redact(str(error))}", err=True)
        return error.exit_status
    except Exception as error:  # noqa: BLE001 - the last resort: the traceback belongs in the log, not on the screen
        return _unexpected(error)
    return result if isinstance(result, int) else 0


def _unexpected(error: Exception) -> int:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, PipelineError):
            click.echo(f"error: {redact(str(cause))}", err=True)
            return cause.exit_status
        cause = cause.__cause__ or cause.__context__
    log.error("unexpected", exc_info=error)
    click.echo(f"error: unexpected {type(error).__name__}; the details are in logs/fb-qbo.log under FB_QBO_HOME", err=True)
    return 1


if __name__ == "__main__":
    main()
