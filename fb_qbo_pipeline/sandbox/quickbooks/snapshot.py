"""A sandbox company kept between two runs of the demo, so that the second finds the books as the first left them."""

import pickle
from pathlib import Path

from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks

_NOT_KEPT = frozenset({"lock", "clock", "seed"})  # made anew with every company


def save(company: QuickBooks, file: Path) -> None:
    """Write the company's state to `file`; the old one stays until the new one is whole."""
    with company.lock:
        state = {name: value for name, value in vars(company).items() if name not in _NOT_KEPT}
        content = pickle.dumps(state)
    unfinished = file.with_suffix(".new")
    unfinished.write_bytes(content)
    unfinished.replace(file)


def load(company: QuickBooks, file: Path) -> None:
    """Give `company` the state that `save` wrote. The file is the demo's own, in the demo's own folder."""
    vars(company).update(pickle.loads(file.read_bytes()))  # noqa: S301
