import datetime as dt

import pytest

from fb_qbo_pipeline.sandbox.freshbooks.clock import Clock
from fb_qbo_pipeline.sandbox.freshbooks.state import FreshBooks
from fb_qbo_pipeline_tests.sandbox_freshbooks.asgi import Api

NOON = dt.datetime(2026, 3, 16, 16, 0, tzinfo=dt.UTC)  # noon in Toronto


@pytest.fixture
def account() -> FreshBooks:
    """An account whose clock stands at noon of 16 March 2026, with one client, HST 13 and a category."""
    account = FreshBooks(clock=Clock(NOON))
    account.add_client("Acme")
    account.add_tax("HST", "13")
    account.add_category("Advertising")
    return account


@pytest.fixture
def client_id(account: FreshBooks) -> int:
    return int(account.view("client")[0]["id"])


@pytest.fixture
def api(account: FreshBooks) -> Api:
    return Api(account)
