"""Which problems are told when: grouped into one message, at most one message in a while, nothing repeated hourly. No I/O.

A run an hour that fails for the same reason is one problem, not twenty-four a day: a problem is told when it is new, when it
reaches further days, and again after `REMIND`. What happens while a message would be too early waits and is grouped.
A state (a stopped connection, silence) is also told when it is over; a failed run or check has no such end.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

REMIND = dt.timedelta(hours=24)
_NAMED = 5  # marks that a line names; more are counted

Kind = Literal["run", "check", "state"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that a person should know. The same problem has the same `key`; `marks` are the runs or days that have it."""

    kind: Kind
    key: str
    text: str
    link: str = ""
    marks: frozenset[str] = frozenset()

    def line(self) -> str:
        """The problem as a line of a message."""
        text = self.text
        if self.kind == "run" and len(self.marks) > 1:
            text = f"{text} ({len(self.marks)} runs)"
        elif self.kind == "check" and self.marks:
            days = sorted(self.marks)
            rest = f" and {len(days) - _NAMED} more" if len(days) > _NAMED else ""
            text = f"{text}: {', '.join(days[:_NAMED])}{rest}"
        return f"{text} {self.link}".rstrip()


@dataclass(frozen=True, slots=True)
class Told:
    """When a problem was last told, with what, and in which words."""

    at: dt.datetime
    marks: frozenset[str]
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Memory:
    """What has been told, what waits to be told, and when the last message went out."""

    told: dict[str, Told] = field(default_factory=dict)
    waiting: dict[str, Problem] = field(default_factory=dict)
    sent_at: dt.datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, for a sensor's cursor."""
        return {
            "told": {key: [one.at.isoformat(), sorted(one.marks), one.kind, one.text] for key, one in self.told.items()},
            "waiting": {key: [one.kind, one.text, one.link, sorted(one.marks)] for key, one in self.waiting.items()},
            "sent_at": self.sent_at.isoformat() if self.sent_at else None,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Memory":
        """What `to_json` wrote."""
        return cls(
            {
                key: Told(dt.datetime.fromisoformat(at), frozenset(marks), kind, text)
                for key, (at, marks, kind, text) in values["told"].items()
            },
            {key: Problem(kind, key, text, link, frozenset(marks)) for key, (kind, text, link, marks) in values["waiting"].items()},
            dt.datetime.fromisoformat(values["sent_at"]) if values["sent_at"] else None,
        )


def observe(memory: Memory, found: Iterable[Problem], now: dt.datetime) -> Memory:
    """The memory after a look: `found` are the runs and checks that failed since the last one, and every present state."""
    found = list(found)
    present = {problem.key for problem in found}
    told = {key: one for key, one in memory.told.items() if one.kind == "state" or now - one.at < REMIND}
    waiting = dict(memory.waiting)
    for key, one in list(told.items()):
        if one.kind == "state" and key not in present:
            del told[key]
            waiting[_over(key)] = Problem("state", _over(key), f"over: {one.text}")
    for key, waits in list(waiting.items()):
        if waits.kind == "state" and not key.startswith("over:") and key not in present:
            del waiting[key]  # gone before anybody was told
    for problem in found:
        if _is_news(problem, told.get(problem.key), now):
            waiting.pop(_over(problem.key), None)
            before = waiting.get(problem.key)
            waiting[problem.key] = replace(problem, marks=problem.marks | (before.marks if before else frozenset()))
    return replace(memory, told=told, waiting=waiting)


def due(memory: Memory, now: dt.datetime, every: dt.timedelta) -> Sequence[Problem]:
    """The problems to be told now, none where it is too early for another message."""
    if memory.sent_at is not None and now - memory.sent_at < every:
        return []
    return list(memory.waiting.values())


def sent(memory: Memory, now: dt.datetime) -> Memory:
    """The memory after what waited was told."""
    told = dict(memory.told)
    for key, problem in memory.waiting.items():
        if key.startswith("over:"):
            continue
        before = told.get(key)
        told[key] = Told(now, problem.marks | (before.marks if before else frozenset()), problem.kind, problem.text)
    return Memory(told, {}, now)


def _is_news(problem: Problem, told: Told | None, now: dt.datetime) -> bool:
    if told is None or now - told.at >= REMIND:
        return True
    return problem.kind == "check" and not problem.marks <= told.marks


def _over(key: str) -> str:
    return f"over:{key}"
