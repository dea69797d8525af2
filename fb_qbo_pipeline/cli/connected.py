"""An integration opened for a command that needs both accounts."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from fb_qbo_pipeline.errors import ConnectionRequired
from fb_qbo_pipeline.pipeline.runtime import SERVICES, Runtime, open_database, open_runtime, require_connection
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.models import Integration


@contextmanager
def connected(integration: Integration, environment: Environment) -> Iterator[Runtime]:
    """The integration, opened. Raises ConnectionRequired where one of its accounts was never connected."""
    engine = open_database(environment)
    try:
        require_connections(engine, environment, integration)
        with open_runtime(integration, environment, engine=engine) as runtime:
            yield runtime
    finally:
        engine.dispose()


def require_connections(engine: Engine, environment: Environment, integration: Integration) -> None:
    """Raise ConnectionRequired that names every account that was never connected, ConfigurationError where an app is not set."""
    missing = []
    for service in SERVICES:
        try:
            require_connection(engine, environment, integration, service)
        except ConnectionRequired as error:
            missing.append(error)
    if missing:
        raise ConnectionRequired(
            "\n".join(error.message for error in missing), ", and ".join(error.remedy for error in missing).replace(", and run:", ", and")
        )
