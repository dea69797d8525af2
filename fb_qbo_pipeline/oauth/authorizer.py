"""Access tokens that are always fresh, refreshed by exactly one caller at a time.

Both services rotate the refresh token: using a stale one ends the connection, and then a person has to connect again.
So a refresh happens under two locks (threads of this process, and the store's lock across processes), starts from the token
just read, and is committed to the store before the new access token is used. The access token in hand is kept in memory:
the store is asked only when that one is about to expire or was rejected.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import requests

from fb_qbo_pipeline.errors import ConnectionRequired
from fb_qbo_pipeline.http import Attempt, Recorder, new_session, utc_now
from fb_qbo_pipeline.oauth.endpoint import (
    EXPIRY_MARGIN,
    TOKEN_TRIES,
    Clock,
    InvalidGrant,
    OAuthApp,
    Sleep,
    TokenPair,
    label,
    request_tokens,
    unrecorded,
)

_log = logging.getLogger(__name__)


class LockedTokens(Protocol):
    """The tokens of one connection while nobody else can change them."""

    @property
    def pair(self) -> TokenPair | None:
        """The stored tokens, freshly read; None where the account was never connected."""
        ...

    def save(self, pair: TokenPair) -> None:
        """Store `pair`; committed when this returns."""
        ...


class TokenStore(Protocol):
    """Where one connection's tokens live."""

    def locked(self) -> AbstractContextManager[LockedTokens]:
        """Hold the connection's tokens exclusively, against other threads and processes."""
        ...


class MemoryTokenStore:
    """A token store without persistence, for tests and the sandbox."""

    def __init__(self, pair: TokenPair | None = None) -> None:
        self.pair = pair
        self._lock = threading.Lock()

    @contextmanager
    def locked(self) -> Iterator[LockedTokens]:
        """Hold the tokens exclusively within this process."""
        with self._lock:
            yield self

    def save(self, pair: TokenPair) -> None:
        """Keep `pair`."""
        self.pair = pair


class Authorizer:
    """Hands out access tokens of one connection; safe for threads, and for other processes on the same store."""

    def __init__(
        self,
        app: OAuthApp,
        store: TokenStore,
        *,
        session: requests.Session | None = None,
        clock: Clock = utc_now,
        sleep: Sleep = time.sleep,
        recorder: Recorder = unrecorded,
    ) -> None:
        self._app = app
        self._store = store
        self._session = session or new_session(1)
        self._clock = clock
        self._sleep = sleep
        self._recorder = recorder
        self._mutex = threading.Lock()
        self._cached: TokenPair | None = None
        self._unsaved: tuple[str, TokenPair] | None = None  # (refresh token it replaces, tokens that the store failed to take)

    def access_token(self) -> str:
        """An access token that is good for another minute at least; refreshed where the stored one is not.

        Raises ConnectionRequired, ConfigurationError (wrong client id or secret) or Unreachable.
        """
        return self._token(rejected=None)

    def renew(self, rejected: str) -> str:
        """Another access token after the service answered 401 to `rejected`: the stored one if it differs, else a refreshed one."""
        return self._token(rejected)

    def _token(self, rejected: str | None) -> str:
        cached = self._cached
        if cached is not None and self._usable(cached, rejected):
            return cached.access_token
        with self._mutex:
            if self._cached is None or not self._usable(self._cached, rejected):
                self._cached = self._renewed(rejected)
            return self._cached.access_token

    def _usable(self, pair: TokenPair, rejected: str | None) -> bool:
        if not pair.access_token or pair.access_token == rejected:
            return False
        return pair.access_expires_at is None or self._clock() < pair.access_expires_at - EXPIRY_MARGIN

    def _renewed(self, rejected: str | None) -> TokenPair:
        """The stored tokens if they are usable, otherwise refreshed ones.

        Where the refresh token is refused, the store is read once more: somebody may have connected anew, or a process
        that does not share the lock may have refreshed.
        """
        refused: InvalidGrant | None = None
        tried = ""
        for _ in range(2):
            with self._store.locked() as tokens:
                pair = self._read(tokens)
                if self._usable(pair, rejected):
                    return pair
                if pair.refresh_token == tried:
                    break
                tried = pair.refresh_token
                try:
                    return self._refresh(tokens, pair)
                except InvalidGrant as error:
                    refused = error
        raise self._dead(answer_lost=refused is not None and refused.answer_lost)

    def _read(self, tokens: LockedTokens) -> TokenPair:
        pair = tokens.pair
        if pair is None or not pair.refresh_token:
            raise ConnectionRequired(f"{label(self._app)} is not connected", f"run: fb-qbo connect {self._app.service}")
        if self._unsaved is not None:
            replaces, fresh = self._unsaved
            if pair.refresh_token == replaces:
                tokens.save(fresh)
                pair = fresh
            self._unsaved = None
        return pair

    def _refresh(self, tokens: LockedTokens, pair: TokenPair) -> TokenPair:
        form = {"grant_type": "refresh_token", "refresh_token": pair.refresh_token}
        attempts: list[Attempt] = []
        try:
            fresh = request_tokens(
                self._app,
                form,
                session=self._session,
                clock=self._clock,
                sleep=self._sleep,
                tries=TOKEN_TRIES,
                recorder=attempts.append,
            )
            self._unsaved = (pair.refresh_token, fresh)  # a store that fails now must not cost the connection
            tokens.save(fresh)
            self._unsaved = None
        finally:  # after the tokens are safe: recording may fail
            for attempt in attempts:
                self._recorder(attempt)
        _log.info("%s access token refreshed", label(self._app))
        return fresh

    def _dead(self, answer_lost: bool) -> ConnectionRequired:
        why = ": the answer to a refresh was lost on the way, and the refresh token works only once" if answer_lost else ""
        return ConnectionRequired(
            f"{label(self._app)} does not accept the stored refresh token any more{why}", f"run: fb-qbo connect {self._app.service}"
        )
