"""Advisory locks: one holder at a time, and a holder who lost the lock learns of it before the next act."""

import pytest
from sqlalchemy import Engine

from fb_qbo_pipeline.errors import ConfigurationError, Unreachable
from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.ledger.locks import advisory_lock, holds
from fb_qbo_pipeline_tests.pipeline.outages import end_sessions

WRITE = {"request_id": "r", "operation": "create", "entity": "Invoice", "source": "invoice", "source_id": 1, "body": "{}", "intent": {}}


def test_one_process_posts_at_a_time_and_companies_do_not_wait_for_each_other(engine: Engine, ledger: Ledger) -> None:
    with ledger.posting_lock():
        with pytest.raises(Unreachable, match="another process"), Ledger(engine, "acme").posting_lock(wait_seconds=0):
            pass
        with Ledger(engine, "another_company").posting_lock(wait_seconds=0):
            pass
    with Ledger(engine, "acme").posting_lock(wait_seconds=0):
        pass


def test_a_lock_is_released_when_its_holder_fails(ledger: Ledger) -> None:
    with pytest.raises(RuntimeError), ledger.posting_lock():
        raise RuntimeError
    with ledger.posting_lock(wait_seconds=0):
        pass


def test_who_has_to_wait_is_told_once(engine: Engine, ledger: Ledger) -> None:
    told: list[str] = []
    with engine.connect() as first, engine.connect() as second:
        with advisory_lock(first, "one"), pytest.raises(Unreachable):  # noqa: SIM117 - the second waits for the first
            with advisory_lock(second, "one", wait_seconds=0.1, on_wait=lambda: told.append("waits")):
                pass
        with advisory_lock(second, "one", on_wait=lambda: told.append("waits")):
            assert holds(second, "one")
            assert not holds(first, "one")
    assert told == ["waits"]


def test_what_is_committed_within_a_turn_is_committed(ledger: Ledger) -> None:
    with ledger.posting_lock() as turn, turn.begin() as tx:
        tx.outbox.prepare([WRITE])
    with ledger.begin() as tx:
        assert len(tx.outbox.unfinished()) == 1


def test_a_turn_ends_with_its_session_and_does_not_come_back_with_a_new_one(engine: Engine, ledger: Ledger) -> None:
    with ledger.posting_lock() as turn:
        turn.confirm()
        end_sessions(engine, holders_only=True)
        with Ledger(engine, "acme").posting_lock(wait_seconds=0) as next_turn:
            for _ in range(2):  # the second time on a session that was opened anew
                with pytest.raises(Unreachable, match="keeps other syncs of this company out was lost"), turn.begin() as tx:
                    tx.outbox.prepare([WRITE])
            next_turn.confirm()
    with ledger.begin() as tx:
        assert tx.outbox.unfinished() == []


def test_a_turn_that_ends_within_a_transaction_commits_nothing(engine: Engine, ledger: Ledger) -> None:
    with ledger.posting_lock() as turn, pytest.raises(Unreachable, match="was lost"), turn.begin() as tx:
        end_sessions(engine, holders_only=True)
        tx.outbox.prepare([WRITE])
    with ledger.begin() as tx:
        assert tx.outbox.unfinished() == []


def test_a_pooler_that_gives_one_session_to_two_processes_is_refused(engine: Engine) -> None:
    with engine.connect() as shared, advisory_lock(shared, "one"):
        with pytest.raises(ConfigurationError, match="pool_mode = session"), advisory_lock(shared, "one"):
            pass
        assert holds(shared, "one")
