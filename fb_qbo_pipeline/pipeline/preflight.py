"""Refuses to begin while a setting names something that the QuickBooks company does not have."""

import logging

from fb_qbo_pipeline.errors import ConfigurationError
from fb_qbo_pipeline.mapping.preflight import Finding, configuration_problems
from fb_qbo_pipeline.pipeline.runtime import Runtime

log = logging.getLogger(__name__)


def settings_findings(runtime: Runtime) -> list[Finding]:
    """What in the settings does not fit the company as mirrored."""
    return configuration_problems(runtime.integration, runtime.mirror.company())


def require_valid_settings(runtime: Runtime) -> None:
    """Raise ConfigurationError with every fatal finding; log the others."""
    findings = settings_findings(runtime)
    fatal = [finding for finding in findings if finding.fatal]
    if fatal and not runtime.mirror.fresh():  # the mirror may be behind what a person has just changed in QuickBooks
        runtime.mirror.refresh()
        findings = settings_findings(runtime)
        fatal = [finding for finding in findings if finding.fatal]
    for finding in findings:
        if not finding.fatal:
            log.info("%s: %s", finding.key, finding.message)
    if fatal:
        lines = [f"{finding.key}: {finding.message}\n  → {finding.remedy}" for finding in fatal]
        raise ConfigurationError("the settings do not fit the QuickBooks company:\n" + "\n".join(lines))
