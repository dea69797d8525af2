"""Touched dates as contiguous spans: a Dagster run covers one day or one contiguous range. No I/O."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

ONE_DAY = dt.timedelta(days=1)
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
DAYS_TAG = "fb_qbo/days"  # for people: the UI lists a run's tags


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `start` to `end`, both included."""

    start: dt.date
    end: dt.date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.end - self.start).days + 1

    def tags(self) -> dict[str, str]:
        """The tags that make a run cover this span, and the one that says so."""
        start, end = self.start.isoformat(), self.end.isoformat()
        return {RANGE_START: start, RANGE_END: end, DAYS_TAG: start if start == end else f"{start} to {end}"}

    def __str__(self) -> str:
        return self.start.isoformat() if self.start == self.end else f"{self.start} – {self.end}"


def partition_days(dates: Iterable[dt.date], first: dt.date, today: dt.date) -> list[dt.date]:
    """The partitions that dates belong to: earlier ones to the first, future ones to none yet.

    A date that was noted under another start date belongs to the first partition, too.
    """
    return sorted({max(date, first) for date in dates if date <= today})


def spans(days: Iterable[dt.date], longest: int | None = None) -> list[Span]:
    """`days` as the fewest contiguous spans of at most `longest` days (None: of any length), in order."""
    found: list[Span] = []
    for day in sorted(set(days)):
        if found and found[-1].end + ONE_DAY == day and (longest is None or found[-1].days < longest):
            found[-1] = Span(found[-1].start, day)
        else:
            found.append(Span(day, day))
    return found


def days_between(start: dt.date, end: dt.date) -> list[dt.date]:
    """Every day from `start` to `end`."""
    return [start + n * ONE_DAY for n in range((end - start).days + 1)]
