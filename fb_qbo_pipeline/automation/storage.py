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
from fb_qbo_pipeline.ledger.tables import SCHEMA
from fb_qbo_pipeline.redaction import guard_process, without_values
from fb_qbo_pipeline.settings.environment import Environment


@event.listens_for(Engine, "handle_error")
def _without_values(context: ExceptionContext) -> None:
    """Dagster prints what its storage raises: such an error must not quote the events, which hold customers' data."""
    if isinstance(context.sqlalchemy_exception, StatementError):
        context.sqlalchemy_exception.hide_parameters = True


@event.listens_for(Engine, "before_cursor_execute", retval=True)
def _without_secrets(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> tuple[str, Any]:
    """What Dagster stores (events, ticks, what runs say of themselves) holds no secret that is known, whoever quotes it.

    The ledger's own statements are let be: what its outbox sends is sent again to the letter.
    """
    if statement.startswith(("INSERT", "UPDATE")) and f"{SCHEMA}." not in statement:
        parameters = _redacted(parameters)
    return statement, parameters


def _redacted(value: Any) -> Any:
    """By value only: whatever else is cut out of a serialized event would spoil it."""
    if isinstance(value, str):
        return without_values(value)
    if isinstance(value, dict):
        return {name: _redacted(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_redacted(inner) for inner in value)
    return value


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
        guard_process()
        environment = Environment.read()
        environment.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(postgres_url=dagster_url(environment.database_url, environment.home), inst_data=inst_data)
