"""Switches for what FreshBooks leaves open, and for what happens only to some accounts; and the count of what was asked.

Everything is off by default. A reader has to give the same result whichever way they stand.
"""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from fb_qbo_pipeline.sandbox.freshbooks.faults import FaultPlan
from fb_qbo_pipeline.sandbox.freshbooks.payloads import Line
from fb_qbo_pipeline.sandbox.freshbooks.state import FreshBooks

REMEMBERED_REQUESTS = 1000


@dataclass
class Behaviour:
    """How this FreshBooks behaves. Resources are named in the singular ("invoice")."""

    latency: float = 0.0  # seconds before every answer
    gated: set[str] = field(default_factory=set)  # resources that the account's plan does not include…
    gated_status: int = 200  # …refused in the body, with this HTTP status: 200 is real
    missing_scopes: set[str] = field(default_factory=set)  # "user:invoices:read"
    unreadable: set[str] = field(default_factory=set)  # resources that are counted in `total` but not shown to this user
    ignored_filters: set[str] = field(default_factory=set)  # search keys that FreshBooks does not heed ("updated_min")
    max_inclusive: bool = False  # `…_max` as an SDK describes it, not as the documentation does
    after_page: Callable[[str, int], None] | None = None  # called with resource and page after each page was read
    faults: FaultPlan = field(default_factory=FaultPlan)


@dataclass
class Traffic:
    """What was asked so far. `reads` counts every GET of the accounting API, refused ones too."""

    reads: int = 0
    token_requests: int = 0
    by_path: Counter[str] = field(default_factory=Counter)
    requests: deque[str] = field(default_factory=lambda: deque(maxlen=REMEMBERED_REQUESTS))  # "METHOD path?query", still encoded

    def count(self, method: str, path: str, query: str) -> None:
        """Note one request."""
        self.reads += method == "GET" and path.startswith("/accounting/")
        self.token_requests += path == "/auth/oauth/token"
        self.by_path[path] += 1
        self.requests.append(f"{method} {path}?{query}" if query else f"{method} {path}")


def insert_while_paging(account: FreshBooks, client_id: int, pages: int = 1) -> Callable[[str, int], None]:
    """An `after_page` that adds an invoice after each of the first `pages` pages, so that rows shift to the next page."""

    def insert(resource: str, page: int) -> None:
        if resource == "invoice" and page <= pages:
            account.add_invoice(client_id, lines=[Line("Late arrival", 1, "10.00")])

    return insert
