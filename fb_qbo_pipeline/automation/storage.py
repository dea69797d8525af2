"""Dagster's storage in the pipeline's database: the embedded Postgres, started when needed, or the one that is named.

`dagster.yaml` cannot start a server or choose by an environment variable's absence; a storage class can. So the same file
serves `dagster dev`, the webserver, the daemon and the command line, with nothing to set.
"""

from typing import Any

from dagster_postgres import DagsterPostgresStorage
from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import StatementError

from fb_qbo_pipeline.automation.dagster_internals import ConfigurableClassData, UserConfigSchema
from fb_qbo_pipeline.ledger.database import dagster_url
from fb_qbo_pipeline.settings.environment import Environment


@event.listens_for(Engine, "handle_error")
def _without_values(context: ExceptionContext) -> None:
    """Dagster prints what its storage raises: such an error must not quote the events, which hold customers' data."""
    if isinstance(context.sqlalchemy_exception, StatementError):
        context.sqlalchemy_exception.hide_parameters = True


class PipelineStorage(DagsterPostgresStorage):
    """Runs, events and schedules of Dagster beside the ledger."""

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """There is nothing to configure: the environment says where the database is."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "PipelineStorage":
        """Build the storage; called by Dagster in every process."""
        del config_value
        environment = Environment.read()
        environment.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(postgres_url=dagster_url(environment.database_url, environment.home), inst_data=inst_data)
