"""Connecting both sides, in the browser and with a refresh token, against the sandboxes."""

import dataclasses
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from fb_qbo_pipeline.cli.connect import command, connect, keep_tokens
from fb_qbo_pipeline.errors import ConfigurationError, ConnectionRequired, PipelineError, RemoteRefusal, Unreachable
from fb_qbo_pipeline.ledger.tables import token
from fb_qbo_pipeline.oauth import MemoryTokenStore, TokenPair
from fb_qbo_pipeline.pipeline.runtime import SERVICES, token_store
from fb_qbo_pipeline.sandbox.server import CLIENT_SECRET, REFRESH_TOKEN
from fb_qbo_pipeline_tests.cli.command_line import CommandLine
from fb_qbo_pipeline_tests.cli.test_browser import free_port
from fb_qbo_pipeline_tests.pipeline.world import Sandboxes, World

NAMES = {"freshbooks": "Sandbox Company (account ABC123)", "quickbooks": "Maple Sandbox Ltd. (company 9341452000000000)"}
OLD, NEW = TokenPair("", "old"), TokenPair("", "new")


def stored(world: World, service: str) -> TokenPair | None:
    with token_store(world.engine, world.environment, world.integration, service).locked() as tokens:
        return tokens.pair


def forget(world: World) -> None:
    """As if nothing had ever been connected."""
    with world.engine.begin() as connection:
        connection.execute(token.delete())


@pytest.mark.parametrize("service", SERVICES)
def test_a_refresh_token_is_taken_over_and_proved_at_once(service: str, present_world: World, fb_qbo: CommandLine) -> None:
    forget(present_world)
    result = fb_qbo("connect", service, "--refresh-token", REFRESH_TOKEN)
    assert result.status == 0
    assert NAMES[service] in result.out
    pair = stored(present_world, service)
    assert pair is not None
    assert pair.access_token
    assert pair.refresh_token not in {"", REFRESH_TOKEN}  # it rotates, and the new one is what is kept


@pytest.mark.parametrize("service", SERVICES)
def test_no_secret_is_printed_or_logged(service: str, present_world: World, fb_qbo: CommandLine, tmp_path: Path) -> None:
    forget(present_world)
    result = fb_qbo("connect", service, "--refresh-token", REFRESH_TOKEN, "--verbose")
    pair = stored(present_world, service)
    assert pair is not None
    written = result.out + result.err + (tmp_path / "logs" / "fb-qbo.log").read_text()
    for secret in (REFRESH_TOKEN, CLIENT_SECRET, pair.access_token, pair.refresh_token):
        assert secret not in written


@pytest.mark.parametrize("service", SERVICES)
def test_a_dead_refresh_token_does_not_cost_the_connection(service: str, present_world: World, fb_qbo: CommandLine) -> None:
    before = stored(present_world, service)
    result = fb_qbo("connect", service, "--refresh-token", "long-used")
    assert result.status == 1
    assert result.out == ""
    assert "does not accept this refresh token" in result.err
    assert f"fb-qbo connect {service}" in result.err
    assert "long-used" not in result.err
    assert stored(present_world, service) == before
    with present_world.runtime() as runtime:
        assert runtime.reader.system()["name"]


def test_a_refresh_token_may_come_on_standard_input(present_world: World, fb_qbo: CommandLine) -> None:
    forget(present_world)
    result = CliRunner().invoke(command, ["quickbooks", "--refresh-token", "-"], input=f"{REFRESH_TOKEN}\n")
    assert NAMES["quickbooks"] in result.stdout
    assert stored(present_world, "quickbooks") is not None


def test_the_realm_id_has_to_be_the_integration_s(present_world: World, fb_qbo: CommandLine) -> None:
    before = stored(present_world, "quickbooks")
    wrong = fb_qbo("connect", "quickbooks", "--refresh-token", REFRESH_TOKEN, "--realm-id", "123")
    assert wrong.status == 2
    assert "quickbooks.realm_id" in wrong.err
    assert stored(present_world, "quickbooks") == before  # the token was not even used
    realm = present_world.integration.quickbooks.realm_id
    assert fb_qbo("connect", "quickbooks", "--refresh-token", REFRESH_TOKEN, "--realm-id", realm).status == 0


def test_a_folder_of_several_integrations_needs_a_choice(present_world: World, fb_qbo: CommandLine) -> None:
    forget(present_world)
    other = fb_qbo.write("other.yaml", name="other", quickbooks={"realm_id": "77"})
    ambiguous = fb_qbo("connect", "freshbooks", "--refresh-token", REFRESH_TOKEN, "--config", str(other.parent))
    assert ambiguous.status == 2
    assert "acme, other" in ambiguous.err
    assert "--config FILE" in ambiguous.err
    chosen = fb_qbo("connect", "freshbooks", "--refresh-token", REFRESH_TOKEN, "--config", str(other))
    assert (chosen.status, "other" in chosen.out) == (0, True)
    assert stored(present_world, "freshbooks") is None


def test_a_service_that_is_none_is_wrong_usage(fb_qbo: CommandLine) -> None:
    assert fb_qbo("connect", "sage").status == 2


def test_missing_app_credentials_are_named(fb_qbo: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FRESHBOOKS_CLIENT_SECRET")
    result = fb_qbo("connect", "freshbooks", "--refresh-token", REFRESH_TOKEN)
    assert (result.status, "FRESHBOOKS_CLIENT_SECRET not set" in result.err) == (2, True)


def test_one_side_can_be_connected_before_the_other_has_an_app(fb_qbo: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QUICKBOOKS_CLIENT_ID")
    assert fb_qbo("connect", "freshbooks", "--refresh-token", REFRESH_TOKEN).status == 0


def test_tokens_that_a_lost_key_has_locked_can_be_replaced(
    present_world: World, fb_qbo: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FB_QBO_SECRET_KEY", "another long text of the tests, which is no secret")
    assert fb_qbo("connect", "freshbooks", "--refresh-token", REFRESH_TOKEN).status == 0
    with pytest.raises(ConfigurationError):
        stored(present_world, "freshbooks")


def test_the_wrong_freshbooks_login_is_told_and_the_former_tokens_come_back(
    present_world: World, fb_qbo: CommandLine, sandboxes: Sandboxes
) -> None:
    before = stored(present_world, "freshbooks")
    fb_qbo.write(freshbooks={"account_id": "XYZ999"})
    result = fb_qbo("connect", "freshbooks", "--refresh-token", _another_refresh_token(sandboxes))
    assert result.status == 2
    assert "knows no account 'XYZ999'" in result.err
    assert "this login has: ABC123" in result.err
    assert stored(present_world, "freshbooks") == before


def test_a_token_for_another_quickbooks_company_is_told_and_the_former_tokens_come_back(present_world: World, fb_qbo: CommandLine) -> None:
    before = stored(present_world, "quickbooks")
    fb_qbo.write(quickbooks={"realm_id": "123"})
    result = fb_qbo("connect", "quickbooks", "--refresh-token", REFRESH_TOKEN)
    assert result.status == 1
    assert "no access to QuickBooks company 123" in result.err
    assert stored(present_world, "quickbooks") == before


@pytest.mark.parametrize("error", [ConfigurationError("other books"), ConnectionRequired("no access")])
def test_tokens_for_other_books_are_not_kept(error: PipelineError) -> None:
    store = MemoryTokenStore(OLD)

    def prove() -> str:
        assert store.pair == NEW
        raise error

    with pytest.raises(type(error)):
        keep_tokens(store, lambda: NEW, prove)
    assert store.pair == OLD


@pytest.mark.parametrize("error", [Unreachable("no answer"), RemoteRefusal("a scope is missing")])
def test_new_tokens_stay_where_only_the_proof_could_not_be_had(error: PipelineError) -> None:
    store = MemoryTokenStore(OLD)

    def prove() -> str:
        raise error

    with pytest.raises(PipelineError, match="the new tokens are stored, but could not be tried"):
        keep_tokens(store, lambda: NEW, prove)
    assert store.pair == NEW


def test_new_tokens_are_stored_before_they_are_proved_also_where_there_were_none() -> None:
    store = MemoryTokenStore()
    assert keep_tokens(store, lambda: NEW, lambda: f"proved with {store.pair == NEW}") == "proved with True"


# In the browser

Sign = Callable[[str], object]


@pytest.fixture
def browser() -> Iterator[Callable[[Callable[[requests.Response], str] | None], Sign]]:
    """Makes an `open_browser`: signs in at the sandbox, which redirects at once, and goes to what `turn` makes of that address."""
    with ThreadPoolExecutor(1) as pool, requests.Session() as session:
        session.trust_env = False

        def follow(address: str, turn: Callable[[requests.Response], str] | None) -> None:
            answer = session.get(address, allow_redirects=False, timeout=5)
            session.get(turn(answer) if turn else answer.headers["Location"], timeout=5)

        yield lambda turn=None: lambda address: pool.submit(follow, address, turn)


def at(world: World, scheme: str = "http") -> World:
    """The world with free redirect addresses on this machine."""
    redirect = f"{scheme}://localhost:{free_port()}/callback"
    world.environment = dataclasses.replace(world.environment, freshbooks_redirect_uri=redirect, quickbooks_redirect_uri=redirect)
    return world


def test_quickbooks_is_connected_in_the_browser(world: World, browser: Callable[..., Sign]) -> None:
    forget(at(world))
    told = connect("quickbooks", world.integration, world.environment, open_browser=browser(), timeout=5)
    assert NAMES["quickbooks"] in told
    assert stored(world, "quickbooks") is not None
    with world.runtime() as runtime:
        assert runtime.quickbooks.company_info()["CompanyName"] == "Maple Sandbox Ltd."


def test_freshbooks_is_connected_when_https_is_changed_to_http_in_the_address_bar(world: World, browser: Callable[..., Sign]) -> None:
    forget(at(world, "https"))
    by_hand = browser(lambda answer: answer.headers["Location"].replace("https://", "http://"))
    assert NAMES["freshbooks"] in connect("freshbooks", world.integration, world.environment, open_browser=by_hand, timeout=5)


def test_freshbooks_is_connected_when_the_address_is_pasted(world: World) -> None:
    forget(at(world, "https"))
    read_end, write_end = os.pipe()

    def sign_in(address: str) -> None:
        with requests.Session() as session:
            session.trust_env = False
            location = session.get(address, allow_redirects=False, timeout=5).headers["Location"]
        os.write(write_end, f"{location}\n".encode())

    told = connect("freshbooks", world.integration, world.environment, open_browser=sign_in, typed=read_end, timeout=5)
    os.close(write_end)
    assert NAMES["freshbooks"] in told
    with world.runtime() as runtime:
        assert runtime.reader.system()["name"] == "Sandbox Company"


def test_the_company_that_was_chosen_in_the_browser_has_to_be_the_integration_s(world: World, browser: Callable[..., Sign]) -> None:
    at(world)
    world.settings["quickbooks"]["realm_id"] = "123"
    with pytest.raises(ConfigurationError, match="but the integration acme is for company 123") as caught:
        connect("quickbooks", world.integration, world.environment, open_browser=browser(), timeout=5)
    assert caught.value.exit_status == 2
    assert stored(world, "quickbooks") == TokenPair("", REFRESH_TOKEN)


def test_a_code_that_is_not_accepted_leaves_the_former_tokens(world: World, browser: Callable[..., Sign]) -> None:
    at(world)
    spoilt = browser(lambda answer: answer.headers["Location"].replace("code=", "code=x"))
    with pytest.raises(ConnectionRequired, match="did not accept the authorization code"):
        connect("quickbooks", world.integration, world.environment, open_browser=spoilt, timeout=5)
    assert stored(world, "quickbooks") == TokenPair("", REFRESH_TOKEN)


@pytest.mark.parametrize(("service", "pkce"), [("freshbooks", True), ("freshbooks", False), ("quickbooks", True), ("quickbooks", False)])
def test_a_service_that_proves_who_redeems_a_code_and_one_that_does_not_are_both_connected(
    service: str, pkce: bool, world: World, browser: Callable[..., Sign]
) -> None:
    """The FreshBooks sandbox compares, the QuickBooks sandbox ignores what it does not know."""
    forget(at(world))
    seen: list[str] = []
    sign_in = browser()

    def watched(address: str) -> None:
        seen.append(address)
        sign_in(address)

    assert NAMES[service] in connect(service, world.integration, world.environment, pkce=pkce, open_browser=watched, timeout=5)
    assert ("code_challenge_method=S256" in seen[0]) is pkce


def test_a_code_that_somebody_else_asked_for_is_not_redeemed(world: World, browser: Callable[..., Sign]) -> None:
    at(world)
    stolen = browser(lambda answer: answer.headers["Location"])
    with pytest.raises(ConnectionRequired, match="did not accept the authorization code"):
        connect(
            "freshbooks",
            world.integration,
            world.environment,
            open_browser=lambda address: stolen(address.replace("code_challenge=", "code_challenge=x")),
            timeout=5,
        )


def _another_refresh_token(sandboxes: Sandboxes) -> str:
    """A second connection of the same login, which leaves the first one's tokens alone."""
    tokens = sandboxes.freshbooks.app.state.tokens  # type: ignore[union-attr]
    redirect = "https://localhost:8461/callback"
    form = {"client_id": tokens.client_id, "client_secret": CLIENT_SECRET, "redirect_uri": redirect, "grant_type": "authorization_code"}
    return str(tokens.grant(form | {"code": tokens.issue_code(redirect)})["refresh_token"])
