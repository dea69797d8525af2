"""The folder of the socket: ours, or made anew; never somebody else's."""

import os
import stat
import tempfile
from pathlib import Path

import pytest

from fb_qbo_pipeline.embedded import sockets
from fb_qbo_pipeline.embedded.layout import Layout


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """A home with a path that is too long; temporary files go where the test sees them."""
    with tempfile.TemporaryDirectory(dir="/tmp") as short:  # noqa: F841 - its name is free again, and short
        pass
    home = tmp_path / ("x" * 120)
    (home / "postgres.run").mkdir(parents=True)
    return Layout(home)


def prepare(layout: Layout) -> Path:
    return sockets.prepare(layout, os.geteuid(), os.getegid())


def test_a_short_path_has_it_in_the_home(tmp_path: Path) -> None:
    layout = Layout(Path(tempfile.mkdtemp(prefix="h", dir="/tmp")))
    assert prepare(layout) == layout.home / "postgres.socket"
    assert stat.S_IMODE(layout.socket_folder.stat().st_mode) == 0o700
    layout.socket_folder.rmdir()
    layout.home.rmdir()


def test_a_long_paths_folder_is_remembered_and_forgotten(layout: Layout) -> None:
    folder = prepare(layout)
    assert (folder.parent, stat.S_IMODE(folder.stat().st_mode)) == (Path(tempfile.gettempdir()), 0o700)
    assert prepare(layout) == folder
    sockets.forget(layout, folder)
    assert not folder.exists()
    other = prepare(layout)
    assert other != folder
    sockets.forget(layout, other)


@pytest.mark.parametrize("change", ["mode", "link", "file", "gone", "nonsense"])
def test_a_remembered_folder_that_is_not_ours_alone_is_not_used(layout: Layout, tmp_path: Path, change: str) -> None:
    folder = prepare(layout)
    if change == "mode":
        folder.chmod(0o755)
    elif change == "nonsense":
        (layout.run / "socket_folder").write_text("relative\0nonsense")
    else:
        folder.rmdir()
        if change == "link":
            folder.symlink_to(tmp_path)
        elif change == "file":
            folder.write_text("")
    other = prepare(layout)
    assert other != folder
    assert sockets._ours(other, os.geteuid())
    sockets.forget(layout, other)
    sockets._remove(folder)


def test_a_link_in_the_homes_own_place_is_not_followed(tmp_path: Path) -> None:
    layout = Layout(Path(tempfile.mkdtemp(prefix="h", dir="/tmp")))
    (tmp_path / "precious").write_text("")
    layout.socket_folder.symlink_to(tmp_path)
    assert prepare(layout) == layout.socket_folder
    assert not layout.socket_folder.is_symlink()
    assert (tmp_path / "precious").exists()
    layout.socket_folder.rmdir()
    layout.home.rmdir()
