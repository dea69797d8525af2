"""Every request and what came back, secrets removed."""

import datetime as dt
from typing import Any

from sqlalchemy import Engine

from fb_qbo_pipeline.ledger.audit import Audit


def _attempt(**other: Any) -> dict[str, Any]:
    return {"service": "quickbooks", "kind": "write", "method": "POST", "url": "/invoice", "seconds": 0.1, "request_id": "r"} | other


def test_requests_are_counted_and_found_by_their_id(engine: Engine) -> None:
    audit = Audit(engine, "acme", "run")
    audit.record(_attempt(status=200))
    audit.record(_attempt(kind="read", request_id=None))
    assert audit.counts == {("quickbooks", "write"): 1, ("quickbooks", "read"): 1}
    assert [row["status"] for row in audit.of_requests(["r"])] == [200]


def test_no_token_is_kept(engine: Engine) -> None:
    audit = Audit(engine, "acme")
    audit.record(_attempt(sent='{"refresh_token": "very-secret"}', received="Bearer very-secret\x00", error='"access_token":"very-secret"'))
    (row,) = audit.of_requests(["r"])
    assert "very-secret" not in str(dict(row))


def test_recent_requests_of_other_processes_count(engine: Engine) -> None:
    Audit(engine, "acme").record(_attempt(kind="batch"))
    since = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)
    other = Audit(engine, "acme")
    assert len(other.recent("quickbooks", ("batch",), since)) == 1
    assert other.recent("quickbooks", ("read",), since) == []
    assert Audit(engine, "another").recent("quickbooks", ("batch",), since) == []
