"""The kill run of the benchmarks sees what it is there to see: a document twice, one that is missing, a process that is left."""

import copy
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.kills_judged import judge, strays
from fb_qbo_pipeline_tests.pipeline.agreement import chart_of
from fb_qbo_pipeline_tests.pipeline.world import World, day


def test_what_stands_twice_is_missing_or_is_nobodys_is_counted(world: World) -> None:
    chart = chart_of(world.quickbooks)
    invoice = world.invoice("100.00")
    world.payment(invoice, "113.00", on=day(10), method="PayPal")
    world.expense()
    world.sync()
    clean = judge(world, chart)
    assert (clean.documents, clean.doubles, clean.lost, clean.unmarked, clean.differs) == (3, 0, 0, 0, "")

    payments = world.quickbooks.tables["Payment"]
    (payment,) = payments.values()
    payments["999"] = copy.deepcopy(payment) | {"Id": "999"}
    twice = judge(world, chart)
    assert (twice.doubles, twice.lost) == (1, 0)
    del payments["999"]

    world.typed_by_hand("77")
    assert judge(world, chart).unmarked == 1

    world.quickbooks.tables["Bill"].clear()
    missing = judge(world, chart)
    assert (missing.doubles, missing.lost) == (0, 1)
    assert missing.differs


def test_a_process_that_is_left_is_found_by_its_mark_or_its_home(tmp_path: Path) -> None:
    assert strays(tmp_path, "no-process-bears-this", seconds=0) == []
    sleep = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    for marked in ({"env": os.environ | {"MARK": "kill-run-7"}}, {"cwd": tmp_path}, {"args": [*sleep, str(tmp_path / "x")]}):
        with subprocess.Popen(**{"args": sleep, "stdin": subprocess.PIPE} | marked) as process:
            (found,) = strays(tmp_path, "kill-run-7", seconds=0.2)
            assert found.startswith(f"{process.pid} ")
            process.kill()
    assert strays(tmp_path, "kill-run-7") == []
