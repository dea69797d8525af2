import pytest
import simplejson

from fb_qbo_pipeline.sandbox.quickbooks.faults import Fault, FaultPlan, Limits, Throttle, render


def struck(plan: FaultPlan, times: int, target: str = "POST /invoice") -> list[bool]:
    return [plan.pick(target, "before") is not None for _ in range(times)]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(), [True, False, False, False]),
        (Fault(count=2), [True, True, False, False]),
        (Fault(count=None), [True] * 4),
        (Fault(skip=2), [False, False, True, False]),
        (Fault(path="/batch"), [False] * 4),
        (Fault(path="POST /inv"), [True, False, False, False]),
        (Fault(when="after"), [False] * 4),
        (Fault(rate=0.0), [False] * 4),
    ],
)
def test_a_fault_strikes_as_often_as_it_says(fault: Fault, expected: list[bool]) -> None:
    assert struck(FaultPlan([fault]), 4) == expected


def test_chance_repeats_itself() -> None:
    runs = [struck(FaultPlan([Fault(rate=0.5, count=None)], seed=7), 50) for _ in range(2)]
    assert runs[0] == runs[1]
    assert 10 < sum(runs[0]) < 40


def test_a_plan_counts_what_it_did() -> None:
    plan = FaultPlan([Fault(), Fault()])
    struck(plan, 4)
    assert plan.struck == 2


def test_the_service_dialect_is_capitalised_and_the_gateways_is_not() -> None:
    service = simplejson.loads(render(Fault(dialect="json", code="10000"), "now")[1])
    gateway = simplejson.loads(render(Fault(dialect="gateway", status=503, code="3001"), "now")[1])
    assert service["Fault"]["Error"][0]["code"] == "10000"
    assert service["Fault"]["type"] == "SystemFault"
    assert gateway["fault"]["error"][0]["message"].endswith("errorCode=003001; statusCode=503")
    assert isinstance(gateway["time"], int)


def test_the_other_dialects_are_no_json() -> None:
    assert b"ThrottleExceeded" in render(Fault(dialect="xml", status=429), "now")[1]
    assert render(Fault(dialect="html"), "now")[0] == "text/html"
    assert render(Fault(dialect="empty"), "now")[1] == b""
    assert render(Fault(dialect="cut"), "now", b'{"Invoice": {}}') == ("application/json", b'{"Invoi')


def test_the_throttle_counts_a_sliding_minute() -> None:
    now = [0.0]
    throttle = Throttle(Limits(requests_per_minute=3, batches_per_minute=1), clock=lambda: now[0])
    assert [throttle.admits(batch=batch) for batch in (True, True, False, False, False)] == [True, False, True, True, False]
    now[0] = 60.0
    assert throttle.admits(batch=True)


def test_the_throttle_knows_what_is_in_flight() -> None:
    throttle = Throttle(Limits(concurrency=1))
    assert throttle.admits(batch=False)
    throttle.in_flight = 1
    assert not throttle.admits(batch=False)
