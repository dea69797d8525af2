"""Cron expressions: what is accepted runs, and what is refused says which field is wrong."""

import pytest
from dagster import ScheduleDefinition
from hypothesis import given
from hypothesis import strategies as st

from fb_qbo_pipeline.settings.cron import cron_fault


def _field(lowest: int, highest: int) -> st.SearchStrategy[str]:
    value = st.integers(lowest, highest)
    ranges = st.tuples(value, value).map(lambda pair: f"{min(pair)}-{max(pair)}")
    one = st.one_of(st.just("*"), value.map(str), ranges)
    stepped = st.tuples(st.one_of(st.just("*"), ranges), st.integers(1, highest)).map(lambda pair: f"{pair[0]}/{pair[1]}")
    return st.lists(st.one_of(one, stepped), min_size=1, max_size=3).map(",".join)


expressions = st.tuples(_field(0, 59), _field(0, 23), _field(1, 31), _field(1, 12), _field(0, 6)).map(" ".join)


@given(expressions)
def test_dagster_accepts_every_expression_that_is_accepted(expression: str) -> None:
    if cron_fault(expression) is None:
        assert ScheduleDefinition(name="s", job_name="j", cron_schedule=expression).cron_schedule == expression


@pytest.mark.parametrize(
    "expression",
    ["0 * * * *", "*/15 * * * *", "0 6-22/2 * * mon-fri", "30 6 1,15 * *", "0 0 29 2 *", "0 0 31 * *", "5 4 * JAN,jul 7", "0  3 * * *"],
)
def test_what_crontab_calls_standard_is_accepted(expression: str) -> None:
    assert cron_fault(expression) is None


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("0 * * *", "4 of the 5 fields"),
        ("0 0 * * * *", "6 of the 5 fields"),
        ("60 * * * *", "minute of the cron expression: 60 is not within 0 to 59"),
        ("0 24 * * *", "hour of the cron expression: 24 is not within 0 to 23"),
        ("0 0 0 * *", "day of the month of the cron expression: 0 is not within 1 to 31"),
        ("0 0 * 13 *", "month of the cron expression: 13"),
        ("0 0 * * 8", "day of the week of the cron expression: 8"),
        ("0 22-6 * * *", "the range '22-6' does not go upwards"),
        ("0 0 * * 3-3", "the range '3-3' does not go upwards"),
        ("0-5/10 * * * *", "10 is not within 1 to 5"),
        ("*/0 * * * *", "0 is not within 1 to 59"),
        ("a * * * *", "'a' is not a number"),
        ("1,,2 * * * *", "'' is not a value"),
        ("0 0 30 2 *", "a day that does not exist"),
        ("0 0 31 4,6 *", "a day that does not exist"),
        ("@hourly", "is a nickname"),
    ],
)
def test_a_wrong_expression_is_refused_with_the_field_that_is_wrong(expression: str, words: str) -> None:
    fault = cron_fault(expression)
    assert fault is not None
    assert words in fault.wrong
    assert fault.remedy
