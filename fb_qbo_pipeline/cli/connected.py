"""An integration opened for a command that needs both accounts."""

from collections.abc import Iterator
from contextlib import contextmanager

from fb_qbo_pipeline.pipeline.runtime import SERVICES, Runtime, open_database, open_runtime, require_connection
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.models import Integration


@contextmanager
def connected(integration: Integration, environment: Environment) -> Iterator[Runtime]:
    """The integration, opened. Raises ConnectionRequired where one of its accounts was never connected."""
    engine = open_database(environment)
    try:
        for service in SERVICES:
            require_connection(engine, environment, integration, service)
        with open_runtime(integration, environment, engine=engine) as runtime:
            yield runtime
    finally:
        engine.dispose()
