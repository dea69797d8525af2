"""What stands before Dagster's webserver, which asks nobody who he is: only the UI's own pages, and tools, reach it.

A browser sends requests for any page that is open in it. Such a page is told by its Origin, and one that has pointed a name of
its own at this machine (DNS rebinding) by the Host it asks for. So both are compared with a list: this machine's loopback names
and the address that is listened on, with the port that is served, and FB_QBO_UI_URL. Requests that a foreign page can send
without asking (a form, text/plain, a link) change nothing: orders come as a POST of JSON. And the code location can be
reloaded from here, but not shut down: nothing would start it again.
"""

import ipaddress
import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from graphql import DocumentNode, FieldNode, GraphQLError, OperationDefinitionNode, OperationType, Visitor, parse, visit
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 10 * 1024 * 1024  # bytes of an order; the UI's largest, the launch of a backfill by days, is some 100 KiB
LARGEST_QUERY = 100_000  # characters of a query in an address
REFUSED_FIELDS = frozenset({"shutdownRepositoryLocation"})
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared, not bound
_UNKNOWN = "set FB_QBO_UI_URL to the address at which people open the UI"


class Refusal(NamedTuple):
    """Why a request is not passed on."""

    status: int
    reason: str


class Authority(NamedTuple):
    """A host and its port, as in `Host: localhost:3000`."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str, scheme: str = "http") -> "Authority | None":
        """None where that is none, or more than one."""
        try:
            parts = urlsplit(f"//{text}")
            if parts.netloc != text or parts.username is not None or not parts.hostname or any(character in text for character in " ,\\"):
                return None
            return cls(parts.hostname, parts.port or _DEFAULT_PORTS.get(scheme, 80))
        except ValueError:
            return None

    @property
    def is_loopback(self) -> bool:
        """Whether it is a name or address of this machine itself that no name server can give away."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


class Allowed:
    """The addresses at which the UI is opened. `bound`: the host that is listened on."""

    def __init__(self, bound: str, ui_url: str | None) -> None:
        self._bound = bound.strip("[]").lower()
        parts = urlsplit(ui_url or "")
        self._ui_scheme = parts.scheme
        self._ui = Authority.parse(parts.netloc, parts.scheme) if parts.netloc else None

    def host(self, text: str, port: int) -> bool:
        """Whether `Host: text` may be asked for on `port`. Behind a proxy that ends TLS the scheme cannot be seen."""
        asked = Authority.parse(text)
        if asked is None:
            return False
        return self._ours(asked, port) or (self._ui is not None and Authority.parse(text, self._ui_scheme) == self._ui)

    def origin(self, text: str, port: int) -> bool:
        """Whether the page at `Origin: text` is the UI."""
        scheme, separator, rest = text.partition("://")
        asked = Authority.parse(rest, scheme) if separator and scheme in {"http", "https"} else None
        if asked is None:
            return False
        return (scheme == "http" and self._ours(asked, port)) or (scheme == self._ui_scheme and asked == self._ui)

    def _ours(self, asked: Authority, port: int) -> bool:
        by_name = self._bound not in _EVERYWHERE and asked.host == self._bound
        return asked.port == port and (asked.is_loopback or by_name)


class Guard:
    """An ASGI application that passes on to `app` what may reach it."""

    def __init__(self, app: ASGIApp, *, bound: str, ui_url: str | None) -> None:
        self._app = app
        self._allowed = Allowed(bound, ui_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or websocket."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        refusal = self._stranger(scope)
        if refusal is None and scope["type"] == "http":
            refusal, receive = await _order(scope, receive)
        if refusal is None:
            await self._app(scope, receive, _framed_by_itself_only(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # before it is accepted: the handshake is answered with 403
        else:
            await PlainTextResponse(f"{refusal.reason}\n", refusal.status, {"Connection": "close"})(scope, receive, send)

    def _stranger(self, scope: Scope) -> Refusal | None:
        """Why this request comes from elsewhere, by Host, Origin and what browsers say of themselves."""
        headers = _Headers(scope["headers"])
        port = (scope.get("server") or ("", 0))[1]
        hosts, origins = headers.all("host"), headers.all("origin")
        if len(hosts) != 1 or not self._allowed.host(hosts[0], port):
            return Refusal(403, f"this UI is not known by that name: {_UNKNOWN}")
        if len(origins) > 1 or (origins and not self._allowed.origin(origins[0], port)):
            return Refusal(403, f"a page from elsewhere may not use this UI: {_UNKNOWN}")
        site, mode = headers.one("sec-fetch-site"), headers.one("sec-fetch-mode")
        opened = scope.get("method") == "GET" and mode == "navigate"  # a link that a person followed
        if site in {"cross-site", "same-site"} and not opened and not origins:
            return Refusal(403, f"a page from elsewhere may not use this UI: {_UNKNOWN}")
        return None


class _Headers:
    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        self._raw = list(raw)

    def all(self, name: str) -> list[str]:
        return [value.decode("latin-1") for key, value in self._raw if key.decode("latin-1").lower() == name]

    def one(self, name: str) -> str:
        return ", ".join(self.all(name))


async def _order(scope: Scope, receive: Receive) -> tuple[Refusal | None, Receive]:
    """Whether a request may do what it asks for; and how its body, which was read for that, is received again."""
    method, graphql = scope["method"], scope["path"].rstrip("/").endswith("/graphql")
    if method in {"GET", "HEAD"}:
        return (_query_in_address(scope) if graphql else None), receive
    if method != "POST":
        return Refusal(405, "only GET and POST are answered here"), receive
    media_type = _Headers(scope["headers"]).one("content-type").partition(";")[0].strip().lower()
    if media_type != "application/json":
        return Refusal(415, "orders are sent as application/json"), receive
    if not graphql:
        return None, receive
    body = await _body(receive)
    if body is None:
        return Refusal(413, f"an order has at most {LARGEST_BODY} bytes"), receive
    return _json_order(body), _again(body, receive)


def _query_in_address(scope: Scope) -> Refusal | None:
    """A query in an address may read, and nothing else."""
    values: Mapping[str, list[str]] = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    for text in values.get("query", []):
        document = _parsed(text) if len(text) <= LARGEST_QUERY else None
        if document is None:
            return Refusal(400, "that is no GraphQL query")
        operations = [node.operation for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        if any(operation is not OperationType.QUERY for operation in operations):
            return Refusal(405, "what changes something is sent by POST")
    return None


def _json_order(body: bytes) -> Refusal | None:
    """What is no JSON is left to Dagster, which says so."""
    try:
        order = json.loads(body)
    except (ValueError, RecursionError):
        return Refusal(400, "that is no JSON")
    text = order.get("query") if isinstance(order, dict) else None
    if not isinstance(text, str):
        return Refusal(400, "that is no GraphQL query")
    if not any(name in text for name in REFUSED_FIELDS):
        return None
    document = _parsed(text)
    if document is None:
        return Refusal(400, "that is no GraphQL query")
    return Refusal(403, "the code location cannot be shut down from the UI: stop its service instead") if _asks(document) else None


def _parsed(text: str) -> DocumentNode | None:
    try:
        return parse(text, no_location=True)
    except (GraphQLError, RecursionError):
        return None


def _asks(document: DocumentNode) -> bool:
    """Whether a refused field stands anywhere in the document: under an alias, in a fragment, in an operation not named."""
    fields = _Fields()
    visit(document, fields)
    return bool(fields.names & REFUSED_FIELDS)


class _Fields(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_field(self, node: FieldNode, *_: object) -> None:
        self.names.add(node.name.value)


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None where it is too large."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":  # the client has gone
            return b""
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST_BODY:
            return None
        if not message.get("more_body"):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives `body` once, and then what comes."""
    left = [body]

    async def again() -> Message:
        return {"type": "http.request", "body": left.pop(), "more_body": False} if left else await receive()

    return again


def _framed_by_itself_only(send: Send) -> Send:
    """No foreign page shows the UI in a frame of its own, where a click would go astray."""

    async def framed(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), (b"x-frame-options", b"SAMEORIGIN")]}
        await send(message)

    return framed
