"""How fast one company's QuickBooks may be asked: a sliding window, a burst limit, and a number in flight.

Intuit's limits are per company: 500 requests a minute, 40 (on some pages 120) batches a minute, and "10 a second" on the
present page where older ones say "10 concurrent"; both readings are kept to. A batch counts as one request too.
Keeping below them is faster than being throttled, because a throttled company waits for a whole minute.

A batch of thirty is worth thirty single writes, but forty batches leave most of a minute's requests unused: whoever writes
much asks `next_kind` and fills the rest with single writes, 40 × 30 + 460 documents a minute instead of 40 × 30.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Literal

Kind = Literal["request", "batch", "single"]
"""A `single` is a write that could wait for a batch: it leaves the batches of the minute their requests."""

MINUTE = 60.0  # seconds
SECOND = 1.0
BURST_PER_SECOND = 10
# Limits are counted where requests arrive. One that took long on its way, followed a minute later by one that did not, would
# make two minutes meet; so a window is longer by the time that requests may differ on their way.
_TRANSIT_OF_A_MINUTE = 1.5  # seconds
_TRANSIT_OF_A_SECOND = 0.1
_MARGIN = 0.001  # seconds; a wait is never lost in the rounding of the clock
_LONGEST_PAUSE = 600.0  # seconds; a Retry-After beyond it is taken for a mistake


class _Window:
    """At most `limit` events within any `seconds`."""

    def __init__(self, limit: int, seconds: float) -> None:
        self._limit = limit
        self._seconds = seconds
        self._events: deque[float] = deque()

    def wait(self, now: float) -> float:
        """Seconds until one more event fits."""
        while self._events and self._events[0] <= now - self._seconds:
            self._events.popleft()
        if len(self._events) < self._limit:
            return 0.0
        return self._events[-self._limit] + self._seconds - now

    def add(self, moment: float) -> None:
        """Count an event; moments come in ascending order."""
        self._events.append(moment)

    def preload(self, moments: Iterable[float]) -> None:
        """Count earlier events, in any order."""
        self._events = deque(sorted([*self._events, *moments]))


class Limiter:
    """Admits one company's requests. Share one instance among all threads that talk to the company.

    `clock` gives seconds on a clock that never goes back, `sleep` waits; both are replaced in tests.
    """

    def __init__(
        self,
        requests_per_minute: int = 500,
        batches_per_minute: int = 40,
        concurrency: int = 8,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if min(requests_per_minute, batches_per_minute, concurrency) < 1:
            raise ValueError("the limits of QuickBooks requests must be 1 or more")
        # Whoever is granted more a minute than the standard 500 is granted it by the second as well.
        burst = max(BURST_PER_SECOND, math.ceil(requests_per_minute / MINUTE))
        minute = MINUTE + _TRANSIT_OF_A_MINUTE
        self._requests = _Window(requests_per_minute, minute)
        self._batches = _Window(batches_per_minute, minute)
        self._singles = _Window(max(1, requests_per_minute - batches_per_minute), minute)
        self._burst = _Window(burst, SECOND + _TRANSIT_OF_A_SECOND)
        self._paused_until = -math.inf
        self._lock = threading.Lock()
        self._in_flight = threading.BoundedSemaphore(concurrency)
        self._clock = clock
        self._sleep = sleep

    @contextmanager
    def slot(self, kind: Kind = "request") -> Iterator[None]:
        """Wait until a request (or a batch) may be sent, and hold a place in flight until the block ends.

        Nobody holds a place while waiting for the minute: a read need not wait behind batches that have used theirs up.
        """
        while True:
            with self._in_flight:
                wait = self._admit(kind)
                if wait <= 0:
                    yield
                    return
            self._sleep(wait)

    def next_kind(self) -> Literal["batch", "single"]:
        """How to send the next of many writes: together as long as the minute has a batch left, otherwise what comes first."""
        with self._lock:
            now = self._clock()
            return "batch" if self._batches.wait(now) <= max(self._requests.wait(now), self._singles.wait(now)) else "single"

    def pause(self, seconds: float) -> None:
        """Admit nothing for `seconds` (at most ten minutes), after QuickBooks has throttled the company. Never shortens a pause."""
        with self._lock:
            self._paused_until = max(self._paused_until, self._clock() + min(seconds, _LONGEST_PAUSE))

    def preload(self, sent: Iterable[datetime], *, now: datetime, kind: Kind = "request") -> None:
        """Count what an earlier process has sent: QuickBooks' minute does not begin with ours.

        `sent` and `now` are aware instants of the same clock; those of more than a minute ago have no effect.
        A batch counts as a request too, so batches are given with `kind="batch"` only.
        """
        with self._lock:
            present = self._clock()
            moments = [present - max(0.0, (now - moment).total_seconds()) for moment in sent]
            recent = [moment for moment in moments if moment > present - MINUTE]
            self._requests.preload(recent)
            if kind == "batch":
                self._batches.preload(recent)

    def _admit(self, kind: Kind) -> float:
        """Count the request and return 0, or return the seconds after which to ask again."""
        with self._lock:
            now = self._clock()
            windows = [self._requests, self._burst]
            if kind == "batch":
                windows.append(self._batches)
            elif kind == "single":
                windows.append(self._singles)
            wait = max(self._paused_until - now, *(window.wait(now) for window in windows))
            if wait > 0:
                return wait + _MARGIN
            for window in windows:
                window.add(now)
            return 0.0
