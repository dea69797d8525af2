"""A long iterable in pieces, so that what is held in memory does not grow with it. Python 3.12 has `itertools.batched`."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def chunks(values: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of `size` values, the last one of what is left; `values` is read as far as it is asked for."""
    remaining = iter(values)
    while chunk := list(islice(remaining, size)):
        yield chunk
