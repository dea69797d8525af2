"""A YAML file as plain data in which every key and value knows its line.

Scalars stay the text that stands in the file; the models say what each one is. So YAML's own guesses cannot change a value:
`NO` stays a tax code and does not become false, 9341452000000000 stays a company id, 0.05 never becomes a binary float.
Numbers in a notation that YAML reads otherwise than people do (0123 is octal, 1:30 is 90) are refused rather than guessed.
A file is read so deep and so far only: a few lines of aliases can stand for more values than there is memory.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from fb_qbo_pipeline.settings.mistakes import KeyPath, Mistake, shown

DEEPEST = 20  # levels of lists and mappings; the settings have five
MOST_VALUES = 20_000  # keys and values, those that aliases repeat included; a mapping of 1,000 categories has 2,000

_TAG = "tag:yaml.org,2002:"
_CANONICAL_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+")

# What PyYAML says → what it means to a person, and what to do. First match wins.
_SYNTAX: tuple[tuple[str, str, str], ...] = (
    (r"'\t'", "a tab character", "indent with spaces"),
    ("mapping values are not allowed", "a second “: ” in one line, or a wrong indentation", "put the text in quotes, or align the lines"),
    ("could not find expected ':'", "a key without a colon", "write KEY: VALUE"),
    ("expected <block end>", "the indentation does not fit the lines above", "align keys of one section in the same column"),
    ("cannot start any token", "a character that no value may begin with", "put the value in quotes"),
    ("expected alphabetic or numeric character", "a value that begins with * or &", "put the value in quotes"),
    ("found undefined alias", "a value that begins with *", "put the value in quotes"),
    ("unexpected end of stream", "a quotation mark that is opened and never closed", "close it"),
    ("expected ',' or", "a bracket or brace that is not closed, or a comma that is missing", "close it, or add the comma"),
    ("but found another document", "a second document after ---", "keep one integration in one file; several files go into a folder"),
)
_OPENED = ("unexpected end of stream", "expected ',' or")  # the useful line is where it was opened


@dataclass(frozen=True)
class Document:
    """A file's content: text, None, lists and dicts with text keys. What could not be read is left out and is in `mistakes`."""

    data: Any
    lines: Mapping[KeyPath, int]
    mistakes: tuple[Mistake, ...] = ()

    def line(self, path: KeyPath) -> int:
        """The line of a key or list member, or of the nearest section around it that stands in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_yaml(text: str) -> Document:
    """Parse one YAML document. Nothing is raised: what is wrong with the text is in the result's mistakes."""
    try:
        root = _compose(text)
    except _TooMuch as beyond:
        return Document(None, {}, (beyond.mistake,))
    except yaml.YAMLError as error:
        return Document(None, {}, (_syntax_mistake(error, text),))
    if root is None:
        return Document(None, {}, (Mistake(1, (), "the file is empty", "begin with a copy of integration.example.yaml"),))
    if not isinstance(root, yaml.MappingNode):
        wrong = "the file is not a mapping of keys to values"
        return Document(None, {}, (Mistake(_line(root), (), wrong, "begin with a copy of integration.example.yaml"),))
    reader = _Reader()
    try:
        data = reader.value(root, ())
    except _Refused:
        data = None
    except _TooMuch as beyond:
        return Document(None, reader.lines, (beyond.mistake,))
    return Document(data, reader.lines, tuple(reader.mistakes))


class _TooMuch(Exception):
    """A file beyond the bounds, which is not read on."""

    def __init__(self, line: int, path: KeyPath, depth: int) -> None:
        super().__init__(line)
        wrong = f"more than {DEEPEST} levels of lists and mappings" if depth > DEEPEST else f"more than {MOST_VALUES:,} values"
        remedy = "write the settings as in integration.example.yaml, which needs five levels"
        if depth <= DEEPEST:
            remedy = "keep one company's settings in a file, and write values out instead of repeating them by aliases (*)"
        self.mistake = Mistake(line, path, f"not valid: {wrong}", remedy)


class _Bounded(yaml.SafeLoader):
    """Composes no more than a settings file can have."""

    depth = values = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """As the base class does, which calls itself for what is within."""
        self.depth += 1
        self.values += 1
        if self.depth > DEEPEST + 1 or self.values > MOST_VALUES:
            raise _TooMuch(self.line + 1, (), self.depth - 1)
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _compose(text: str) -> yaml.Node | None:
    loader = _Bounded(text)
    try:
        node: yaml.Node | None = loader.get_single_node()
    finally:
        loader.dispose()
    return node


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _syntax_mistake(error: yaml.YAMLError, text: str) -> Mistake:
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return Mistake(line, (), "a control character that YAML does not allow", "delete it")
    problem = str(getattr(error, "problem", None) or error)
    opened = any(phrase in problem for phrase in _OPENED)
    mark = (getattr(error, "context_mark", None) if opened else None) or getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark is not None else 1
    for phrase, wrong, remedy in _SYNTAX:
        if phrase in problem:
            return Mistake(line, (), f"not valid YAML: {wrong}", remedy)
    return Mistake(line, (), f"not valid YAML: {problem}", "correct the line, or the one above it")


class _Refused(Exception):
    """A node without a value: its mistake is noted."""


@dataclass
class _Reader:
    lines: dict[KeyPath, int] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    _open: set[int] = field(default_factory=set)
    _values: int = 0

    def _refuse(self, node: yaml.Node, path: KeyPath, wrong: str, remedy: str) -> _Refused:
        self.mistakes.append(Mistake(_line(node), path, wrong, remedy))
        return _Refused()

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        self._values += 1
        if len(path) > DEEPEST or self._values > MOST_VALUES:
            raise _TooMuch(self.lines.get(path[:1], 1), path[:1], len(path))  # an alias's own line is that of its anchor
        self.lines.setdefault(path, _line(node))
        if not node.tag.startswith(_TAG):
            raise self._refuse(node, path, f"the tag {node.tag} means nothing here", "remove the tag, or put the value in quotes")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._open:
            raise self._refuse(node, path, "contains itself by an alias (*)", "write the values out")
        self._open.add(id(node))
        try:
            return self._sequence(node, path) if isinstance(node, yaml.SequenceNode) else self._mapping(node, path)
        finally:
            self._open.discard(id(node))

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> str | None:
        text = str(node.value)
        if node.style is not None:  # quoted, or a block of text
            return text
        if node.tag == f"{_TAG}null":
            return None
        if _LEADING_ZERO.fullmatch(text) or (node.tag == f"{_TAG}int" and not _CANONICAL_INTEGER.fullmatch(text)):
            wrong = f"{shown(text)} is a number in a notation that YAML reads in its own way (0123 as octal, 1:30 as 90)"
            raise self._refuse(node, path, wrong, f'put it in quotes, "{text}", or write a plain number')
        return text

    def _sequence(self, node: yaml.SequenceNode, path: KeyPath) -> list[Any]:
        values = []
        for index, member in enumerate(node.value):
            try:
                values.append(self.value(member, (*path, index)))
            except _Refused:
                values.append("")  # keeps the places of the others; the mistake covers this one
        return values

    def _mapping(self, node: yaml.Node, path: KeyPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            try:
                key = self._key(key_node, path)
                if key in values:
                    wrong = f"occurs twice (first on line {self.lines[(*path, key)]})"
                    raise self._refuse(key_node, (*path, key), wrong, "remove one of the two")
                self.lines[(*path, key)] = _line(key_node)
                values[key] = self.value(value_node, (*path, key))
            except _Refused:
                continue
        return values

    def _key(self, node: yaml.Node, path: KeyPath) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise self._refuse(node, (*path, "?"), "a list or a mapping stands where a key should be", "put the key in quotes")
        if node.tag == f"{_TAG}merge":
            raise self._refuse(node, (*path, "<<"), "merge keys are not supported", "write the entries out")
        if node.style is None and node.tag == f"{_TAG}null":
            wrong = f"a key that YAML reads as nothing ({node.value or 'blank'})"
            raise self._refuse(node, (*path, str(node.value)), wrong, 'write none for “no tax”, or put the name in quotes, such as "null"')
        return str(node.value).strip()
