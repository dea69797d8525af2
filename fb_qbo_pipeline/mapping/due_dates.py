"""Due dates: FreshBooks' own, otherwise by the rule in the settings, otherwise the document's date.

QuickBooks would fall back to the customer's or vendor's payment terms, and so change with them; a due date is always sent.
"""

import calendar
import datetime as dt

from fb_qbo_pipeline.settings.models import DueDate, DueDateType


def due_date(own: dt.date | None, day: dt.date, rule: DueDate | None) -> dt.date:
    """The due date of a document of `day`; `own` is FreshBooks' (never before the document's date)."""
    if own is not None:
        return max(own, day)
    return day if rule is None else by_rule(day, rule)


def by_rule(day: dt.date, rule: DueDate) -> dt.date:
    """The due date by type and delay; a day that the next month does not have is its last day."""
    if rule.type is DueDateType.DAYS:
        return day + dt.timedelta(days=rule.days)
    month_end = day.replace(day=calendar.monthrange(day.year, day.month)[1])
    if rule.type is DueDateType.DAYS_AFTER_MONTH_END:
        return month_end + dt.timedelta(days=rule.days)
    following = month_end + dt.timedelta(days=1)
    last = calendar.monthrange(following.year, following.month)[1]
    return following.replace(day=min(rule.days, last))
