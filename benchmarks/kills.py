"""Kills over the sample company: `python -m benchmarks.kills --kills 1000 --seed 1`. Prints what they cost; exit 1 where it is anything.

The sample company goes on working (it sells, is paid, edits, deletes, restores) while one process after another syncs it and dies by
SIGKILL in the middle: between two writes, between two statements of a transaction, or by the clock. Both services lose answers, repeat
requests and throttle. In every second round the embedded database is killed, too: one of its processes, the server, its keeper, or
everything at once. After each round the company is synced without faults by `fb-qbo sync`, and both sandboxes are compared.

Every round has a company, a home and a database of its own, and a seed of its own that follows from `--seed`.
"""

import argparse
import contextlib
import datetime as dt
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from benchmarks.killed import Life, Way, begin, log_of
from benchmarks.kills_judged import Judgement, judge, strays
from fb_qbo_pipeline.embedded.layout import Layout
from fb_qbo_pipeline.embedded.processes import servers
from fb_qbo_pipeline.embedded.server import leave
from fb_qbo_pipeline.errors import ConnectionRequired
from fb_qbo_pipeline.ledger.database import connect, embedded_url, migrate
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline.sandbox.sample import build_sample
from fb_qbo_pipeline_tests.pipeline.agreement import chart_of
from fb_qbo_pipeline_tests.pipeline.crashing import DISCONNECTED, DISTURBED, Moment
from fb_qbo_pipeline_tests.pipeline.outages import deliver_twice
from fb_qbo_pipeline_tests.pipeline.test_crash import FRESHBOOKS_FAULTS, QUICKBOOKS_FAULTS, Company, connect_freshbooks
from fb_qbo_pipeline_tests.pipeline.world import Sandboxes, World

MARK = "FB_QBO_KILL_RUN"  # in the environment of every process of the run
DAYS = 30  # of the sample's year: a small company
DOCUMENTS = 240  # that the company adds in a round
DATABASE_TARGETS = ("one of its processes", "server", "keeper", "everything")
LONGEST = 5.0  # seconds that a sync may work before it is killed
ENDED = (0, 1, DISTURBED, DISCONNECTED)  # statuses of a sync that was not killed itself: done, or told that something else was


class Lanternfish(Company):
    """The sample company at work on the days of its last weeks."""

    def _day(self) -> dt.date:
        first = self.world.settings["start_date"]
        return first + dt.timedelta(days=self.chance.randint(1, DAYS - 1))


@dataclass
class Round:
    """One company, killed so often, and what it came to."""

    number: int
    with_database: bool
    kills: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    reconnected: int = 0
    struck: int = 0  # faults of QuickBooks
    judgement: Judgement | None = None
    strays: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether the kills cost nothing."""
        one = self.judgement
        return one is not None and not (one.doubles or one.lost or one.unmarked or one.differs or self.strays or self.troubles)


class Killer:
    """Starts one process after another, and kills."""

    def __init__(self, world: World, home: Path, chance: random.Random, record: Round) -> None:
        self.world, self.home, self.chance, self.record = world, home, chance, record
        self.layout = Layout(home)
        self.variables = {name: value for name, value in world.variables.items() if name != "FB_QBO_DATABASE_URL"}
        self.variables |= {"FB_QBO_CONFIG": str(home / "integration.yaml"), MARK: os.environ[MARK]}

    def strikes(self) -> None:
        """One life, ended at a random moment: of QuickBooks' work, of the ledger's, or of the clock."""
        targets = DATABASE_TARGETS if self.record.with_database else ()
        target = self.chance.choice((*targets, "sync", "sync")) if targets else "sync"
        way: Way = self.chance.choice(("changes",) * 5 + ("range", "command"))
        dies = self._database_moment() if way != "command" and target == "sync" and self.chance.random() < 0.3 else None
        process = begin(Life(self.variables, self.world.settings, way, dies))
        if dies is None and self.chance.random() < 0.2:
            process.join(self.chance.uniform(0.05, 0.6))
        else:
            self._wait_for_writes(process, None if dies else self.chance.randint(1, self.chance.choice((2, 4, 8, 30))))
        if target == "sync":
            process.kill()
        else:
            self._strike_database(target)
            if target != "everything":
                process.join(self.chance.choice((0, 1, LONGEST)))  # it may notice, wait for the server, or go on
            process.kill()
        process.join()
        self._note(process.exitcode, way)
        process.close()

    def _wait_for_writes(self, process: ForkServerProcess, count: int | None) -> None:
        """Until QuickBooks has been written to so often, and then for a little while: an answer is on its way, or a request.

        Nor longer than some seconds: most lives have less to write than that.
        """
        written = self.world.quickbooks.counters
        until = None if count is None else written.writes + count
        deadline = time.monotonic() + LONGEST
        while process.is_alive() and (until is None or written.writes < until) and time.monotonic() < deadline:
            process.join(0.002)
        time.sleep(self.chance.uniform(0, 0.02))

    def _strike_database(self, target: str) -> None:
        """Kill what is there of the embedded database; nothing where it was not running."""
        found = servers(self.layout.data)
        heads = [pid for pid, parent in found.items() if parent not in found]
        keeper = {found[head] for head in heads} - {0, 1}
        victims: Sequence[int] = {
            "one of its processes": [self.chance.choice(sorted(found))] if found else [],
            "server": heads,
            "keeper": sorted(keeper),
            "everything": [*sorted(keeper), *sorted(found)],
        }[target]
        struck = 0
        for pid in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                struck += 1
        self.record.kills[target] += struck > 0

    def _database_moment(self) -> tuple[Moment, int]:
        moment: Moment = self.chance.choice(("before_cursor_execute", "commit", "checkin"))
        return moment, self.chance.randint(0, 240 if moment == "before_cursor_execute" else 70)

    def _note(self, status: int | None, way: Way) -> None:
        if status == -signal.SIGKILL:
            self.record.kills["sync under Dagster" if way == "command" else "sync"] += 1
        elif status not in ENDED:
            self.record.troubles.append(f"a {way} ended with {status}")
        if status == DISCONNECTED:
            self.connect_anew()

    def connect_anew(self) -> None:
        """As `fb-qbo connect freshbooks`: a process died between the rotation of its single-use token and the keeping of it."""
        embedded_url(self.home)
        connect_freshbooks(self.world)
        self.record.reconnected += 1
        self.release()

    def release(self) -> None:
        """Where the database is to be killed, it is held by nobody but the syncs."""
        if self.record.with_database:
            self.world.engine.dispose()
            leave(self.home)

    def finishes(self) -> None:
        """`fb-qbo sync`, undisturbed; twice, and the second one writes nothing."""
        for _attempt in range(3):
            process = begin(Life(self.variables, self.world.settings, "command"))
            process.join()
            status = process.exitcode
            if status == 0:
                break
            try:
                self.world.look()
            except ConnectionRequired:
                self.connect_anew()
                embedded_url(self.home)
                continue
            break
        if status != 0:
            self.record.troubles.append(f"the undisturbed sync ended with {status}: {_tail(log_of(self.home))}")
        writes = self.world.quickbooks.counters.writes
        self.world.follow()
        if self.world.quickbooks.counters.writes != writes:
            self.record.troubles.append(f"a second sync wrote {self.world.quickbooks.counters.writes - writes} times")


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-600:] if log.exists() else ""


def play(record: Round, kills: int, seed: int, sandboxes: Sandboxes, home: Path) -> None:
    """One round: `kills` of a new company."""
    chance = random.Random(f"{seed}/{record.number}")
    sample = build_sample("ca", seed=seed * 1000 + record.number)
    start = sample.freshbooks.clock.now().date() - dt.timedelta(days=DAYS)
    settings = sample.integration | {"start_date": start}
    (home / "integration.yaml").write_text(_yaml(settings))
    engine = connect(embedded_url(home))
    migrate(engine)
    world = World(
        sandboxes, engine, home, settings=settings, freshbooks=sample.freshbooks, quickbooks=QuickBooks(sample.quickbooks_country)
    )
    chart = chart_of(world.quickbooks)
    company, killer = Lanternfish(world, chance), Killer(world, home, chance, record)
    world.authority.rotation = "daily"  # as QuickBooks' own; FreshBooks' tokens always rotate
    world.slow_down(0.003)
    deliver_twice(world, "POST /v3", every=7)
    world.faults.faults.extend(replace(fault) for fault in QUICKBOOKS_FAULTS)
    for fault in FRESHBOOKS_FAULTS:
        world.freshbooks_faults.add(fault)
    killer.release()
    while record.kills.total() < kills:
        company.grows(DOCUMENTS * (record.kills.total() + 1) // kills)
        company.changes_its_mind()
        if chance.random() < 0.2:
            world.expire_access_tokens()
        killer.strikes()
    record.struck = world.faults.struck
    world.faults.faults.clear()
    world.freshbooks_faults.clear()
    world.slow_down(0)
    embedded_url(home)
    killer.finishes()
    record.judgement = judge(world, chart)
    engine.dispose()
    leave(home)
    record.strays = strays(home, os.environ[MARK])


def _yaml(settings: dict[str, Any]) -> str:
    return json.dumps(settings, default=str)  # JSON is YAML


@contextlib.contextmanager
def _home() -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="fb_qbo_kills_"))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def run(kills: int, seed: int, most: int, report: Callable[[str], None]) -> list[Round]:
    """All rounds, the half of them with the database."""
    os.environ[MARK] = uuid.uuid4().hex  # before the server is forked that all processes come from
    rounds = []
    sandboxes = Sandboxes()
    with sandboxes.server:
        left = kills
        while left > 0:
            record = Round(len(rounds) + 1, with_database=len(rounds) % 2 == 1)
            started = time.monotonic()
            with _home() as home:
                play(record, min(left, most), seed, sandboxes, home)
            record.seconds = time.monotonic() - started
            rounds.append(record)
            left -= min(left, most)
            report(_line(record))
    return rounds


def _line(record: Round) -> str:
    one = record.judgement
    assert one is not None
    told = "; ".join([*record.troubles, *record.strays, *([one.differs] if one.differs else [])])
    cells = (
        record.number,
        "with" if record.with_database else "without",
        record.kills.total(),
        record.struck,
        one.documents,
        one.doubles,
        one.lost,
        one.unmarked,
        "no" if one.differs else "yes",
        len(record.strays),
        f"{record.seconds:.0f}",
    )
    return f"| {' | '.join(map(str, cells))} |" + (f"\n{told}" if told else "")


def main() -> int:
    """Run, and print the figures as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--round", type=int, default=100, help="kills in a round")
    options = parser.parse_args()
    started = time.monotonic()
    print("| round | database | kills | faults | documents | doubles | lost | unmarked | books agree | stray | seconds |")
    print("|---:|---|---:|---:|---:|---:|---:|---:|---|---:|---:|", flush=True)
    rounds = run(options.kills, options.seed, options.round, lambda line: print(line, flush=True))
    killed: Counter[str] = Counter()
    for one in rounds:
        killed.update(one.kills)
    judged = [one.judgement for one in rounds if one.judgement is not None]
    print(
        f"\n{killed.total():,} kills in {time.monotonic() - started:,.0f} s over {sum(one.documents for one in judged):,} documents "
        f"(seed {options.seed}): {', '.join(f'{name} {count:,}' for name, count in killed.most_common())}. "
        f"Doubles {sum(one.doubles for one in judged)}, lost {sum(one.lost for one in judged)}, "
        f"stray processes {sum(len(one.strays) for one in rounds)}; "
        f"FreshBooks connected anew {sum(one.reconnected for one in rounds)} times."
    )
    return 0 if all(one.clean for one in rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
