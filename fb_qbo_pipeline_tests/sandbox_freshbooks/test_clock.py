import datetime as dt

import pytest

from fb_qbo_pipeline.sandbox.freshbooks.clock import Clock, eastern_text, eastern_version, utc_text


def test_times_are_eastern_with_daylight_saving_and_sign_up_is_utc() -> None:
    summer = dt.datetime(2019, 4, 18, 18, 28, 30, 5, tzinfo=dt.UTC)
    assert eastern_text(summer) == "2019-04-18 14:28:30"
    assert eastern_version(summer) == "2019-04-18 14:28:30.000005"
    assert utc_text(summer) == "2019-04-18 18:28:30"
    assert eastern_text(dt.datetime(2019, 12, 18, 18, 0, tzinfo=dt.UTC)) == "2019-12-18 13:00:00"


def test_the_hour_that_repeats_in_november_gives_one_text_for_two_instants() -> None:
    first = dt.datetime(2025, 11, 2, 5, 30, tzinfo=dt.UTC)
    assert eastern_text(first) == eastern_text(first + dt.timedelta(hours=1)) == "2025-11-02 01:30:00"


def test_a_clock_stands_still_when_set_and_follows_the_machine_when_run() -> None:
    clock = Clock(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    clock.advance(dt.timedelta(days=1))
    assert clock.now() == clock.now() == dt.datetime(2020, 1, 2, tzinfo=dt.UTC)
    clock.run()
    assert abs(clock.now() - dt.datetime.now(dt.UTC)) < dt.timedelta(seconds=5)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Clock(dt.datetime(2020, 1, 1))  # noqa: DTZ001  that is the mistake
