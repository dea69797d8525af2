"""Reads `integration.yaml`, or a folder of several, and refuses it with every mistake at once.

A folder's files stand for different companies: a broken one is reported and must not stop the others.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from fb_qbo_pipeline.errors import ConfigurationError
from fb_qbo_pipeline.settings.explain import explain
from fb_qbo_pipeline.settings.mistakes import KeyPath, Mistake, configuration_error
from fb_qbo_pipeline.settings.models import Integration
from fb_qbo_pipeline.settings.schema import keys_of, section_of
from fb_qbo_pipeline.settings.yaml_reader import Document, read_yaml

_LARGEST = 512 * 1024  # bytes; a mapping of 1,000 categories has 50,000
_SUFFIXES = frozenset({".yaml", ".yml"})


@dataclass(frozen=True, slots=True)
class LoadResult:
    """One file: its integration, or why it cannot be used. Exactly one of the two is there."""

    path: Path
    integration: Integration | None = None
    error: ConfigurationError | None = None


def load_integration(path: Path) -> Integration:
    """The integration in one file. Raises ConfigurationError that shows every mistake, `FILE:LINE: key.path: what is wrong → remedy`."""
    return _load(path)[0]


def load_integrations(path: Path) -> list[LoadResult]:
    """A file's integration, or those of a folder's `*.yaml` and `*.yml` files, by file name.

    A file with mistakes is a result with an error. Two files that share a name, or the same pair of accounts, are both
    refused: which one is meant is not ours to guess. Raises ConfigurationError only where there is no file at all.
    """
    if not path.is_dir():
        if not path.exists():
            raise _no_file(path)
        return [_result(path)[0]]
    files = sorted(file for file in path.iterdir() if file.suffix in _SUFFIXES and file.is_file() and not file.name.startswith("."))
    if not files:
        raise ConfigurationError(f"the folder {path} holds no *.yaml file", "put one file for each integration into it")
    loaded = [_result(file) for file in files]
    clashes = [
        *_clashes(loaded, lambda found: found.name, ("name",), "the same name", "give each integration a name of its own"),
        *_clashes(
            loaded,
            lambda found: (found.freshbooks.account_id, found.quickbooks.realm_id),
            ("quickbooks", "realm_id"),
            "the same FreshBooks account and QuickBooks company",
            "keep the two accounts' workflows in one file; in two, documents would be posted twice",
        ),
    ]
    return [_with_clashes(result, [mistake for file, mistake in clashes if file == result.path]) for result, _ in loaded]


def _load(path: Path) -> tuple[Integration, Document]:
    document = read_yaml(_text(path))
    integration, mistakes = _validate(document)
    if integration is None or mistakes:
        raise configuration_error(path, mistakes)
    return integration, document


def _result(path: Path) -> tuple[LoadResult, Document | None]:
    try:
        integration, document = _load(path)
    except ConfigurationError as error:
        return LoadResult(path, error=error), None
    return LoadResult(path, integration=integration), document


def _no_file(path: Path) -> ConfigurationError:
    remedy = f"copy integration.example.yaml to {path} and edit it, or name another file by --config or FB_QBO_CONFIG"
    return ConfigurationError(f"there is no configuration file {path}", remedy)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            remedy = "name the file of one company's settings; integration.example.yaml has 3 KB"
            raise ConfigurationError(f"{path} is larger than {_LARGEST // 1024} KB", remedy)
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        raise _no_file(path) from None
    except IsADirectoryError:
        raise ConfigurationError(f"{path} is a folder", "name one of its files") from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8 text (byte {error.start + 1})", "save it as UTF-8") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}", "let the user who runs this read it") from None


def _validate(document: Document) -> tuple[Integration | None, list[Mistake]]:
    """The integration and every mistake. What is wrong is taken out and the rest checked again, so that one mistake hides no other."""
    mistakes = list(document.mistakes)
    if document.data is None:
        return None, mistakes
    for path in _empty_sections(Integration, document.data, ()):
        remedy = "write its keys below it, indented, or remove the line: a workflow without a section is off"
        mistakes.append(Mistake(document.line(path), path, "is empty", remedy))
    taken_out = {mistake.path for mistake in mistakes}
    while True:
        try:
            return Integration.model_validate(_without(document.data, taken_out, ())), mistakes
        except ValidationError as error:
            explained = explain(error, document)
        found = [mistake for mistake in explained if not any(other.covers(mistake.path) for other in mistakes)]
        found = [mistake for mistake in found if not any(_told_by(other, mistake) for other in found)]
        # Where all is known, the innermost sections that still fail go too, so that the checks around them can run.
        further = {mistake.path for mistake in found} or {mistake.path[:-1] for mistake in explained if len(mistake.path) > 2} - taken_out
        if not further:
            return None, mistakes
        mistakes.extend(found)
        taken_out |= further


def _told_by(other: Mistake, mistake: Mistake) -> bool:
    """Whether `other` says the same better: the misspelt key that is missing, or the member that leaves a list too short."""
    inside = other.path[: len(mistake.path)] == mistake.path and other.path != mistake.path
    return mistake.path == other.meant or inside


def _empty_sections(section: type[BaseModel], data: Any, path: KeyPath) -> Iterator[KeyPath]:
    """Optional sections that stand in the file with nothing in them: meant to be on, and off by YAML's reading."""
    if not isinstance(data, dict):
        return
    for key, field in keys_of(section).items():
        inner = section_of(field.annotation)
        if inner is None or key not in data:
            continue
        if data[key] is None:
            yield (*path, key)
        else:
            yield from _empty_sections(inner, data[key], (*path, key))


def _without(data: Any, paths: Collection[KeyPath], path: KeyPath) -> Any:
    """A copy of the data without what stands at the paths. A list with a wrong member goes as a whole, since places count."""
    if not isinstance(data, dict):
        return data
    kept = {}
    for key, value in data.items():
        at = (*path, key)
        gone = at in paths or (isinstance(value, list) and any(other[: len(at)] == at for other in paths))
        if not gone:
            kept[key] = _without(value, paths, at)
    return kept


def _clashes(
    loaded: Iterable[tuple[LoadResult, Document | None]], key: Callable[[Integration], Hashable], at: KeyPath, what: str, remedy: str
) -> Iterator[tuple[Path, Mistake]]:
    """A mistake for each file that shares its `key` with another."""
    groups: defaultdict[Hashable, list[tuple[Path, Document]]] = defaultdict(list)
    for result, document in loaded:
        if result.integration is not None and document is not None:
            groups[key(result.integration)].append((result.path, document))
    for group in groups.values():
        for path, document in group:
            others = ", ".join(other.name for other, _ in group if other != path)
            if others:
                yield path, Mistake(document.line(at), at, f"{what} as in {others}", remedy)


def _with_clashes(result: LoadResult, mistakes: list[Mistake]) -> LoadResult:
    return LoadResult(result.path, error=configuration_error(result.path, mistakes)) if mistakes else result
