"""Which keys the settings know, read off the models: for messages about unknown keys and for the reference."""

from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from fb_qbo_pipeline.settings.mistakes import KeyPath
from fb_qbo_pipeline.settings.models import Integration


def section_of(annotation: Any) -> type[BaseModel] | None:
    """The section that a field's type is or may be (`DueDate`, `Sales | None`), or None for a plain value."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((part for part in get_args(annotation) if isinstance(part, type) and issubclass(part, BaseModel)), None)


def keys_of(section: type[BaseModel]) -> dict[str, FieldInfo]:
    """A section's fields by the key that stands in the file (`class`, not `class_`), in the models' order."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


def field_at(path: KeyPath) -> FieldInfo | None:
    """The field at a path from the file's top, or None where the path leads into a list or a map, or nowhere."""
    section: type[BaseModel] | None = Integration
    field: FieldInfo | None = None
    for part in path:
        field = keys_of(section).get(str(part)) if section is not None else None
        section = section_of(field.annotation) if field is not None else None
    return field


def keys_at(path: KeyPath) -> tuple[str, ...]:
    """The keys known in the section at a path; none where there is no section."""
    if not path:
        return tuple(keys_of(Integration))
    field = field_at(path)
    section = section_of(field.annotation) if field is not None else None
    return tuple(keys_of(section)) if section is not None else ()
