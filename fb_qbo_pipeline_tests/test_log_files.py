"""Logs stay small, whoever writes them, and a full disk makes them no reason to stop."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from fb_qbo_pipeline.log_files import SmallLogFile, keep_small


def _record(text: str) -> logging.LogRecord:
    return logging.LogRecord("test", logging.INFO, __file__, 1, text, None, None)


def test_a_log_gives_way_to_a_new_one_and_the_oldest_goes(tmp_path: Path) -> None:
    handler = SmallLogFile(tmp_path / "a.log", largest=1000, kept=2)
    for number in range(200):
        handler.emit(_record(f"{number:050}"))
    handler.close()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.log", "a.log.1", "a.log.2"]
    assert all(file.stat().st_size <= 1000 for file in tmp_path.iterdir())
    assert (tmp_path / "a.log").read_text().endswith("199\n")


def test_a_process_whose_log_another_one_has_moved_goes_on_in_the_new_one(tmp_path: Path) -> None:
    first, second = SmallLogFile(tmp_path / "a.log", largest=200), SmallLogFile(tmp_path / "a.log", largest=200)
    first.emit(_record("of the first"))
    second.emit(_record("x" * 190))
    first.emit(_record("later"))
    first.close()
    second.close()
    assert "later" in (tmp_path / "a.log").read_text()


def test_a_full_disk_is_not_worth_a_word_of_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.log").symlink_to("/dev/full")
    handler = SmallLogFile(tmp_path / "a.log")
    for _ in range(3):
        handler.emit(_record("x" * 10_000))
    handler.close()
    assert capsys.readouterr() == ("", "")


def test_the_output_of_a_process_that_goes_on_writing_is_kept_small(tmp_path: Path) -> None:
    file = tmp_path / "daemon.log"
    script = "import sys\nfor line in sys.stdin: print(line.strip(), flush=True)"
    with file.open("ab") as log:
        process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=log)
    assert process.stdin is not None
    emptied = 0
    for number in range(30):
        process.stdin.write(f"{number:099}\n".encode())
        process.stdin.flush()
        while f"{number:099}" not in file.read_text():
            pass
        emptied += keep_small(file, largest=1000, kept=2)
    process.stdin.close()
    process.wait(10)
    assert emptied == 2
    assert sorted(each.name for each in tmp_path.iterdir()) == ["daemon.log", "daemon.log.1", "daemon.log.2"]
    assert f"{29:099}" in file.read_text()
    assert file.stat().st_size < 1200


def test_a_log_that_is_not_there_is_small(tmp_path: Path) -> None:
    assert not keep_small(tmp_path / "none.log")
