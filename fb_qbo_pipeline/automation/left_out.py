"""Companies whose file cannot be used: the others go on, and each of these is seen as an asset that says what is wrong.

Nothing else would tell: a company that is left out has no schedule that could fail and no sensor of its own. Where alerts
are set up, a sensor tells once for each reading of the files.
"""

from collections.abc import Sequence

import dagster as dg

from fb_qbo_pipeline.automation.alerts_delivery import Message, chat_of, deliver, mail_of
from fb_qbo_pipeline.escaping import markdown
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.loading import LoadResult

GROUP = "left_out"


def left_out(broken: Sequence[LoadResult], environment: Environment) -> dg.Definitions:
    """What stands for broken files in the UI, and the sensor that tells of them."""
    if not broken:
        return dg.Definitions()
    return dg.Definitions(assets=[_asset(result) for result in broken], sensors=_sensors(broken, environment))


def _asset(result: LoadResult) -> dg.AssetSpec:
    return dg.AssetSpec(
        [GROUP, result.path.name],
        group_name=GROUP,
        kinds={"yaml"},
        description=f"This company is not synced, because its settings cannot be used.\n\n{_told(result)}",
        metadata={"file": str(result.path)},
    )


def _told(result: LoadResult) -> str:
    """What is wrong, a line each; the file is quoted, so it is text and not Markdown."""
    return "\n".join(f"* {markdown(line)}" for line in str(result.error).splitlines() if line.strip())


def _sensors(broken: Sequence[LoadResult], environment: Environment) -> list[dg.SensorDefinition]:
    channels = [*chat_of(environment), *mail_of(environment)]
    if not channels:
        return []
    names = ", ".join(result.path.name for result in broken)
    subject = f"FreshBooks to QuickBooks: {names} cannot be used, so it is not synced"
    text = "\n".join(str(result.error) for result in broken)

    @dg.sensor(
        name=f"{GROUP}_alerts",
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells by webhook and e-mail that a company is left out.",
    )
    def alerts(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        if context.cursor != text:
            deliver([Message(channel, subject, text) for channel in channels], context.log.error)
            context.update_cursor(text)
        return dg.SkipReason("told")

    return [alerts]
