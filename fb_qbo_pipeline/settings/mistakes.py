"""What people mistype, as data: one line for each mistake, with file, line, key and remedy.

A person who edits a file wants all mistakes at once and each one's place, not the first exception of a library.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from fb_qbo_pipeline.errors import ConfigurationError

KeyPath = tuple[str | int, ...]

_PLAIN_KEY = re.compile(r"[\w+-]+")
_SHOWN = 60


class Fault(NamedTuple):
    """What a model's validator refuses. `key` is relative to the section; '' means the validated field itself."""

    key: str
    wrong: str
    remedy: str


class SettingRefused(ValueError):
    """Raised by the models' validators, so that every fault of a section reaches the person, not only the first."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(f"{fault.key} {fault.wrong}: {fault.remedy}".strip() for fault in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a settings file. `line` counts from 1; `meant` is the key that a misspelt one probably stands for."""

    line: int
    path: KeyPath
    wrong: str
    remedy: str
    meant: KeyPath | None = None

    def covers(self, path: KeyPath) -> bool:
        """Whether a complaint about `path` would only repeat this one."""
        return path[: len(self.path)] == self.path or path == self.meant


def name_of(path: KeyPath) -> str:
    """A key path as people write it: sales.products.create, statuses[2], taxes."VAT 20%"."""
    name = ""
    for part in path:
        if isinstance(part, int):
            name += f"[{part + 1}]"
        else:
            name += ("." if name else "") + (part if _PLAIN_KEY.fullmatch(part) else f'"{part}"')
    return name


def shown(value: object) -> str:
    """A value as a message may quote it: short, on one line."""
    text = " ".join(str(value).split())
    return f"'{text}'" if len(text) <= _SHOWN else f"'{text[:_SHOWN]}…'"


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` is probably a misspelling of, without regard to case."""
    folded = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def listed(words: Sequence[str]) -> str:
    """`a, b or c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def configuration_error(file: Path, mistakes: Iterable[Mistake]) -> ConfigurationError:
    """The error that shows all mistakes of a file, by line: `FILE:LINE: key.path: what is wrong → remedy`."""
    lines = []
    for mistake in sorted(mistakes, key=lambda mistake: mistake.line):
        place = f"{file}:{mistake.line}: " + (f"{name_of(mistake.path)}: " if mistake.path else "")
        lines.append(f"{place}{mistake.wrong} → {mistake.remedy}")
    return ConfigurationError("\n".join(lines))
