"""A failed step as Dagster shows it: the sentence for people first, and not the framework's own.

Dagster heads an ordinary error with "Error occurred while executing op …" and puts what happened at the end of a chain of
tracebacks. A `Failure` leads with its description, and keeps its cause, which the command line and the alerts look for.
"""

import contextlib
from collections.abc import Iterator

import dagster as dg

from fb_qbo_pipeline.errors import PipelineError

_IN_A_TERMINAL = "run the same command again"  # what remedies say where a command was typed
_ANYWHERE = "re-execute this run, or run the same command again"


class Stopped(dg.Failure):
    """A step that could not be done, for a reason that a person may read."""

    __module__ = "builtins"  # Dagster shows an error as Python's traceback does: with its module, unless it is this one


@contextlib.contextmanager
def failures_for_people() -> Iterator[None]:
    """Raise a PipelineError within the block as a Failure that says the same: what is wrong, and what to do."""
    try:
        yield
    except PipelineError as error:
        remedy = error.remedy.replace(_IN_A_TERMINAL, _ANYWHERE)
        words = f"{error.message} → {remedy}" if remedy else error.message
        raise Stopped(words, allow_retries=False) from error
