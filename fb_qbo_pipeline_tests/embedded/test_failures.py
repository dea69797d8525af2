"""What keeps the database from starting is one sentence with what to do."""

import errno
import os
from pathlib import Path

import pytest

from fb_qbo_pipeline.embedded.failures import of_os_error, of_output

HOME, LOG = Path("/srv/books"), Path("/srv/books/logs/postgres/postgres-Mon.log")


@pytest.mark.parametrize(
    ("number", "words", "remedy"),
    [
        (errno.ENOSPC, "the disk is full", "free some space"),
        (errno.EDQUOT, "the disk is full", "free some space"),
        (errno.EROFS, "the disk is read-only", "make it writable"),
        (errno.ENOMEM, "not enough memory", "free some memory"),
        (errno.EACCES, "this user may not", "give FB_QBO_HOME"),
        (errno.ENOTDIR, "Not a directory", "put that right"),
    ],
)
def test_what_the_system_refuses_is_told_in_words(number: int, words: str, remedy: str) -> None:
    failure = of_os_error(OSError(number, os.strerror(number), "/srv/books/postgres"), HOME)
    assert words in failure.message
    assert "/srv/books" in failure.message
    assert remedy in failure.remedy


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('FATAL:  could not write lock file "postmaster.pid": No space left on device', "the disk is full"),
        ("initdb: error: could not create directory: Read-only file system", "the disk is read-only"),
        ("FATAL:  could not map anonymous shared memory: Cannot allocate memory", "not enough memory"),
        ("LOG:  something\nFATAL:  could not locate a valid checkpoint record\nLOG:  more", "could not locate a valid checkpoint record"),
        ("", "did not start"),
    ],
)
def test_what_postgres_says_is_told_in_words(said: str, words: str) -> None:
    failure = of_output(said, HOME, LOG)
    assert words in failure.message
    assert "\n" not in failure.message
