"""What QuickBooks says when it refuses a request: error codes, their messages and the service's JSON dialect.

Rules raise a `Refusal`; the service turns it into a `Fault`, alone or as one item of a batch. Codes and texts are those
that integrators have recorded, because clients have to recognise some of them by their words (6000, 6140, 6240).
"""

from typing import Any

Json = dict[str, Any]

MESSAGES = {
    "500": "Unsupported Operation",
    "610": "Object Not Found",
    "620": "Transaction could not be linked",
    "1040": "Batch size exceeds allowed limit",
    "1050": "Invalid content type",
    "2000": "Invalid or unsupported object name",
    "2010": "Request has invalid or unsupported property",
    "2020": "Required param missing, need to supply the required value for the API",
    "2030": "Invalid ID",
    "2040": "Invalid String",
    "2050": "Invalid String Length",
    "2060": "Invalid Date Format",
    "2070": "Invalid Date",
    "2080": "Invalid Number Format",
    "2100": "Invalid Decimal Format",
    "2110": "Invalid Decimal",
    "2120": "Invalid Type",
    "2130": "Invalid Request Id Format",
    "2140": "Invalid Amount",
    "2170": "Invalid Enumeration",
    "2210": "Invalid Email Address",
    "2220": "Invalid Currency Type",
    "2290": "Negative Amount",
    "2410": "Curreny, ExchangeRate is missing.",
    "2500": "Invalid Reference Id",
    "2600": "Conflicting elements",
    "3001": "message=ThrottleExceeded; errorCode=003001; statusCode=429",
    "4000": "Error parsing query",
    "4001": "Invalid query",
    "5010": "Stale Object Error",
    "5030": "Feature Not Supported Error",
    "6000": "A business validation error has occurred while processing your request",
    "6010": "Account type is missing",
    "6070": "Amount calculation incorrect in the request",
    "6080": "No name provided",
    "6090": "Discount line is missing its amount or percent",
    "6100": "Invalid Line TaxCode",
    "6140": "Duplicate Document Number Error",
    "6170": "Transaction tax detail is not allowed",
    "6190": "Invalid Company Status",
    "6210": "Account Period Closed, Cannot Update Through Services API",
    "6220": "Delete Entity Has Balance",
    "6240": "Duplicate Name Exists Error",
    "6310": "Billable expense without a customer",
    "6420": "Email address is required",
    "6430": "Invalid account type used",
    "6440": "Transaction detail information required",
    "6540": "Deposited Transaction cannot be changed",
    "10000": "An application error has occurred while processing your request",
}


class Refusal(Exception):
    """QuickBooks refuses: an error code with its detail. `status` is the HTTP status of a single request."""

    def __init__(self, code: str, detail: str, element: str = "", *, status: int = 400, kind: str = "ValidationFault") -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.element = element
        self.status = status
        self.kind = kind

    def fault(self) -> Json:
        """The `Fault` object of the service's JSON dialect."""
        error = {"Message": MESSAGES.get(self.code, "Error"), "Detail": self.detail, "code": self.code, "element": self.element}
        return {"Error": [error], "type": self.kind}


def business(sentence: str) -> Refusal:
    """6000 with the sentence that the user interface would show."""
    return Refusal("6000", f"Business Validation Error: {sentence}")


def missing(parameter: str) -> Refusal:
    """2020: a required parameter is not there."""
    return Refusal("2020", f"Required parameter {parameter} is missing in the request", parameter)


def unknown_reference(kind: str, reference: str) -> Refusal:
    """2500: a reference to something that does not exist. `kind` is QuickBooks' word: Names, Accounts, Items, Klasses…"""
    return Refusal("2500", f"Invalid Reference Id : {kind} element id {reference} not found", kind)


def inactive_reference(kind: str) -> Refusal:
    """610: a reference to something that was made inactive."""
    detail = (
        "Object Not Found : Something you're trying to use has been made inactive. "
        "Check the fields with accounts, customers, items, vendors or employees."
    )
    return Refusal("610", detail, kind)


def not_found() -> Refusal:
    """610: the object itself is gone."""
    return Refusal("610", "Object Not Found : Another user has deleted this transaction.")


def unsupported(operation: str) -> Refusal:
    """500: the entity does not have this operation."""
    return Refusal("500", f"Operation {operation} is not supported.")
