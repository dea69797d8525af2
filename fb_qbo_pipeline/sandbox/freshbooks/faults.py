"""Trouble on demand: what may happen to a request between FreshBooks and its reader.

Rules match by path and fire by count or by rate; a rate fires evenly (0.25: every fourth match), so that runs repeat.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

import simplejson
from starlette.responses import Response

from fb_qbo_pipeline.sandbox.freshbooks.refusals import SHAPES, Refusal

_HTML = "<html><head><title>Error</title></head><body><center><h1>Bad Gateway</h1></center></body></html>"


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule.

    `path`: text that the path and query hold, as sent ("/invoices?", "page=2").
    `body`: html, empty, cut (half of a JSON document), or the letter of a refusal's shape (refusals.SHAPES).
    `count`: how many matching requests it hits, None for no end. `rate`: which share of the matching requests, 0 to 1.
    `retry_after`: seconds, sent as the header. `delay`: seconds before the answer; with status None only the delay happens.
    `after`: the request is carried out first and its answer is lost, as when a token was rotated and nobody heard.
    """

    status: int | None = 502
    body: str = "html"
    path: str = ""
    count: int | None = 1
    rate: float = 1.0
    retry_after: int | None = None
    delay: float = 0.0
    after: bool = False
    errno: int = 500
    message: str = "There was an error accessing your account data."

    def response(self) -> Response:
        """The answer in place of the real one; `status` must be set."""
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        status = self.status or 502
        if self.body in SHAPES:
            content = simplejson.dumps(SHAPES[self.body](Refusal(status, self.errno, self.message)))
            return Response(content, status, headers, "application/json")
        if self.body == "cut":
            return Response('{"response": {"result": {"invoices": [{"id": 4', status, headers, "application/json")
        return Response("" if self.body == "empty" else _HTML, status, headers, "text/html")


def throttled(retry_after: int | None = None, count: int | None = 1, path: str = "") -> Fault:
    """429; FreshBooks does not document its body, and does not always send Retry-After."""
    return Fault(429, "empty", path, count, retry_after=retry_after)


@dataclass
class FaultPlan:
    """The rules in force; the first that fires decides. Thread-safe."""

    _rules: list[Fault] = field(default_factory=list)
    _seen: dict[int, int] = field(default_factory=dict)  # position of a rule → matching requests so far
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: Fault) -> None:
        """Put a rule behind the others."""
        with self._lock:
            self._rules.append(fault)

    def clear(self) -> None:
        """No trouble any more."""
        with self._lock:
            self._rules.clear()
            self._seen.clear()

    def hits(self) -> Mapping[int, int]:
        """How often each rule matched, by its position."""
        with self._lock:
            return dict(self._seen)

    def pick(self, target: str) -> Fault | None:
        """The rule that fires for this request (its path?query), which is counted."""
        with self._lock:
            for position, fault in enumerate(self._rules):
                if fault.path in target and self._fires(position, fault):
                    return fault
            return None

    def _fires(self, position: int, fault: Fault) -> bool:
        before = self._seen.get(position, 0)
        self._seen[position] = before + 1
        fired = int(before * fault.rate)
        due = int((before + 1) * fault.rate) > fired
        return due and (fault.count is None or fired < fault.count)
