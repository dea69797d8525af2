from typing import Any

import pytest

from fb_qbo_pipeline.sandbox.freshbooks.refusals import SHAPES, Refusal, not_found, shape_of

NOT_FOUND = not_found("client", "userid", "12345")


@pytest.mark.parametrize(
    ("shape", "refusal", "body"),
    [
        (
            "A1",
            NOT_FOUND,
            {
                "response": {
                    "errors": [{"errno": 1012, "field": "userid", "message": "Client not found.", "object": "client", "value": "12345"}]
                }
            },
        ),
        (
            "A2",
            NOT_FOUND,
            {
                "code": 5,
                "message": "Request failed with status_code: 404",
                "details": [
                    {
                        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                        "reason": "1012",
                        "domain": "accounting.api.freshbooks.com",
                        "metadata": {"object": "client", "message": "Client not found.", "value": "12345", "field": "userid"},
                    }
                ],
            },
        ),
        (
            "B",
            Refusal(400, 1001, "This field is required.", "name"),
            {
                "errors": {
                    "message": "Request failed with status code 400",
                    "status": 400,
                    "details": [
                        {
                            "reason": "name: This field is required.",
                            "metadata": {"message": "This field is required.", "field": "name"},
                        }
                    ],
                }
            },
        ),
        ("C", Refusal(404, 1012, "Requested resource could not be found."), {"error": "Requested resource could not be found."}),
        ("C", Refusal(401, 1003, "expired"), {"message": "invalid_token: expired"}),
        ("C", Refusal(422, 2001, "bad", "title"), {"errno": 2001, "error": {"title": "bad"}}),
        ("E", Refusal(422, 422, "Bad input.", "event"), {"errno": 422, "message": "Bad input.", "details": ["event: Bad input."]}),
        (
            "P",
            Refusal(404, 1012, "Gone."),
            {"error_type": "not_found", "message": "Gone.", "errors": [{"error_type": "not_found", "message": "Gone.", "field": None}]},
        ),
        ("F", Refusal(401, 1003, "Sign in."), {"error": "unauthenticated", "error_description": "Sign in."}),
    ],
)
def test_a_refusal_has_the_words_of_its_shape(shape: str, refusal: Refusal, body: Any) -> None:
    assert SHAPES[shape](refusal) == body


@pytest.mark.parametrize(
    ("path", "status", "versioned", "shape"),
    [
        ("/accounting/account/ABC123/invoices/invoices", 422, False, "A1"),
        ("/accounting/account/ABC123/invoices/invoices", 422, True, "A2"),
        ("/accounting/account/ABC123/invoices/invoices", 401, True, "F"),
        ("/accounting/businesses/x/ledger_accounts/accounts", 404, True, "B"),
        ("/projects/business/1/projects", 404, False, "C"),
        ("/timetracking/business/1/time_entries", 422, False, "C"),
        ("/events/account/ABC123/events/callbacks", 404, False, "E"),
        ("/payments/account/ABC123/gateway", 404, False, "P"),
        ("/nowhere", 404, False, "F"),
    ],
)
def test_the_shape_follows_the_path_the_status_and_the_version_header(path: str, status: int, versioned: bool, shape: str) -> None:
    assert shape_of(path, status, versioned=versioned) == shape
