"""The disk is full, can only be read, or memory has run out: one sentence, no traceback, and the next sync finishes."""

import errno
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fb_qbo_pipeline.cli import main
from fb_qbo_pipeline_tests.cli.command_line import CommandLine, days_ago
from fb_qbo_pipeline_tests.pipeline.world import World


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond `size` bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def assert_told(err: str, told: str) -> None:
    assert told in err
    assert "Traceback" not in err
    assert "Logging error" not in err


def test_a_log_on_a_full_disk_stops_nothing(present_world: World, fb_qbo: CommandLine) -> None:
    fb_qbo.write(start_date=days_ago(1))
    present_world.invoice("100.00", on=days_ago(1))
    (fb_qbo.folder / "logs").mkdir()
    (fb_qbo.folder / "logs" / "fb-qbo.log").symlink_to("/dev/full")
    result = fb_qbo("sync", "--verbose")
    assert result.status == 0
    assert "Traceback" not in result.err
    assert "Logging error" not in result.err
    assert present_world.count() == {"Invoice": 1}


def test_a_disk_that_is_full_in_the_middle_of_a_sync_is_told_and_the_next_one_finishes(present_world: World, fb_qbo: CommandLine) -> None:
    fb_qbo.write(start_date=days_ago(1))
    present_world.payment(present_world.invoice("100.00", on=days_ago(1)), "113.00", on=days_ago(1))
    with files_of_at_most(100):
        full = fb_qbo("sync", "--from", days_ago(1).isoformat(), "--to", days_ago(0).isoformat())
    assert "Traceback" not in full.err
    fb_qbo("sync")
    assert fb_qbo("sync").status == 0
    assert present_world.count() == {"Invoice": 1, "Payment": 1}


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/home/x/file"), "error: the disk is full (/home/x/file)\n  → free some space"),
        (OSError(errno.EROFS, os.strerror(errno.EROFS), "/home/x/file"), "error: the disk can only be read (/home/x/file)\n  → make it"),
        (MemoryError(), "error: there is not enough memory\n  → give this process more memory"),
    ],
)
def test_what_the_machine_is_short_of_ends_a_command_with_a_sentence(
    error: BaseException, told: str, present_world: World, fb_qbo: CommandLine
) -> None:
    present_world.invoice("100.00", on=days_ago(1))

    class Failing:
        """Stands for a command that meets the shortage."""

        def main(self, *_arguments: object, **_options: object) -> None:
            raise error

    healthy = main.cli
    main.cli = Failing()  # type: ignore[assignment]
    try:
        result = fb_qbo("sync")
    finally:
        main.cli = healthy
    assert result.status == 1
    assert_told(result.err, told)


@pytest.mark.parametrize("kind", ["file", "missing parent of a file"])
def test_a_home_that_cannot_be_written_to_is_told(kind: str, fb_qbo: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = fb_qbo.folder / "taken"
    taken.write_text("")
    monkeypatch.setenv("FB_QBO_HOME", str(taken if kind == "file" else taken / "home"))
    result = fb_qbo("sync")
    assert result.status == 2
    assert_told(result.err, "FB_QBO_HOME")


def test_the_logs_folder_that_cannot_be_made_is_told(fb_qbo: CommandLine) -> None:
    (fb_qbo.folder / "logs").write_text("in the way")
    result = fb_qbo("sync")
    assert result.status == 2
    assert_told(result.err, "logs")


@pytest.mark.parametrize("arguments", [["--help"], ["sync", "--config", "nowhere.yaml"]])
def test_output_that_finds_no_room_is_told_and_no_traceback(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "fb_qbo_pipeline.cli.main", *arguments], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert ended.returncode in (1, 2)
    assert ended.stderr.startswith("error: ")
    assert "OSError" not in ended.stderr
