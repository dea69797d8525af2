"""Touched dates as contiguous spans: a Dagster run covers one day or one contiguous range. No I/O."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

ONE_DAY = dt.timedelta(days=1)
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
BATCH = "fb_qbo/batch"


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `start` to `end`, both included."""

    start: dt.date
    end: dt.date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.end - self.start).days + 1

    def tags(self, batch: int | None = None) -> dict[str, str]:
        """The tags that make a run cover this span; `batch`: which touched dates it settles."""
        tags = {RANGE_START: self.start.isoformat(), RANGE_END: self.end.isoformat()}
        return tags if batch is None else tags | {BATCH: str(batch)}


def spans(days: Iterable[dt.date], longest: int) -> list[Span]:
    """`days` as the fewest contiguous spans of at most `longest` days, in order."""
    found: list[Span] = []
    for day in sorted(set(days)):
        if found and found[-1].end + ONE_DAY == day and found[-1].days < longest:
            found[-1] = Span(found[-1].start, day)
        else:
            found.append(Span(day, day))
    return found


def days_between(start: dt.date, end: dt.date) -> list[dt.date]:
    """Every day from `start` to `end`."""
    return [start + n * ONE_DAY for n in range((end - start).days + 1)]
