"""`fb-qbo sync` as a script calls it, through real Dagster runs, and what happens when it is interrupted."""

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time

from fb_qbo_pipeline_tests.cli.command_line import CommandLine, days_ago
from fb_qbo_pipeline_tests.pipeline.world import World

KINDS = ["invoice", "sales_receipt", "payment", "bill", "customer", "vendor", "item"]
LEVY = (("Eco Levy", "2"),)


def test_json_is_the_contracts_document_and_a_second_sync_finds_nothing_to_do(present_world: World, fb_qbo: CommandLine) -> None:
    present_world.payment(present_world.invoice("100.00", on=days_ago(6), number="31"), "113.00", on=days_ago(5))
    present_world.invoice("200.00", on=days_ago(6), number="32", taxes=LEVY)
    result = fb_qbo("sync", "--json", "--strict")
    document = json.loads(result.out)
    assert (result.status, result.err) == (3, "")
    assert list(document) == ["created", "updated", "voided", "unchanged", "exceptions", "api_calls", "seconds"]
    assert [list(document[part]) for part in ("created", "updated", "voided")] == [KINDS] * 3
    created = {kind: number for kind, number in document["created"].items() if number}
    assert created == {
        "invoice": 1,
        "payment": 1,
        "customer": 1,
        "item": 1,
    }
    assert document["exceptions"] == 1
    assert document["api_calls"].keys() == {"freshbooks", "quickbooks_reads", "quickbooks_writes"}
    written = present_world.quickbooks.counters.writes
    again = fb_qbo("sync")
    assert (again.status, again.err) == (0, "")
    assert "nothing to write to QuickBooks" in again.out
    assert "1 exception open (fb-qbo exceptions)" in again.out
    assert present_world.quickbooks.counters.writes == written


def test_ctrl_c_ends_with_a_sentence_and_leaves_no_process(present_world: World, fb_qbo: CommandLine) -> None:
    present_world.invoice("100.00", on=days_ago(6))
    present_world.slow_down(30)
    command = [sys.executable, "-c", "from fb_qbo_pipeline.cli.main import main; main()", "sync"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while not (fb_qbo.folder / "dagster" / "dagster.yaml").exists():  # from here on it is at work
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, b"")
    assert b"what was done stays done" in err
    assert b"Traceback" not in err


def test_progress_on_a_terminal_moves_while_a_run_is_at_work(present_world: World, fb_qbo: CommandLine) -> None:
    for _ in range(3):
        present_world.invoice("100.00", on=days_ago(6))
    present_world.slow_down(0.2)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", "from fb_qbo_pipeline.cli.main import main; main()", "sync"]
    drawn = b""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=os.environ | {"TERM": "xterm", "COLUMNS": "100"}) as process:
        os.close(theirs)
        with contextlib.suppress(OSError):  # the terminal's end, when nobody writes to it any more
            while part := os.read(ours, 4096):
                drawn += part
        process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == 0
    plain = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", drawn)
    counted = set(re.findall(rb" (\d)/3 ", plain))  # of documents, while they are posted; Dagster keeps what that step prints
    assert {b"0", b"3"} <= counted, plain[-2000:]
    assert f"acme {present_world.integration.start_date} – ".encode() in plain


def test_documents_of_another_deployment_are_told_on_standard_error(present_world: World, fb_qbo: CommandLine) -> None:
    present_world.invoice("100.00", on=days_ago(3))
    assert fb_qbo("sync").err == ""
    present_world.restore(None)
    told = fb_qbo("sync", "--json")
    assert told.status == 0
    assert "QuickBooks holds 1 document of the FreshBooks account" in told.err
    assert json.loads(told.out)["created"]["invoice"] == 0
    assert fb_qbo("sync").err == ""
