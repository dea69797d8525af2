"""A software bill of materials of what runs in production, as CycloneDX 1.5 JSON: `make sbom`.

Listed is deploy/requirements.txt, with who needs whom; licences are those that the installed packages name. The base image's own packages
are not in it: `docker buildx build --sbom=true` attests those. The same inputs give the same document, so that two can be compared.
"""

import json
import sys
import uuid
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

from deploy.locks import REQUIREMENTS, entries, normalised, project, versions, wanted_by
from fb_qbo_pipeline import __version__

PROJECT = "fb-qbo-pipeline"
_NAMESPACE = uuid.UUID("6f1c9d1e-6a53-4a3b-9a0e-0f5d0f3f7f52")  # of this document's serial numbers
_LONGEST_NAME = 60  # some packages give their licence's whole text where its name belongs


def bill() -> dict[str, Any]:
    """The document."""
    packages = entries(REQUIREMENTS.read_text()) | {PROJECT: f"{PROJECT}=={__version__}"}
    purls = {name: [f"pkg:pypi/{name}@{version}" for version in versions(entry)] for name, entry in packages.items()}
    needs: dict[str, list[str]] = {name: [] for name in packages}
    for name, entry in packages.items():
        for other in wanted_by(entry) & needs.keys():
            needs[other] += purls[name]
    needs[PROJECT] = [purl for one in project()["project"]["dependencies"] for purl in purls[normalised(one)]]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, __version__ + REQUIREMENTS.read_text())}",
        "version": 1,
        "metadata": {"component": component(PROJECT, purls[PROJECT][0], "application")},
        "components": [component(name, purl, "library") for name in packages if name != PROJECT for purl in purls[name]],
        "dependencies": [{"ref": purl, "dependsOn": sorted(needs[name])} for name in packages for purl in purls[name]],
    }


def component(name: str, purl: str, kind: str) -> dict[str, Any]:
    """One package in one version."""
    described: dict[str, Any] = {"type": kind, "bom-ref": purl, "name": name, "version": purl.rpartition("@")[2], "purl": purl}
    return described | ({"licenses": licences} if (licences := licences_of(name)) else {})


def licences_of(name: str) -> list[dict[str, Any]]:
    """What the installed package says of its licence: its SPDX expression, else its own word, else its classifiers."""
    try:
        told = metadata(name)
    except PackageNotFoundError:  # of another platform or Python
        return []
    if expression := told.get("License-Expression"):
        return [{"expression": expression}]
    word = (told.get("License") or "").strip()
    if word and "\n" not in word and len(word) <= _LONGEST_NAME:
        return [{"license": {"name": word}}]
    classified = [line.rpartition(" :: ")[2] for line in told.get_all("Classifier", []) if line.startswith("License :: ")]
    return [{"license": {"name": name}} for name in classified]


def main() -> None:
    """Write the bill to the file that is named, or to standard output."""
    text = json.dumps(bill(), indent=2) + "\n"
    if len(sys.argv) > 1:
        file = Path(sys.argv[1])
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
