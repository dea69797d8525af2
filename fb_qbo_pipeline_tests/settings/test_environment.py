"""Environment variables: defaults, checks, and no secret in any text."""

import stat
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from fb_qbo_pipeline.errors import ConfigurationError
from fb_qbo_pipeline.settings.environment import VARIABLES, Environment


def _message(environ: Mapping[str, str]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        Environment.read(environ)
    assert caught.value.exit_status == 2
    return str(caught.value)


def test_without_variables_everything_has_its_public_default() -> None:
    environment = Environment.read({})
    assert environment.config == Path("integration.yaml")
    assert environment.home == Path.cwd() / ".fb_qbo"
    assert environment.database_url is None
    assert environment.secret_key is None
    assert environment.freshbooks_token_url == "https://api.freshbooks.com/auth/oauth/token"
    assert environment.freshbooks_authorize_url == "https://auth.freshbooks.com/oauth/authorize/"
    assert environment.quickbooks_api_url == "https://quickbooks.api.intuit.com"
    assert environment.quickbooks_token_url == "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"
    assert environment.quickbooks_authorize_url == "https://appcenter.intuit.com/connect/oauth2"
    assert environment.freshbooks_redirect_uri == "https://localhost:8461/callback"  # FreshBooks takes https only
    assert environment.quickbooks_redirect_uri == "http://localhost:8461/callback"
    limits = (environment.quickbooks_requests_per_minute, environment.quickbooks_batches_per_minute, environment.quickbooks_concurrency)
    assert limits == (500, 40, 8)


def test_the_table_has_every_variable_in_the_order_of_the_fields() -> None:
    names = [variable.name.removeprefix("FB_QBO_").lower() for variable in VARIABLES]
    assert names == [field.name for field in fields(Environment)]


def test_the_process_s_own_environment_is_read_where_none_is_given() -> None:
    assert Environment.read().home.is_absolute()


def test_an_empty_variable_counts_as_not_set() -> None:
    environ = {variable.name: "  " for variable in VARIABLES}
    assert Environment.read(environ) == Environment.read({})


def test_home_is_absolute_and_a_tilde_is_the_user_s() -> None:
    assert Environment.read({"FB_QBO_HOME": "state"}).home == Path.cwd() / "state"
    assert Environment.read({"FB_QBO_HOME": "~/state"}).home == Path.home() / "state"


@pytest.mark.parametrize("url", ["http://127.0.0.1:8001", "http://127.0.0.1:8001/", "http://127.0.0.1:8001//"])
def test_an_address_has_no_trailing_slash_and_paths_are_joined_to_it(url: str) -> None:
    environment = Environment.read({"FRESHBOOKS_API_URL": url, "FRESHBOOKS_AUTH_URL": url})
    assert environment.freshbooks_api_url == "http://127.0.0.1:8001"
    assert environment.freshbooks_token_url == "http://127.0.0.1:8001/auth/oauth/token"
    assert environment.freshbooks_authorize_url == "http://127.0.0.1:8001/oauth/authorize/"


def test_an_address_may_have_a_path_of_its_own() -> None:
    assert (
        Environment.read({"FRESHBOOKS_API_URL": "https://proxy.test/fb/"}).freshbooks_token_url == "https://proxy.test/fb/auth/oauth/token"
    )


@pytest.mark.parametrize(
    "url",
    ["api.freshbooks.com", "ftp://host", "https://", "https://host:port", "https://[::1", "file:///x", "https://a b", "https://h:99999"],
)
def test_what_is_no_web_address_is_refused_by_its_variable(url: str) -> None:
    assert _message({"QUICKBOOKS_API_URL": url}).startswith("QUICKBOOKS_API_URL: is not a web address → write https://HOST")


@pytest.mark.parametrize("url", ["https://user:hunter2@host", "https://host/?token=hunter2", "https://host/#hunter2"])
def test_an_address_that_may_hold_a_secret_is_refused_without_showing_it(url: str) -> None:
    message = _message({"QUICKBOOKS_TOKEN_URL": url})
    assert "QUICKBOOKS_TOKEN_URL" in message
    assert "hunter2" not in message


@pytest.mark.parametrize("service", ["FRESHBOOKS", "QUICKBOOKS"])
def test_a_redirect_address_stays_as_registered_to_the_last_slash(service: str) -> None:
    environment = Environment.read({f"{service}_REDIRECT_URI": "https://localhost:9000/callback/"})
    assert getattr(environment, f"{service.lower()}_redirect_uri") == "https://localhost:9000/callback/"
    assert f"{service}_REDIRECT_URI: is not a web address" in _message({f"{service}_REDIRECT_URI": "localhost:9000"})


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_a_database_address_names_its_driver(scheme: str) -> None:
    environment = Environment.read({"FB_QBO_DATABASE_URL": f"{scheme}://me:p%40ss@host:5433/books?sslmode=require"})
    assert environment.database_url == "postgresql+psycopg2://me:p%40ss@host:5433/books?sslmode=require"


@pytest.mark.parametrize(
    "url", ["sqlite:///x.db", "mysql://me:hunter2@host/db", "postgresql+asyncpg://me:hunter2@host/db", "host=x password=hunter2"]
)
def test_another_database_is_refused_without_showing_its_address(url: str) -> None:
    message = _message({"FB_QBO_DATABASE_URL": url})
    assert "write postgresql://" in message
    assert "hunter2" not in message


@pytest.mark.parametrize("limit", ["0", "-1", "1.5", "many", "1e3", "٣"])
def test_a_limit_is_a_whole_number_above_zero(limit: str) -> None:
    assert "QUICKBOOKS_CONCURRENCY" in _message({"QUICKBOOKS_CONCURRENCY": limit})


def test_all_wrong_variables_are_named_at_once() -> None:
    message = _message({"QUICKBOOKS_CONCURRENCY": "x", "FRESHBOOKS_API_URL": "x", "FB_QBO_DATABASE_URL": "x"})
    assert len(message.splitlines()) == 3


def test_credentials_are_needed_only_when_asked_for_and_named_then() -> None:
    environment = Environment.read({"FRESHBOOKS_CLIENT_ID": "id"})
    with pytest.raises(ConfigurationError, match=r"^FRESHBOOKS_CLIENT_SECRET not set"):
        environment.freshbooks_app_credentials()
    with pytest.raises(ConfigurationError, match="QUICKBOOKS_CLIENT_ID and QUICKBOOKS_CLIENT_SECRET not set"):
        environment.quickbooks_app_credentials()


def test_credentials_that_are_set_are_given() -> None:
    environment = Environment.read({"QUICKBOOKS_CLIENT_ID": "id", "QUICKBOOKS_CLIENT_SECRET": "hunter2"})
    credentials = environment.quickbooks_app_credentials()
    assert (credentials.client_id, credentials.client_secret) == ("id", "hunter2")


def test_no_secret_is_in_any_representation() -> None:
    names = ("FB_QBO_SECRET_KEY", "FRESHBOOKS_CLIENT_SECRET", "QUICKBOOKS_CLIENT_SECRET", "FRESHBOOKS_CLIENT_ID", "QUICKBOOKS_CLIENT_ID")
    environ = {name: "hunter2" if "ID" not in name else "id" for name in names}
    environment = Environment.read(environ | {"FB_QBO_DATABASE_URL": "postgresql://me:hunter2@host/db"})
    assert "hunter2" not in f"{environment} {environment.freshbooks_app_credentials()} {environment.quickbooks_app_credentials()}"


def test_the_token_key_is_made_under_home_or_given(tmp_path: Path) -> None:
    made = Environment.read({"FB_QBO_HOME": str(tmp_path)}).token_key()
    assert made == (tmp_path / "secret.key").read_bytes()
    given = Fernet.generate_key()
    assert Environment.read({"FB_QBO_HOME": str(tmp_path), "FB_QBO_SECRET_KEY": given.decode()}).token_key() == given


def test_alerts_are_off_by_default_and_their_secrets_are_not_shown() -> None:
    environment = Environment.read({})
    assert (environment.alert_webhook, environment.alert_email, environment.smtp, environment.ui_url) == (None, (), None, None)
    variables = {
        "FB_QBO_ALERT_WEBHOOK": "https://hooks.example.com/services/T0/abcdef?key=hush",
        "FB_QBO_ALERT_EMAIL": "books@example.com, owner@example.com",
        "FB_QBO_SMTP": "smtp://robot:hush@mail.example.com",
    }
    environment = Environment.read(variables)
    assert environment.alert_webhook == variables["FB_QBO_ALERT_WEBHOOK"]
    assert environment.alert_email == ("books@example.com", "owner@example.com")
    assert "hush" not in repr(environment)
    assert "abcdef" not in repr(environment)


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"FB_QBO_ALERT_WEBHOOK": "hooks.example.com/hush"}, "FB_QBO_ALERT_WEBHOOK: is not a web address"),
        ({"FB_QBO_ALERT_EMAIL": "books@example.com"}, "FB_QBO_ALERT_EMAIL: and FB_QBO_SMTP belong together"),
        ({"FB_QBO_ALERT_EMAIL": "books", "FB_QBO_SMTP": "smtp://mail"}, "FB_QBO_ALERT_EMAIL: is not an e-mail address"),
        ({"FB_QBO_ALERT_EMAIL": "a@b.c", "FB_QBO_SMTP": "mail.example.com:25"}, "FB_QBO_SMTP: is not the address of a mail server"),
        ({"FB_QBO_ALERT_EMAIL": "a@b.c", "FB_QBO_SMTP": "smtp://u:hush@mail:port"}, "FB_QBO_SMTP: is not the address of a mail server"),
        ({"FB_QBO_REPORT_HOUR": "24"}, "FB_QBO_REPORT_HOUR: '24' is not an hour of the day"),
        ({"FB_QBO_ALERT_SILENT_HOURS": "0"}, "FB_QBO_ALERT_SILENT_HOURS"),
    ],
)
def test_a_wrong_variable_of_the_alerts_is_named_without_its_value(variables: Mapping[str, str], named: str) -> None:
    message = _message(variables)
    assert named in message
    assert "hush" not in message


def test_a_home_that_is_made_is_closed_to_others(tmp_path: Path) -> None:
    home = Environment.read({"FB_QBO_HOME": str(tmp_path / "above" / "home")}).made_home()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
