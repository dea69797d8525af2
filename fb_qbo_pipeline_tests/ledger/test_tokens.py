"""OAuth tokens: encrypted at rest, and refreshed by one caller at a time over threads and connections."""

import datetime as dt
import threading

import pytest
import requests
from cryptography.fernet import Fernet
from sqlalchemy import Engine, select

from fb_qbo_pipeline.errors import ConfigurationError
from fb_qbo_pipeline.http import FakeTransport, Reply
from fb_qbo_pipeline.ledger.database import connect
from fb_qbo_pipeline.ledger.tables import token
from fb_qbo_pipeline.ledger.tokens import LedgerTokenStore
from fb_qbo_pipeline.oauth import Authorizer, AuthStyle, OAuthApp, TokenPair
from fb_qbo_pipeline_tests.pipeline.outages import end_sessions

KEY = Fernet.generate_key()
PAIR = TokenPair("access-secret", "refresh-secret", dt.datetime(2026, 3, 5, 12, tzinfo=dt.UTC))
APP = OAuthApp(
    "quickbooks", "id", "app-secret", "https://token.example/token", "https://token.example/", "", AuthStyle.BASIC, "http://localhost/"
)


def _store(engine: Engine, key: bytes = KEY) -> LedgerTokenStore:
    return LedgerTokenStore(engine, "acme", "quickbooks", key)


def test_tokens_are_read_back_as_they_were_saved(engine: Engine) -> None:
    assert not _store(engine).known()
    with _store(engine).locked() as tokens:
        tokens.save(PAIR)
    with _store(engine).locked() as tokens:
        assert tokens.pair == PAIR
    assert _store(engine).known()


def test_the_row_holds_no_readable_secret(engine: Engine) -> None:
    with _store(engine).locked() as tokens:
        tokens.save(PAIR)
    with engine.connect() as connection:
        secret = connection.execute(select(token.c.secret)).scalar_one()
    assert "secret" not in secret


def test_another_key_is_a_mistake_of_the_configuration_and_shows_nothing(engine: Engine) -> None:
    with _store(engine).locked() as tokens:
        tokens.save(PAIR)
    with _store(engine, Fernet.generate_key()).locked() as tokens, pytest.raises(ConfigurationError) as raised:
        _ = tokens.pair
    assert "FB_QBO_SECRET_KEY" in str(raised.value)


def test_two_processes_refresh_once(engine: Engine, database_url: str) -> None:
    with _store(engine).locked() as tokens:
        tokens.save(TokenPair("", "refresh-0", None))
    server = _Rotating()
    engines = [connect(database_url) for _ in range(2)]
    authorizers = [Authorizer(APP, _store(each), session=server.session()) for each in engines for _ in range(2)]
    found: list[str] = []
    threads = [threading.Thread(target=lambda one=one: found.append(one.access_token())) for one in authorizers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    for each in engines:
        each.dispose()
    assert found == ["access-1"] * 4
    assert server.refreshes == 1


def test_a_saved_pair_outlives_a_failure_that_follows(engine: Engine) -> None:
    with pytest.raises(RuntimeError), _store(engine).locked() as tokens:
        tokens.save(PAIR)
        raise RuntimeError
    with _store(engine).locked() as tokens:
        assert tokens.pair == PAIR


def test_a_pair_is_saved_although_the_connection_ended_while_it_was_fetched(engine: Engine) -> None:
    with _store(engine).locked() as tokens:
        end_sessions(engine, holders_only=True)
        tokens.save(PAIR)
    with _store(engine).locked() as tokens:
        assert tokens.pair == PAIR


class _Rotating:
    """A token endpoint whose refresh tokens work once."""

    def __init__(self) -> None:
        self.refreshes = 0
        self._lock = threading.Lock()

    def session(self) -> requests.Session:
        return FakeTransport(self._answer).session()

    def _answer(self, request: requests.PreparedRequest) -> Reply:
        with self._lock:
            if f"refresh-{self.refreshes}" not in str(request.body):
                return Reply(400, {"error": "invalid_grant"})
            self.refreshes += 1
            pair = {"access_token": f"access-{self.refreshes}", "refresh_token": f"refresh-{self.refreshes}"}
            return Reply(200, pair | {"expires_in": 3600, "token_type": "bearer"})
