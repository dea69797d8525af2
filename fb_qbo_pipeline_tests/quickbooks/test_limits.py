import datetime as dt
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fb_qbo_pipeline.quickbooks.limits import BURST_PER_SECOND, Limiter
from fb_qbo_pipeline_tests.quickbooks.stand_ins import Clock

NOW = dt.datetime(2025, 3, 1, 12, 0, tzinfo=dt.UTC)


def passes(limiter: Limiter, clock: Clock, count: int, kind: str = "request") -> list[float]:
    """The moments at which `count` requests are admitted, one after the other."""
    moments = []
    for _ in range(count):
        with limiter.slot(kind):  # type: ignore[arg-type]
            moments.append(clock())
    return moments


def most_within(moments: list[float], seconds: float) -> int:
    return max(sum(start <= moment < start + seconds for moment in moments) for start in moments)


def test_no_minute_has_more_requests_than_the_limit():
    clock = Clock()
    limiter = Limiter(requests_per_minute=30, clock=clock, sleep=clock.sleep)
    moments = passes(limiter, clock, 95)
    assert most_within(moments, 60) == 30


def test_no_second_has_more_than_the_burst():
    clock = Clock()
    moments = passes(Limiter(clock=clock, sleep=clock.sleep), clock, 100)
    assert most_within(moments, 1) == BURST_PER_SECOND


def test_a_larger_allowance_a_minute_has_a_larger_burst():
    clock = Clock()
    moments = passes(Limiter(requests_per_minute=60000, clock=clock, sleep=clock.sleep), clock, 1000)
    assert moments[-1] == moments[0]


def test_batches_have_a_limit_of_their_own_and_count_as_requests():
    clock = Clock()
    limiter = Limiter(requests_per_minute=9, batches_per_minute=4, clock=clock, sleep=clock.sleep)
    batches = passes(limiter, clock, 8, "batch")
    assert most_within(batches, 60) == 4
    started = clock()
    others = passes(limiter, clock, 6)
    assert [moment - started < 1 for moment in others] == [True] * 5 + [False]


def test_a_request_that_was_slow_on_its_way_does_not_make_two_minutes_meet():
    clock = Clock()
    limiter = Limiter(batches_per_minute=40, clock=clock, sleep=clock.sleep)
    sent = passes(limiter, clock, 41, "batch")
    arrived = [moment + 1.4 for moment in sent[:40]] + sent[40:]
    assert most_within(arrived, 60) == 40


def test_single_writes_fill_what_the_batches_leave_of_the_minute():
    clock = Clock()
    limiter = Limiter(clock=clock, sleep=clock.sleep)
    documents, started = 0, clock()
    while clock() < started + 600:
        kind = limiter.next_kind()
        with limiter.slot(kind):
            documents += 30 if kind == "batch" else 1
    assert documents / 10 > 0.95 * (40 * 30 + 460)


def test_single_writes_leave_the_batches_their_requests():
    clock = Clock()
    limiter = Limiter(requests_per_minute=50, batches_per_minute=40, clock=clock, sleep=clock.sleep)
    passes(limiter, clock, 10, "single")
    started = clock()
    assert passes(limiter, clock, 40, "batch")[-1] < started + 10


def test_a_few_writes_go_together():
    assert Limiter().next_kind() == "batch"


def test_a_request_does_not_wait_behind_batches_that_have_used_up_their_minute():
    waiting, leave = threading.Event(), threading.Event()

    def sleep(_seconds: float) -> None:
        waiting.set()
        assert leave.wait(5)

    clock = Clock()
    limiter = Limiter(batches_per_minute=1, concurrency=1, clock=clock, sleep=sleep)
    passes(limiter, clock, 1, "batch")
    batch = threading.Thread(target=passes, args=(limiter, clock, 1, "batch"))
    batch.start()
    assert waiting.wait(5)
    passes(limiter, clock, 1)
    clock.sleep(90)
    leave.set()
    batch.join(5)
    assert not batch.is_alive()


def test_a_pause_stops_everybody_until_it_ends():
    clock = Clock()
    limiter = Limiter(clock=clock, sleep=clock.sleep)
    limiter.pause(60)
    limiter.pause(5)
    assert passes(limiter, clock, 1)[0] == pytest.approx(1060, abs=0.01)


def test_a_pause_of_hours_is_taken_for_a_mistake():
    clock = Clock()
    limiter = Limiter(clock=clock, sleep=clock.sleep)
    limiter.pause(1e9)
    assert passes(limiter, clock, 1)[0] == pytest.approx(1600, abs=0.01)


def test_a_new_process_starts_with_what_the_previous_one_sent():
    clock = Clock()
    limiter = Limiter(requests_per_minute=10, clock=clock, sleep=clock.sleep)
    old = [NOW - dt.timedelta(seconds=90)] * 50
    recent = [NOW - dt.timedelta(seconds=20)] * 10
    limiter.preload(old + recent, now=NOW)
    assert passes(limiter, clock, 1)[0] == pytest.approx(1040, abs=2)


def test_batches_of_the_previous_process_count_too():
    clock = Clock()
    limiter = Limiter(batches_per_minute=2, clock=clock, sleep=clock.sleep)
    limiter.preload([NOW - dt.timedelta(seconds=10)] * 2, now=NOW, kind="batch")
    assert passes(limiter, clock, 1)[0] == 1000
    assert passes(limiter, clock, 1, "batch")[0] == pytest.approx(1050, abs=2)


def test_no_more_are_in_flight_than_allowed():
    limiter = Limiter(requests_per_minute=60000, concurrency=3)
    lock, full, leave = threading.Lock(), threading.Event(), threading.Event()
    inside: set[int] = set()
    most = 0

    def work(number: int) -> None:
        nonlocal most
        with limiter.slot():
            with lock:
                inside.add(number)
                most = max(most, len(inside))
                if len(inside) == 3:
                    full.set()
            assert leave.wait(5)
            with lock:
                inside.discard(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    assert full.wait(5)
    leave.set()
    for thread in threads:
        thread.join(5)
    assert most == 3
    assert not inside


def test_a_place_in_flight_is_given_back_after_an_error():
    limiter = Limiter(concurrency=1)
    with pytest.raises(RuntimeError), limiter.slot():
        raise RuntimeError
    with limiter.slot():
        pass


def test_a_limit_below_one_is_refused():
    with pytest.raises(ValueError, match="1 or more"):
        Limiter(requests_per_minute=0)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 30), max_size=40), st.integers(1, 12), st.integers(1, 5))
def test_whatever_the_pace_the_limits_hold(gaps, per_minute, batches):
    clock = Clock()
    limiter = Limiter(per_minute, batches, clock=clock, sleep=clock.sleep)
    requests, batched = [], []
    for index, gap in enumerate(gaps):
        clock.sleep(gap)
        moment = passes(limiter, clock, 1, "batch" if index % 2 else "request")[0]
        requests.append(moment)
        if index % 2:
            batched.append(moment)
    assert not requests or most_within(requests, 60) <= per_minute
    assert not batched or most_within(batched, 60) <= batches
