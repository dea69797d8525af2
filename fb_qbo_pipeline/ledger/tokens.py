"""OAuth tokens at rest: encrypted, one row a company and service, locked while they are refreshed.

The row lock is held across the refresh call, so that of all processes and machines only one refreshes at a time; the new
pair is committed before anybody uses it. A refresh token used twice ends the connection, and then a human has to reconnect.
"""

import contextlib
import datetime as dt
import logging
import time
from collections.abc import Iterator

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import Connection, Engine, Executable, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from fb_qbo_pipeline.errors import ConfigurationError
from fb_qbo_pipeline.json_text import dump_json, load_json
from fb_qbo_pipeline.ledger.locks import advisory_lock
from fb_qbo_pipeline.ledger.tables import token
from fb_qbo_pipeline.oauth import LockedTokens, TokenPair

log = logging.getLogger(__name__)

_SAVED_AGAIN_AFTER = (0.0, 1.0, 4.0, 15.0)  # seconds; a server that restarts is back within them


class _Locked:
    def __init__(self, engine: Engine, connection: Connection, integration: str, service: str, cipher: Fernet) -> None:
        self._engine = engine
        self._connection = connection
        self._integration = integration
        self._service = service
        self._cipher = cipher

    @property
    def pair(self) -> TokenPair | None:
        secret = self._connection.execute(
            select(token.c.secret).where(token.c.integration == self._integration, token.c.service == self._service)
        ).scalar_one_or_none()
        if secret is None:
            return None
        try:
            stored = load_json(self._cipher.decrypt(secret.encode()))
        except InvalidToken:
            raise ConfigurationError(
                f"the stored {self._service} tokens cannot be decrypted with the present key",
                f"restore FB_QBO_SECRET_KEY (or secret.key in the home folder), or run: fb-qbo connect {self._service}",
            ) from None
        expires = stored["access_expires_at"]
        return TokenPair(
            access_token=stored["access_token"],
            refresh_token=stored["refresh_token"],
            access_expires_at=dt.datetime.fromisoformat(expires) if expires else None,
        )

    def save(self, pair: TokenPair) -> None:
        stored = {
            "access_token": pair.access_token,
            "refresh_token": pair.refresh_token,
            "access_expires_at": pair.access_expires_at.isoformat() if pair.access_expires_at else None,
        }
        secret = self._cipher.encrypt(dump_json(stored).encode()).decode()
        statement = insert(token).values(integration=self._integration, service=self._service, secret=secret)
        changed = {"secret": secret, "changed_at": func.now()}
        self._keep(statement.on_conflict_do_update(index_elements=["integration", "service"], set_=changed))

    def _keep(self, statement: Executable) -> None:
        """Commit a new pair; where the connection has ended meanwhile, on another one.

        FreshBooks has withdrawn the token that the pair replaces: if it were lost, a person would have to connect again.
        """
        try:
            self._connection.execute(statement)
            self._connection.commit()
            return
        except OperationalError as error:
            failure = error
            self._connection.rollback()
        for pause in _SAVED_AGAIN_AFTER:
            log.warning("the database did not take the new %s tokens (%s); trying again", self._service, type(failure.orig).__name__)
            time.sleep(pause)
            try:
                with self._engine.begin() as connection:
                    connection.execute(statement)
                return
            except OperationalError as error:
                failure = error
        raise failure


class LedgerTokenStore:
    """The tokens of one integration and service; implements `oauth.TokenStore`."""

    def __init__(self, engine: Engine, integration: str, service: str, key: bytes) -> None:
        self._engine = engine
        self._integration = integration
        self._service = service
        self._cipher = Fernet(key)

    @contextlib.contextmanager
    def locked(self) -> Iterator[LockedTokens]:
        """Hold this connection's tokens against every other process; works before the first pair is stored, too."""
        name = f"fb_qbo:token:{self._integration}:{self._service}"
        with self._engine.connect() as connection, advisory_lock(connection, name):
            yield _Locked(self._engine, connection, self._integration, self._service, self._cipher)

    def known(self) -> bool:
        """Whether tokens are stored at all."""
        with self.locked() as tokens:
            return tokens.pair is not None
