import pytest

from fb_qbo_pipeline.sandbox.freshbooks.faults import Fault, FaultPlan, throttled
from fb_qbo_pipeline.sandbox.freshbooks.refusals import SHAPES


def test_a_counted_fault_hits_that_many_matching_requests() -> None:
    plan = FaultPlan()
    plan.add(Fault(path="/invoices", count=2))
    hits = [plan.pick(path) is not None for path in ("/payments", "/invoices?page=1", "/invoices?page=2", "/invoices?page=3")]
    assert hits == [False, True, True, False]


def test_a_rate_fires_evenly() -> None:
    plan = FaultPlan()
    plan.add(Fault(count=None, rate=0.25))
    assert [plan.pick("/") is not None for _ in range(8)] == [False, False, False, True] * 2


def test_the_first_rule_that_fires_decides_and_clearing_ends_all() -> None:
    plan = FaultPlan()
    plan.add(Fault(status=500, count=1))
    plan.add(Fault(status=503, count=None))
    picked = [plan.pick("/") for _ in range(2)]
    assert [fault.status for fault in picked if fault] == [500, 503]
    plan.clear()
    assert plan.pick("/") is None


@pytest.mark.parametrize("body", ["html", "empty", "cut", *SHAPES])
def test_every_body_has_its_status_and_only_shapes_are_json(body: str) -> None:
    response = Fault(status=503, body=body).response()
    assert response.status_code == 503
    assert (body in SHAPES) == bytes(response.body).endswith(b"}")


def test_throttling_comes_with_and_without_retry_after() -> None:
    assert throttled().response().headers.get("retry-after") is None
    told = throttled(7).response()
    assert (told.status_code, told.headers["retry-after"]) == (429, "7")
