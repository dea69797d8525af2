"""Where alerts arrive."""

from collections.abc import Iterator

import pytest

from fb_qbo_pipeline_tests.automation.receivers import MailServer, WebhookServer, serving


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """A mail server."""
    with serving(MailServer()) as server:
        yield server


@pytest.fixture
def webhook() -> Iterator[WebhookServer]:
    """An incoming webhook."""
    with serving(WebhookServer()) as server:
        yield server
