"""What an error came from."""

import pytest

from fb_qbo_pipeline.errors import ConfigurationError, cause_for_people, causes


def test_causes_that_go_round_in_a_circle_are_told_once() -> None:
    inner, outer = ValueError("inner"), RuntimeError("outer")
    outer.__cause__, inner.__cause__ = inner, outer
    assert list(causes(outer)) == [outer, inner]
    assert cause_for_people(outer) is None


def test_the_nearest_cause_that_a_person_may_read_is_found() -> None:
    with pytest.raises(RuntimeError) as caught:
        try:
            raise ConfigurationError("wrong", "correct it")
        except ConfigurationError as error:
            raise RuntimeError from error
    assert str(cause_for_people(caught.value)) == str(ConfigurationError("wrong", "correct it"))
