"""`python -m benchmarks.fuzz`: odd answers and odd records through the real pipeline, between both sandboxes.

Round by round a small company is synced while QuickBooks' answers are spoilt, then without faults; other rounds spoil
FreshBooks' records. After each round every document has to stand exactly once, or be held; nothing may stop the company.
A seed repeats a run. Exit status 1 where a figure that has to be 0 is not.
"""

import argparse
import asyncio
import datetime as dt
import logging
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine

from benchmarks.oddities import OddFreshBooks, OddQuickBooks, odd_record
from fb_qbo_pipeline.errors import PipelineError
from fb_qbo_pipeline.ledger.database import connect, embedded_url, migrate
from fb_qbo_pipeline.ledger.outages import outages_in_words
from fb_qbo_pipeline.ledger.tables import metadata
from fb_qbo_pipeline_tests.pipeline.world import Sandboxes, World, day, line

DOCUMENTS = 6  # of each kind in a round
READS, WRITES = 0.12, 0.6  # of the requests that are answered oddly
SYNCS = 6  # with faults, in a round
RECORDS = 20  # odd ones in a round
MUST_BE_ZERO = ("doubles", "lost", "wrong", "unknown", "stopped", "unworded")


@dataclass
class Found:
    """What a run has found; `remarks` hold what a person looks into."""

    figures: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    remarks: list[str] = field(default_factory=list)

    def remark(self, figure: str, what: str) -> None:
        """Count something that has to be zero, and keep the first few in words."""
        self.figures[figure] += 1
        if len(self.remarks) < 30:
            self.remarks.append(f"{figure}: {what}")


class Company:
    """A world with some documents of each kind."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self.world, self.chance = world, chance
        clients = [world.client(f"{name} Ltd") for name in ("Acme", "Bolt", "Crane")]
        self.invoices = [
            world.invoice(f"{chance.randrange(1, 900)}.{chance.randrange(100):02}", client=chance.choice(clients), on=day(2 + n))
            for n in range(DOCUMENTS)
        ]
        self.payments = [world.payment(invoice, "1.00", on=day(12)) for invoice in self.invoices]
        self.expenses = [
            world.expense("56.50", on=day(3 + n), vendor=chance.choice(["Serano Bakery", "Paper & Co"])) for n in range(DOCUMENTS)
        ]

    @property
    def all(self) -> list[tuple[str, int]]:
        """Every record."""
        by_source = (("invoice", self.invoices), ("payment", self.payments), ("expense", self.expenses))
        return [(source, record_id) for source, ids in by_source for record_id in ids]

    def change(self) -> None:
        """Edit some documents, as people do between two syncs."""
        for invoice in self.chance.sample(self.invoices, 2):
            self.world.freshbooks.edit_invoice(invoice, lines=[line(f"{self.chance.randrange(200, 900)}.00")])
        for expense in self.chance.sample(self.expenses, 2):
            self.world.freshbooks.edit_expense(expense, amount="113.00", taxes=(("HST", "13.00", "13"),))
        payment = self.chance.choice(self.payments)
        self.world.freshbooks.edit_payment(payment, amount="0.50")


def synced(world: World, found: Found, what: str) -> bool:
    """Sync; whether it came to its end. An error without words is a finding wherever it occurs."""
    try:
        with outages_in_words():
            world.sync()
    except PipelineError as error:
        found.ended[f"{type(error).__name__}: {' '.join(error.message.split()[:6])}…"] += 1
        return False
    except Exception as error:  # noqa: BLE001 - this is what is looked for
        frames = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-3:]]
        found.remark("unworded", f"{what}: {type(error).__name__} {str(error)[:100]!r} at {' < '.join(reversed(frames))}")
        return False
    return True


def judge(company: Company, found: Found, what: str, odd: frozenset[tuple[str, int]] = frozenset()) -> None:
    """After a sync without faults: every document once and as FreshBooks has it, or held; the ledger knows which."""
    world = company.world
    world.restart()
    for _ in range(2):
        if not synced(world, found, f"{what}, without faults"):
            found.remark("stopped", what)
            return
    held = {(row["source"], row["source_id"]): row["code"] for row in world.held()}
    amounts = {("invoice", row["id"]): row["amount"] for row in world.freshbooks.view("invoice")}
    for source, record_id in company.all:
        found.figures["documents"] += 1
        standing = [row for _, row in world.documents(source, record_id)]
        if len(standing) > 1:
            found.remark("doubles", f"{what}: {source} {record_id}")
        if (source, record_id) in held:
            found.figures["held"] += 1
            found.held[held[source, record_id]] += 1
            continue
        if not standing and not _left_out(world, source, record_id):
            found.remark("lost", f"{what}: {source} {record_id}")
        if standing:
            found.figures["posted"] += 1
            with world.ledger.begin() as tx:
                posted = tx.posted.by_ids(source, [record_id]).get(record_id)
            if posted is None or (posted.qbo_id, posted.total) != (standing[0]["Id"], standing[0]["TotalAmt"]):
                found.remark("wrong", f"{what}: the ledger on {source} {record_id}")
            elif (source, record_id) not in odd and source == "invoice" and str(posted.total) != amounts[source, record_id]["amount"]:
                found.remark("wrong", f"{what}: the total of {source} {record_id}")
    if world.unfinished():
        found.remark("unknown", f"{what}: {world.unfinished()} outcomes")


def _left_out(world: World, source: str, record_id: int) -> bool:
    """Whether the settings leave a record out, or FreshBooks says that it was deleted."""
    with world.engine.connect() as connection:
        table = metadata.tables["fb_qbo.staged_document"]
        outcomes = list(connection.execute(table.select().where(table.c.source == source, table.c.source_id == record_id)).mappings())
    return bool(outcomes) and outcomes[0]["outcome"] in ("out_of_scope", "deleted", "waiting", "kept")


def answers_round(make: Callable[[], World], seed: int, found: Found) -> int:
    """One company under odd answers; how many there were."""
    chance = random.Random(seed)
    world = make()
    company = Company(world, chance)
    healthy = world.sandboxes.quickbooks.app
    assert healthy is not None
    odd = OddQuickBooks(healthy, chance, READS, WRITES)
    world.sandboxes.quickbooks.app = odd
    for number in range(SYNCS):
        synced(world, found, f"answers, seed {seed}")
        if number == SYNCS // 2:
            company.change()
    asyncio.run(odd.catch_up())
    world.sandboxes.quickbooks.app = healthy
    judge(company, found, f"answers, seed {seed}")
    found.kinds.update(odd.struck)
    return odd.struck.total()


def records_round(make: Callable[[], World], seed: int, found: Found) -> int:
    """One company some of whose records are odd; how many were."""
    chance = random.Random(seed)
    world = make()
    company = Company(world, chance)
    healthy = world.sandboxes.freshbooks.app
    assert healthy is not None
    odd = OddFreshBooks(healthy)
    world.sandboxes.freshbooks.app = odd
    for count in range(RECORDS):
        source, record_id = chance.choice(company.all)
        record = next(row for row in world.freshbooks.view(source) if row["id"] == record_id)
        path, values = odd_record(record, chance)
        odd.values[source, record_id] = odd.values.get((source, record_id), {}) | values
        found.kinds[f"record: {source} {'/'.join('n' if part.isdigit() else part for part in path.split('/'))}"] += 1
        if count % 5 == 4 and not synced(world, found, f"records, seed {seed}"):
            found.remark("stopped", f"records, seed {seed}: {source} {record_id} {path}")
    judge(company, found, f"records, seed {seed}", frozenset(odd.values))
    return RECORDS


@contextmanager
def worlds(home: Path) -> Iterator[Callable[[], World]]:
    """Makes companies one after the other, on one database that is emptied between them."""
    engine = connect(embedded_url(home))
    migrate(engine)
    sandboxes = Sandboxes()

    def make() -> World:
        _empty(engine)
        return World(sandboxes, engine, home)

    with sandboxes.server:
        yield make
    engine.dispose()


def _empty(engine: Engine) -> None:
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            connection.execute(table.delete())


def show(found: Found, counts: dict[str, int], seconds: float) -> None:
    """Print what was found, as Markdown."""
    print(f"# Fuzzing ({dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC, {seconds:.0f} s)\n")
    for name, count in counts.items():
        print(f"- {name}: {count:,}")
    for name in ("documents", "posted", "held", *MUST_BE_ZERO):
        print(f"- {name}: {found.figures[name]:,}")
    for title, counter in (("How answers were odd", found.kinds), ("How syncs under faults ended", found.ended), ("Held as", found.held)):
        print(f"\n## {title}\n")
        for name, number in counter.most_common(40):
            print(f"- {number:,} × {name}")
    if found.remarks:
        print("\n## To be looked into\n")
        for remark in found.remarks:
            print(f"- {remark}")


def main() -> int:
    """Run what is asked for; 1 where something is not as it has to be."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--answers", type=int, default=1000, help="odd answers of QuickBooks")
    parser.add_argument("--records", type=int, default=1000, help="odd records of FreshBooks")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.disable(logging.ERROR)  # of the sandboxes: a connection that breaks on purpose
    found, started = Found(), time.monotonic()
    counts = {"odd answers": 0, "odd records": 0}
    with tempfile.TemporaryDirectory() as home, worlds(Path(home)) as make:
        seed = options.seed * 1_000_000
        while counts["odd answers"] < options.answers:
            counts["odd answers"] += answers_round(make, seed, found)
            seed += 1
            print(f"… {counts['odd answers']:,} odd answers", file=sys.stderr, flush=True)
        while counts["odd records"] < options.records:
            counts["odd records"] += records_round(make, seed, found)
            seed += 1
            print(f"… {counts['odd records']:,} odd records", file=sys.stderr, flush=True)
    show(found, counts, time.monotonic() - started)
    return int(any(found.figures[name] for name in MUST_BE_ZERO))


if __name__ == "__main__":
    sys.exit(main())
