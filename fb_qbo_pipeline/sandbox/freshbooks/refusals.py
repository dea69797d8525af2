"""The seven shapes in which FreshBooks says no, and which of them a request gets.

A1 and A2 are the accounting family's (A2 when the client sends X-API-VERSION), B the newer accounting paths by business,
C projects and time tracking, E events, P online payments, F the gateway and sign-in. The letters are this sandbox's own.
"""

from collections.abc import Callable
from dataclasses import dataclass

from fb_qbo_pipeline.sandbox.freshbooks.resources import Json

_GRPC_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 409: 10, 422: 3, 429: 8}
_ERROR_TYPES = {401: "unauthorized", 403: "forbidden", 404: "not_found", 422: "validation", 400: "validation"}


@dataclass(eq=False)
class Refusal(Exception):
    """A request that is refused: HTTP status, FreshBooks' errno, and what it is about."""

    status: int
    errno: int
    message: str
    field: str | None = None
    object: str | None = None
    value: str | None = None


def unauthenticated() -> Refusal:
    """No bearer token, an unknown or an expired one."""
    return Refusal(401, 1003, "This action requires authentication to continue.")


def not_found(resource: str, id_key: str, value: str) -> Refusal:
    """No record of that id."""
    return Refusal(404, 1012, f"{resource.capitalize()} not found.", id_key, resource, value)


def accounting_classic(refusal: Refusal) -> Json:
    """A1."""
    keys = ("errno", "field", "message", "object", "value")
    return {"response": {"errors": [{key: getattr(refusal, key) for key in keys}]}}


def accounting_rpc(refusal: Refusal) -> Json:
    """A2: what matters stands in `details[].metadata`."""
    metadata = {key: getattr(refusal, key) or "" for key in ("object", "message", "value", "field")}
    detail = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": str(refusal.errno),
        "domain": "accounting.api.freshbooks.com",
        "metadata": metadata,
    }
    message = f"Request failed with status_code: {refusal.status}"
    return {"code": _GRPC_CODES.get(refusal.status, 13), "message": message, "details": [detail]}


def accounting_business(refusal: Refusal) -> Json:
    """B."""
    reason = f"{refusal.field}: {refusal.message}" if refusal.field else refusal.message
    detail = {"reason": reason, "metadata": {"message": refusal.message, "field": refusal.field}}
    return {"errors": {"message": f"Request failed with status code {refusal.status}", "status": refusal.status, "details": [detail]}}


def projects(refusal: Refusal) -> Json:
    """C: three forms by status."""
    if refusal.status == 401:
        return {"message": f"invalid_token: {refusal.message}"}
    if refusal.status == 422:
        return {"errno": 2001, "error": {refusal.field or "__root__": refusal.message}}
    return {"error": refusal.message}


def events(refusal: Refusal) -> Json:
    """E."""
    return {
        "errno": refusal.status,
        "message": refusal.message,
        "details": [f"{refusal.field}: {refusal.message}"] if refusal.field else [],
    }


def online_payments(refusal: Refusal) -> Json:
    """P."""
    kind = _ERROR_TYPES.get(refusal.status, "internal")
    return {
        "error_type": kind,
        "message": refusal.message,
        "errors": [{"error_type": kind, "message": refusal.message, "field": refusal.field}],
    }


def gateway(refusal: Refusal) -> Json:
    """F."""
    error = {401: "unauthenticated", 403: "forbidden", 404: "not_found"}.get(refusal.status, "error")
    return {"error": error, "error_description": refusal.message}


SHAPES: dict[str, Callable[[Refusal], Json]] = {
    "A1": accounting_classic,
    "A2": accounting_rpc,
    "B": accounting_business,
    "C": projects,
    "E": events,
    "P": online_payments,
    "F": gateway,
}
_FAMILIES = {
    "/accounting/businesses/": "B",
    "/accounting/": "A1",
    "/projects/": "C",
    "/timetracking/": "C",
    "/comments/": "C",
    "/events/": "E",
    "/payments/": "P",
}


def shape_of(path: str, status: int, *, versioned: bool) -> str:
    """The shape of a refusal at `path`. `versioned`: the request named an API version. A bad token gets F everywhere."""
    if status == 401:
        return "F"
    shape = next((shape for prefix, shape in _FAMILIES.items() if path.startswith(prefix)), "F")
    return "A2" if shape == "A1" and versioned else shape
