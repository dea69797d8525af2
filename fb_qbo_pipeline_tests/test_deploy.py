"""What stands in deploy/ fits the product: its commands, variables, limits, versions and secrets. Containers are not started here."""

import re
import shutil
import tomllib
from importlib.metadata import entry_points, requires, version
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement

from deploy import locks, pin, sbom
from fb_qbo_pipeline import __version__
from fb_qbo_pipeline.automation.launcher import PipelineRunLauncher
from fb_qbo_pipeline.cli.services import environment_of
from fb_qbo_pipeline.settings.environment import VARIABLES, Environment, without_secrets
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


def test_webserver_and_daemon_ask_the_code_server_through_a_socket_that_all_three_share(services: dict[str, Any]) -> None:
    (location,) = yaml.safe_load((DEPLOY / "workspace.yaml").read_text())["load_from"]
    socket = location["grpc_server"]["socket"]
    assert "port" not in location["grpc_server"]
    assert not {"--host", "--port"} & set(services["code"]["command"])
    for told in (services["code"]["command"], services["code"]["healthcheck"]["test"]):
        assert told[told.index("--socket") + 1] == socket
    assert all(f"socket:{Path(socket).parent}" in services[name]["volumes"] for name in OURS)
    assert all(services[name]["command"][-1] == "/opt/fb_qbo/workspace.yaml" for name in ("webserver", "daemon"))


def test_a_code_server_at_a_socket_that_does_not_answer_counts_as_away(tmp_path: Path) -> None:
    shutil.copy(DEPLOY / "workspace.yaml", tmp_path)
    launcher = {"module": "fb_qbo_pipeline.automation.launcher", "class": "PipelineRunLauncher"}
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides={"run_launcher": launcher}) as instance:
        assert isinstance(instance.run_launcher, PipelineRunLauncher)
        assert instance.run_launcher._code_server_is_away()


@pytest.mark.parametrize("name", [*OURS, "command", "postgres"])
def test_every_container_is_read_only_has_limits_and_no_right_that_it_does_not_need(services: dict[str, Any], name: str) -> None:
    service = services[name]
    assert service["read_only"] is True
    assert any(folder.partition(":")[0] == "/tmp" for folder in service["tmpfs"])
    assert service["pids_limit"] <= 1024
    assert service["cpus"] <= 2
    assert re.fullmatch(r"[1-4]g", service["mem_limit"])
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "outside" not in service["networks"] or name in {"code", "command"}


def test_only_what_does_the_work_has_its_secrets(services: dict[str, Any]) -> None:
    files = {name: service.get("env_file", []) for name, service in services.items()}
    assert {name for name, file in files.items() if "fb-qbo.env" in file} == {"code", "command"}
    others = _example("services.env.example")
    assert without_secrets(others) == others
    assert set(_example("fb-qbo.env.example")).isdisjoint(others)


def _example(name: str) -> dict[str, str]:
    lines = [line for line in (DEPLOY / name).read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_the_examples_of_the_environment_name_known_variables_and_turn_no_alert_on() -> None:
    variables = _example("services.env.example") | _example("fb-qbo.env.example")
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


def test_what_goes_into_the_image_is_what_constraints_txt_has_for_it() -> None:
    for file, text in locks.subsets().items():
        assert file.read_text() == text, f"make lock: {file.name} is not of this constraints.txt"
    everything = (ROOT / "constraints.txt").read_text()
    assert "".join(locks.entries(everything).values()) == everything  # also what has several versions


def test_every_package_of_the_image_finds_what_it_needs_in_it_on_this_python() -> None:
    environment = {name: str(value) for name, value in default_environment().items()}
    packages = {
        name
        for name, entry in locks.entries(locks.REQUIREMENTS.read_text()).items()
        if any(_applies(line) for line in entry.splitlines() if "==" in line and not line.startswith(" "))
    }
    for name in packages:
        for needed in map(Requirement, requires(name) or []):
            if needed.marker is None or needed.marker.evaluate(environment | {"extra": ""}):
                assert locks.normalised(needed.name) in packages, f"{name} needs {needed}"


def _applies(line: str) -> bool:
    marker = Requirement(line.rstrip("\\ ")).marker
    return marker is None or marker.evaluate()


def test_the_image_gets_no_tool_of_developers_and_everything_in_it_is_pinned_and_hashed() -> None:
    packages = locks.entries(locks.REQUIREMENTS.read_text())
    settings = locks.project()["project"]
    assert {locks.normalised(one) for one in settings["dependencies"]} <= packages.keys()
    needed = {name for name, entry in packages.items() if locks.wanted_by(entry) & packages.keys()}  # also by something that runs
    tools = {locks.normalised(one) for one in settings["optional-dependencies"]["dev"]} - needed
    assert {"pytest", "ruff", "mypy", "hypothesis"} <= tools
    assert packages.keys().isdisjoint(tools | {"pluggy", "grimp", "execnet"})
    assert locks.entries(locks.BUILD.read_text()).keys() == {"setuptools"}
    installed = re.findall(r"--requirement ([\w.]+)", (DEPLOY / "Dockerfile").read_text())
    assert sorted(installed) == ["build.txt", "kubernetes.txt", "requirements.txt"]
    for name in installed:
        for entry in locks.entries((DEPLOY / name).read_text()).values():
            assert re.match(r"[a-z0-9.-]+==\S+( ; .+)? \\\n    --hash=sha256:[0-9a-f]{64}", entry), entry
    assert len(re.findall("--require-hashes", (DEPLOY / "Dockerfile").read_text())) == len(installed)


def test_what_kubernetes_needs_beside_it_is_of_the_same_dagster() -> None:
    beside = locks.entries(locks.KUBERNETES.read_text())
    assert beside.keys().isdisjoint(locks.entries((ROOT / "constraints.txt").read_text()))
    assert locks.versions(beside["dagster-k8s"]) == [version("dagster-postgres")]


def test_the_lists_name_no_address() -> None:
    for file in (locks.REQUIREMENTS, locks.BUILD, locks.KUBERNETES):
        assert not re.search(r"https?:|index-url|find-links", file.read_text())


def test_every_base_image_is_one_that_can_be_pinned_and_pinning_changes_nothing_else() -> None:
    assert set(re.findall(r"^FROM (\S+)", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)) == {"${PYTHON_IMAGE}"}
    for file, tag in zip(pin.FILES, ("python:3.12-slim", "postgres:17"), strict=True):
        text = file.read_text()
        assert [found["tag"] for found in pin.IMAGE.finditer(text)] == [tag]
        once = pin.pinned(text, lambda asked: f"sha256:{len(asked):064x}")
        assert f"{tag}@sha256:{len(tag):064x}" in once
        assert pin.pinned(once, lambda _asked: f"sha256:{7:064x}").count(f"@sha256:{7:064x}") == 1
        assert re.sub(r"@sha256:[0-9a-f]{64}", "", once) == re.sub(r"@sha256:[0-9a-f]{64}", "", text)


def test_the_bill_of_materials_lists_what_is_in_the_image_and_who_needs_it() -> None:
    bill = sbom.bill()
    packages = locks.entries(locks.REQUIREMENTS.read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    assert {part["name"] for part in bill["components"]} == packages.keys()
    references = {part["bom-ref"] for part in bill["components"]} | {bill["metadata"]["component"]["bom-ref"]}
    assert {one["ref"] for one in bill["dependencies"]} == references
    (ours,) = [one for one in bill["dependencies"] if one["ref"] == bill["metadata"]["component"]["bom-ref"]]
    assert len(ours["dependsOn"]) == len(locks.project()["project"]["dependencies"])
    assert all(set(one["dependsOn"]) <= references for one in bill["dependencies"])
    assert sum("licenses" in part for part in bill["components"]) > len(packages) * 0.9
    assert bill == sbom.bill()


def test_in_kubernetes_only_webserver_and_daemon_reach_the_code_server(values: dict[str, Any]) -> None:
    policy = yaml.safe_load((DEPLOY / "networkpolicy.yaml").read_text())["spec"]
    (deployment,) = values["dagster-user-deployments"]["deployments"]
    assert policy["podSelector"]["matchLabels"] == {"component": "user-deployments", "deployment": deployment["name"]}
    (rule,) = policy["ingress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": deployment["port"]}]
    assert [one["podSelector"]["matchLabels"]["component"] for one in rule["from"]] == ["dagster-webserver", "dagster-daemon"]
    assert deployment["securityContext"]["readOnlyRootFilesystem"] is True
