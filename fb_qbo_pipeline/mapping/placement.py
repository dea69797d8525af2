"""The default class and location of documents: where QuickBooks keeps them depends on the company's preferences.

A class belongs to the whole sale or to each of its lines, whichever the company tracks; on bills it is on the lines in any
case, and a location always belongs to the whole document.
"""

from dataclasses import dataclass, field

from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Json
from fb_qbo_pipeline.mapping.references import Problems, find_class, find_location


@dataclass(frozen=True, slots=True)
class Placement:
    """`header` has the document's keys, `line_class` is the id of the class of every line (None: none)."""

    header: Json = field(default_factory=dict)
    line_class: str | None = None


def placement(class_name: str | None, location: str | None, section: str, context: Context, problems: Problems) -> Placement:
    """Class and location of the documents of `section` ("sales" or "expenses"). A feature that is off is the preflight's matter."""
    preferences = context.company.preferences
    header: Json = {}
    line_class = None
    if class_name is not None and (preferences.class_per_transaction or preferences.class_per_line):
        found = problems.take(find_class(class_name, f"{section}.class", context))
        if preferences.class_per_line or section == "expenses":
            line_class = found
        elif found is not None:
            header["ClassRef"] = {"value": found}
    if location is not None and preferences.locations:
        found = problems.take(find_location(location, f"{section}.location", context))
        if found is not None:
            header["DepartmentRef"] = {"value": found}
    return Placement(header, line_class)
