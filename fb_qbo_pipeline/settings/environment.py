"""The environment variables of the product: read once, checked all together, immutable from then on.

Whatever a deployment must not write into a file under version control comes from here. A secret that is missing stops the
program when it is needed, by its variable's name; there are no pretend values.
"""

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

from fb_qbo_pipeline.errors import ConfigurationError
from fb_qbo_pipeline.redaction import remember
from fb_qbo_pipeline.settings.alerting import (
    WrongValue,
    email_address,
    email_addresses,
    hour_of_day,
    secrets_of_webhook,
    smtp_parts,
    smtp_server,
    webhook,
)
from fb_qbo_pipeline.settings.secret_key import KeySources, secret_key

T = TypeVar("T")


class Variable(NamedTuple):
    """One environment variable, for reading and for the reference. `default` '' means that there is none."""

    name: str
    default: str
    meaning: str


VARIABLES: tuple[Variable, ...] = (
    Variable("FB_QBO_CONFIG", "integration.yaml", "the integration file, or a folder of several"),
    Variable("FB_QBO_HOME", ".fb_qbo", "state of the embedded default: Postgres data, Dagster home, key, logs"),
    Variable(
        "FB_QBO_DATABASE_URL",
        "",
        "SQLAlchemy URL of a Postgres for the pipeline's state and Dagster's; else one is embedded",
    ),
    Variable("FB_QBO_SECRET_KEY", "", "encrypts OAuth tokens at rest: a Fernet key or a long text; else a key is made under FB_QBO_HOME"),
    Variable("FB_QBO_SECRET_KEY_FILE", "", "a file that holds that key instead: one of the four ways, not several"),
    Variable("FB_QBO_SECRET_KEY_COMMAND", "", "a command that prints it instead, such as that of a password manager; run without a shell"),
    Variable("CREDENTIALS_DIRECTORY", "", "set by systemd: the credential fb_qbo_secret_key in it is the key"),
    Variable("FRESHBOOKS_CLIENT_ID", "", "OAuth app of FreshBooks"),
    Variable("FRESHBOOKS_CLIENT_SECRET", "", "its secret"),
    Variable("QUICKBOOKS_CLIENT_ID", "", "OAuth app of QuickBooks"),
    Variable("QUICKBOOKS_CLIENT_SECRET", "", "its secret"),
    Variable("FRESHBOOKS_API_URL", "https://api.freshbooks.com", "FreshBooks' API; /auth/oauth/token is joined to it"),
    Variable("FRESHBOOKS_AUTH_URL", "https://auth.freshbooks.com", "FreshBooks' sign-in; /oauth/authorize/ is joined to it"),
    Variable(
        "FRESHBOOKS_REDIRECT_URI",
        "https://localhost:8461/callback",
        "redirect address registered with FreshBooks, sent on every token request",
    ),
    Variable("QUICKBOOKS_API_URL", "https://quickbooks.api.intuit.com", "QuickBooks' API"),
    Variable("QUICKBOOKS_TOKEN_URL", "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer", "QuickBooks' token endpoint"),
    Variable("QUICKBOOKS_AUTHORIZE_URL", "https://appcenter.intuit.com/connect/oauth2", "QuickBooks' sign-in"),
    Variable("QUICKBOOKS_REDIRECT_URI", "http://localhost:8461/callback", "redirect address registered with QuickBooks"),
    Variable("QUICKBOOKS_REQUESTS_PER_MINUTE", "500", "requests a minute to one company at most"),
    Variable("QUICKBOOKS_BATCHES_PER_MINUTE", "40", "batches a minute to one company at most"),
    Variable("QUICKBOOKS_CONCURRENCY", "8", "requests in flight to one company at most"),
    Variable("FB_QBO_ALERT_WEBHOOK", "", 'where alerts are posted as {"text": …}: an incoming webhook of Slack, Mattermost, Google Chat…'),
    Variable("FB_QBO_ALERT_EMAIL", "", "addresses that get alerts and the daily sync report, separated by commas; needs FB_QBO_SMTP"),
    Variable("FB_QBO_ALERT_FROM", "fb-qbo@localhost", "sender of those e-mails"),
    Variable("FB_QBO_SMTP", "", "mail server: smtp://USER:PASSWORD@HOST:587 (STARTTLS where offered) or smtps://…:465"),
    Variable("FB_QBO_ALERT_SILENT_HOURS", "6", "hours without a look for changes after which an alert says so"),
    Variable("FB_QBO_ALERT_EVERY_MINUTES", "60", "at most one message of a company in so many minutes; what happens meanwhile is grouped"),
    Variable("FB_QBO_REPORT_HOUR", "7", "hour of the company's day from which the sync report is sent"),
    Variable("FB_QBO_UI_URL", "", "address at which people open the Dagster UI: it is answered there, and alerts link to it"),
)

# The variables that hold secrets which only the process that syncs needs. The database's address, which every one needs, is none.
SECRETS = (
    "FB_QBO_SECRET_KEY",
    "FRESHBOOKS_CLIENT_SECRET",
    "QUICKBOOKS_CLIENT_SECRET",
    "FB_QBO_ALERT_WEBHOOK",
    "FB_QBO_SMTP",
)
_BELONGS_TO = {"FB_QBO_ALERT_EMAIL": "FB_QBO_SMTP"}  # one without the other is a mistake

_DEFAULTS = {variable.name: variable.default for variable in VARIABLES}
_POSTGRES_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg2")


@dataclass(frozen=True, slots=True)
class AppCredentials:
    """The id and secret of an OAuth app."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Environment:
    """Every variable, checked: absolute home, URLs without a trailing slash, limits as positive numbers. Its repr shows no secret."""

    config: Path
    home: Path
    database_url: str | None = field(repr=False)
    secret_key: str | None = field(repr=False)
    secret_key_file: Path | None
    secret_key_command: str | None = field(repr=False)
    credentials_directory: Path | None
    freshbooks_client_id: str | None
    freshbooks_client_secret: str | None = field(repr=False)
    quickbooks_client_id: str | None
    quickbooks_client_secret: str | None = field(repr=False)
    freshbooks_api_url: str
    freshbooks_auth_url: str
    freshbooks_redirect_uri: str
    quickbooks_api_url: str
    quickbooks_token_url: str
    quickbooks_authorize_url: str
    quickbooks_redirect_uri: str
    quickbooks_requests_per_minute: int
    quickbooks_batches_per_minute: int
    quickbooks_concurrency: int
    alert_webhook: str | None = field(repr=False)
    alert_email: tuple[str, ...]
    alert_from: str
    smtp: str | None = field(repr=False)
    alert_silent_hours: int
    alert_every_minutes: int
    report_hour: int
    ui_url: str | None

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> "Environment":
        """Reads all variables; an empty one counts as not set. Raises ConfigurationError that names every wrong one."""
        reader = _Reader(environ)
        environment = cls(
            config=Path(reader.text("FB_QBO_CONFIG")).expanduser(),
            home=Path(reader.text("FB_QBO_HOME")).expanduser().absolute(),
            database_url=reader.optional("FB_QBO_DATABASE_URL", _postgres_url),
            secret_key=reader.optional("FB_QBO_SECRET_KEY"),
            secret_key_file=reader.path("FB_QBO_SECRET_KEY_FILE"),
            secret_key_command=reader.optional("FB_QBO_SECRET_KEY_COMMAND"),
            credentials_directory=reader.path("CREDENTIALS_DIRECTORY"),
            freshbooks_client_id=reader.optional("FRESHBOOKS_CLIENT_ID"),
            freshbooks_client_secret=reader.optional("FRESHBOOKS_CLIENT_SECRET"),
            quickbooks_client_id=reader.optional("QUICKBOOKS_CLIENT_ID"),
            quickbooks_client_secret=reader.optional("QUICKBOOKS_CLIENT_SECRET"),
            freshbooks_api_url=reader.url("FRESHBOOKS_API_URL"),
            freshbooks_auth_url=reader.url("FRESHBOOKS_AUTH_URL"),
            freshbooks_redirect_uri=reader.redirect("FRESHBOOKS_REDIRECT_URI"),
            quickbooks_api_url=reader.url("QUICKBOOKS_API_URL"),
            quickbooks_token_url=reader.url("QUICKBOOKS_TOKEN_URL"),
            quickbooks_authorize_url=reader.url("QUICKBOOKS_AUTHORIZE_URL"),
            quickbooks_redirect_uri=reader.redirect("QUICKBOOKS_REDIRECT_URI"),
            quickbooks_requests_per_minute=reader.limit("QUICKBOOKS_REQUESTS_PER_MINUTE"),
            quickbooks_batches_per_minute=reader.limit("QUICKBOOKS_BATCHES_PER_MINUTE"),
            quickbooks_concurrency=reader.limit("QUICKBOOKS_CONCURRENCY"),
            alert_webhook=reader.optional("FB_QBO_ALERT_WEBHOOK", webhook),
            alert_email=reader.value("FB_QBO_ALERT_EMAIL", email_addresses, ()),
            alert_from=reader.value("FB_QBO_ALERT_FROM", email_address, ""),
            smtp=reader.optional("FB_QBO_SMTP", smtp_server),
            alert_silent_hours=reader.limit("FB_QBO_ALERT_SILENT_HOURS"),
            alert_every_minutes=reader.limit("FB_QBO_ALERT_EVERY_MINUTES"),
            report_hour=reader.value("FB_QBO_REPORT_HOUR", hour_of_day, 0),
            ui_url=reader.optional("FB_QBO_UI_URL", _http_url),
        )
        if bool(reader.text("FB_QBO_ALERT_EMAIL")) != bool(reader.text("FB_QBO_SMTP")):
            reader.refuse("FB_QBO_ALERT_EMAIL", "and FB_QBO_SMTP belong together", "set both, or neither")
        keys = environment.key_sources().chosen()
        if len(keys) > 1:
            reader.refuse(keys[0], f"and {', '.join(keys[1:])} each give the key", "keep one of them")
        reader.finish()
        environment._remember_secrets()
        return environment

    def _remember_secrets(self) -> None:
        """What is in use is removed from all that is written, whoever quotes it."""
        mail = smtp_parts(self.smtp)[-1] if self.smtp else None
        database = unquote(urlsplit(self.database_url or "").password or "")
        remember(self.secret_key, self.freshbooks_client_secret, self.quickbooks_client_secret, mail, database, self.alert_webhook)
        remember(*secrets_of_webhook(self.alert_webhook or ""))

    def made_home(self) -> Path:
        """`home`, made where it does not exist. Raises ConfigurationError where this user may not write to it."""
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.home):
                pass
        except OSError as error:
            remedy = "make FB_QBO_HOME a directory that this user may write to"
            raise ConfigurationError(f"FB_QBO_HOME {self.home} cannot be used: {error.strerror}", remedy) from error
        return self.home

    @property
    def freshbooks_token_url(self) -> str:
        """Where FreshBooks exchanges codes and refresh tokens."""
        return f"{self.freshbooks_api_url}/auth/oauth/token"

    @property
    def freshbooks_authorize_url(self) -> str:
        """Where a person lets the app into FreshBooks; the trailing slash belongs to it."""
        return f"{self.freshbooks_auth_url}/oauth/authorize/"

    def freshbooks_app_credentials(self) -> AppCredentials:
        """Raises ConfigurationError that names what is not set."""
        return _credentials("FreshBooks", self.freshbooks_client_id, self.freshbooks_client_secret)

    def quickbooks_app_credentials(self) -> AppCredentials:
        """Raises ConfigurationError that names what is not set."""
        return _credentials("QuickBooks", self.quickbooks_client_id, self.quickbooks_client_secret)

    def key_sources(self) -> KeySources:
        """The ways in which the key for the OAuth tokens may be given."""
        return KeySources(self.secret_key, self.secret_key_file, self.secret_key_command, self.credentials_directory)

    def token_key(self) -> bytes:
        """The Fernet key for the OAuth tokens at rest; made under `home` the first time unless one is given."""
        key = secret_key(self.home, self.key_sources().read())
        remember(key.decode())
        return key


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that syncs nothing: the UI's, and the daemon's, which asks the code server for everything."""
    return {name: value for name, value in environ.items() if _BELONGS_TO.get(name, name) not in SECRETS}


@dataclass
class _Reader:
    """Reads variables and remembers what is wrong with them, so that all of it can be said at once."""

    environ: Mapping[str, str]
    wrong: list[str] = field(default_factory=list)

    def text(self, name: str) -> str:
        return self.environ.get(name, "").strip() or _DEFAULTS[name]

    def optional(self, name: str, parse: Callable[[str], str] = str) -> str | None:
        text = self.text(name)
        return self._parsed(name, parse, text, None) if text else None

    def path(self, name: str) -> Path | None:
        text = self.text(name)
        return Path(text).expanduser().absolute() if text else None

    def value(self, name: str, parse: Callable[[str], T], instead: T) -> T:
        return self._parsed(name, parse, self.text(name), instead)

    def url(self, name: str) -> str:
        return self._parsed(name, _http_url, self.text(name), "")

    def redirect(self, name: str) -> str:
        return self._parsed(name, _redirect_uri, self.text(name), "")

    def limit(self, name: str) -> int:
        return self._parsed(name, _positive, self.text(name), 0)

    def _parsed(self, name: str, parse: Callable[[str], T], text: str, instead: T) -> T:
        try:
            return parse(text)
        except WrongValue as wrong:
            self.refuse(name, str(wrong), wrong.remedy)
            return instead

    def refuse(self, name: str, wrong: str, remedy: str) -> None:
        self.wrong.append(f"{name}: {wrong} → {remedy}")

    def finish(self) -> None:
        if self.wrong:
            raise ConfigurationError("\n".join(self.wrong))


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise WrongValue(f"{text[:40]!r} is not a whole number above 0", "write digits only, such as 40, or unset it")
    return int(text)


def _http_url(text: str) -> str:
    """Never quotes the value: an address may hold a password."""
    try:
        parts = urlsplit(text)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, brackets that do not match
        valid = False
    if not valid or any(character.isspace() for character in text):
        raise WrongValue("is not a web address", "write https://HOST, as the default does, or unset it")
    if parts.username is not None or parts.query or parts.fragment:
        raise WrongValue("holds a user name, a query or a fragment", "write https://HOST/PATH alone")
    return text.rstrip("/")


def _redirect_uri(text: str) -> str:
    """As registered, to the last slash: both services compare it character by character."""
    _http_url(text)
    return text


def _postgres_url(text: str) -> str:
    """Names the driver: under SQLAlchemy 2.1 a bare postgresql:// is another one, with which Dagster's storage fails."""
    scheme, separator, rest = text.partition("://")
    try:
        _port = urlsplit(text).port  # reading it checks it
    except ValueError:
        separator = ""
    if not separator or scheme.lower() not in _POSTGRES_SCHEMES:
        raise WrongValue(
            "is not an address of Postgres for psycopg2",
            "write postgresql://HOST:PORT/DATABASE with a user and password before HOST, or unset it",
        )
    return f"postgresql+psycopg2://{rest}"


def _credentials(service: str, client_id: str | None, client_secret: str | None) -> AppCredentials:
    if client_id and client_secret:
        return AppCredentials(client_id, client_secret)
    named = {f"{service.upper()}_CLIENT_ID": client_id, f"{service.upper()}_CLIENT_SECRET": client_secret}
    missing = " and ".join(name for name, value in named.items() if not value)
    raise ConfigurationError(f"{missing} not set", f"set the id and secret of your {service} OAuth app in the environment")
