"""What people click in the Dagster UI, as the queries that it then makes: of an in-process schema, or of the real webserver."""

from collections.abc import Callable
from typing import Any

Ask = Callable[..., dict[str, Any]]
"""Called with a query and its variables; answers with the data."""

REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": "fb_qbo_pipeline"}
_REQUESTS = """... on PythonError { message } ... on DryRunInstigationTick { evaluationResult { skipReason error { message }
    runRequests { runConfigYaml jobName tags { key value } assetSelection { path } assetChecks { name assetKey { path } } } } }"""


def execute_again(ask: Ask, run_id: str, strategy: str = "ALL_STEPS") -> dict[str, Any]:
    """A run's "Re-execute"; the new run."""
    answer = ask(
        """mutation($parameters: ReexecutionParams) { launchPipelineReexecution(reexecutionParams: $parameters) {
             __typename ... on LaunchRunSuccess { run { id status parentRunId tags { key value } } } ... on PythonError { message } } }""",
        parameters={"parentRunId": run_id, "strategy": strategy},
    )["launchPipelineReexecution"]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    return dict(answer["run"])


def tick(ask: Ask, schedule: str, at: float) -> list[dict[str, Any]]:
    """A schedule's "Test schedule"; what it requests."""
    query = "mutation($of: ScheduleSelector!, $at: Float) { scheduleDryRun(selectorData: $of, timestamp: $at) { " + _REQUESTS + " } }"
    return _requests(ask(query, of=REPOSITORY | {"scheduleName": schedule}, at=at)["scheduleDryRun"])


def preview(ask: Ask, sensor: str) -> list[dict[str, Any]]:
    """A sensor's "Preview tick result"; what it requests."""
    query = "mutation($of: SensorSelector!, $cursor: String) { sensorDryRun(selectorData: $of, cursor: $cursor) { " + _REQUESTS + " } }"
    return _requests(ask(query, of=REPOSITORY | {"sensorName": sensor}, cursor=None)["sensorDryRun"])


def _requests(tick: dict[str, Any]) -> list[dict[str, Any]]:
    assert tick.get("evaluationResult", {}).get("runRequests"), tick
    return list(tick["evaluationResult"]["runRequests"])


def failing(ask: Ask, asset: str = "reconciliation") -> set[str]:
    """The checks of an asset that the list on its page shows as failed."""
    query = """query($keys: [AssetKeyInput!]) { assetNodes(assetKeys: $keys) { assetChecksOrError { ... on AssetChecks { checks {
        name executionForLatestMaterialization { status } } } } } }"""
    (node,) = ask(query, keys=[{"path": ["acme", asset]}])["assetNodes"]
    checks = node["assetChecksOrError"]["checks"]
    return {check["name"] for check in checks if (check["executionForLatestMaterialization"] or {}).get("status") == "FAILED"}


def launch_all(ask: Ask, requests: list[dict[str, Any]], job: str) -> list[dict[str, Any]]:
    """ "Launch all & commit" of what a tick has requested; the runs."""
    parameters = [
        {
            "runConfigData": request["runConfigYaml"],
            "selector": REPOSITORY
            | {
                "jobName": request["jobName"] or job,
                "assetSelection": request["assetSelection"] or [],
                "assetCheckSelection": request["assetChecks"] or [],
            },
            "mode": "default",
            "executionMetadata": {"tags": request["tags"]},
        }
        for request in requests
    ]
    launched = ask(
        """mutation($list: [ExecutionParams!]!) { launchMultipleRuns(executionParamsList: $list) { ... on LaunchMultipleRunsResult {
             launchMultipleRunsResult { __typename ... on LaunchRunSuccess { run { id status assetSelection { path } } }
             ... on InvalidSubsetError { message } ... on PythonError { message } } } } }""",
        list=parameters,
    )["launchMultipleRuns"]["launchMultipleRunsResult"]
    assert [run["__typename"] for run in launched] == ["LaunchRunSuccess"] * len(requests), launched
    return [run["run"] for run in launched]
