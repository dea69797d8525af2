"""Where in the code an asset's work is done, as Dagster's UI links to it from the asset's page.

The links are made where the code is loaded, so no path of a build machine is part of a release; an editor on the same machine
opens them.
"""

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import dagster as dg


def code_of(step: Callable[..., Any]) -> dict[str, Any]:
    """Metadata that links an asset to the function that does its work."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # code references are "beta" since 1.8; a test sees that they are there
        reference = dg.LocalFileCodeReference(
            file_path=inspect.getfile(step), line_number=inspect.getsourcelines(step)[1], label=f"{step.__module__}.{step.__name__}"
        )
        return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[reference])}
