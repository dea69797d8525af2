"""What the kill run has cost: documents that stand twice, that are missing, books that differ, and processes that are left.

Judged by both sandboxes alone: the marker in a document's note says which FreshBooks record it is of, and an accountant of the tests'
keeps the books from FreshBooks' records. The product's ledger is only asked what it holds back, and that has to be the accountant's view.
"""

import os
import re
import time
from collections import Counter
from collections.abc import Set
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from pathlib import Path

from fb_qbo_pipeline.sandbox.quickbooks.store import TRANSACTIONS
from fb_qbo_pipeline_tests.pipeline.agreement import assert_agrees, kept
from fb_qbo_pipeline_tests.pipeline.oracle import Books, Chart
from fb_qbo_pipeline_tests.pipeline.world import World

_DELETED = 1
_MARKER = re.compile(r"fb:[^/ ]+/(invoice|payment|expense)/(\d+)")
_PROC = Path("/proc")


@dataclass(frozen=True)
class Judgement:
    """Of one company: how many documents there have to be, and what is wrong with those that there are."""

    documents: int
    doubles: int
    lost: int
    unmarked: int  # transactions that no FreshBooks record accounts for
    differs: str  # the first balance, open invoice or exception that is not the accountant's


def judge(world: World, chart: Chart) -> Judgement:
    """Hold QuickBooks against FreshBooks."""
    books = kept(world, chart)
    expected = _expected(world, books)
    standing: Counter[tuple[str, int]] = Counter()
    unmarked = 0
    for entity in TRANSACTIONS:
        for row in world.quickbooks.rows(entity):
            found = _MARKER.search(row.get("PrivateNote", ""))
            if found is None:
                unmarked += 1
            else:
                standing[found[1], int(found[2])] += 1
    try:
        assert_agrees(world, books)
        differs = ""
    except AssertionError as error:
        differs = str(error) or "the balances, open invoices or exceptions differ from the accountant's"
    doubles = sum(times - 1 for times in standing.values())
    return Judgement(len(expected), doubles, len(expected - standing.keys()), unmarked, differs)


def _expected(world: World, books: Books) -> Set[tuple[str, int]]:
    """Every record that has to stand in QuickBooks."""
    start = world.settings["start_date"].isoformat()
    records = {("invoice", number) for number in books.open_invoices}
    records |= {
        ("payment", payment["id"])
        for payment in world.freshbooks.view("payment")
        if payment["vis_state"] != _DELETED and payment["invoiceid"] in books.open_invoices
    }
    records |= {
        ("expense", expense["id"])
        for expense in world.freshbooks.view("expense")
        if expense["vis_state"] != _DELETED and expense["date"] >= start
    }
    return records - books.held.keys()


def strays(home: Path, mark: str, seconds: float = 30.0) -> list[str]:
    """The processes that still belong to `home` or bear `mark` in their environment; they are given some seconds to end."""
    deadline = time.monotonic() + seconds
    while (found := _belonging(home, mark)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def _belonging(home: Path, mark: str) -> list[str]:
    ours = {os.getpid(), forkserver._forkserver._forkserver_pid, resource_tracker._resource_tracker._pid}
    found = []
    for process in _PROC.iterdir():
        if not process.name.isdigit() or int(process.name) in ours:
            continue
        try:
            if (process / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
                continue
            command = (process / "cmdline").read_bytes()
            belongs = (
                str(home).encode() in command
                or mark.encode() in (process / "environ").read_bytes()
                or (process / "cwd").readlink().is_relative_to(home)
            )
        except OSError:
            continue
        if belongs:
            found.append(f"{process.name} {command.replace(bytes(1), b' ').decode(errors='replace')[:120]}")
    return found
