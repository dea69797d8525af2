"""Fixtures: a connected client of a company in each of the three countries."""

import pytest

from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline_tests.sandbox_quickbooks.asgi import Api, Clock


@pytest.fixture
def api() -> Api:
    """A Canadian company."""
    return Api()


@pytest.fixture
def us() -> Api:
    return Api(QuickBooks("us", clock=Clock()))


@pytest.fixture
def gb() -> Api:
    return Api(QuickBooks("gb", clock=Clock()))


@pytest.fixture
def world() -> Api:
    """A Canadian company with several currencies."""
    return Api(QuickBooks("ca", multicurrency=True, clock=Clock()))
