"""Stand-ins for what the client is given: time, tokens, and QuickBooks itself."""

from fb_qbo_pipeline.http import Backoff, FakeTransport, Reply
from fb_qbo_pipeline.quickbooks.client import QuickBooksClient
from fb_qbo_pipeline.quickbooks.limits import Limiter
from fb_qbo_pipeline.quickbooks.transport import Exchange

REALM = "9130000000000001"


class Clock:
    """Seconds that pass only when somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Tokens:
    """Hands out token-1, and the next one for each that is rejected."""

    def __init__(self) -> None:
        self.number = 1
        self.rejected: list[str] = []

    def access_token(self) -> str:
        return f"token-{self.number}"

    def renew(self, rejected: str) -> str:
        self.rejected.append(rejected)
        self.number += 1
        return self.access_token()


class Company:
    """A client whose QuickBooks gives the replies in order, with everything that can be looked at afterwards."""

    def __init__(self, *replies: Reply | Exception, realm: str = REALM) -> None:
        self.transport = FakeTransport(replies)
        self.clock = Clock()
        self.tokens = Tokens()
        self.exchanges: list[Exchange] = []
        self.limiter = Limiter(clock=self.clock, sleep=self.clock.sleep)
        self.client = QuickBooksClient(
            "https://quickbooks.example",
            realm,
            self.tokens,
            limiter=self.limiter,
            session=self.transport.session(),
            sleep=self.clock.sleep,
            recorder=self.exchanges.append,
            backoff=Backoff(uniform=lambda _low, high: high),
        )

    @property
    def urls(self) -> list[str]:
        return [request.url or "" for request in self.transport.requests]

    @property
    def bodies(self) -> list[str]:
        return [
            (request.body or b"").decode() if isinstance(request.body, bytes) else str(request.body) for request in self.transport.requests
        ]


def refusal(code: str, detail: str = "", message: str = "no", status: int = 400) -> Reply:
    """A fault in the service's own dialect."""
    error = {"Message": message, "Detail": detail, "code": code, "element": ""}
    return Reply(status, {"Fault": {"Error": [error], "type": "ValidationFault"}, "time": "2025-03-01T10:00:00.000-08:00"})


THROTTLE_XML = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<IntuitResponse time="2025-03-01T10:00:00.000-08:00" xmlns="http://schema.intuit.com/finance/v3"><Fault type="SERVICE">'
    '<Error code="3001"><Message>message=ThrottleExceeded; errorCode=003001; statusCode=429</Message>'
    "<Detail>The request limit was reached.  Try again later</Detail></Error></Fault></IntuitResponse>"
)


def expired_token() -> Reply:
    """The gateway's answer to a token that has expired."""
    error = {
        "message": "message=AuthenticationFailed; errorCode=003200; statusCode=401",
        "detail": "Token expired",
        "code": "3200",
        "element": None,
    }
    return Reply(
        401, {"warnings": None, "fault": {"error": [error], "type": "AUTHENTICATION"}, "queryResponse": None, "time": 1740852000000}
    )


def rows(entity: str, ids: range) -> Reply:
    """A page of a query's answer."""
    return Reply(200, {"QueryResponse": {entity: [{"Id": str(id)} for id in ids], "startPosition": 1, "maxResults": len(ids)}})
