import base64
import datetime as dt
import logging
import threading
import time
from contextlib import contextmanager
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests

from fb_qbo_pipeline.errors import ConfigurationError, ConnectionRequired, RemoteRefusal, Unreachable
from fb_qbo_pipeline.http import FakeTransport, Reply
from fb_qbo_pipeline.oauth import Authorizer, AuthStyle, MemoryTokenStore, OAuthApp, TokenPair, authorize_url, exchange_code, new_verifier

NOW = dt.datetime(2025, 3, 1, 12, 0, tzinfo=dt.UTC)
FRESHBOOKS = OAuthApp(
    service="freshbooks",
    client_id="fb-id",
    client_secret="fb-secret",
    token_url="https://api.freshbooks.example/auth/oauth/token",
    authorize_url="https://auth.freshbooks.example/oauth/authorize/",
    redirect_uri="https://localhost:8976/callback",
)
QUICKBOOKS = OAuthApp(
    service="quickbooks",
    client_id="qb-id",
    client_secret="qb-secret",
    token_url="https://oauth.intuit.example/oauth2/v1/tokens/bearer",
    authorize_url="https://appcenter.intuit.example/connect/oauth2",
    scope="com.intuit.quickbooks.accounting",
    auth_style=AuthStyle.BASIC,
)
OLD = TokenPair("old-access", "old-refresh", NOW - dt.timedelta(hours=1))
GOOD = TokenPair("good-access", "good-refresh", NOW + dt.timedelta(hours=1))
INVALID_GRANT = Reply(400, {"error": "invalid_grant"})


class RotatingServer:
    """A token endpoint whose refresh tokens work once."""

    def __init__(self, first: str = "old-refresh") -> None:
        self.valid = first
        self.count = 0
        self._lock = threading.Lock()

    def __call__(self, request: requests.PreparedRequest) -> Reply:
        with self._lock:
            form = parse_qs(str(request.body))
            if form["refresh_token"] != [self.valid]:
                return INVALID_GRANT
            self.count += 1
            self.valid = f"refresh-{self.count}"
            return tokens(f"access-{self.count}", self.valid)


def tokens(access: str = "new-access", refresh: str = "new-refresh", **more: object) -> Reply:
    return Reply(200, {"access_token": access, "refresh_token": refresh, "token_type": "Bearer", "expires_in": 3600} | more)


def authorizer(transport, store, app=FRESHBOOKS, slept=None):
    return Authorizer(app, store, session=transport.session(), clock=lambda: NOW, sleep=(slept if slept is not None else []).append)


def form_of(request):
    return dict(parse_qsl(request.body))


def test_a_stored_token_that_is_good_is_used_without_a_request():
    transport = FakeTransport([])
    assert authorizer(transport, MemoryTokenStore(GOOD)).access_token() == "good-access"


def test_a_token_about_to_expire_is_refreshed_and_saved_before_it_is_used():
    store = MemoryTokenStore(TokenPair("old-access", "old-refresh", NOW + dt.timedelta(seconds=59)))
    assert authorizer(FakeTransport([tokens()]), store).access_token() == "new-access"
    assert store.pair == TokenPair("new-access", "new-refresh", NOW + dt.timedelta(seconds=3600))


def test_the_token_in_hand_is_used_without_asking_the_store_again():
    class CountingStore(MemoryTokenStore):
        locks = 0

        def locked(self):
            self.locks += 1
            return super().locked()

    store = CountingStore(GOOD)
    source = authorizer(FakeTransport([]), store)
    assert {source.access_token() for _ in range(5)} == {"good-access"}
    assert store.locks == 1


def test_freshbooks_gets_its_credentials_and_redirect_address_as_form_fields():
    transport = FakeTransport([tokens()])
    authorizer(transport, MemoryTokenStore(OLD)).access_token()
    assert form_of(transport.requests[0]) == {
        "grant_type": "refresh_token",
        "refresh_token": "old-refresh",
        "client_id": "fb-id",
        "client_secret": "fb-secret",
        "redirect_uri": "https://localhost:8976/callback",
    }
    assert "Authorization" not in transport.requests[0].headers


def test_quickbooks_gets_its_credentials_as_basic_authorization():
    transport = FakeTransport([tokens()])
    authorizer(transport, MemoryTokenStore(OLD), QUICKBOOKS).access_token()
    assert form_of(transport.requests[0]) == {"grant_type": "refresh_token", "refresh_token": "old-refresh"}
    assert transport.requests[0].headers["Authorization"] == "Basic " + base64.b64encode(b"qb-id:qb-secret").decode()


@pytest.mark.parametrize(
    ("more", "expires_at"),
    [
        ({"created_at": int(NOW.timestamp()) - 600}, NOW + dt.timedelta(seconds=3000)),
        ({"created_at": int(NOW.timestamp()) + 600}, NOW + dt.timedelta(seconds=3600)),
        ({"created_at": None}, NOW + dt.timedelta(seconds=3600)),
        ({"created_at": "soon"}, NOW + dt.timedelta(seconds=3600)),
        ({}, NOW + dt.timedelta(seconds=3600)),
        ({"expires_in": "7200"}, NOW + dt.timedelta(seconds=7200)),
        # of no use: expired on arrival, shorter than the margin, or not said
        ({"created_at": 1627318626}, None),
        ({"expires_in": 30}, None),
        ({"expires_in": None}, None),
    ],
)
def test_the_expiry_counts_from_the_tokens_making_where_the_service_tells_it(more, expires_at):
    store = MemoryTokenStore(OLD)
    authorizer(FakeTransport([tokens(**more)]), store).access_token()
    assert store.pair is not None
    assert store.pair.access_expires_at == expires_at


def test_a_token_of_unknown_expiry_is_used_until_it_is_rejected():
    transport = FakeTransport([tokens(expires_in=30), tokens("newer-access", "newer-refresh")])
    source = authorizer(transport, MemoryTokenStore(OLD))
    assert [source.access_token(), source.access_token()] == ["new-access", "new-access"]
    assert source.renew("new-access") == "newer-access"


def test_an_answer_without_a_refresh_token_keeps_the_one_in_use():
    store = MemoryTokenStore(OLD)
    authorizer(FakeTransport([Reply(200, {"access_token": "new-access", "expires_in": 3600})]), store).access_token()
    assert store.pair is not None
    assert store.pair.refresh_token == "old-refresh"


def test_a_refresh_token_that_was_taken_over_is_enough_to_begin():
    store = MemoryTokenStore(TokenPair("", "old-refresh"))
    assert authorizer(FakeTransport([tokens()]), store).access_token() == "new-access"


def test_an_account_that_was_never_connected_asks_for_a_person():
    with pytest.raises(ConnectionRequired, match="fb-qbo connect freshbooks"):
        authorizer(FakeTransport([]), MemoryTokenStore()).access_token()


def test_many_threads_refresh_once_and_all_get_the_new_token():
    server = RotatingServer()
    transport = FakeTransport(lambda request: (time.sleep(0.02), server(request))[1])
    source = authorizer(transport, MemoryTokenStore(OLD))
    got: list[str] = []
    threads = [threading.Thread(target=lambda: got.append(source.access_token())) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == ["access-1"] * 12
    assert len(transport.requests) == 1


def test_processes_that_share_a_store_refresh_once():
    server = RotatingServer()
    store = MemoryTokenStore(OLD)
    transport = FakeTransport(server)
    sources = [authorizer(transport, store) for _ in range(8)]  # one authorizer a process
    got: list[str] = []
    threads = [threading.Thread(target=lambda source=source: got.append(source.access_token())) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == ["access-1"] * 8
    assert server.count == 1


def test_rotation_is_followed_from_refresh_to_refresh():
    server = RotatingServer()
    store = MemoryTokenStore(OLD)
    source = authorizer(FakeTransport(server), store)
    access = source.access_token()
    for number in range(2, 5):
        access = source.renew(access)
        assert access == f"access-{number}"
    assert store.pair is not None
    assert store.pair.refresh_token == server.valid


def test_a_rejected_token_is_replaced_by_the_stored_one_where_another_process_has_refreshed():
    store = MemoryTokenStore(TokenPair("rejected", "r1", NOW + dt.timedelta(hours=1)))
    source = authorizer(FakeTransport([]), store)
    assert source.access_token() == "rejected"
    store.save(GOOD)
    assert source.renew("rejected") == "good-access"


def test_two_threads_with_the_same_rejected_token_refresh_once():
    server = RotatingServer("good-refresh")
    source = authorizer(FakeTransport(server), MemoryTokenStore(GOOD))
    rejected = source.access_token()
    assert source.renew(rejected) == source.renew(rejected) == "access-1"
    assert server.count == 1


class UnlockedStore(MemoryTokenStore):
    """A store in which somebody else writes between two locks."""

    def __init__(self, pair: TokenPair, later: TokenPair) -> None:
        super().__init__(pair)
        self._later = later

    @contextmanager
    def locked(self):
        with super().locked() as held:
            yield held
        if self._later is not None:
            self.pair, self._later = self._later, None


def test_a_refused_refresh_token_is_read_again_from_the_store_before_giving_up():
    transport = FakeTransport([INVALID_GRANT])
    assert authorizer(transport, UnlockedStore(OLD, GOOD)).access_token() == "good-access"


def test_a_newer_refresh_token_found_after_a_refusal_is_tried():
    transport = FakeTransport([INVALID_GRANT, tokens()])
    later = TokenPair("expired", "newer-refresh", NOW - dt.timedelta(minutes=1))
    assert authorizer(transport, UnlockedStore(OLD, later)).access_token() == "new-access"
    assert form_of(transport.requests[1])["refresh_token"] == "newer-refresh"


def test_a_refused_refresh_token_is_sent_once_and_then_a_person_is_asked():
    transport = FakeTransport([INVALID_GRANT])
    with pytest.raises(ConnectionRequired, match="fb-qbo connect quickbooks") as caught:
        authorizer(transport, MemoryTokenStore(OLD), QUICKBOOKS).access_token()
    assert "old-refresh" not in str(caught.value)
    assert len(transport.requests) == 1


def test_a_refresh_whose_answer_was_lost_is_repeated_and_then_explained():
    transport = FakeTransport([requests.ReadTimeout(), INVALID_GRANT])
    with pytest.raises(ConnectionRequired, match="answer to a refresh was lost"):
        authorizer(transport, MemoryTokenStore(OLD)).access_token()


@pytest.mark.parametrize(
    "failure",
    [
        requests.ConnectTimeout(),
        requests.ConnectionError(),
        requests.exceptions.ChunkedEncodingError(),
        Reply(503, "<html>busy</html>"),
        Reply(429, ""),
        Reply(200, '{"access_tok'),
        Reply(200, {"unexpected": True}),
    ],
)
def test_outages_of_the_token_endpoint_are_waited_out(failure):
    slept: list[float] = []
    assert authorizer(FakeTransport([failure, failure, tokens()]), MemoryTokenStore(OLD), slept=slept).access_token() == "new-access"
    assert len(slept) == 2
    assert slept[0] < slept[1]


def test_the_token_endpoints_retry_after_is_kept():
    slept: list[float] = []
    authorizer(FakeTransport([Reply(429, "", {"Retry-After": "7"}), tokens()]), MemoryTokenStore(OLD), slept=slept).access_token()
    assert slept == [7.0]


def test_a_lasting_outage_names_the_host_and_keeps_the_stored_tokens():
    store = MemoryTokenStore(OLD)
    with pytest.raises(Unreachable, match=r"api\.freshbooks\.example: no answer in time"):
        authorizer(FakeTransport(lambda _request: requests.ReadTimeout()), store).access_token()
    assert store.pair == OLD


@pytest.mark.parametrize("reply", [Reply(401, {"error": "invalid_client"}), Reply(400, {"error": "unauthorized_client"}), Reply(401, "")])
def test_a_wrong_client_secret_names_the_two_environment_variables(reply):
    with pytest.raises(ConfigurationError, match="QUICKBOOKS_CLIENT_ID and QUICKBOOKS_CLIENT_SECRET"):
        authorizer(FakeTransport([reply]), MemoryTokenStore(OLD), QUICKBOOKS).access_token()


def test_another_refusal_is_quoted_without_secrets():
    reply = Reply(400, {"error": "invalid_request", "error_description": "bad refresh_token=old-refresh here"})
    with pytest.raises(RemoteRefusal, match="invalid_request") as caught:
        authorizer(FakeTransport([reply]), MemoryTokenStore(OLD)).access_token()
    assert "old-refresh" not in str(caught.value)


def test_tokens_that_the_store_could_not_take_are_saved_at_the_next_chance():
    class FailingOnce(MemoryTokenStore):
        failures = 1

        def save(self, pair: TokenPair) -> None:
            if self.failures:
                self.failures -= 1
                raise OSError("the database is away")
            super().save(pair)

    store = FailingOnce(OLD)
    source = authorizer(FakeTransport(RotatingServer()), store)
    with pytest.raises(OSError, match="database is away"):
        source.access_token()
    assert source.access_token() == "access-1"
    assert store.pair is not None
    assert store.pair.refresh_token == "refresh-1"


def test_no_secret_shows_in_the_representation_of_apps_and_tokens(caplog):
    caplog.set_level(logging.DEBUG)
    authorizer(FakeTransport([Reply(503, ""), tokens()]), MemoryTokenStore(OLD)).access_token()
    shown = repr(OLD) + str(OLD) + repr(FRESHBOOKS) + caplog.text
    assert not [secret for secret in ("old-access", "old-refresh", "new-access", "new-refresh", "fb-secret") if secret in shown]


def test_the_authorize_address_holds_what_the_service_needs():
    parts = urlsplit(authorize_url(QUICKBOOKS, "state-1", "http://localhost:8976/callback"))
    assert dict(parse_qsl(parts.query)) == {
        "client_id": "qb-id",
        "response_type": "code",
        "redirect_uri": "http://localhost:8976/callback",
        "state": "state-1",
        "scope": "com.intuit.quickbooks.accounting",
    }


def test_a_scope_of_several_words_is_separated_by_encoded_blanks():
    app = OAuthApp("freshbooks", "id", "secret", "https://t/", "https://a/", scope="user:invoices:read user:payments:read")
    assert "scope=user%3Ainvoices%3Aread%20user%3Apayments%3Aread" in authorize_url(app, "s", "https://localhost/callback")


def test_a_code_is_exchanged_with_the_redirect_address_that_was_used():
    transport = FakeTransport([tokens()])
    pair = exchange_code(FRESHBOOKS, "code-1", "https://localhost:1/other", session=transport.session(), clock=lambda: NOW)
    assert (pair.access_token, pair.refresh_token) == ("new-access", "new-refresh")
    assert form_of(transport.requests[0])["redirect_uri"] == "https://localhost:1/other"


def test_a_code_is_sent_once_only_even_when_the_answer_is_lost():
    transport = FakeTransport([requests.ReadTimeout()])
    with pytest.raises(Unreachable):
        exchange_code(QUICKBOOKS, "code-1", "http://localhost/callback", session=transport.session(), clock=lambda: NOW)
    assert len(transport.requests) == 1


def test_an_expired_code_asks_to_connect_again():
    with pytest.raises(ConnectionRequired, match="expired or was used already"):
        exchange_code(QUICKBOOKS, "code-1", "http://localhost/callback", session=FakeTransport([INVALID_GRANT]).session())


def test_only_who_asked_for_a_code_can_redeem_it():
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, appendix B
    query = dict(parse_qsl(urlsplit(authorize_url(QUICKBOOKS, "s", "http://localhost/callback", verifier)).query))
    assert query["code_challenge"] == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert query["code_challenge_method"] == "S256"
    assert verifier not in query.values()
    transport = FakeTransport([tokens()])
    exchange_code(QUICKBOOKS, "code-1", "http://localhost/callback", verifier=verifier, session=transport.session())
    assert form_of(transport.requests[0])["code_verifier"] == verifier
    assert new_verifier() != new_verifier()
    assert 43 <= len(new_verifier()) <= 128


def test_a_service_that_refuses_the_verifier_is_told_with_the_way_around_it():
    refused = Reply(400, '{"error": "invalid_request", "error_description": "unknown parameter code_verifier"}')
    with pytest.raises(RemoteRefusal) as caught:
        exchange_code(QUICKBOOKS, "c", "http://localhost/", verifier=new_verifier(), session=FakeTransport([refused]).session())
    assert "fb-qbo connect quickbooks --no-pkce" in caught.value.remedy
    with pytest.raises(RemoteRefusal) as caught:
        exchange_code(QUICKBOOKS, "c", "http://localhost/", session=FakeTransport([refused]).session())
    assert "--no-pkce" not in caught.value.remedy
