"""`make bench`: prints every figure as Markdown, with the machine, the day and the versions. Progress goes to standard error."""

import argparse
import datetime as dt
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks import commands, mapping, posting
from benchmarks.servers import Speed

GOAL = 0.9  # of the ceiling
VERSIONS = ("dagster", "sqlalchemy", "pandera", "pandas", "simplejson", "requests")


def report(text: str) -> None:
    """Say what is being measured now."""
    print(f"… {text}", file=sys.stderr, flush=True)


def show(*lines: str) -> None:
    """Print a paragraph."""
    print("\n".join(lines), end="\n\n", flush=True)


def heading(mode: str) -> None:
    """The machine and the versions."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    show(f"# Benchmarks ({mode})")
    show(
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC, {_processor()}, {os.cpu_count()} cores, load {load} at the start, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in VERSIONS)
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def show_posting(minutes: int) -> None:
    """Posting beside python-quickbooks."""
    speed = Speed()
    most = posting.ceiling(speed)
    found = posting.measure(minutes, report)
    show(
        f"## Posting ({minutes} min each)",
        "",
        f"{speed.per_request * 1000:.0f} ms a request and {speed.per_batch_item * 1000:.0f} ms a batch item; 500 requests and 40 batches "
        f"a minute, 10 in flight. The limits admit {most:,} documents a minute.",
        "",
        "| program | documents a minute | of the ceiling | calls a document | throttled | |",
        "|---|---:|---:|---:|---:|---|",
        *(_row(one, most) for one in found),
        "",
        f"Goal: {GOAL:.0%} of the ceiling; {'reached' if found[0].documents >= GOAL * most else 'missed'}.",
    )


def _row(one: posting.Throughput, most: int) -> str:
    cells = (one.name, f"{one.documents:,.0f}", f"{one.documents / most:.0%}", f"{one.calls_a_document:.3f}", one.throttled, one.remark)
    return f"| {' | '.join(map(str, cells))} |"


def show_mapping(documents: int) -> None:
    """Mapping and validation."""
    report("mapping and validation")
    mapping.measure(documents // 10)  # imports and caches
    speeds = mapping.measure(documents)
    show(
        "## Mapping and validation (one core, processor time)",
        "",
        f"{speeds.a_second:,.0f} documents a second: mapping {speeds.mapping:.0f} µs, row {speeds.rows:.0f} µs, "
        f"schema {speeds.validation:.0f} µs a document, over {speeds.documents:,} invoices of one to three lines; parsing the record "
        f"before that takes {speeds.parsing:.0f} µs.",
    )


def show_quiet() -> None:
    """A sync with nothing new."""
    quiet = commands.measure_quiet(report)
    show(
        "## A sync with nothing new",
        "",
        f"{quiet.sync:.1f} s of wall time from the command to its end, {quiet.bare_run:.1f} s for a Dagster run that does nothing; "
        f"{quiet.freshbooks_reads} reads of FreshBooks, {quiet.quickbooks_reads} of QuickBooks, {quiet.quickbooks_writes} writes.",
    )


def show_backfills(sizes: list[int], days: int) -> None:
    """Backfills of several sizes over the same days."""
    found = [commands.measure_backfill(size, days, report) for size in sizes]
    show(
        "## Backfill and memory (no delays, no limits)",
        "",
        "| invoices | days | seconds | once more | peak memory |",
        "|---:|---:|---:|---:|---:|",
        *(f"| {one.invoices:,} | {one.days:,} | {one.seconds:,.0f} | {one.runs_again:,.0f} | {one.megabytes:,.0f} MB |" for one in found),
    )


SECTIONS = ("mapping", "quiet", "posting", "backfill")


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--full", action="store_true", help="the published figures: 3 minutes a program, 100,000 invoices, 1,095 days")
    parser.add_argument("--only", choices=SECTIONS, action="append", help="one section; may be repeated")
    options = parser.parse_args()
    chosen = options.only or SECTIONS
    heading("full" if options.full else "quick")
    if "mapping" in chosen:
        show_mapping(10_000 if options.full else 3_000)
    if "quiet" in chosen:
        show_quiet()
    if "posting" in chosen:
        show_posting(3 if options.full else 1)
    if "backfill" in chosen:
        show_backfills([10_000, 100_000] if options.full else [500, 2_000], 1_095 if options.full else 90)


if __name__ == "__main__":
    main()
