"""The sandbox's time, and the three ways in which FreshBooks writes it.

Records carry zoneless US Eastern times whatever the business's zone, except a client's `signup_date`, which is UTC.
A clock that can be stopped lets tests place an edit in the hour that repeats each November, or years back.
"""

import datetime as dt
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")


class Clock:
    """The present instant in UTC. It runs with the machine until `set`, then stands still until `advance` or `run`."""

    def __init__(self, instant: dt.datetime | None = None) -> None:
        self._instant: dt.datetime | None = None
        if instant is not None:
            self.set(instant)

    def now(self) -> dt.datetime:
        """The present instant, aware, in UTC."""
        return self._instant if self._instant is not None else dt.datetime.now(dt.UTC)

    def set(self, instant: dt.datetime) -> None:
        """Stop at `instant`; raises ValueError where it has no zone."""
        if instant.tzinfo is None:
            raise ValueError("the clock needs an instant with a time zone")
        self._instant = instant.astimezone(dt.UTC)

    def advance(self, by: dt.timedelta) -> None:
        """Move a stopped clock; a running one is stopped first."""
        self.set(self.now() + by)

    def run(self) -> None:
        """Follow the machine's clock again."""
        self._instant = None


def eastern_text(instant: dt.datetime) -> str:
    """`updated` and `created_at`: Eastern, to the second, without a zone."""
    return instant.astimezone(EASTERN).strftime("%Y-%m-%d %H:%M:%S")


def eastern_version(instant: dt.datetime) -> str:
    """`version`: `updated` with microseconds."""
    return instant.astimezone(EASTERN).strftime("%Y-%m-%d %H:%M:%S.%f")


def utc_text(instant: dt.datetime) -> str:
    """`signup_date`: the same shape as `updated`, yet UTC."""
    return instant.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
