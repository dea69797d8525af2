"""Every write, committed before it is sent."""

import re

from sqlalchemy import Engine, select

from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.ledger.outbox import DONE, REFUSED, SENT, new_request_id
from fb_qbo_pipeline.ledger.tables import outbox
from fb_qbo_pipeline.redaction import remember_token

BODY = '{"Amount":100.10,"Note":"é"}'


def _row(request_id: str, source_id: int, bid: str | None = None) -> dict[str, object]:
    return {
        "request_id": request_id,
        "bid": bid,
        "operation": "create",
        "entity": "Invoice",
        "source": "invoice",
        "source_id": source_id,
        "body": BODY,
        "intent": {"fingerprint": "f"},
        "run_id": "run",
    }


def test_what_is_prepared_has_an_unknown_outcome_until_it_is_marked(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        first, second = tx.outbox.prepare([_row("r", 2, "1"), _row("r", 1, "2")])
        assert [(entry.source_id, entry.bid, entry.state) for entry in (first, second)] == [(2, "1", SENT), (1, "2", SENT)]
        assert tx.outbox.size_of("r") == 2
    with ledger.begin() as tx:
        assert tx.outbox.unfinished() == [first, second]
        tx.outbox.mark([first.id], DONE)
        assert tx.outbox.unfinished() == [second]
        tx.outbox.mark([second.id], REFUSED, "x" * 5000)
        assert tx.outbox.unfinished() == []
        assert tx.outbox.size_of("r") == 2


def test_a_body_is_kept_byte_for_byte(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.outbox.prepare([_row("r", 1)])
        assert [entry.body for entry in tx.outbox.of_document("invoice", 1)] == [BODY]


def test_the_writes_of_a_document_are_told_oldest_first(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        for request_id in ("a", "b", "c"):
            tx.outbox.prepare([_row(request_id, 1)])
        assert [entry.request_id for entry in tx.outbox.of_document("invoice", 1)] == ["a", "b", "c"]


def test_request_ids_are_as_long_as_quickbooks_allows_and_never_repeat() -> None:
    made = {new_request_id() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"[0-9a-f-]{36}", one) for one in made)


def test_a_secret_that_a_service_quotes_is_not_kept_in_a_note_and_a_body_is_never_touched(engine: Engine, ledger: Ledger) -> None:
    remember_token("quoted-access-token")
    body = '{"Note":"quoted-access-token"}'
    with ledger.begin() as tx:
        (entry,) = tx.outbox.prepare([_row("r", 1) | {"body": body}])
        tx.outbox.mark([entry.id], REFUSED, "the token quoted-access-token is not known")
        assert tx.outbox.of_document("invoice", 1)[0].body == body
    with engine.connect() as connection:
        assert connection.execute(select(outbox.c.note)).scalar_one() == "the token [hidden] is not known"
