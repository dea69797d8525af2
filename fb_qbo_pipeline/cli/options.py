"""What the commands share: the options, and the integrations that they are about."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click

from fb_qbo_pipeline.errors import ConfigurationError
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.loading import load_integrations
from fb_qbo_pipeline.settings.models import Integration

F = TypeVar("F", bound=Callable[..., Any])


class Day(click.ParamType[date]):
    """A date written YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The date; a usage error where there is none such."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no date; write it as 2025-01-31", param, ctx)


config_option = click.option(
    "--config", type=click.Path(path_type=Path), default=None, help="Integration file, or a folder of several. [default: FB_QBO_CONFIG]"
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
strict_option = click.option("--strict", is_flag=True, help="Exit with status 3 where something is left to do.")
verbose_option = click.option("--verbose", "-v", is_flag=True, help="Log to standard error.")


def integrations(config: Path | None, environment: Environment) -> list[Integration]:
    """The integrations of a file or folder. Raises ConfigurationError with everything that is wrong in any of them."""
    results = load_integrations(config or environment.config)
    broken = [str(result.error) for result in results if result.error is not None]
    if broken:
        raise ConfigurationError("\n".join(broken))
    return [result.integration for result in results if result.integration is not None]


def one_integration(config: Path | None, environment: Environment) -> Integration:
    """The integration of a file; of a folder only where it holds one."""
    found = integrations(config, environment)
    if len(found) > 1:
        names = ", ".join(integration.name for integration in found)
        raise ConfigurationError(f"several integrations: {names}", "say which one: --config FILE")
    return found[0]


def per_integration(results: dict[str, Any]) -> Any:
    """What `--json` prints: the result itself for one integration, by name for several."""
    return next(iter(results.values())) if len(results) == 1 else results
