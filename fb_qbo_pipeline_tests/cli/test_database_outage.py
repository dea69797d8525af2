"""The database fails in the middle of a sync: the command says so in words, and the next one finishes."""

from fb_qbo_pipeline_tests.cli.command_line import CommandLine, days_ago
from fb_qbo_pipeline_tests.pipeline.outages import at_request, end_sessions, full_disk
from fb_qbo_pipeline_tests.pipeline.world import World


def test_outages_are_told_in_words_and_the_sync_after_them_finishes(present_world: World, fb_qbo: CommandLine) -> None:
    fb_qbo.write(start_date=days_ago(1))
    client = present_world.client()
    for _ in range(3):
        present_world.payment(present_world.invoice("100.00", on=days_ago(1), client=client), "113.00", on=days_ago(1))
    at_request(present_world, "/customer", lambda: end_sessions(present_world.engine))
    lost = fb_qbo("sync")
    assert (lost.status, lost.err.splitlines()[0]) == (1, "error: 1 of 1 spans of days could not be synced:")
    assert "the database connection that keeps other syncs of this company out was lost" in lost.err
    assert present_world.count() == {}
    with full_disk(present_world.engine, "posted_document"):
        full = fb_qbo("sync", "--json")
    assert (full.status, full.out.startswith("{")) == (1, True)
    assert "the database's disk is full" in full.err
    assert "Traceback" not in lost.err + full.err
    assert present_world.count() == {"Invoice": 3}
    assert fb_qbo("sync").status == 0
    assert present_world.count() == {"Invoice": 3, "Payment": 3}
