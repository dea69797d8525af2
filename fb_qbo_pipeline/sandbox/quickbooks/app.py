"""The sandbox as an ASGI app: QuickBooks' API of one company, its OAuth server, faults, limits and delays.

A request passes, in this order: an injected fault, the throttle, the gateway's check of the token, the delay, the company's
rules, and perhaps a fault that loses the answer. The rules run on the event loop, one request at a time; only delays overlap.
"""

import asyncio
import uuid
from urllib.parse import parse_qsl

import simplejson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from fb_qbo_pipeline.sandbox.quickbooks import faults, service
from fb_qbo_pipeline.sandbox.quickbooks.oauth import Authority
from fb_qbo_pipeline.sandbox.quickbooks.refusals import business
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks

_SERVICE_TYPE = "application/json;charset=UTF-8"


class _Broken(Response):
    """Promises a body and breaks the connection: to a client, an answer that never came whole."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"4096")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


class _Api:
    """The company's resources behind the gateway."""

    def __init__(
        self, company: QuickBooks, oauth: Authority, throttle: faults.Throttle, plan: faults.FaultPlan, latency: faults.Latency
    ) -> None:
        self.company, self.oauth, self.throttle, self.plan, self.latency = company, oauth, throttle, plan, latency
        self.names_in_flight = 0

    async def respond(self, http: Request) -> Response:
        """Answer one request of the API."""
        target = f"{http.method} {http.url.path}?{http.url.query}"
        fault = self.plan.pick(target, "before")
        if fault:
            await asyncio.sleep(fault.delay)
            return self.faulty(fault)
        path = tuple(part for part in http.path_params["rest"].split("/") if part)
        if not self.throttle.admits(batch=path == ("batch",)):
            self.company.counters.throttled += 1
            return _response(429, "application/xml", faults.throttled_body(429, self._now()))
        self.throttle.in_flight += 1
        try:
            return await self._admitted(http, target, path)
        finally:
            self.throttle.in_flight -= 1

    async def _admitted(self, http: Request, target: str, path: tuple[str, ...]) -> Response:
        denied = self.oauth.check(http.headers.get("authorization", ""), http.path_params["realm"])
        if denied:
            return _response(denied.status, "application/json", faults.gateway_body(*denied))
        accepted = http.headers.get("accept", "")
        if "json" not in accepted:
            # QuickBooks answers in XML unless JSON is asked for; this sandbox speaks JSON only, so the answer is as unusable.
            return _response(200, "application/xml", b'<IntuitResponse xmlns="http://schema.intuit.com/finance/v3"/>')
        body = await http.body()
        request = service.Request(http.method, path, dict(http.query_params), http.headers.get("content-type", ""), body)
        naming = self.company.one_name_at_a_time and request.writes_names
        if naming and self.names_in_flight:
            refusal = business("You can only add or edit one name at a time. Please try again.")
            return _response(200 if request.is_batch else 400, _SERVICE_TYPE, service.refused(self.company, refusal).body)
        self.names_in_flight += naming
        try:
            return await self._worked(request, target)
        finally:
            self.names_in_flight -= naming

    async def _worked(self, request: service.Request, target: str) -> Response:
        delay = self.latency.per_request
        if request.is_batch and self.latency.per_batch_item:
            delay += self.latency.per_batch_item * request.body.count(b'"bId"')
        if delay:
            await asyncio.sleep(delay)
        fault = self.plan.pick(target, *(("after", "middle") if request.is_batch else ("after",)))
        only = fault.items if fault and fault.when == "middle" else None
        answer = service.handle(self.company, request, only=only, throttled=lambda: self.plan.pick(target, "item") is not None)
        if fault:
            await asyncio.sleep(fault.delay)
            return self.faulty(fault, answer.body)
        return _response(answer.status, _SERVICE_TYPE, answer.body)

    def _now(self) -> str:
        return self.company.timestamp(milliseconds=True)

    def faulty(self, fault: faults.Fault, answer: bytes = b"") -> Response:
        """The answer that a fault puts in place of the real one."""
        if fault.drop_connection:
            return _Broken()
        return _response(fault.status, *faults.render(fault, self._now(), answer))


def _response(status: int, media_type: str, body: bytes) -> Response:
    return Response(body, status, {"intuit_tid": f"1-{uuid.uuid4().hex}"}, media_type)


def create_app(
    company: QuickBooks,
    *,
    oauth: Authority | None = None,
    limits: faults.Limits | None = None,
    plan: faults.FaultPlan | None = None,
    latency: faults.Latency | None = None,
) -> Starlette:
    """The sandbox of one company.

    Serves `/v3/company/{realm}/…`, the token endpoint `/oauth2/v1/tokens/bearer`, the authorize page `/connect/oauth2` (which
    redirects at once), and `/v2/oauth2/tokens/revoke`. Without options: no limits, no faults, no delays, and an OAuth app
    with the published default secrets.
    """
    authority = oauth or Authority(company.realm_id)
    api = _Api(
        company,
        authority,
        faults.Throttle(limits or faults.Limits()),
        plan or faults.FaultPlan(),
        latency or faults.Latency(),
    )

    async def authorize(http: Request) -> Response:
        back = authority.authorize(http.query_params)
        return RedirectResponse(back, 302) if back else Response("unknown client or redirect_uri", 400)

    async def token(http: Request) -> Response:
        fault = api.plan.pick(f"POST {http.url.path}", "before")
        if fault:
            await asyncio.sleep(fault.delay)
            return api.faulty(fault)
        form = dict(parse_qsl((await http.body()).decode(errors="replace")))
        status, body = authority.token(form, http.headers.get("authorization", ""))
        lost = api.plan.pick(f"POST {http.url.path}", "after")
        if lost:
            await asyncio.sleep(lost.delay)
            return api.faulty(lost)
        return _response(status, "application/json", simplejson.dumps(body).encode())

    async def revoke(http: Request) -> Response:
        body = simplejson.loads(await http.body() or b"{}")
        return Response(status_code=authority.revoke(str(body.get("token", "")), http.headers.get("authorization", "")))

    return Starlette(
        routes=[
            Route("/connect/oauth2", authorize),
            Route("/oauth2/v1/tokens/bearer", token, methods=["POST"]),
            Route("/v2/oauth2/tokens/revoke", revoke, methods=["POST"]),
            Route("/v3/company/{realm}/{rest:path}", api.respond, methods=["GET", "POST"]),
        ]
    )
