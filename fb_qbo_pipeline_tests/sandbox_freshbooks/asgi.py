"""A caller for ASGI applications: one request, one answer, no sockets."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette

from fb_qbo_pipeline.sandbox.freshbooks.app import create_app
from fb_qbo_pipeline.sandbox.freshbooks.behaviour import Behaviour, Traffic
from fb_qbo_pipeline.sandbox.freshbooks.oauth import TokenServer
from fb_qbo_pipeline.sandbox.freshbooks.state import FreshBooks

Params = Mapping[str, Any] | Sequence[tuple[str, Any]]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def result(self) -> Any:
        return self.json["response"]["result"]

    @property
    def errno(self) -> int:
        return int(self.json["response"]["errors"][0]["errno"])


def call(app: Starlette, method: str, path: str, params: Params = (), headers: Mapping[str, str] | None = None, body: str = "") -> Answer:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body.encode(), "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "server": ("sandbox", 80),
        "path": path,
        "raw_path": path.encode(),
        "query_string": urlencode(params).encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
    }
    asyncio.run(app(scope, receive, send))
    start = sent[0]
    content = b"".join(message.get("body", b"") for message in sent[1:])
    return Answer(start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, content.decode())


class Api:
    """A signed-in reader of one account."""

    def __init__(self, account: FreshBooks, behaviour: Behaviour | None = None) -> None:
        self.account = account
        self.tokens = TokenServer(scope="user:profile:read user:invoices:read user:clients:read")
        self.behaviour = behaviour or Behaviour()
        self.traffic = Traffic()
        self.app = create_app(account, tokens=self.tokens, behaviour=self.behaviour, traffic=self.traffic)
        self.bearer = self.tokens.grant(grant_form("sandbox-refresh"))["access_token"]

    def get(self, path: str, params: Params = (), **headers: str) -> Answer:
        """`path` below the account, such as invoices/invoices."""
        given = {"Authorization": f"Bearer {self.bearer}"} | {name.replace("_", "-"): value for name, value in headers.items()}
        return call(self.app, "GET", f"/accounting/account/{self.account.account_id}/{path}", params, given)

    def put(self, path: str, content: Any) -> Answer:
        headers = {"Authorization": f"Bearer {self.bearer}", "Content-Type": "application/json"}
        body = content if isinstance(content, str) else json.dumps(content)
        return call(self.app, "PUT", f"/accounting/account/{self.account.account_id}/{path}", headers=headers, body=body)

    def rows(self, path: str, params: Params = ()) -> list[Any]:
        """All rows that one list request shows."""
        result = self.get(path, params).result
        return next(value for value in result.values() if isinstance(value, list))


def grant_form(refresh_token: str, **changes: str) -> dict[str, str]:
    form = {
        "grant_type": "refresh_token",
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
        "redirect_uri": "https://localhost/callback",
        "refresh_token": refresh_token,
    }
    return form | changes
