"""pydantic's complaints in the words of a person who edits a settings file.

The library speaks of strings, tuples and inputs; an accountant reads text, lists and what to write instead.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from fb_qbo_pipeline.settings.mistakes import KeyPath, Mistake, SettingRefused, closest, listed, shown
from fb_qbo_pipeline.settings.schema import field_at, keys_at
from fb_qbo_pipeline.settings.yaml_reader import Document

_Words = tuple[str, str]  # what is wrong, what to do
_EMPTY: _Words = ("is empty", "write a value, or remove the key")

# The models' patterns in words.
_PATTERNS: Mapping[str, str] = {
    "^[a-z][a-z0-9_]*$": "use lower-case letters, digits and _, beginning with a letter",
    "^[0-9]{1,20}$": "write the company id as QuickBooks shows it: up to 20 digits, no blanks",
}


def _kind(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a section"
    return "a list" if isinstance(value, (list, tuple)) else shown(value)


def _expected(what: str, remedy: str) -> Callable[[Any, Mapping[str, Any]], _Words]:
    def words(value: Any, _context: Mapping[str, Any]) -> _Words:
        return _EMPTY if value is None else (f"must be {what}, not {_kind(value)}", remedy)

    return words


def _choice(value: Any, context: Mapping[str, Any]) -> _Words:
    if value is None:
        return _EMPTY
    choices = [choice.strip(" '") for choice in str(context["expected"]).replace(" or ", ",").split(",")]
    meant = closest(value, choices) if isinstance(value, str) else None
    remedy = f"did you mean {meant}?" if meant else f"write one of {', '.join(choices)}"
    return f"must be {listed(choices)}, not {_kind(value)}", remedy


_TEXT = _expected("text", "write a name; in quotes if it holds “: ” or begins with a special character")
_SWITCH = _expected("true or false", "write true or false")
_WHOLE = _expected("a whole number", "write digits only, such as 30")
_NUMBER = _expected("a number", "write digits with a decimal point, such as 0.05")
_DATE = _expected("a date", "write YYYY-MM-DD, such as 2025-01-31")
_LIST = _expected("a list", "write [FIRST, SECOND], or one “- VALUE” a line")
_MAP = _expected("a map", "write NAME: NAME, one a line, indented")
_SECTION = _expected("a section", "write its keys below it, indented")

_BY_TYPE: Mapping[str, Callable[[Any, Mapping[str, Any]], _Words]] = {
    "string_type": _TEXT,
    "bool_type": _SWITCH,
    "bool_parsing": _SWITCH,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
    "tuple_type": _LIST,
    "dict_type": _MAP,
    "model_type": _SECTION,
    "literal_error": _choice,
    "enum": _choice,
    "string_too_short": lambda _value, _context: _EMPTY,
    "too_short": lambda _value, _context: _EMPTY,
    "string_too_long": lambda _value, context: (f"is longer than {context['max_length']} characters", "shorten it"),
    "string_pattern_mismatch": lambda value, context: (f"{shown(value)} does not fit", _PATTERNS[context["pattern"]]),
    "greater_than_equal": lambda value, context: (f"{value} is too small", f"write at least {context['ge']}"),
    "less_than_equal": lambda value, context: (f"{value} is too large", f"write at most {context['le']}"),
}


def _missing(path: KeyPath) -> _Words:
    field = field_at(path)
    meaning = f": {field.description}" if field is not None and field.description else " and its keys"
    return "is missing", f"add {path[-1]}{meaning}"


def _unknown(path: KeyPath, line: int) -> Mistake:
    known = keys_at(path[:-1])
    meant = closest(str(path[-1]), known)
    remedy = f"did you mean {meant}?" if meant else f"known here are {', '.join(known)}"
    return Mistake(line, path, "is not a known key", remedy, (*path[:-1], meant) if meant else None)


def _mistakes(details: ErrorDetails, document: Document) -> list[Mistake]:
    path: KeyPath = details["loc"]
    kind, context = details["type"], details.get("ctx", {})
    if kind == "extra_forbidden":
        return [_unknown(path, document.line(path))]
    if kind == "value_error" and isinstance(context.get("error"), SettingRefused):
        paths = [(*path, fault.key) if fault.key else path for fault in context["error"].faults]
        faults = context["error"].faults
        return [Mistake(document.line(at), at, fault.wrong, fault.remedy) for at, fault in zip(paths, faults, strict=True)]
    if kind == "missing":
        words = _missing(path)
    elif kind in _BY_TYPE:
        words = _BY_TYPE[kind](details["input"], context)
    else:
        words = (f"{_kind(details['input'])} is not accepted ({kind.replace('_', ' ')})", "see the configuration reference in README.md")
    return [Mistake(document.line(path), path, *words)]


def explain(error: ValidationError, document: Document) -> list[Mistake]:
    """Every complaint of the models about a document, with its line and a remedy."""
    return [mistake for details in error.errors(include_url=False) for mistake in _mistakes(details, document)]
