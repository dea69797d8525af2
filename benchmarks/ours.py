"""The measured program: one integration against the servers, on a database of its own."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from benchmarks.servers import Servers
from fb_qbo_pipeline.oauth import TokenPair
from fb_qbo_pipeline.pipeline.runtime import SERVICES, Runtime, open_database, open_runtime, token_store
from fb_qbo_pipeline.sandbox.sample_country import country_named, integration
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.models import Integration


def settings(start: dt.date) -> Integration:
    """The sample company's settings, from `start` on."""
    return Integration.model_validate(integration(country_named("ca"), start))


def variables(servers: Servers, home: Path) -> dict[str, str]:
    """The environment of a program that keeps its state under `home`."""
    return servers.environment | {"FB_QBO_HOME": str(home), "FB_QBO_SECRET_KEY": Fernet.generate_key().decode()}


@contextmanager
def opened(environment: dict[str, str], integration: Integration, today: dt.date, token: str, **options: Any) -> Iterator[Runtime]:
    """The integration, connected and opened; its day is `today`. The embedded Postgres writes to the disk as in production."""
    read = Environment.read(environment)
    engine = open_database(read)
    try:
        for service in SERVICES:
            with token_store(engine, read, integration, service).locked() as tokens:
                tokens.save(TokenPair("", token, None))
        with open_runtime(integration, read, run_id="bench", engine=engine, **options) as runtime:
            runtime.clock = lambda: dt.datetime.combine(today, dt.time(15), dt.UTC)
            yield runtime
    finally:
        engine.dispose()
