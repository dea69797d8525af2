"""`fb-qbo`: the command line. Commands are loaded when they are called, because Dagster takes a second to import.

Exit status: 0 done, 1 failed, 2 wrong usage or configuration, 3 with --strict and something left to do.
"""

import importlib
import logging
import os
import signal
import sys
import traceback
import warnings
from typing import Any

import click

from fb_qbo_pipeline import __version__
from fb_qbo_pipeline.cli.output import LOG, echo, print_error, stop_logging
from fb_qbo_pipeline.errors import PipelineError, causes
from fb_qbo_pipeline.redaction import guard_process, redact

log = logging.getLogger(__name__)

STOPPED = "stopped; what was done stays done, and the same command goes on from there"

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
    os.umask(0o077)  # what this process and its children write is for this user only
    guard_process()
    warnings.simplefilter("ignore")  # of libraries; they are for developers, and tests turn them into errors
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "200")  # events of a range are stored together
    # SIGTERM as Ctrl-C, so that the embedded server is stopped, too; Ctrl-C itself is ignored in what a script starts with &
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)
    status = _flushed(run(sys.argv[1:]))
    for stop in (signal.SIGINT, signal.SIGTERM):  # the embedded server is stopped now; half of that would leave it behind
        signal.signal(stop, signal.SIG_IGN)
    sys.exit(status)


def run(arguments: list[str]) -> int:
    """Run a command; its exit status."""
    try:
        result: Any = cli.main(arguments, prog_name="fb-qbo", standalone_mode=False)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as error:
        error.show(sys.stderr)
        return 2
    except (click.Abort, KeyboardInterrupt):
        return _stopped()
    except BrokenPipeError:
        _discard_output()
        return 1
    except PipelineError as error:
        return _failed(error)
    except Exception as error:  # noqa: BLE001 - the last resort: the traceback belongs in the log, not on the screen
        return _unexpected(error)
    except BaseException as error:
        if _is_interruption(error):  # of a run that waits for its turn: none of its steps is there to wrap it
            return _stopped()
        raise
    finally:
        stop_logging()
    return result if isinstance(result, int) else 0


def _flushed(status: int) -> int:
    """The exit status once all output is written; what finds no room would otherwise fail as Python ends, with a traceback."""
    try:
        sys.stdout.flush()
    except OSError as error:
        _discard_output()
        return _unexpected(error) if not isinstance(error, BrokenPipeError) else 1
    return status


def _stopped() -> int:
    click.echo(STOPPED, err=True)
    return 1


def _is_interruption(error: BaseException) -> bool:
    """Whether this is what Dagster makes of Ctrl-C. It is told by its name: importing Dagster takes a second."""
    return type(error).__name__ == "DagsterExecutionInterruptedError"


def _failed(error: PipelineError) -> int:
    print_error(str(error))
    return error.exit_status


def _discard_output() -> None:
    """Whoever read the output has gone (`fb-qbo plan | head`): what is still buffered would fail again as Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _unexpected(error: Exception) -> int:
    """Dagster wraps what a step raises, so the causes are looked through for an error that is meant for people."""
    if any(_is_interruption(cause) for cause in causes(error)):
        return _stopped()
    from fb_qbo_pipeline.ledger.outages import explained  # here, because SQLAlchemy takes its time, too

    for_people = explained(error)
    if for_people is not None:
        return _failed(for_people)
    name = type(error).__name__
    if not LOG.handlers:  # before there is a log
        echo(f"error: unexpected {name}\n{redact(''.join(traceback.format_exception(error)))}", err=True)
        return 1
    log.error("unexpected", exc_info=error)
    click.echo(f"error: unexpected {name}; the details are in logs/fb-qbo.log under FB_QBO_HOME", err=True)
    return 1


if __name__ == "__main__":
    main()
