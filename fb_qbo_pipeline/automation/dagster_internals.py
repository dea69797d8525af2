"""What the project uses of Dagster that is not public, in one place: here a new version of Dagster is looked at first.

`execute` and `REMOTE_REPOSITORY`: the public `execute_in_process` creates runs that belong to no code location. The UI cannot
re-execute such a run (CheckError), and leaves it out of the timeline and of a job's status bar.
`UserConfigSchema`, `ConfigurableClassData`: types in the signatures of classes that dagster.yaml names.
`DefaultRunLauncher` and what it answers with: a launcher can be extended only from here.
`UnresolvedAssetJobDefinition`: what the public `define_asset_job` returns.
`code_server_answers`: without an interpreter's start for each question, which `dagster api grpc-health-check` costs; and that one
asks only the process that stands before the one with the code.
`GRPC_INFO_TAG`: the tag that names the code server whose child a run is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._config.config_schema import UserConfigSchema
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.execution.api import execute_run
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._grpc.client import DagsterGrpcClient
from dagster._serdes import ConfigurableClassData

__all__ = [
    "GRPC_INFO_TAG",
    "LOCATION",
    "CheckRunHealthResult",
    "ConfigurableClassData",
    "DefaultRunLauncher",
    "UnresolvedAssetJobDefinition",
    "UserConfigSchema",
    "WorkerStatus",
    "code_server_answers",
    "execute",
]

LOCATION = "fb_qbo_pipeline"
"""The code location's name in every workspace.yaml."""

# Of a location Dagster needs no more than its name: the webserver and the daemon find the rest in their own workspace.
REMOTE_REPOSITORY = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(LOCATION), "__repository__")


def execute(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    run_id: str,
    assets: Sequence[dg.AssetKey],
    tags: Mapping[str, str],
    run_config: Mapping[str, Any],
) -> None:
    """Run some assets of a job in this process, as a run of the code location's job. Raises what a step raises.

    The run names no checks, as one that is started from the assets: all that they have are evaluated, also when the run is repeated
    under a version that has more of them.
    """
    run = instance.create_run_for_job(
        job,
        run_id=run_id,
        run_config=run_config,
        tags={**job.run_tags, **tags},
        asset_selection=frozenset(assets),
        remote_job_origin=REMOTE_REPOSITORY.get_job_origin(job.name),
    )
    execute_run(InMemoryJob(job), run, instance, raise_on_error=True)


def code_server_answers(host: str, port: int | None = None, socket: str | None = None) -> bool:
    """Whether the code server at this port or socket has loaded its code, and the process that holds it lives."""
    try:
        DagsterGrpcClient(host=host, port=port, socket=socket).get_server_id(timeout=5)
    except DagsterUserCodeUnreachableError:
        return False
    return True
