"""What each rule says of each day of a run, and of the whole company as it is now.

A day's verdict rests on that day's books. The company's is computed anew every time, from all that is in scope at this
moment, whatever days the run was about: re-running an old month cannot make a failing check look well. The database
narrows down which documents can matter (`ledger.suspects`); the same rules decide about them, some at a time.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from fb_qbo_pipeline.chunks import chunks
from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.ledger.suspects import Among
from fb_qbo_pipeline.money import ZERO
from fb_qbo_pipeline.review.books import SOURCES, books_of, held_books_of
from fb_qbo_pipeline.review.findings import Books, Finding
from fb_qbo_pipeline.review.rules import BOTH_SIDES_AGREE, NOTHING_IS_HELD, Rule
from fb_qbo_pipeline.review.tieout import Line, by_month, by_period, tie_out

PIECE = 1_000  # documents whose books are read at a time
MOST_SHOWN = 50  # documents that a verdict names; the others are counted


@dataclass
class Tally:
    """Findings, counted and added up; the first of them one by one."""

    documents: int = 0
    amounts: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    shown: list[Finding] = field(default_factory=list)

    def add(self, found: Iterable[Finding]) -> "Tally":
        """Count further findings; returns itself."""
        for one in found:
            self.documents += 1
            self.amounts[one.currency] += one.amount
            if len(self.shown) < MOST_SHOWN:
                self.shown.append(one)
        return self


@dataclass(frozen=True)
class Verdict:
    """What a rule says: whether it passes, what it has found, and the tie-out where the rule is about that.

    `waiting`: of a whole company, the days whose changes no run has taken in yet, so that nothing is said of those.
    """

    passed: bool
    found: Tally
    lines: Sequence[Line] = ()
    waiting: int = 0


@dataclass(frozen=True)
class Judgement:
    """A rule's verdicts: on the days of a run that it does not pass, and on the whole company at the instant `at`."""

    rule: Rule
    days: Mapping[dt.date, Verdict]
    company: Verdict
    at: dt.datetime


@dataclass(frozen=True)
class Scope:
    """A whole company: its partitions from the first day to today, at the instant `at`; of some sources or of all.

    `default_item`: QuickBooks' id of the default product, where a rule asks for fallbacks. `piece`: documents looked at at a time.
    `taken_in`: the days of the run that asks, which it has taken in though it has not released them yet.
    """

    ledger: Ledger
    first: dt.date
    today: dt.date
    at: dt.datetime
    sources: Sequence[str] = SOURCES
    default_item: str | None = None
    piece: int = PIECE
    taken_in: tuple[dt.date, dt.date] | None = None


def judge(rules: Sequence[Rule], books: Books, scope: Scope, lines: Sequence[Line] = ()) -> list[Judgement]:
    """Each rule's verdicts on the days of `books`, and on the whole company. `lines`: the days' tie-out, by day."""
    company = judge_company(rules, scope)
    return [Judgement(rule, _of_days(rule, books, lines), company[rule.name], scope.at) for rule in rules]


def judge_company(rules: Sequence[Rule], scope: Scope) -> dict[str, Verdict]:
    """Each rule's verdict on the whole company, by the rule's name."""
    tallies = {rule.name: Tally() for rule in rules}
    topics = {topic for rule in rules for topic in rule.among}
    with scope.ledger.begin() as tx:
        keys = tx.suspects.among(topics, scope.first, scope.today, scope.sources, scope.default_item) if topics else []
        unstaged = tx.suspects.without_document(scope.sources) if NOTHING_IS_HELD in rules else []
        differences = tx.differences.present(scope.first, scope.today) if BOTH_SIDES_AGREE in rules else []
        waiting = {max(touched.date, scope.first) for touched in tx.touched.waiting() if touched.date <= scope.today}
    if scope.taken_in is not None:
        waiting = {day for day in waiting if not scope.taken_in[0] <= day <= scope.taken_in[1]}
    for piece in chunks(keys, scope.piece):
        with scope.ledger.begin() as tx:
            books = held_books_of(tx, piece) if topics == {Among.HELD} else books_of(tx, piece, scope.default_item)
        for rule in rules:
            tallies[rule.name].add(rule.find(books))
    if unstaged:
        tallies[NOTHING_IS_HELD.name].add(NOTHING_IS_HELD.find(Books((), {}, unstaged=unstaged)))
    if differences:
        tallies[BOTH_SIDES_AGREE.name].add(BOTH_SIDES_AGREE.find(Books((), {}, differences=differences)))
    verdicts = {name: Verdict(not tally.documents, tally, waiting=len(waiting)) for name, tally in tallies.items()}
    if BOTH_SIDES_AGREE in rules:
        lines = _tie_out(scope)
        named = tallies[BOTH_SIDES_AGREE.name]
        agree = not named.documents and all(line.agrees for line in lines)
        verdicts[BOTH_SIDES_AGREE.name] = Verdict(agree, named, lines, len(waiting))
    return verdicts


def _tie_out(scope: Scope) -> list[Line]:
    """The company's tie-out by month, a year at a time: no more than that is held in memory."""
    lines: list[Line] = []
    start = scope.first
    while start <= scope.today:
        end = min(start.replace(month=12, day=31), scope.today)
        lines += tie_out(scope.ledger, start, end, by_month)
        start = end + dt.timedelta(days=1)
    return lines


def _of_days(rule: Rule, books: Books, lines: Sequence[Line]) -> dict[dt.date, Verdict]:
    """The verdicts that are not "passed", by day."""
    found: defaultdict[dt.date, list[Finding]] = defaultdict(list)
    for one in rule.find(books):
        found[one.day].append(one)
    if rule is not BOTH_SIDES_AGREE:
        return {day: Verdict(False, Tally().add(named)) for day, named in found.items()}
    tied = {dt.date.fromisoformat(day): of_day for day, of_day in by_period(lines).items()}
    differing = found.keys() | {day for day, of_day in tied.items() if not all(line.agrees for line in of_day)}
    return {day: Verdict(False, Tally().add(found.get(day, ())), tied.get(day, ())) for day in differing}
