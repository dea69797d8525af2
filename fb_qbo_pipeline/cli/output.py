"""What the commands print: results on standard output, everything else on standard error.

With `--json` standard output holds one JSON document and nothing else. Progress is drawn only on a terminal.
"""

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Literal, NamedTuple

import click
import simplejson
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.segment import Segment
from rich.table import Table

from fb_qbo_pipeline.errors import ConfigurationError
from fb_qbo_pipeline.escaping import json_on_screen, one_line, terminal
from fb_qbo_pipeline.log_files import SmallLogFile
from fb_qbo_pipeline.redaction import RedactingFilter, redact
from fb_qbo_pipeline.settings.environment import Environment

LOG = logging.getLogger("fb_qbo_pipeline")  # the whole package's

Ticker = Callable[[str, int, int], None]
"""Called with (what is going on, how much is done, how much there is)."""


def out() -> Console:
    """Standard output, as wide as the terminal or COLUMNS says; wide enough for tables where nothing does.

    Whatever is printed on it is text (`_Text`).
    """
    told = sys.stdout.isatty() or "COLUMNS" in os.environ
    return _of_text(Console(file=sys.stdout, width=None if told else 160, highlight=False, markup=False, emoji=False))


def err() -> Console:
    """Standard error; text, too."""
    return _of_text(Console(file=sys.stderr, stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False))


class _Text(RenderHook):
    """Names from outside are never markup, and hold nothing that a terminal obeys: one place for all that rich prints."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Called by rich with all that is about to be printed."""
        return [_Shown(renderable) for renderable in renderables]


class _Shown(NamedTuple):
    inner: ConsoleRenderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for segment in console.render(self.inner, options):
            yield segment if segment.control else Segment(terminal(segment.text), segment.style)


def _of_text(console: Console) -> Console:
    console.push_render_hook(_Text())
    return console


def print_error(message: str) -> None:
    """An error that a person may read, on standard error; secrets are removed."""
    echo(f"error: {redact(message)}", err=True)


def echo(message: str, *, err: bool = False) -> None:
    """A line on standard output, or on standard error with `err`; text, never a command to the terminal."""
    click.echo(terminal(message), err=err)


def print_json(value: Any) -> None:
    """The one JSON document on standard output. Decimals are written as numbers."""
    sys.stdout.write(json_on_screen(simplejson.dumps(value, use_decimal=True, ensure_ascii=False, indent=2, default=str)) + "\n")
    sys.stdout.flush()  # a reader that has gone away is noticed here, not as Python ends


def table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    right: Sequence[str] = (),
    whole: Sequence[str] = (),
    *,
    tight: bool = False,
) -> Table:
    """A table; the columns named in `right` hold numbers, those in `whole` are never broken. Cells are text, never markup.

    Narrow enough for a terminal of 80 columns where the columns are: nothing but two blanks stands between them, or one where
    it is `tight`. A heading of several words may stand on several lines. Numbers and money have thousands separators; they and
    what is `whole` are never cut, so a table may be wider than the terminal: print it with `print_table`.
    """
    padding = (0, 0 if tight else 1, 0, 0)
    drawn = Table(title=title, title_justify="left", header_style="bold", box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=padding)
    cells = [[_cell(value) for value in row] for row in rows]
    for place, column in enumerate(columns):
        number = column in right
        uncut = number or column in whole
        heading = max(map(cell_len, column.split("\n")))
        widest = max((heading, *(cell_len(row[place]) for row in cells))) if uncut else None
        justify: Literal["left", "right"] = "right" if number else "left"
        drawn.add_column(column, justify=justify, overflow="fold", no_wrap=uncut, min_width=widest)
    for row in cells:
        drawn.add_row(*(cell.replace("[", "\\[") for cell in row))
    return drawn


def print_table(console: Console, drawn: Table) -> None:
    """Print a table; one that is wider than the terminal is not cut."""
    console.print(drawn, crop=False)


def _cell(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:,.2f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "" if value is None else terminal(str(value))


@contextlib.contextmanager
def progress() -> Iterator[Ticker]:
    """A progress bar on standard error while the block runs, if that is a terminal.

    It is drawn on a duplicate of the terminal's descriptor: while a step runs, Dagster points descriptors 1 and 2 into files, to keep what
    the step prints, and a bar on those would stand still.
    """
    if not sys.stderr.isatty():
        yield lambda _what, _done, _all: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding=sys.stderr.encoding) as screen,
        Progress(*columns, console=_of_text(Console(file=screen, markup=False, emoji=False)), transient=True) as bar,
    ):
        task = bar.add_task("", total=None)

        def tick(what: str, done: int, total: int) -> None:
            bar.update(task, description=one_line(what), completed=done, total=total or None)

        yield tick


def log_to(environment: Environment, *, verbose: bool) -> None:
    """Log to logs/fb-qbo.log under FB_QBO_HOME, and with `verbose` to standard error; secrets are removed on the way.

    Raises ConfigurationError where FB_QBO_HOME cannot be written to. `stop_logging` takes it back.
    """
    stop_logging()
    folder = environment.made_home() / "logs"
    try:
        folder.mkdir(exist_ok=True)
        handlers: list[logging.Handler] = [SmallLogFile(folder / "fb-qbo.log")]
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be used for logs: {error.strerror}", "make it a folder to write to") from error
    if verbose:
        handlers.append(logging.StreamHandler(sys.stderr))
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        handler.addFilter(RedactingFilter())
        LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False


def stop_logging() -> None:
    """Close what `log_to` has opened, so that a process that goes on logs as before."""
    for handler in list(LOG.handlers):
        LOG.removeHandler(handler)
        handler.close()
    LOG.setLevel(logging.NOTSET)
    LOG.propagate = True
