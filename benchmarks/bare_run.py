"""A Dagster run that does nothing, on the same storage: what a sync cannot be faster than."""

import dagster as dg

from fb_qbo_pipeline.automation.instance import open_instance
from fb_qbo_pipeline.settings.environment import Environment


@dg.asset
def nothing() -> None:
    """Do nothing."""


def main() -> None:
    """One run in this process."""
    definitions = dg.Definitions([nothing], jobs=[dg.define_asset_job("bare", executor_def=dg.in_process_executor)])
    with open_instance(Environment.read()) as instance:
        assert definitions.resolve_job_def("bare").execute_in_process(instance=instance).success


if __name__ == "__main__":
    main()
