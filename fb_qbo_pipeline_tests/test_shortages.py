"""A machine that is short of something is told of in a sentence with its remedy."""

import errno
import os

import pytest

from fb_qbo_pipeline.shortages import shortage


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.ENOSPC, "the disk is full (/home/x)"),
        (errno.EROFS, "the disk can only be read (/home/x)"),
        (errno.EACCES, "this user may not use a file that is needed (/home/x)"),
        (errno.EMFILE, "this process may open no more files (/home/x)"),
    ],
)
def test_a_shortage_is_told_with_the_file_and_a_remedy(number: int, told: str) -> None:
    error = shortage(OSError(number, os.strerror(number), "/home/x"))
    assert error is not None
    assert error.message == told
    assert error.remedy.endswith("nothing is lost, and what is done is not repeated")


def test_a_shortage_is_found_behind_the_error_that_it_became() -> None:
    wrapped = RuntimeError("a step failed")
    wrapped.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    error = shortage(wrapped)
    assert error is not None
    assert error.message == "the disk is full"


def test_no_memory_is_a_shortage_and_a_mistake_is_none() -> None:
    error = shortage(MemoryError())
    assert error is not None
    assert error.message == "there is not enough memory"
    assert shortage(OSError(errno.ENOENT, "No such file")) is None
    assert shortage(ValueError("x")) is None
