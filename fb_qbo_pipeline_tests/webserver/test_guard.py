"""The real webserver, asked by its own pages, by tools, and by pages that have no business there."""

import http.client
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from fb_qbo_pipeline.cli.services import HOST, free_port
from fb_qbo_pipeline.webserver.guard import Allowed, Authority
from fb_qbo_pipeline_tests.automation.services import LOCATION, Services, wait_until

UI = "https://books.example"
OTHER_HOSTS = ["books.example:PORT", "books.example.", "a,localhost:PORT", "localhost.evil.example:PORT"]
OTHER_KINDS = ["application/graphql", "application/jsonp"]
VERSION = "{ version }"
SHUTDOWN = f'mutation {{ shutdownRepositoryLocation(repositoryLocationName: "{LOCATION}") {{ __typename }} }}'
RELOAD = f'mutation {{ reloadRepositoryLocation(repositoryLocationName: "{LOCATION}") {{ __typename }} }}'
JSON_HEADER = {"Content_Type": "application/json"}
MODULE = "fb_qbo_pipeline.webserver"


class Answer(NamedTuple):
    status: int
    text: str
    headers: dict[str, str]

    @property
    def data(self) -> Any:
        return json.loads(self.text)["data"]


class Webserver:
    """The webserver's process and its code server's."""

    def __init__(self, services: Services, port: int) -> None:
        self.services, self.port = services, port
        self.own = f"http://{HOST}:{port}"

    def ask(self, method: str, path: str, body: str | None = None, /, *, host: str | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", f"{HOST}:{self.port}" if host is None else host.replace("PORT", str(self.port)))
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value.replace("PORT", str(self.port)))
            content = (body or "").encode()
            if method == "POST":
                connection.putheader("Content-Length", str(len(content)))
            connection.endheaders(content)
            response = connection.getresponse()
            return Answer(response.status, response.read().decode(errors="replace"), dict(response.getheaders()))
        finally:
            connection.close()

    def order(self, query: str, **options: str) -> Answer:
        """A POST of JSON, as the UI sends it."""
        return self.ask("POST", "/graphql", json.dumps({"query": query}), **{"Content_Type": "application/json", **options})

    def location_is_loaded(self) -> bool:
        query = "{ locationStatusesOrError { ... on WorkspaceLocationStatusEntries { entries { name loadStatus } } } }"
        return bool(self.order(query).data["locationStatusesOrError"]["entries"]) and self.services_answer()

    def services_answer(self) -> bool:
        return all(process.poll() is None for process in self.services._running)


@pytest.fixture(scope="module")
def webserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Webserver]:
    """A webserver with a code server that knows no company: about ten seconds."""
    home = tmp_path_factory.mktemp("webserver")
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("FB_QBO_CONFIG", raising=False)
        environment.setenv("FB_QBO_HOME", str(home))
        environment.setenv("FB_QBO_UI_URL", UI)
        environment.chdir(home)
        services, port = Services(home), free_port()
        environment.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        services.start_code_server()
        services.start("webserver", MODULE, "-w", str(services.workspace), "-h", HOST, "-p", str(port))
        webserver = Webserver(services, port)
        try:
            wait_until(lambda: answers(webserver), 90, services.logs)
            yield webserver
        finally:
            services.stop()


def answers(webserver: Webserver) -> bool:
    try:
        return webserver.ask("GET", "/server_info").status == 200 and webserver.location_is_loaded()
    except OSError:
        return False


@pytest.mark.parametrize(
    "headers",
    [
        {},  # a tool
        {"host": "localhost:PORT", "Origin": "http://localhost:PORT"},
        {"host": "localhost:PORT", "Origin": "http://127.0.0.1:PORT", "Sec_Fetch_Site": "same-origin"},
        {"host": "[::1]:PORT"},
        {"host": "books.example", "Origin": UI},
        {"host": "BOOKS.example:443", "Origin": UI},
    ],
)
def test_the_ui_under_its_own_names_and_a_tool_are_answered(webserver: Webserver, headers: dict[str, str]) -> None:
    answer = webserver.order(VERSION, **headers)
    assert answer.status == 200
    assert "version" in answer.data
    page = webserver.ask("GET", "/", **{**headers, "Accept": "text/html"})
    assert page.status == 200
    assert page.headers["x-frame-options"] == "SAMEORIGIN"


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:PORT",
        "localhost",
        "localhost:1",
        "127.0.0.1.evil.example:PORT",
        "0.0.0.0:PORT",
        "localhost:PORT@x",
        *OTHER_HOSTS,
    ],
)
@pytest.mark.parametrize("path", ["/", "/server_info", "/graphql?query={version}", "/logs/a/b/compute_logs/x.out", "/download_debug/1"])
def test_a_name_that_somebody_else_has_pointed_here_gets_no_answer(webserver: Webserver, host: str, path: str) -> None:
    assert webserver.ask("GET", path, host=host).status in {400, 403}


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1", "http://books.example", f"{UI}.evil.example", ""])
@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_a_page_from_elsewhere_cannot_give_orders(webserver: Webserver, origin: str, kind: str) -> None:
    for path in ("/graphql", "/report_asset_materialization/a"):
        answer = webserver.ask("POST", path, json.dumps({"query": VERSION}), Origin=origin, Content_Type=kind)
        assert answer.status == 403, path
    assert webserver.ask("GET", "/graphql?query={version}", Origin=origin).status == 403
    assert webserver.ask("OPTIONS", "/graphql", Origin=origin).status == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_foreign_page_cannot_embed_an_answer_but_a_link_to_the_ui_works(webserver: Webserver, site: str) -> None:
    assert webserver.ask("GET", "/graphql?query={version}", Sec_Fetch_Site=site, Sec_Fetch_Mode="no-cors").status == 403
    assert webserver.ask("GET", "/assets/acme", Sec_Fetch_Site=site, Sec_Fetch_Mode="navigate", Accept="text/html").status == 200


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "text/plain; a=application/json",
        *OTHER_KINDS,
    ],
)
def test_an_order_that_any_page_could_send_unasked_is_not_carried_out(webserver: Webserver, kind: str) -> None:
    for path in ("/graphql", "/graphql?" + urlencode({"query": RELOAD})):
        assert webserver.ask("POST", path, json.dumps({"query": RELOAD}), Content_Type=kind).status == 415


@pytest.mark.parametrize("query", [RELOAD, SHUTDOWN, f"query a {VERSION} {RELOAD.replace('mutation', 'mutation b')}", "subscription { x }"])
def test_no_address_changes_anything(webserver: Webserver, query: str) -> None:
    answer = webserver.ask("GET", "/graphql?" + urlencode({"query": query}))
    assert (answer.status, answer.text) == (405, "what changes something is sent by POST\n")


def test_an_address_may_still_ask(webserver: Webserver) -> None:
    assert webserver.ask("GET", "/graphql?" + urlencode({"query": VERSION})).status == 200
    assert webserver.ask("GET", "/graphql?query=" + "%7B" * 3).status == 400
    assert webserver.ask("GET", "/graphql", Accept="text/html").status == 200


@pytest.mark.parametrize(
    "shutdown",
    [
        SHUTDOWN,
        SHUTDOWN.replace("{ shut", "{ reloadWorkspace: shut"),
        f"fragment f on Mutation {{ x: {SHUTDOWN[11:-2]} }} mutation {{ ...f }}",
        SHUTDOWN.replace("{ shut", "{ ... on Mutation { shut") + "}",
    ],
)
@pytest.mark.parametrize("write", [json.dumps, lambda order: json.dumps(order).replace("shut", "\\u0073hut")])
def test_the_code_location_cannot_be_shut_down(webserver: Webserver, shutdown: str, write: Callable[[Any], str]) -> None:
    for path in ("/graphql", "/%67raphql"):
        answer = webserver.ask("POST", path, write({"query": shutdown}), **JSON_HEADER)
        assert (answer.status, "cannot be shut down" in answer.text) == (403, True)
    assert webserver.location_is_loaded()


def test_the_code_location_can_be_reloaded_and_named(webserver: Webserver) -> None:
    assert webserver.order(RELOAD).data["reloadRepositoryLocation"]["__typename"] == "WorkspaceLocationEntry"
    assert webserver.order('{ version } # shutdownRepositoryLocation, "shutdownRepositoryLocation"').status == 200


@pytest.mark.parametrize(
    "body", ["", "[]", "null", "{}", '{"query": 1}', "[" * 100_000, '{"query": "{ ' + "a{" * 20_000 + ' shutdownRepositoryLocation"}']
)
def test_what_is_no_order_is_told_so(webserver: Webserver, body: str) -> None:
    assert webserver.ask("POST", "/graphql", body, **JSON_HEADER).status == 400


def test_an_order_without_end_is_refused(webserver: Webserver) -> None:
    assert webserver.ask("POST", "/graphql", " " * (11 * 1024 * 1024), **JSON_HEADER).status == 413


def test_only_the_uis_own_pages_and_tools_open_a_websocket(webserver: Webserver) -> None:
    def opened(host: str, origin: str | None) -> bool:
        address = f"ws://{host}:{webserver.port}/graphql"
        try:
            with connect(address, origin=origin, subprotocols=["graphql-ws"], open_timeout=20, proxy=None) as socket:  # type: ignore[arg-type,list-item]
                socket.send(json.dumps({"type": "connection_init"}))
                return bool(json.loads(socket.recv(20))["type"] == "connection_ack")
        except InvalidStatus as refused:
            return refused.response.status_code != 403

    assert opened("127.0.0.1", None)
    assert opened("localhost", f"http://localhost:{webserver.port}")
    assert opened("127.0.0.1", UI)
    assert not opened("127.0.0.1", "https://evil.example")
    assert not opened("127.0.0.1", "null")
    assert not opened("localhost", "http://localhost:1")


def test_a_websocket_carries_no_mutation(webserver: Webserver) -> None:
    with connect(f"ws://127.0.0.1:{webserver.port}/graphql", subprotocols=["graphql-ws"], proxy=None) as socket:  # type: ignore[list-item]
        socket.send(json.dumps({"type": "start", "id": "1", "payload": {"query": SHUTDOWN}}))
        answer = json.loads(socket.recv(20))
    assert answer["type"] in {"error", "data"}
    assert "shutdownRepositoryLocation" in json.dumps(answer)
    assert webserver.location_is_loaded()


@pytest.mark.parametrize(
    ("bound", "host", "port", "allowed"),
    [
        ("192.168.1.5", "192.168.1.5:3000", 3000, True),
        ("192.168.1.5", "192.168.1.6:3000", 3000, False),
        ("books.lan", "BOOKS.lan:3000", 3000, True),
        ("0.0.0.0", "0.0.0.0:3000", 3000, False),
        ("0.0.0.0", "localhost:3000", 3000, True),
        ("::", "[::1]:3000", 3000, True),
        ("::", "[::]:3000", 3000, False),
        ("127.0.0.1", "127.0.0.1", 80, True),
        ("127.0.0.1", "127.0.0.1", 3000, False),
        ("127.0.0.1", "127.8.8.8:3000", 3000, True),
    ],
)
def test_the_address_that_is_listened_on_names_the_ui_unless_it_is_every_one(bound: str, host: str, port: int, allowed: bool) -> None:
    assert Allowed(bound, None).host(host, port) is allowed
    assert Allowed(bound, None).origin(f"http://{host}", port) is allowed
    assert not Allowed(bound, None).origin(f"https://{host}", port)


@pytest.mark.parametrize("text", ["", "a b", "a,b", "u@h", "h/p", "h?q", "h#f", "h:x", "h:70000", "[::1", "h\\i", ":80"])
def test_what_is_no_host_is_none(text: str) -> None:
    assert Authority.parse(text) is None
