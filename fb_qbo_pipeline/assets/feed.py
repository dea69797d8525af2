"""How fresh the look for changes has to be, beside the check that FreshBooks tells anything new at all.

The freshness of an asset is whether it is materialized in time: it turns bad where no look takes place, which no check of a
look can tell.
"""

import datetime as dt
from itertools import islice, pairwise

import dagster as dg
from dagster._utils.schedules import cron_string_iterator

from fb_qbo_pipeline.settings.models import Integration

_TICKS = 100  # of a schedule, to find its longest break: a weekend of one on working days
_A_WHILE = dt.timedelta(hours=1)  # a look waits for a backfill's run, and takes its time


def freshness_of(integration: Integration) -> dg.FreshnessPolicy | None:
    """Warns after one look that did not take place, fails after two; None where the schedule is off."""
    if not integration.schedule.enabled:
        return None
    started = dt.datetime.combine(integration.start_date, dt.time(), integration.zone)  # not now: the definition must not change
    ticks = islice(cron_string_iterator(started.timestamp(), integration.schedule.cron, integration.timezone), _TICKS)
    longest = max(later - earlier for earlier, later in pairwise(ticks))
    return dg.FreshnessPolicy.time_window(fail_window=2 * longest + _A_WHILE, warn_window=longest + _A_WHILE)
