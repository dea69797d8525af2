"""What stands in deploy/ fits the product: its commands, variables, limits and version. Containers are not started here."""

import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import yaml

from fb_qbo_pipeline import __version__
from fb_qbo_pipeline.cli.services import environment_of
from fb_qbo_pipeline.settings.environment import VARIABLES, Environment
from fb_qbo_pipeline.webserver.guard import Allowed

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
OURS = ("code", "webserver", "daemon")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services of the compose file."""
    services: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    return services


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    """The values of the Helm chart."""
    values: dict[str, Any] = yaml.safe_load((DEPLOY / "values.yaml").read_text())
    return values


@pytest.mark.parametrize("name", OURS)
def test_every_service_runs_an_installed_program_as_nobody_special_and_says_whether_it_is_well(services: dict[str, Any], name: str) -> None:
    service = services[name]
    installed = {script.name for script in entry_points(group="console_scripts")}
    assert service["command"][0] in installed or service["command"][:2] == ["python", "-m"]
    assert service["user"] != "0"
    assert service["cap_drop"] == ["ALL"]
    assert service["healthcheck"]["test"][1] in installed | {"python"}
    assert service["depends_on"]["postgres"] == {"condition": "service_healthy"}


@pytest.mark.parametrize("name", ["webserver", "daemon"])
def test_what_asks_the_code_server_starts_when_that_answers(services: dict[str, Any], name: str) -> None:
    assert services[name]["depends_on"]["code"] == {"condition": "service_healthy"}


def test_a_daemon_without_its_code_server_waits_for_it_as_that_of_up_does(services: dict[str, Any], values: dict[str, Any]) -> None:
    waits = "DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR"
    assert environment_of(Path(), secrets=True)[waits]
    assert services["daemon"]["environment"][waits] == environment_of(Path(), secrets=True)[waits]
    assert values["dagsterDaemon"]["env"][waits] == environment_of(Path(), secrets=True)[waits]


def test_the_ui_is_not_open_to_the_network_and_nothing_else_is_published(services: dict[str, Any]) -> None:
    ports = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert ports == {"webserver": ["127.0.0.1:3000:3000"]}


def test_every_webserver_is_the_guarded_one_and_its_probe_asks_for_a_name_that_is_answered(
    services: dict[str, Any], values: dict[str, Any]
) -> None:
    assert services["webserver"]["command"][:3] == ["python", "-m", "fb_qbo_pipeline.webserver"]
    assert "exec python -m fb_qbo_pipeline.webserver" in (DEPLOY / "Dockerfile").read_text()
    webserver = values["dagsterWebserver"]
    (deployment,) = values["dagster-user-deployments"]["deployments"]
    assert webserver["image"]["tag"] == deployment["image"]["tag"]
    (variable,) = webserver["env"]
    assert variable["name"] == "FB_QBO_UI_URL"
    probe = webserver["readinessProbe"]["httpGet"]
    assert probe["port"] == webserver["service"]["port"]
    allowed = Allowed("0.0.0.0", variable["value"])
    assert all(allowed.host(header["value"], probe["port"]) for header in probe["httpHeaders"] if header["name"] == "Host")


def test_webserver_and_daemon_ask_the_code_server_at_its_port(services: dict[str, Any]) -> None:
    (location,) = yaml.safe_load((DEPLOY / "workspace.yaml").read_text())["load_from"]
    server = location["grpc_server"]
    assert server["host"] in services
    assert services[server["host"]]["command"][-3] == str(server["port"])
    assert all(services[name]["command"][-1] == "/opt/fb_qbo/workspace.yaml" for name in ("webserver", "daemon"))


def test_the_example_of_the_environment_names_known_variables_and_turns_no_alert_on() -> None:
    lines = [line for line in (DEPLOY / "fb-qbo.env.example").read_text().splitlines() if line and not line.startswith("#")]
    variables = dict(line.split("=", 1) for line in lines)
    assert set(variables) <= {variable.name for variable in VARIABLES}
    environment = Environment.read(variables)
    assert (environment.alert_webhook, environment.smtp) == (None, None)
    assert environment.database_url


def test_the_chart_keeps_to_the_same_limits_as_dagster_yaml_and_never_repeats_a_refused_post(values: dict[str, Any]) -> None:
    instance = yaml.safe_load((ROOT / "dagster.yaml").read_text())
    runs = values["concurrency"]["runs"]
    assert runs["tagConcurrencyLimits"] == instance["concurrency"]["runs"]["tag_concurrency_limits"]
    assert values["concurrency"]["pools"]["defaultLimit"] == instance["concurrency"]["pools"]["default_limit"]
    retries = values["dagsterDaemon"]["runRetries"]
    assert (retries["enabled"], retries["maxRetries"], retries["retryOnAssetOrOpFailure"]) == tuple(instance["run_retries"].values())
    assert retries["retryOnAssetOrOpFailure"] is False
    assert values["dagsterDaemon"]["runMonitoring"]["enabled"]


def test_images_carry_the_version_of_the_code(services: dict[str, Any], values: dict[str, Any]) -> None:
    (deployment,) = values["dagster-user-deployments"]["deployments"]
    assert deployment["image"]["tag"] == __version__
    assert {services[name]["image"] for name in OURS} == {f"fb-qbo-pipeline:{__version__}"}


def test_every_file_beside_the_code_is_installed_with_it() -> None:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["*"]
    beside = [file for file in (ROOT / "fb_qbo_pipeline").rglob("*") if file.is_file() and file.suffix not in {".py", ".pyc"}]
    assert beside
    assert [file.name for file in beside if not any(file.match(pattern) for pattern in patterns)] == []
