"""The FreshBooks API over HTTP: sign-in, identity, and the accounting resources that a reader needs.

Reading is complete as far as this package goes; of writing there is only what training and tests want over HTTP, deleting,
archiving and restoring (`PUT` with `vis_state`). All else is done on the account object.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from fb_qbo_pipeline.sandbox.freshbooks import identity
from fb_qbo_pipeline.sandbox.freshbooks.behaviour import Behaviour, Traffic
from fb_qbo_pipeline.sandbox.freshbooks.listing import ListQuery, page_of, parse_query, selected, trimmed
from fb_qbo_pipeline.sandbox.freshbooks.oauth import OAuthRefusal, TokenServer
from fb_qbo_pipeline.sandbox.freshbooks.refusals import SHAPES, Refusal, not_found, shape_of, unauthenticated
from fb_qbo_pipeline.sandbox.freshbooks.resources import ACTIVE, ARCHIVED, BY_PATH, DELETED, RESOURCES, Json, Resource
from fb_qbo_pipeline.sandbox.freshbooks.state import FreshBooks

PARSE_ERROR, ACCESS_DENIED = 1005, 1003


@dataclass(frozen=True, slots=True)
class _Call:
    """A request with its body, which has been read."""

    request: Request
    body: bytes


_Handler = Callable[[_Call], Response]


def create_app(
    account: FreshBooks,
    *,
    tokens: TokenServer | None = None,
    behaviour: Behaviour | None = None,
    traffic: Traffic | None = None,
) -> Starlette:
    """The ASGI app over `account`. The parts are reachable as `app.state.account`, `.tokens`, `.behaviour`, `.traffic`."""
    scope = " ".join(sorted({"user:profile:read", *(resource.scope for resource in RESOURCES.values())}))
    api = _Api(account, tokens or TokenServer(scope=scope), behaviour or Behaviour(), traffic or Traffic())
    accounting = "/accounting/account/{account}"
    routes = [
        Route("/auth/oauth/token", api.serving(api.token), methods=["POST"]),
        Route("/auth/oauth/revoke", api.serving(api.revoke), methods=["POST"]),
        Route("/oauth/authorize", api.serving(api.authorize)),
        Route("/oauth/authorize/", api.serving(api.authorize)),
        Route("/auth/api/v1/users/me", api.serving(api.me)),
        Route(f"{accounting}/systems/systems/{{id}}", api.serving(api.system)),
        Route(f"{accounting}/{{family}}/{{plural}}", api.serving(api.page)),
        Route(f"{accounting}/{{family}}/{{plural}}/{{id}}", api.serving(api.record), methods=["GET", "PUT"]),
        Route("/{path:path}", api.serving(api.unknown), methods=["GET", "POST", "PUT", "DELETE", "PATCH"]),
    ]
    app = Starlette(routes=routes)
    app.state.account, app.state.tokens, app.state.behaviour, app.state.traffic = account, api.tokens, api.behaviour, api.traffic
    return app


class _Api:
    """The endpoints. A handler answers a call or raises Refusal or OAuthRefusal."""

    def __init__(self, account: FreshBooks, tokens: TokenServer, behaviour: Behaviour, traffic: Traffic) -> None:
        self.account = account
        self.tokens = tokens
        self.behaviour = behaviour
        self.traffic = traffic
        self._last: tuple[object, list[Json]] | None = None

    def serving(self, handler: _Handler) -> Callable[[Request], Awaitable[Response]]:
        """The endpoint around a handler: counting, latency, faults, refusals in the right shape."""

        async def endpoint(request: Request) -> Response:
            body = await request.body()  # read before any answer, or a kept-alive connection would begin with its rest
            self.traffic.count(request.method, request.url.path, request.url.query)
            fault = self.behaviour.faults.pick(f"{request.url.path}?{request.url.query}")
            delay = self.behaviour.latency + (fault.delay if fault else 0.0)
            if delay:
                await asyncio.sleep(delay)
            breaks = fault is not None and fault.status is not None
            if fault is not None and breaks and not fault.after:
                return fault.response()
            response = self._answer(handler, _Call(request, body))
            return fault.response() if fault is not None and breaks else response

        return endpoint

    def _answer(self, handler: _Handler, call: _Call) -> Response:
        try:
            return handler(call)
        except OAuthRefusal as refused:
            return JSONResponse(refused.body, refused.status)
        except Refusal as refused:
            shape = shape_of(call.request.url.path, refused.status, versioned="x-api-version" in call.request.headers)
            return JSONResponse(SHAPES[shape](refused), refused.status)

    # Sign-in

    def authorize(self, call: _Call) -> Response:
        """Consent is given at once: redirects with code and state. An unknown client gets a page that is not JSON, as there."""
        given = call.request.query_params
        redirect_uri = given.get("redirect_uri", "")
        if given.get("client_id") != self.tokens.client_id or urlsplit(redirect_uri).scheme not in {"http", "https"}:
            return Response("<html><body>Something went wrong.</body></html>", HTTPStatus.INTERNAL_SERVER_ERROR, media_type="text/html")
        answer = {"code": self.tokens.issue_code(redirect_uri, given.get("code_challenge", ""))} | (
            {"state": given["state"]} if "state" in given else {}
        )
        return RedirectResponse(f"{redirect_uri}?{urlencode(answer)}", HTTPStatus.FOUND)

    def token(self, call: _Call) -> Response:
        """Both grants."""
        return JSONResponse(self.tokens.grant(_form(call)))

    def revoke(self, call: _Call) -> Response:
        """Ends one token at once."""
        self.tokens.revoke(_form(call).get("token", ""))
        return JSONResponse({})

    # Reading

    def me(self, call: _Call) -> Response:
        """The user and the businesses that they belong to."""
        self._authenticate(call.request)
        return JSONResponse(identity.me(self.account))

    def system(self, call: _Call) -> Response:
        """The account's own record, by account id or system id."""
        self._authenticate(call.request)
        self._check_account(call.request)
        record = identity.system(self.account)
        if call.request.path_params["id"] not in {self.account.account_id, str(record["systemid"])}:
            raise not_found("system", "systemid", call.request.path_params["id"])
        return _result({"system": record})

    def page(self, call: _Call) -> Response:
        """One page of a resource."""
        resource = self._resource(call.request)
        query = parse_query(call.request.query_params.multi_items())
        searches = {key: texts for key, texts in query.searches.items() if key[0] not in self.behaviour.ignored_filters}
        heeded = replace(query, searches=searches)
        rows, paging = page_of(self._selected(resource, heeded), query)
        if resource.name in self.behaviour.unreadable:
            rows = []
        response = _result({resource.plural: [self._shown(resource, row, query.includes) for row in rows], **paging})
        if self.behaviour.after_page is not None:
            self.behaviour.after_page(resource.name, query.page)
        return response

    def _selected(self, resource: Resource, query: ListQuery) -> list[Json]:
        """The rows of all pages; those of the last list are kept, because who reads 1,000 pages would have them searched 1,000 times."""
        inclusive = self.behaviour.max_inclusive
        asked = (resource.name, query.searches, query.sort, inclusive, self.account.revision, self.account.today())
        if self._last is None or self._last[0] != asked:
            self._last = (asked, selected(resource, self.account.view(resource.name), query, max_inclusive=inclusive))
        return self._last[1]

    def record(self, call: _Call) -> Response:
        """One record by id; deleted ones can still be read. `PUT` changes its `vis_state`."""
        resource = self._resource(call.request)
        text = call.request.path_params["id"]
        record = next((row for row in self.account.view(resource.name) if str(row["id"]) == text), None)
        if record is None:
            raise not_found(resource.name, resource.id_key, text)
        if call.request.method == "PUT":
            record = self._put(resource, record, call.body)
        includes = frozenset(call.request.query_params.getlist("include[]"))
        return _result({resource.name: self._shown(resource, record, includes)})

    def unknown(self, call: _Call) -> Response:
        """Any other path, in the words of its family."""
        self._authenticate(call.request)
        raise Refusal(404, 1012, "Requested resource could not be found.")

    # Pieces

    def _authenticate(self, request: Request) -> None:
        if not self.tokens.accepts(request.headers.get("authorization", "")):
            raise unauthenticated()

    def _check_account(self, request: Request) -> None:
        given = request.path_params["account"]
        if given != self.account.account_id:
            raise not_found("account", "accountid", given)

    def _resource(self, request: Request) -> Resource:
        self._authenticate(request)
        self._check_account(request)
        resource = BY_PATH.get(f"{request.path_params['family']}/{request.path_params['plural']}")
        if resource is None:
            raise Refusal(404, 1012, "Requested resource could not be found.")
        if resource.scope in self.behaviour.missing_scopes:
            granted = " ".join(sorted(set(self.tokens.scope.split()) - self.behaviour.missing_scopes))
            raise Refusal(403, ACCESS_DENIED, f"Insufficient scope. Granted: {granted}. Required: {resource.scope}.")
        if resource.name in self.behaviour.gated:
            raise Refusal(self.behaviour.gated_status, resource.refusal, f"You do not have access to {resource.plural}.")
        return resource

    def _shown(self, resource: Resource, record: Json, includes: frozenset[str]) -> Json:
        if resource.name == "expense" and "category" in includes:
            return {**record, "category": self.account.get("category", record["categoryid"])}
        return trimmed(resource, record, includes)

    def _put(self, resource: Resource, record: Json, body: bytes) -> Json:
        """Only `vis_state` is changed; as in FreshBooks, whatever else stands beside it is dropped silently."""
        change = _json_object(body).get(resource.name)
        wanted = change.get("vis_state") if isinstance(change, dict) else None
        acts = {ACTIVE: self.account.restore, DELETED: self.account.delete, ARCHIVED: self.account.archive}
        if wanted not in acts or not resource.has_vis_state:
            raise Refusal(422, 1004, "This sandbox changes nothing but vis_state (0, 1 or 2) over HTTP.", "vis_state", resource.name)
        acts[wanted](resource.name, record["id"])
        return self.account.get(resource.name, record["id"])


def _result(content: Json) -> Response:
    return JSONResponse({"response": {"result": content}})


def _form(call: _Call) -> dict[str, str]:
    """A token request's fields: form-encoded, or a JSON object."""
    if "json" in call.request.headers.get("content-type", ""):
        return {key: str(value) for key, value in _json_object(call.body).items()}
    return dict(parse_qsl(call.body.decode("utf-8", "replace")))


def _json_object(body: bytes) -> Json:
    try:
        content = json.loads(body)
    except ValueError as error:
        raise Refusal(400, PARSE_ERROR, str(error)) from None
    return content if isinstance(content, dict) else {}
