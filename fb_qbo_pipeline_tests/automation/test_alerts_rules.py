"""What is told when."""

import datetime as dt
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from fb_qbo_pipeline.automation.alerts_rules import REMIND, Memory, Problem, due, observe, sent

NOW = dt.datetime(2026, 3, 20, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
SILENCE = Problem("state", "silence", "silent")


def failed(run: str, key: str = "run:step:Unreachable") -> Problem:
    return Problem("run", key, "step failed: no answer", "", frozenset({run}))


def check(*days: str) -> Problem:
    return Problem("check", "check:reconciliation:agree", "check fails: agree", "", frozenset(days))


def tell(memory: Memory, *found: Problem, now: dt.datetime = NOW, every: dt.timedelta = HOUR) -> tuple[list[str], Memory]:
    """What a tick tells, and the memory after it."""
    memory = observe(memory, found, now)
    telling = due(memory, now, every)
    return [problem.line() for problem in telling], sent(memory, now) if telling else memory


def test_a_new_problem_is_told_at_once_and_the_same_failure_an_hour_later_is_not() -> None:
    told, memory = tell(Memory(), failed("a"))
    assert told == ["step failed: no answer"]
    assert tell(memory, failed("b"), now=NOW + HOUR)[0] == []


def test_a_problem_that_goes_on_is_told_again_after_a_day() -> None:
    _, memory = tell(Memory(), failed("a"), SILENCE)
    told, _ = tell(memory, failed("z"), SILENCE, now=NOW + REMIND)
    assert sorted(told) == ["silent", "step failed: no answer"]


def test_what_happens_soon_after_a_message_waits_and_comes_in_one() -> None:
    _, memory = tell(Memory(), SILENCE)
    told, memory = tell(memory, SILENCE, failed("a"), now=NOW + HOUR / 4)
    assert told == []
    told, memory = tell(memory, SILENCE, failed("b"), failed("c", "run:step:Other"), now=NOW + HOUR / 2)
    assert told == []
    told, _ = tell(memory, SILENCE, now=NOW + HOUR)
    assert told == ["step failed: no answer (2 runs)", "step failed: no answer"]


def test_a_check_that_fails_on_a_further_day_is_news_with_that_day() -> None:
    _, memory = tell(Memory(), check("2026-03-01"))
    assert tell(memory, check("2026-03-01"), now=NOW + HOUR)[0] == []
    assert tell(memory, check("2026-03-02"), now=NOW + HOUR)[0] == ["check fails: agree: 2026-03-02"]


def test_a_state_that_ends_is_told_as_over_once() -> None:
    _, memory = tell(Memory(), SILENCE)
    told, memory = tell(memory, now=NOW + HOUR)
    assert told == ["over: silent"]
    assert tell(memory, now=NOW + 2 * HOUR)[0] == []


def test_a_state_that_came_and_went_unseen_is_not_told() -> None:
    _, memory = tell(Memory(), failed("a"))
    _, memory = tell(memory, SILENCE, now=NOW + HOUR / 4)
    assert tell(memory, now=NOW + HOUR)[0] == []


def test_many_days_are_counted_and_not_listed() -> None:
    days = [f"2026-03-{day:02}" for day in range(1, 13)]
    assert check(*days).line().endswith("2026-03-05 and 7 more")


problems = st.sampled_from([SILENCE, failed("a"), failed("b", "run:other:X"), check("2026-03-01"), check("2026-03-02")])


@given(st.lists(st.lists(problems, max_size=4), max_size=12))
def test_there_is_never_more_than_one_message_an_hour_and_nothing_is_lost_by_storing_the_memory(ticks: list[list[Problem]]) -> None:
    memory, messages = Memory(), []
    for number, found in enumerate(ticks):
        now = NOW + number * dt.timedelta(minutes=20)
        told, memory = tell(memory, *found, now=now)
        assert Memory.from_json(memory.to_json()) == memory
        if told:
            messages.append(now)
    assert all(later - earlier >= HOUR for earlier, later in pairwise(messages))
    keys = {problem.key for found in ticks for problem in found if problem.kind != "state"}
    assert keys <= memory.told.keys() | memory.waiting.keys()
