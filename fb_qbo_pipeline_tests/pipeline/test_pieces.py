"""A range is staged and decided about some documents at a time; how many must not show in the result."""

from itertools import chain
from typing import Any

import pytest

from fb_qbo_pipeline.pipeline.intake import read_dates, read_lists
from fb_qbo_pipeline.pipeline.stage import stage
from fb_qbo_pipeline.posting.decisions import decide_range
from fb_qbo_pipeline_tests.pipeline.world import START, TODAY, World, day


def _read(world: World) -> None:
    with world.runtime() as runtime:
        read_lists(runtime)
        for source in ("invoice", "payment"):
            read_dates(runtime, source, START, TODAY)


def _staged(world: World, source: str, piece_size: int) -> list[tuple[Any, ...]]:
    with world.runtime() as runtime:
        rows = stage(runtime, source, START, TODAY, piece_size=piece_size)
    return [(row["source_id"], row["outcome"], row["number"], row["fingerprint"], row["problems"]) for row in rows]


@pytest.mark.parametrize("piece_size", [1, 2])
def test_staging_in_pieces_decides_as_staging_at_once(world: World, piece_size: int) -> None:
    invoices = [world.invoice(number=number, on=day(9 - at)) for at, number in enumerate(("77", "78", "77", "79", "78"))]
    for invoice in invoices:
        world.payment(invoice, "113.00")
    _read(world)
    at_once = {source: _staged(world, source, 100) for source in ("invoice", "payment")}
    assert [row[1] for row in at_once["invoice"]] == ["document", "document", "held", "document", "held"]
    in_pieces = {source: _staged(world, source, piece_size) for source in ("invoice", "payment")}
    for source in ("invoice", "payment"):  # a duplicate in an earlier piece is named by its id alone
        assert [row[:4] for row in in_pieces[source]] == [row[:4] for row in at_once[source]]


def test_a_number_that_a_later_piece_gives_up_is_free(world: World) -> None:
    first, second = world.invoice(number="77"), world.invoice(number="78")
    _read(world)
    _staged(world, "invoice", 1)
    world.freshbooks.edit_invoice(first, number="78")
    world.freshbooks.edit_invoice(second, number="77")
    _read(world)
    assert [(row[0], row[1], row[2]) for row in _staged(world, "invoice", 1)] == [
        (first, "document", "FB78"),
        (second, "document", "FB77"),
    ]


def test_what_has_left_the_range_is_staged_there_no_more(world: World) -> None:
    kept, moved = world.invoice(on=day(5)), world.invoice(on=day(6))
    _read(world)
    _staged(world, "invoice", 1)
    world.freshbooks.edit_invoice(moved, date=day(20))
    _read(world)
    with world.runtime() as runtime:
        stage(runtime, "invoice", day(1), day(10), piece_size=1)
        with runtime.ledger.begin() as tx:
            assert tx.staging.ids_in_partitions("invoice", START, TODAY) == [kept]


def test_deciding_in_pieces_decides_as_deciding_at_once(world: World) -> None:
    for at in range(5):
        world.invoice(on=day(9 - at))
    world.sync()
    first = world.invoice(on=day(12))
    _read(world)
    _staged(world, "invoice", 100)
    with world.runtime() as runtime:
        found = {}
        for size in (1, 100):
            decisions = decide_range(runtime.ledger, runtime.books, runtime.integration, "invoice", START, TODAY, None, piece_size=size)
            pieces = list(decisions.pieces)
            assert (decisions.due, max(map(len, pieces))) == (1, min(size, 6))
            found[size] = [(step.action.value, step.source_id) for step in chain.from_iterable(pieces)]
    assert found[1] == found[100]
    assert found[1][-1] == ("create", first)
