"""The Dagster project: every integration of `FB_QBO_CONFIG`, each with its assets, job, schedule and sensor."""

import logging
import os
from collections.abc import Iterable
from pathlib import Path

import dagster as dg

from fb_qbo_pipeline.assets.company import Company, as_resource
from fb_qbo_pipeline.assets.factory import build_assets, resource_key
from fb_qbo_pipeline.assets.two_sided import build_two_sided
from fb_qbo_pipeline.automation.alerts import build_alert_sensors
from fb_qbo_pipeline.automation.jobs import build_job, build_schedule, build_sensor
from fb_qbo_pipeline.automation.left_out import left_out
from fb_qbo_pipeline.automation.two_sided import build_comparison_job, build_comparison_schedule
from fb_qbo_pipeline.errors import ConfigurationError
from fb_qbo_pipeline.redaction import guard_process
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.loading import load_integrations

log = logging.getLogger(__name__)


def build_definitions(companies: Iterable[Company]) -> dg.Definitions:
    """Definitions of several companies side by side; adding one costs no code."""
    return dg.Definitions.merge(*(_definitions(company) for company in companies))


def _definitions(company: Company) -> dg.Definitions:
    integration = company.integration
    job, comparison = build_job(integration), build_comparison_job(integration)
    return dg.Definitions(
        assets=[*build_assets(integration), build_two_sided(integration)],
        jobs=[job, comparison],
        schedules=[build_schedule(integration, job), build_comparison_schedule(integration, comparison)],
        sensors=[build_sensor(company, job), *build_alert_sensors(company)],
        resources={resource_key(integration): as_resource(company)},
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
    companies = build_definitions(Company(result.integration) for result in results if result.integration is not None)
    return dg.Definitions.merge(companies, left_out(broken, Environment.read()))


@dg.definitions
def defs() -> dg.Definitions:
    """What the code server loads."""
    guard_process()
    return load_definitions(Environment.read().config)
