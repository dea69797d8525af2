"""Pins the base images to what their tags mean now: `make pin` writes the digests where the images are named.

A tag can come to mean another image at any time; a digest cannot. Digests are asked of the registry (`docker buildx imagetools inspect`),
are those of the list of all platforms, and are committed like any other change of a version.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

DEPLOY = Path(__file__).parent
FILES = (DEPLOY / "Dockerfile", DEPLOY / "compose.yaml")
DIGEST = "sha256:[0-9a-f]{64}"
IMAGE = re.compile(rf"(?P<before>^ARG PYTHON_IMAGE=|^\s+image: )(?P<tag>(?:python|postgres):[\w.-]+)(?P<digest>@{DIGEST})?", re.MULTILINE)


def unpinned() -> list[str]:
    """The base images that are named by their tag only."""
    return [found["tag"] for file in FILES for found in IMAGE.finditer(file.read_text()) if not found["digest"]]


def pinned(text: str, digest_of: Callable[[str], str]) -> str:
    """The text with the digest of every base image that it names."""
    return IMAGE.sub(lambda found: f"{found['before']}{found['tag']}@{digest_of(found['tag'])}", text)


def ask_registry(tag: str) -> str:
    """What a tag means now."""
    command = ["docker", "buildx", "imagetools", "inspect", tag, "--format", "{{json .Manifest}}"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own words
    digest = str(json.loads(answer)["digest"])
    if not re.fullmatch(DIGEST, digest):
        raise ValueError(f"{tag}: {digest!r} is no digest")
    return digest


def main() -> int:
    """Write the digests; with --check, say which are missing."""
    if sys.argv[1:] == ["--check"]:
        sys.stderr.writelines(f"{tag} is not pinned: make pin\n" for tag in unpinned())
        return 1 if unpinned() else 0
    for file in FILES:
        file.write_text(pinned(file.read_text(), ask_registry))
    return 0


if __name__ == "__main__":
    sys.exit(main())
