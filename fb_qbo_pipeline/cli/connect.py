"""`fb-qbo connect`: lets the product into FreshBooks or QuickBooks, in the browser or with a refresh token that exists.

Refresh tokens work once, so new tokens are stored the moment they are known, and proved after that. Where the proof shows
other books than the integration's, what was stored before comes back: a mistake must not cost a connection that works.
"""

import contextlib
import sys
import time
import webbrowser
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click
import requests

from fb_qbo_pipeline.cli.browser import BROWSER_SECONDS, OpenBrowser, ask_in_browser, print_only, terminal
from fb_qbo_pipeline.cli.companies import one_integration
from fb_qbo_pipeline.cli.options import config_option, verbose_option
from fb_qbo_pipeline.cli.output import echo, log_to
from fb_qbo_pipeline.errors import ConfigurationError, ConnectionRequired, PipelineError, RemoteRefusal, Unreachable
from fb_qbo_pipeline.freshbooks.client import FreshBooksClient
from fb_qbo_pipeline.freshbooks.reader import FreshBooksReader
from fb_qbo_pipeline.http import Attempt, Recorder, new_session, utc_now
from fb_qbo_pipeline.ledger.audit import Audit
from fb_qbo_pipeline.oauth import Authorizer, LockedTokens, OAuthApp, TokenPair, TokenStore, exchange_code, new_verifier
from fb_qbo_pipeline.oauth.endpoint import TOKEN_TRIES, InvalidGrant, label, request_tokens
from fb_qbo_pipeline.pipeline.accounts import freshbooks_business
from fb_qbo_pipeline.pipeline.runtime import SERVICES, oauth_app, open_database, token_row, token_store
from fb_qbo_pipeline.quickbooks.limits import Limiter
from fb_qbo_pipeline.quickbooks.reader import QuickBooksReader
from fb_qbo_pipeline.quickbooks.transport import Transport
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.models import Integration


@click.command("connect")
@click.argument("service", type=click.Choice(SERVICES))
@click.option("--refresh-token", metavar="TOKEN", help="Take over a token that exists; - reads it from standard input.")
@click.option("--realm-id", metavar="ID", help="The QuickBooks company that the token is for: has to be the integration's.")
@click.option("--no-browser", is_flag=True, help="Only print the address to open.")
@click.option("--no-pkce", is_flag=True, help="Do without the code challenge, should the service refuse it.")
@config_option
@verbose_option
def command(
    service: str, refresh_token: str | None, realm_id: str | None, no_browser: bool, no_pkce: bool, config: Path | None, verbose: bool
) -> int:
    """Connect the FreshBooks account or the QuickBooks company of an integration."""
    environment = Environment.read()
    log_to(environment, verbose=verbose)
    integration = one_integration(config, environment)
    if realm_id is not None:
        require_company(realm_id, integration)
    if refresh_token == "-":  # noqa: S105 - the usual name of standard input
        refresh_token = sys.stdin.readline()
    open_browser = print_only if no_browser else webbrowser.open
    typed = terminal() if refresh_token is None else None
    options: dict[str, Any] = {"refresh_token": refresh_token, "pkce": not no_pkce}
    echo(connect(service, integration, environment, open_browser=open_browser, typed=typed, **options))
    return 0


def connect(
    service: str,
    integration: Integration,
    environment: Environment,
    *,
    refresh_token: str | None = None,
    pkce: bool = True,
    open_browser: OpenBrowser = webbrowser.open,
    typed: int | None = None,
    timeout: float = BROWSER_SECONDS,
) -> str:
    """Connect one side, with `refresh_token` or (as `ask_in_browser`) in the browser; a sentence that names what is connected.

    Raises PipelineError; see `keep_tokens` for what is stored then.
    """
    app = oauth_app(environment, service)
    attempts: list[Attempt] = []
    verifier = new_verifier() if pkce else ""
    with contextlib.ExitStack() as opened:
        session = opened.enter_context(new_session(1))
        if refresh_token is not None:
            obtain = partial(_taken_over, app, refresh_token.strip(), session, attempts.append)
        else:
            callback = ask_in_browser(app, verifier=verifier, open_browser=open_browser, typed=typed, timeout=timeout)
            if service == "quickbooks" and "realmId" in callback.extra:
                require_company(callback.extra["realmId"], integration)
            obtain = partial(
                exchange_code, app, callback.code, app.redirect_uri, verifier=verifier, session=session, recorder=attempts.append
            )
        engine = open_database(environment)
        opened.callback(engine.dispose)
        store = token_store(engine, environment, integration, service)
        audit = Audit(engine, integration.name)
        authorizer = Authorizer(app, store, session=session, recorder=lambda attempt: audit.record(token_row(attempt)))
        opened.callback(_record, audit, attempts)  # after the tokens are stored: recording may fail
        name = keep_tokens(store, obtain, partial(_company_name, service, integration, environment, authorizer, session))
    side = f"account {integration.freshbooks.account_id}" if service == "freshbooks" else f"company {integration.quickbooks.realm_id}"
    return f"{label(app)} is connected to the integration {integration.name}: {name or 'a company without a name'} ({side})"


def require_company(realm_id: str, integration: Integration) -> None:
    """Raise ConfigurationError unless `realm_id` is the integration's QuickBooks company."""
    given, wanted = realm_id.strip(), integration.quickbooks.realm_id
    if given != wanted:
        raise ConfigurationError(
            f"this is QuickBooks company {given[:40]}, but the integration {integration.name} is for company {wanted}",
            "choose that company, or correct quickbooks.realm_id in the integration file",
        )


def keep_tokens(store: TokenStore, obtain: Callable[[], TokenPair], prove: Callable[[], str]) -> str:
    """Store the tokens that `obtain` gets, at once, and prove them by reading a name with them, which is returned.

    Where `obtain` fails, nothing is stored. Where `prove` shows that the tokens are for other books, the former ones come
    back. Any other failure of the proof leaves the new ones stored, since only they are sure to work, and says so.
    """
    with store.locked() as tokens:
        before = _readable(tokens)
        tokens.save(obtain())
    try:
        return prove()
    except (ConfigurationError, ConnectionRequired):
        if before is not None:
            with store.locked() as tokens:
                tokens.save(before)
        raise
    except (RemoteRefusal, Unreachable) as error:
        raise PipelineError(f"the new tokens are stored, but could not be tried: {error.message}", "run: fb-qbo check") from error


def _record(audit: Audit, attempts: list[Attempt]) -> None:
    for attempt in attempts:
        audit.record(token_row(attempt))


def _taken_over(app: OAuthApp, refresh_token: str, session: requests.Session, recorder: Recorder) -> TokenPair:
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    try:
        return request_tokens(app, form, session=session, clock=utc_now, sleep=time.sleep, tries=TOKEN_TRIES, recorder=recorder)
    except InvalidGrant:
        raise ConnectionRequired(
            f"{label(app)} does not accept this refresh token: it has expired, was withdrawn, or was used before; nothing was changed",
            f"a refresh token works once: bring a newer one, or run: fb-qbo connect {app.service}",
        ) from None


def _readable(tokens: LockedTokens) -> TokenPair | None:
    """The stored tokens; None where there are none, or where the present key does not open them and they are lost anyway."""
    try:
        return tokens.pair
    except ConfigurationError:
        return None


def _company_name(
    service: str, integration: Integration, environment: Environment, authorizer: Authorizer, session: requests.Session
) -> str:
    """The name of the business or company that the stored tokens reach."""
    if service == "freshbooks":
        client = FreshBooksClient(environment.freshbooks_api_url, integration.freshbooks.account_id, authorizer, session=session)
        return freshbooks_business(FreshBooksReader(client)).name
    transport = Transport(environment.quickbooks_api_url, integration.quickbooks.realm_id, authorizer, limiter=Limiter(), session=session)
    return str(QuickBooksReader(transport).company_info().get("CompanyName") or "")
