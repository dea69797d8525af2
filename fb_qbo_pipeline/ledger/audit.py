"""Every request and what came back, secrets removed; also the source of the call counts.

Bodies are kept for writes only: reads would store the books twice. Recording is thread-safe and takes its own short
transaction, so that what happened stays recorded when the caller's transaction is rolled back.
"""

import datetime as dt
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, RowMapping, insert, select

from fb_qbo_pipeline import __version__
from fb_qbo_pipeline.ledger.tables import audit
from fb_qbo_pipeline.redaction import redact

_LONGEST_BODY = 1_000_000


class Audit:
    """Records the requests of one integration; counts those of this process by (service, kind)."""

    def __init__(self, engine: Engine, integration: str, run_id: str | None = None) -> None:
        self._engine = engine
        self._integration = integration
        self._run_id = run_id
        self._lock = threading.Lock()
        self.counts: Counter[tuple[str, str]] = Counter()

    def record(self, values: Mapping[str, Any]) -> None:
        """Store one attempt; `values` are columns of the audit table (service, kind, method, url, seconds, …)."""
        row = dict(values)
        for name in ("sent", "received", "error"):
            if row.get(name):
                row[name] = redact(str(row[name]))[:_LONGEST_BODY].replace("\x00", "")
        with self._lock:
            self.counts[row["service"], row["kind"]] += 1
        with self._engine.begin() as connection:
            connection.execute(insert(audit).values(integration=self._integration, run_id=self._run_id, version=__version__, **row))

    def recent(self, service: str, kinds: tuple[str, ...], since: dt.datetime) -> list[dt.datetime]:
        """When requests of these kinds were made since `since` by any process: what the limits of a minute have left."""
        statement = select(audit.c.at).where(
            audit.c.integration == self._integration, audit.c.service == service, audit.c.kind.in_(kinds), audit.c.at >= since
        )
        with self._engine.connect() as connection:
            return list(connection.execute(statement.order_by(audit.c.at)).scalars())

    def of_requests(self, request_ids: list[str]) -> list[RowMapping]:
        """The recorded attempts of these requests, oldest first."""
        statement = select(audit).where(audit.c.integration == self._integration, audit.c.request_id.in_(request_ids))
        with self._engine.connect() as connection:
            return list(connection.execute(statement.order_by(audit.c.id)).mappings())
