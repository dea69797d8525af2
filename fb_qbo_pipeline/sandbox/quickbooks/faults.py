"""What goes wrong on purpose: injected faults, delays and limits. Everything is off unless asked for.

The faults are those that integrators meet: an answer lost after the commit, a gateway's 502 in HTML, a throttle in XML, a
body cut short, a connection that breaks, a batch that is only half done, a throttled item within a batch.
"""

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import simplejson

from fb_qbo_pipeline.sandbox.quickbooks.refusals import MESSAGES, Json, Refusal

Dialect = Literal["json", "gateway", "xml", "html", "empty", "cut"]
When = Literal["before", "after", "middle", "item"]


@dataclass
class Fault:
    """One rule of a fault plan.

    `when`: before the commit, after it (the work is done, the answer is lost), in the middle of a batch (`items` of it are
    done), or as the throttle fault of one item of a batch. `path` has to occur in "METHOD /path?query". The first `skip`
    matching requests pass; then each is hit with probability `rate`, at most `count` times (None: without end).
    `drop_connection` breaks the connection instead of answering.
    """

    when: When = "before"
    status: int = 502
    dialect: Dialect = "html"
    path: str = ""
    count: int | None = 1
    skip: int = 0
    rate: float = 1.0
    delay: float = 0.0  # seconds
    drop_connection: bool = False
    items: int = 1
    code: str = "10000"


class FaultPlan:
    """Rules in order; the first that matches a request and moment strikes. Chance is seeded, so a plan repeats itself."""

    def __init__(self, faults: Iterable[Fault] = (), *, seed: int = 0) -> None:
        self.faults = list(faults)
        self.struck = 0
        self._random = random.Random(seed)  # noqa: S311 - chance of a test plan, no secret
        self._lock = threading.Lock()

    def pick(self, target: str, *moments: When) -> Fault | None:
        """The fault that strikes this request at one of these moments, if any; uses it up."""
        with self._lock:
            for fault in self.faults:
                if fault.when not in moments or fault.path not in target or fault.count == 0:
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.rate < 1 and self._random.random() >= fault.rate:
                    continue
                if fault.count is not None:
                    fault.count -= 1
                self.struck += 1
                return fault
        return None


@dataclass(frozen=True)
class Latency:
    """How long the server works on a request, in seconds."""

    per_request: float = 0.0
    per_batch_item: float = 0.0


@dataclass(frozen=True)
class Limits:
    """QuickBooks allows 500 requests and 40 batches a minute and 10 requests at once; None: no limit."""

    requests_per_minute: int | None = None
    batches_per_minute: int | None = None
    concurrency: int | None = None


class Throttle:
    """Counts requests of the last minute and those in flight."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self.in_flight = 0
        self._clock = clock
        self._requests: deque[float] = deque()
        self._batches: deque[float] = deque()

    def admits(self, *, batch: bool) -> bool:
        """Whether one more request may come in now; counts it if so."""
        limits, now = self.limits, self._clock()
        if limits.concurrency is not None and self.in_flight >= limits.concurrency:
            return False
        if _full(self._requests, limits.requests_per_minute, now) or (batch and _full(self._batches, limits.batches_per_minute, now)):
            return False
        self._requests.append(now)
        if batch:
            self._batches.append(now)
        return True


def _full(window: deque[float], limit: int | None, now: float) -> bool:
    while window and window[0] <= now - 60:
        window.popleft()
    return limit is not None and len(window) >= limit


# ------------------------------------------------------------------------------------------------------------- dialects


def render(fault: Fault, moment: str, answer: bytes = b"") -> tuple[str, bytes]:
    """Content type and body of an injected fault. `answer` is what would have been sent, for the cut dialect."""
    match fault.dialect:
        case "json":
            refusal = Refusal(fault.code, "System Failure Error: the request could not be processed.", kind="SystemFault")
            return "application/json", simplejson.dumps({"Fault": refusal.fault(), "time": moment}).encode()
        case "gateway":
            return "application/json", gateway_body(fault.status, fault.code, "ServiceUnavailable", None, "SERVICE")
        case "xml":
            return "application/xml", throttled_body(fault.status, moment)
        case "html":
            return "text/html", b"<html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
        case "empty":
            return "application/json", b""
        case "cut":
            whole = answer or b'{"Fault":{"Error":[{"Message":"System Failure"}]}}'
            return "application/json", whole[: len(whole) // 2]


def gateway_body(status: int, code: str, name: str, detail: str | None, kind: str) -> bytes:
    """The gateway's dialect: lower case, all members present, time in milliseconds."""
    message = f"message={name}; errorCode={code:0>6}; statusCode={status}"
    error = {"message": message, "detail": detail, "code": code, "element": None}
    body: Json = {
        "warnings": None,
        "intuitObject": None,
        "fault": {"error": [error], "type": kind},
        "report": None,
        "queryResponse": None,
        "batchItemResponse": [],
        "attachableResponse": [],
        "syncErrorResponse": None,
        "requestId": None,
        "time": int(time.time() * 1000),
        "status": None,
        "cdcresponse": [],
    }
    return simplejson.dumps(body).encode()


def throttled_body(status: int, moment: str) -> bytes:
    """The throttle's dialect: XML, whatever was asked for."""
    text = MESSAGES["3001"].replace("429", str(status))
    return (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><IntuitResponse time="{moment}" '
        'xmlns="http://schema.intuit.com/finance/v3"><Fault type="SERVICE"><Error code="3001">'
        f"<Message>{text}</Message><Detail>The request limit was reached.  Try again later</Detail></Error></Fault></IntuitResponse>"
    ).encode()
