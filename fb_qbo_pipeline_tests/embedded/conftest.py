"""A home whose database is made once and copied for each test that is not about its making."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fb_qbo_pipeline.embedded.server import leave
from fb_qbo_pipeline.ledger.database import embedded_url


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a database that was started once and has stopped."""
    home = tmp_path_factory.mktemp("made") / "home"
    embedded_url(home)
    leave(home)
    return home


def copied(made: Path, home: Path) -> Path:
    """That home in another place, with the owners of its files."""
    home.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", made, home], check=True)
    return home


@pytest.fixture(params=["short", "long"])
def near_and_far(made: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A home whose socket fits beside it, and one whose path is too long for a socket's address."""
    home = copied(made, tmp_path / ("h" if request.param == "short" else "a folder, and another" / Path("x" * 120)))
    yield home
    leave(home)
