"""Everything that one integration needs while something runs: its ledger and both clients, opened once and closed together."""

import contextlib
import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine

from fb_qbo_pipeline.errors import ConnectionRequired
from fb_qbo_pipeline.freshbooks.client import FreshBooksClient
from fb_qbo_pipeline.freshbooks.reader import FreshBooksReader
from fb_qbo_pipeline.http import Attempt, new_session, utc_now
from fb_qbo_pipeline.ledger.audit import Audit
from fb_qbo_pipeline.ledger.database import connect, database_url, migrate
from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.ledger.tokens import LedgerTokenStore
from fb_qbo_pipeline.oauth import Authorizer, AuthStyle, OAuthApp
from fb_qbo_pipeline.pipeline.clock import ServiceClock
from fb_qbo_pipeline.posting import feed
from fb_qbo_pipeline.posting.books import Books
from fb_qbo_pipeline.posting.mirror import CompanyMirror
from fb_qbo_pipeline.quickbooks.client import QuickBooksClient
from fb_qbo_pipeline.quickbooks.limits import Limiter
from fb_qbo_pipeline.quickbooks.transport import Exchange
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.models import Integration

SERVICES = ("freshbooks", "quickbooks")
_MINUTE = dt.timedelta(minutes=1)


def oauth_app(environment: Environment, service: str) -> OAuthApp:
    """The OAuth app of a service. Raises ConfigurationError that names the variables that are not set."""
    if service == "freshbooks":
        credentials = environment.freshbooks_app_credentials()
        return OAuthApp(
            service=service,
            client_id=credentials.client_id,
            client_secret=credentials.client_secret,
            token_url=environment.freshbooks_token_url,
            authorize_url=environment.freshbooks_authorize_url,
            scope="",
            auth_style=AuthStyle.FORM,
            redirect_uri=environment.freshbooks_redirect_uri,
        )
    credentials = environment.quickbooks_app_credentials()
    return OAuthApp(
        service=service,
        client_id=credentials.client_id,
        client_secret=credentials.client_secret,
        token_url=environment.quickbooks_token_url,
        authorize_url=environment.quickbooks_authorize_url,
        scope="com.intuit.quickbooks.accounting",
        auth_style=AuthStyle.BASIC,
        redirect_uri=environment.quickbooks_redirect_uri,
    )


def open_database(environment: Environment) -> Engine:
    """The database, started if it is the embedded one, with its tables at the newest revision."""
    engine = connect(database_url(environment.database_url, environment.made_home()))
    migrate(engine)
    return engine


def token_store(engine: Engine, environment: Environment, integration: Integration, service: str) -> LedgerTokenStore:
    """Where the tokens of one side are kept."""
    return LedgerTokenStore(engine, integration.name, service, environment.token_key())


@dataclass(frozen=True, slots=True)
class Waiting:
    """How this process waits between attempts: `sleep`, and the `clock` (seconds, never going back) that shows it.

    The two belong together: tests give a pair in which waits pass at once.
    """

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def require_connection(engine: Engine, environment: Environment, integration: Integration, service: str) -> None:
    """Raise ConnectionRequired where an account was never connected, ConfigurationError where its app is not set."""
    oauth_app(environment, service)
    if not token_store(engine, environment, integration, service).known():
        label = {"freshbooks": "FreshBooks", "quickbooks": "QuickBooks"}[service]
        raise ConnectionRequired(f"{label} is not connected for {integration.name}", f"run: fb-qbo connect {service}")


@dataclass
class Runtime:
    """One integration, opened. `today` is the company's day."""

    integration: Integration
    environment: Environment
    ledger: Ledger
    audit: Audit
    reader: FreshBooksReader
    quickbooks: QuickBooksClient
    mirror: CompanyMirror
    books: Books
    run_id: str | None
    clock: Callable[[], dt.datetime] = utc_now
    waiting: Waiting = field(default_factory=Waiting)
    service_clock: ServiceClock = field(default_factory=ServiceClock)

    @property
    def today(self) -> dt.date:
        """The date in the company's time zone."""
        return self.clock().astimezone(self.integration.zone).date()

    def catch_up(self) -> None:
        """Learn what has changed in QuickBooks, its lists and what stands there, with one read if its change feed answers."""
        feed.catch_up(self.quickbooks, (self.mirror, self.books))

    @property
    def account_id(self) -> str:
        """The FreshBooks account: part of every marker."""
        return self.integration.freshbooks.account_id


@contextlib.contextmanager
def open_runtime(
    integration: Integration,
    environment: Environment,
    *,
    run_id: str | None = None,
    engine: Engine | None = None,
    waiting: Waiting | None = None,
) -> Iterator[Runtime]:
    """Open one integration. Connections are made when they are first used; the engine is closed unless it was given."""
    waiting = waiting or Waiting()
    own = engine is None
    engine = engine or open_database(environment)
    ledger = Ledger(engine, integration.name)
    audit = Audit(engine, integration.name, run_id)

    def authorizer(service: str) -> Authorizer:
        app, store = oauth_app(environment, service), token_store(engine, environment, integration, service)
        return Authorizer(app, store, recorder=lambda attempt: audit.record(token_row(attempt)))

    freshbooks_session, quickbooks_session = new_session(), new_session(environment.quickbooks_concurrency + 2)
    service_clock = ServiceClock()
    for session in (freshbooks_session, quickbooks_session):
        session.hooks["response"].append(service_clock.observe)
    try:
        freshbooks = FreshBooksClient(
            environment.freshbooks_api_url,
            integration.freshbooks.account_id,
            authorizer("freshbooks"),
            session=freshbooks_session,
            sleep=waiting.sleep,
            recorder=lambda attempt: audit.record(_freshbooks_row(attempt)),
        )
        limiter = _limiter(environment, audit, waiting)
        quickbooks = QuickBooksClient(
            environment.quickbooks_api_url,
            integration.quickbooks.realm_id,
            authorizer("quickbooks"),
            limiter=limiter,
            session=quickbooks_session,
            sleep=waiting.sleep,
            recorder=lambda exchange: audit.record(_quickbooks_row(exchange)),
        )
        mirror, books = CompanyMirror(ledger, quickbooks, integration), Books(ledger, quickbooks, integration)
        reader = FreshBooksReader(freshbooks)
        yield Runtime(
            integration, environment, ledger, audit, reader, quickbooks, mirror, books, run_id, waiting=waiting, service_clock=service_clock
        )
    finally:
        freshbooks_session.close()
        quickbooks_session.close()
        if own:
            engine.dispose()


def _limiter(environment: Environment, audit: Audit, waiting: Waiting) -> Limiter:
    """The company's limits, counting what other processes have used of the last minute."""
    limiter = Limiter(
        environment.quickbooks_requests_per_minute,
        environment.quickbooks_batches_per_minute,
        environment.quickbooks_concurrency,
        clock=waiting.clock,
        sleep=waiting.sleep,
    )
    now = utc_now()
    limiter.preload(audit.recent("quickbooks", ("read", "write"), now - _MINUTE), now=now)
    limiter.preload(audit.recent("quickbooks", ("batch",), now - _MINUTE), now=now, kind="batch")
    return limiter


def token_row(attempt: Attempt) -> dict[str, Any]:
    """A token request in the audit: when, where and how it ended; never the tokens."""
    return _freshbooks_row(attempt) | {"service": attempt.service, "kind": "token"}


def _freshbooks_row(attempt: Attempt) -> dict[str, Any]:
    return {
        "service": "freshbooks",
        "kind": "read",
        "method": attempt.method,
        "url": attempt.url,
        "status": attempt.status,
        "seconds": round(attempt.seconds, 4),
        "error": attempt.error or None,
    }


def _quickbooks_row(exchange: Exchange) -> dict[str, Any]:
    write = exchange.kind == "write"
    return {
        "service": "quickbooks",
        "kind": "batch" if exchange.operation == "batch" else exchange.kind,
        "method": exchange.method,
        "url": exchange.url,
        "request_id": exchange.request_id,
        "status": exchange.status,
        "seconds": round(exchange.seconds, 4),
        "sent": exchange.sent if write else None,
        "received": exchange.received if write else None,
        "error": exchange.error or None,
        "tid": exchange.intuit_tid,
    }
