"""What the services' own clocks say of ours: every answer of both carries a Date.

The clock of this machine decides which day is today and from when on the next look asks for changes. One that was ahead makes
the following looks ask for too little, without a sign of it. So looks are dated by the services where ours is off.
"""

import datetime as dt
import email.utils
from collections import deque
from collections.abc import Callable

import requests

from fb_qbo_pipeline.http import utc_now

TOLERANCE = dt.timedelta(minutes=5)
_REMEMBERED = 50


class ServiceClock:
    """Compares this machine's clock (`now`) with the services'. `observe` is a hook of a session for its answers."""

    def __init__(self, now: Callable[[], dt.datetime] = utc_now) -> None:
        self.now = now
        self._offsets: deque[dt.timedelta] = deque(maxlen=_REMEMBERED)

    def observe(self, response: requests.Response, *_args: object, **_options: object) -> None:
        """Take notice of an answer's Date; one that is no date says nothing."""
        try:
            date = email.utils.parsedate_to_datetime(response.headers.get("Date", ""))
        except (ValueError, IndexError, OverflowError):
            return
        if date.tzinfo is not None:
            self._offsets.append(self.now() - date)

    def offset(self) -> dt.timedelta | None:
        """By how much this machine's clock is ahead (below zero: behind); None where no answer has told.

        That of the answer that agrees best: an answer may have been kept by something on the way, and then it is old.
        """
        return min(self._offsets, key=abs, default=None)

    def off(self) -> dt.timedelta | None:
        """The offset where it is more than minutes, otherwise None."""
        offset = self.offset()
        return offset if offset is not None and abs(offset) > TOLERANCE else None


def told(off: dt.timedelta) -> str:
    """“20 minutes ahead”, “2 days behind”."""
    seconds = abs(off.total_seconds())
    size, unit = next(((size, unit) for size, unit in ((86400, "days"), (3600, "hours")) if seconds >= 2 * size), (60, "minutes"))
    return f"{round(seconds / size)} {unit} {'ahead of' if off > dt.timedelta() else 'behind'}"
