"""A sync that is killed again and again, and then finished: no document twice, none missing."""

import json
import random
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import fb_qbo_pipeline_tests.pipeline.crashing as crashing
from fb_qbo_pipeline_tests.pipeline.world import World, day

INVOICES = 90  # three batches, after the customer and the item
MOMENTS = ((1, 2), (3, 32), (33, 92), (93, 107))  # numbers of writes between which the process is killed; there are 137


def test_a_process_killed_at_any_moment_costs_nothing(world: World, tmp_path: Path) -> None:
    client = world.client()
    invoices = [world.invoice("10.00", client=client, on=day(1 + n % 19)) for n in range(INVOICES)]
    payments = [world.payment(invoice, "11.30", on=day(19)) for invoice in invoices[::2]]
    task = tmp_path / "task.json"
    environment = world.variables | {"QUICKBOOKS_CONCURRENCY": "1"}
    task.write_text(json.dumps({"settings": world.settings, "environment": environment}, default=str))
    chance = random.Random(7)
    world.slow_down(0.05)
    for first, last in MOMENTS:
        _run_and_kill(world, task, writes=chance.randint(first, last), later=chance.uniform(0, 0.03))
    world.slow_down(0)
    world.sync()
    assert world.count() == {"Invoice": len(invoices), "Payment": len(payments)}
    for source, ids in (("invoice", invoices), ("payment", payments)):
        for source_id in ids:
            world.document(source, source_id)
    assert not world.held()
    assert world.unfinished() == 0
    assert world.balances()["Accounts Receivable (A/R)"] == (len(invoices) - len(payments)) * Decimal("11.30")


def _run_and_kill(world: World, task: Path, writes: int, later: float) -> None:
    """Kill the process when QuickBooks has carried out so many writes, or a little later: an answer or a request is under way."""
    command = [sys.executable, "-W", "ignore", "-m", crashing.__name__, str(task)]
    with subprocess.Popen(command) as process:
        while process.poll() is None and world.quickbooks.counters.writes < writes:
            time.sleep(0.002)
        time.sleep(later)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
