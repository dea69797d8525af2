"""Two syncs of one company at once: real processes, which wait for each other, say so, and post nothing twice."""

import json
import signal
import subprocess
import sys

from fb_qbo_pipeline_tests.cli.command_line import CommandLine, days_ago
from fb_qbo_pipeline_tests.pipeline.world import World

SYNC = [sys.executable, "-c", "from fb_qbo_pipeline.cli.main import main; main()", "sync", "--json"]
WAITS = "acme: another run is at work; this one waits until it has ended\n"


def _started() -> subprocess.Popen[str]:
    return subprocess.Popen(SYNC, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_that_start_together_take_turns(present_world: World, fb_qbo: CommandLine) -> None:
    fb_qbo.write(start_date=days_ago(1))
    client = present_world.client()
    for _ in range(3):
        present_world.payment(present_world.invoice("100.00", on=days_ago(1), client=client), "113.00", on=days_ago(1))
    present_world.slow_down(0.1)
    with _started() as first, _started() as second:
        ends = [process.communicate(timeout=120) for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], ends
    assert WAITS in ends[0][1] + ends[1][1]
    created = [json.loads(out)["created"] for out, _ in ends]
    assert sum(one["invoice"] for one in created) == sum(one["payment"] for one in created) == 3
    assert present_world.count() == {"Invoice": 3, "Payment": 3}


def test_one_that_waits_for_the_daemons_run_can_be_stopped(present_world: World, fb_qbo: CommandLine) -> None:
    del fb_qbo
    with present_world.ledger.run_lock(), _started() as process:  # as the daemon's run holds it
        assert process.stderr is not None
        assert process.stderr.readline() == WAITS
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert err == "stopped; what was done stays done, and the same command goes on from there\n"
