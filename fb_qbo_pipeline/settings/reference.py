"""The configuration reference as Markdown, generated from the models, so that the README cannot say anything else.

`python -m fb_qbo_pipeline.settings.reference README.md` writes it between the markers; a test fails where that was forgotten.
"""

import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from fb_qbo_pipeline.settings.environment import VARIABLES
from fb_qbo_pipeline.settings.models import Integration
from fb_qbo_pipeline.settings.schema import keys_of, section_of

BEGIN = "<!-- configuration:begin -->"
END = "<!-- configuration:end -->"

_TYPE_WORDS = {"str": "text", "bool": "true or false", "int": "whole number", "date": "date", "Decimal": "number"}


def configuration_reference() -> str:
    """All keys of `integration.yaml`, a table for each section, then the environment variables; without the markers."""
    parts = []
    for path, field, section in _sections(Integration):
        title = f"#### `{'.'.join(path)}`" if path else "#### Top level"
        about = _first_line(section)
        if field is not None and not field.is_required() and field.default is None:
            about += f" Optional; {field.description}."
        rows = [
            (f"`{key}`", _words(value.annotation), _default(value), _escaped(value.description or ""))
            for key, value in keys_of(section).items()
            if section_of(value.annotation) is None
        ]
        parts.append(f"{title}\n\n{_escaped(about)}\n\n{_table(('key', 'type', 'default', 'meaning'), rows)}")
    variables = [(f"`{name}`", f"`{default}`" if default else "", _escaped(meaning)) for name, default, meaning in VARIABLES]
    parts.append(f"#### Environment variables\n\n{_table(('variable', 'default', 'meaning'), variables)}")
    return "\n\n".join(parts)


def splice(readme_text: str) -> str:
    """The text with the present reference between its markers. Raises ValueError unless each marker stands there once, in order."""
    if readme_text.count(BEGIN) != 1 or readme_text.count(END) != 1 or readme_text.index(BEGIN) > readme_text.index(END):
        raise ValueError(f"the text needs {BEGIN} and, after it, {END}, once each")
    before, _, rest = readme_text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{configuration_reference()}\n{END}{after}"


def _sections(
    section: type[BaseModel], path: tuple[str, ...] = (), field: FieldInfo | None = None
) -> Iterator[tuple[tuple[str, ...], FieldInfo | None, type[BaseModel]]]:
    """Every section below and including one: its path, the field that holds it, its model."""
    yield path, field, section
    for key, inner_field in keys_of(section).items():
        inner = section_of(inner_field.annotation)
        if inner is not None:
            yield from _sections(inner, (*path, key), inner_field)


def _first_line(section: type[BaseModel]) -> str:
    return (section.__doc__ or "").strip().splitlines()[0]


def _words(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"`{member.value}`" for member in annotation)
    if origin is tuple:
        return f"list of {_words(arguments[0])}"
    if origin is dict:
        return "map of text to text"
    if arguments:  # X | None, or Annotated
        return _words(next(argument for argument in arguments if argument is not type(None)))
    return _TYPE_WORDS[annotation.__name__]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or value in ("", {}):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`[{', '.join(value)}]`"
    return f"`{value.value if isinstance(value, Enum) else format(value, 'f') if isinstance(value, Decimal) else value}`"


def _escaped(text: str) -> str:
    """Text as a table's cell may hold it: a bar would end the cell."""
    return text.replace("|", "\\|")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def main(arguments: Sequence[str]) -> None:
    """Rewrites the reference in each file named."""
    for name in arguments:
        file = Path(name)
        file.write_text(splice(file.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
