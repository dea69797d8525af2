"""The Dagster project: every integration of `FB_QBO_CONFIG`, each with its assets, job, schedule and sensor."""

import logging
import os
from collections.abc import Iterable
from pathlib import Path

import dagster as dg

from fb_qbo_pipeline.assets.company import Company
from fb_qbo_pipeline.assets.factory import build_assets
from fb_qbo_pipeline.automation.alerts import build_alert_sensors
from fb_qbo_pipeline.automation.jobs import build_job, build_schedule, build_sensor
from fb_qbo_pipeline.automation.left_out import left_out
from fb_qbo_pipeline.errors import ConfigurationError
from fb_qbo_pipeline.posting.poster import Progress
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.loading import load_integrations
from fb_qbo_pipeline.settings.models import Integration

log = logging.getLogger(__name__)


def build_definitions(
    integrations: Iterable[Integration], environment: Environment | None = None, progress: Progress | None = None
) -> dg.Definitions:
    """Definitions of several integrations side by side; adding one costs no code."""
    return dg.Definitions.merge(*(_definitions(integration, environment, progress) for integration in integrations))


def _definitions(integration: Integration, environment: Environment | None, progress: Progress | None) -> dg.Definitions:
    job = build_job(integration)
    company = Company(integration, environment, progress)
    return dg.Definitions(
        assets=build_assets(integration),
        jobs=[job],
        schedules=[build_schedule(integration, job)],
        sensors=[build_sensor(integration, job), *build_alert_sensors(company)],
        resources={integration.name: company},
        executor=dg.in_process_executor,
    )


def load_definitions(config: Path) -> dg.Definitions:
    """The definitions of a file or a folder. A broken file does not touch the others: it is named in the log,
    and an asset in the group `left_out` says what is wrong with it.

    Where the default file does not exist yet, there is nothing to show, and the log says what to do.
    """
    if not config.exists() and not os.environ.get("FB_QBO_CONFIG"):
        log.warning("there is no %s yet: copy integration.example.yaml, or set FB_QBO_CONFIG", config)
        return dg.Definitions()
    results = load_integrations(config)
    broken = [result for result in results if result.error is not None]
    if broken and len(broken) == len(results):
        raise ConfigurationError("\n".join(str(result.error) for result in broken))
    for result in broken:
        log.error("left out: %s", result.error)
    companies = build_definitions(result.integration for result in results if result.integration is not None)
    return dg.Definitions.merge(companies, left_out(broken, Environment.read()))


@dg.definitions
def defs() -> dg.Definitions:
    """What the code server loads."""
    return load_definitions(Environment.read().config)
