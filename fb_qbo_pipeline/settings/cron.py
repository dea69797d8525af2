"""The check of a cron expression: five fields, each within its range, on a day that exists.

Dagster would refuse a wrong expression too, but only when the code location loads, and without saying which field is wrong.
"""

import re

from fb_qbo_pipeline.settings.mistakes import Fault, shown

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# Name, lowest, highest, names of the values from the lowest on. 7 is Sunday again.
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _WEEKDAYS),
)
_LONGEST_MONTH_DAYS = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
_NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_PART = re.compile(r"(?P<base>\*|(?P<first>\w+)(-(?P<last>\w+))?)(/(?P<step>\w+))?")


class _Wrong(ValueError):
    """What is wrong with one field."""


def _number(word: str, lowest: int, highest: int, names: tuple[str, ...]) -> int:
    if word.lower() in names:
        return lowest + names.index(word.lower())
    if not (word.isascii() and word.isdigit()):
        raise _Wrong(f"{shown(word)} is not a number")
    if not lowest <= int(word) <= highest:
        raise _Wrong(f"{word} is not within {lowest} to {highest}")
    return int(word)


def _values(text: str, lowest: int, highest: int, names: tuple[str, ...]) -> set[int]:
    values: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise _Wrong(f"{shown(part)} is not a value, a range a-b, * or one of these with a step /n")
        first, last = lowest, highest
        if match["base"] != "*":
            first = _number(match["first"], lowest, highest, names)
            last = _number(match["last"], lowest, highest, names) if match["last"] else highest if match["step"] else first
        if match["last"] and first >= last:  # Dagster reads a range of one value, 3-3, as *
            raise _Wrong(f"the range {shown(part)} does not go upwards")
        step = _number(match["step"], 1, last, ()) if match["step"] else 1
        values.update(range(first, last + 1, step))
    return values


def cron_fault(expression: str) -> Fault | None:
    """What is wrong with a cron expression, or None. Accepts what crontab(5) calls standard: values, names, ranges, lists, steps."""
    example = "write minute, hour, day of the month, month and day of the week, such as “0 * * * *” for every full hour"
    if expression.lower() in _NICKNAMES:
        return Fault("", f"{expression} is a nickname", f'write "{_NICKNAMES[expression.lower()]}"')
    texts = expression.split()
    if len(texts) != len(_FIELDS):
        return Fault("", f"{shown(expression)} has {len(texts)} of the 5 fields of a cron expression", example)
    parsed = []
    for text, (name, lowest, highest, names) in zip(texts, _FIELDS, strict=True):
        try:
            parsed.append(_values(text, lowest, highest, names))
        except _Wrong as wrong:
            return Fault("", f"{name} of the cron expression: {wrong}", example)
    days, months = parsed[2], parsed[3]
    if texts[4] == "*" and all(min(days) > _LONGEST_MONTH_DAYS.get(month, 31) for month in months):
        return Fault("", f"{shown(expression)} names a day that does not exist, so the sync would never run", "correct day or month")
    return None
