"""The default class and location of documents: where QuickBooks keeps them depends on the company's preferences.

A class belongs to the whole sale or to each of its lines, whichever the company tracks; on bills it is on the lines in any
case, and a location always belongs to the whole document. A feature that is off stops a sync at once (the preflight); where
it is switched off later, or a backfill begins without a preflight, documents are held rather than posted without it.
"""

from dataclasses import dataclass, field

from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Code, Json, Problem
from fb_qbo_pipeline.mapping.references import Problems, find_class, find_location


@dataclass(frozen=True, slots=True)
class Placement:
    """`header` has the document's keys, `line_class` is the id of the class of every line (None: none)."""

    header: Json = field(default_factory=dict)
    line_class: str | None = None


def placement(class_name: str | None, location: str | None, section: str, context: Context, problems: Problems) -> Placement:
    """Class and location of the documents of `section` ("sales" or "expenses")."""
    preferences = context.company.preferences
    header: Json = {}
    line_class = None
    if class_name is not None and not (preferences.class_per_transaction or preferences.class_per_line):
        problems.take(_off("class", class_name, section))
    elif class_name is not None:
        found = problems.take(find_class(class_name, f"{section}.class", context))
        if preferences.class_per_line or section == "expenses":
            line_class = found
        elif found is not None:
            header["ClassRef"] = {"value": found}
    if location is not None and not preferences.locations:
        problems.take(_off("location", location, section))
    elif location is not None:
        found = problems.take(find_location(location, f"{section}.location", context))
        if found is not None:
            header["DepartmentRef"] = {"value": found}
    return Placement(header, line_class)


def _off(kind: str, name: str, section: str) -> Problem:
    return Problem(
        Code.INACTIVE_REFERENCE,
        f"the {kind} “{name}” cannot be set: QuickBooks does not track them",
        f"switch on the tracking in QuickBooks (Account and settings › Advanced › Categories), or remove {section}.{kind}",
    )
