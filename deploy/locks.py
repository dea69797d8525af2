"""What goes into the image, hashed: subsets of constraints.txt, and what Kubernetes needs beside it. `make lock` runs this.

    deploy/requirements.txt   what the product needs when it runs: no test, lint or build tool
    deploy/build.txt          what its wheel is built with
    deploy/kubernetes.txt     what dagster-k8s needs beyond that

constraints.txt stays the one place where versions are chosen. Its comments (`# via`) say who wants what, so that the subsets need neither
a network nor a resolver, and a test can hold them against it. Run as `python -m deploy.locks [RESOLVED]`, where RESOLVED is the project
with deploy/kubernetes.in, resolved under constraints.txt.
"""

import re
import sys
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
REQUIREMENTS, BUILD, KUBERNETES = (ROOT / "deploy" / name for name in ("requirements.txt", "build.txt", "kubernetes.txt"))
_ENTRY = re.compile(r"^(?=[A-Za-z0-9])", re.MULTILINE)
_VIA = re.compile(r"^    #(?: via|  ) ([A-Za-z0-9]\S*)", re.MULTILINE)
_VERSION = re.compile(r"^[A-Za-z0-9._-]+==([^\s;]+)", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def entries(text: str) -> dict[str, str]:
    """The packages of a requirements file with their hashes and comments, by normalised name.

    One that has different versions for different Pythons has them one after the other.
    """
    found: dict[str, str] = {}
    for entry in _ENTRY.split(text):
        if entry.strip():
            name = normalised(entry)
            found[name] = found.get(name, "") + entry
    return found


def versions(entry: str) -> list[str]:
    """The versions that an entry pins: one, or one for each range of Pythons."""
    return _VERSION.findall(entry)


def normalised(requirement: str) -> str:
    """The name of the package that a requirement asks for, as all its spellings compare."""
    name = _NAME.match(requirement)
    if name is None:
        raise ValueError(f"no package's name in {requirement!r}")
    return re.sub(r"[-_.]+", "-", name.group()).lower()


def wanted_by(entry: str) -> set[str]:
    """Who wants this package: other packages, or the project itself."""
    return {normalised(name) for name in _VIA.findall(entry)}


def subset(packages: Mapping[str, str], roots: Collection[str]) -> str:
    """The entries of `roots` and of everything that they need, in the file's order."""
    found = {normalised(root) for root in roots}
    while more := {name for name, entry in packages.items() if name not in found and wanted_by(entry) & found}:
        found |= more
    return "".join(entry for name, entry in packages.items() if name in found)


def project() -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def subsets() -> dict[Path, str]:
    """What the files have to hold that follow from constraints.txt alone."""
    packages, settings = entries((ROOT / "constraints.txt").read_text()), project()
    return {
        REQUIREMENTS: subset(packages, settings["project"]["dependencies"]),
        BUILD: subset(packages, settings["build-system"]["requires"]),
    }


def main() -> None:
    """Write the files."""
    for file, text in subsets().items():
        file.write_text(text)
    if len(sys.argv) > 1:
        known = entries((ROOT / "constraints.txt").read_text())
        resolved = entries(Path(sys.argv[1]).read_text())
        KUBERNETES.write_text("".join(entry for name, entry in resolved.items() if name not in known))


if __name__ == "__main__":
    main()
