"""The options that commands share."""

from datetime import date
from pathlib import Path
from typing import Any

import click


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
