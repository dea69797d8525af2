import pytest
from hypothesis import given
from hypothesis import strategies as st

from fb_qbo_pipeline.errors import ConnectionRequired
from fb_qbo_pipeline.freshbooks.errors import (
    FreshBooksError,
    FreshBooksRefusal,
    NoAccess,
    NotFound,
    Reaction,
    classify,
    exception_for,
    parse_error,
)

NO_ACCESS_TO_ITEMS = {"errno": 12001, "field": None, "message": "You do not have access to items.", "object": None, "value": None}
A2_DETAIL = {
    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
    "reason": "1012",
    "metadata": {"object": "client", "message": "Client not found.", "value": "12345", "field": "userid"},
}
A2_UNAUTHORIZED = {
    "reason": "1003",
    "metadata": {"message": "The server could not verify that you are authorized to access the URL requested.", "field": ""},
}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        # A1, in its variants
        (
            404,
            {
                "response": {
                    "errors": [{"errno": 1012, "field": "userid", "message": "Client not found.", "object": "client", "value": "12345"}]
                }
            },
            FreshBooksError(404, ("1012",), ("Client not found.",), "userid"),
        ),
        (
            200,
            {"response": {"errors": [NO_ACCESS_TO_ITEMS]}},
            FreshBooksError(200, ("12001",), ("You do not have access to items.",), None),
        ),
        (200, {"response": {"errors": NO_ACCESS_TO_ITEMS}}, FreshBooksError(200, ("12001",), ("You do not have access to items.",), None)),
        (200, {"response": {"error": NO_ACCESS_TO_ITEMS}}, FreshBooksError(200, ("12001",), ("You do not have access to items.",), None)),
        (
            422,
            {
                "response": {
                    "errors": [{"errno": 1014, "message": "Bad page."}, {"errno": 1013, "message": "Bad size.", "field": "per_page"}]
                }
            },
            FreshBooksError(422, ("1014", "1013"), ("Bad page.", "Bad size."), "per_page"),
        ),
        # A2
        (
            404,
            {"code": 5, "message": "Request failed with status_code: 404", "details": [A2_DETAIL]},
            FreshBooksError(404, ("1012",), ("Client not found.",), "userid"),
        ),
        (
            401,
            {"code": 16, "message": "Request failed with status_code: 401", "details": [A2_UNAUTHORIZED]},
            FreshBooksError(401, ("1003",), (A2_UNAUTHORIZED["metadata"]["message"],), None),
        ),
        # B
        (
            400,
            {
                "errors": {
                    "message": "Request failed with status code 400",
                    "status": 400,
                    "details": [
                        {"reason": "name: This field is required.", "metadata": {"message": "This field is required.", "field": "name"}}
                    ],
                }
            },
            FreshBooksError(400, ("400",), ("This field is required.",), "name"),
        ),
        (
            404,
            {"errors": {"message": "failed", "status": 404, "details": [{"reason": "Not found.", "metadata": {"field": None}}]}},
            FreshBooksError(404, ("404",), ("Not found.",), None),
        ),
        # C
        (
            404,
            {"error": "Requested resource could not be found."},
            FreshBooksError(404, (), ("Requested resource could not be found.",), None),
        ),
        (401, {"message": "invalid_token: expired"}, FreshBooksError(401, (), ("invalid_token: expired",), None)),
        (
            422,
            {"errno": 2001, "error": {"page": "must be a number"}},
            FreshBooksError(422, ("2001",), ("page: must be a number",), "page"),
        ),
        # E, current and older
        (
            422,
            {"errno": 422, "message": "semantic errors.", "details": ["event: Unrecognized event.", "uri: not a URL"]},
            FreshBooksError(422, ("422",), ("event: Unrecognized event.", "uri: not a URL"), None),
        ),
        (
            401,
            {"errno": 401, "message": "invalid_token: The request token failed to authenticate or validate."},
            FreshBooksError(401, ("401",), ("invalid_token: The request token failed to authenticate or validate.",), None),
        ),
        (
            400,
            {"code": 3, "message": "bad", "details": [{"fieldViolations": [{"field": "event", "description": "Unrecognized event."}]}]},
            FreshBooksError(400, (), ("Unrecognized event.",), "event"),
        ),
        # P
        (
            400,
            {"error_type": "validation", "message": "Invalid.", "errors": [{"error_type": "validation", "message": "No.", "field": "id"}]},
            FreshBooksError(400, ("validation",), ("Invalid.", "No."), "id"),
        ),
        # F
        (
            401,
            {"error": "unauthenticated", "error_description": "This action requires authentication to continue."},
            FreshBooksError(401, ("unauthenticated",), ("This action requires authentication to continue.",), None),
        ),
        # no recognisable body
        (429, None, FreshBooksError(429)),
        (500, {"surprise": 1}, FreshBooksError(500)),
        (502, ["not", "an", "object"], FreshBooksError(502)),
    ],
)
def test_every_shape_of_error_is_read(status, body, expected):
    assert parse_error(status, {}, body) == expected


@pytest.mark.parametrize(
    "body",
    [
        {"response": {"result": {"invoices": [], "page": 1, "pages": 0, "per_page": 15, "total": 0}}},
        {"response": {"id": 1, "business_memberships": []}},
        {"response": {"errors": [], "result": {"invoices": []}}},
    ],
)
def test_an_answer_without_an_error_is_none(body):
    assert parse_error(200, {}, body) is None


def test_messages_lose_secrets_and_are_cut():
    body = {"response": {"errors": [{"errno": 1004, "message": "token=abcdef " + "x" * 1000}]}}
    error = parse_error(422, {}, body)
    assert error is not None
    assert "abcdef" not in error.words
    assert len(error.words) < 320


def test_the_reason_in_a_bearer_challenge_counts_as_a_code():
    error = parse_error(403, {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}, None)
    assert error == FreshBooksError(403, ("insufficient_scope",))


@pytest.mark.parametrize(
    ("error", "reaction"),
    [
        (FreshBooksError(429), Reaction.RETRY),
        (FreshBooksError(408), Reaction.RETRY),
        (FreshBooksError(409, ("409",)), Reaction.RETRY),
        (FreshBooksError(500, ("500",)), Reaction.RETRY),
        (FreshBooksError(503), Reaction.RETRY),
        (FreshBooksError(200, ("500",)), Reaction.RETRY),
        (FreshBooksError(401, ("1003",)), Reaction.RENEW_TOKEN),
        (FreshBooksError(401), Reaction.RENEW_TOKEN),
        (FreshBooksError(200, ("unauthenticated",)), Reaction.RENEW_TOKEN),
        (FreshBooksError(400, ("401",), ("invalid_token: expired",)), Reaction.RENEW_TOKEN),
        (FreshBooksError(200, ("12001",)), Reaction.NO_ACCESS),
        (FreshBooksError(200, ("1003",)), Reaction.NO_ACCESS),
        (FreshBooksError(200, ("99999",), ("You do not have access to bills.",)), Reaction.NO_ACCESS),
        (FreshBooksError(402, ("7005",)), Reaction.NO_ACCESS),
        (FreshBooksError(403), Reaction.NO_ACCESS),
        (FreshBooksError(404), Reaction.NOT_FOUND),
        (FreshBooksError(422, ("1012",)), Reaction.NOT_FOUND),
        (FreshBooksError(200, ("1012",)), Reaction.NOT_FOUND),
        (FreshBooksError(400, ("1014",)), Reaction.REFUSE),
        (FreshBooksError(422, ("1023",)), Reaction.REFUSE),
    ],
)
def test_the_reaction_follows_from_status_and_codes(error, reaction):
    assert classify(error) is reaction


def test_a_missing_scope_is_named():
    error = FreshBooksError(403, (), ("Token has scopes user:profile:read, needs user:invoices:read",))
    exception = exception_for(error, "invoices", "user:invoices:read")
    assert isinstance(exception, NoAccess)
    assert "give the OAuth app the scope user:invoices:read in" in exception.remedy
    assert "user:profile:read" not in exception.remedy


def test_the_scope_of_a_resource_is_named_where_freshbooks_names_none():
    exception = exception_for(FreshBooksError(200, ("12001",), ("You do not have access to items.",)), "items", "user:billable_items:read")
    assert "user:billable_items:read" in exception.remedy
    assert "You do not have access to items." in exception.message


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (FreshBooksError(401), ConnectionRequired),
        (FreshBooksError(403), NoAccess),
        (FreshBooksError(404), NotFound),
        (FreshBooksError(422, ("1023",)), FreshBooksRefusal),
    ],
)
def test_an_error_becomes_the_exception_that_says_what_to_do(error, kind):
    exception = exception_for(error, "invoices")
    assert type(exception) is kind
    assert "invoices" in exception.message


_KEYS = st.sampled_from(
    ["response", "errors", "error", "errno", "error_type", "message", "code", "details", "fieldViolations", "reason", "metadata", "field"]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("1" * 5000),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from([200, 400, 404, 422, 500]), st.dictionaries(_KEYS, _VALUES, max_size=5))
def test_an_error_of_any_shape_is_read_into_something_that_can_be_said(status, body):
    error = parse_error(status, {}, body)
    assert error is not None or status == 200
    if error is not None:
        assert str(exception_for(error, "invoices"))
        assert len(error.words) < 20_000


@pytest.mark.parametrize(
    "detail", [{"fieldViolations": ["x", None, 7]}, {"fieldViolations": 7}, {"metadata": "x"}, {"reason": ["x"], "metadata": [7]}]
)
def test_details_of_an_unknown_shape_are_passed_over(detail):
    error = parse_error(400, {}, {"code": 3, "message": "No.", "details": [detail]})
    assert error is not None
    assert len(error.words) > 0
