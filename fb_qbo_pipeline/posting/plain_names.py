"""Names in the characters that QuickBooks documents, for when it refuses the real one. No I/O.

QuickBooks takes more than its help pages list (letters, digits, blanks and , . ? @ & ! # ' ~ * _ - ; + ( )), but which of
the rest depends on the field and the edition. So a name is tried as it is, and only after a refusal in these characters.
"""

import unicodedata
from dataclasses import replace

from fb_qbo_pipeline.mapping.documents import Json, PartyRequest
from fb_qbo_pipeline.mapping.text import NAME_LENGTH, digest, legal_name
from fb_qbo_pipeline.quickbooks.faults import Fault

_PUNCTUATION = frozenset(" ,.?@&!#'~*_-;+()")
_INVALID_CHARACTERS = frozenset({"2040", "2180"})  # Invalid String, and its range
_NAMES_OF_A_PARTY = ("CompanyName", "GivenName", "FamilyName")


def is_about_characters(fault: Fault) -> bool:
    """Whether a refusal complains of the characters of a text."""
    return any(error.code in _INVALID_CHARACTERS for error in fault.errors)


def plain_name(text: str) -> str:
    """`text` in the documented characters, those of all scripts among the letters; the others become blanks. May be ''."""
    characters = [one if one in _PUNCTUATION or (_is_letter(one) and ord(one) <= 0xFFFF) else " " for one in text]
    return legal_name("".join(characters))


def plainer_party(request: PartyRequest) -> PartyRequest | None:
    """The request in plain names, under the same key; None where they are plain already."""
    body = {key: plain_name(value) if key in _NAMES_OF_A_PARTY else value for key, value in request.body.items()}
    body = {key: value for key, value in body.items() if value != ""}
    plainer = replace(request, name=plain_name(request.name) or f"{request.kind}{request.suffix}", body=body)
    return plainer if plainer != request else None


def plainer_item(body: Json) -> Json | None:
    """The request for an item under a plain name that no other name shares; None where it is plain already."""
    name = plain_name(body["Name"])
    if name == body["Name"]:
        return None
    tail = f" #{digest(body['Name'].casefold(), 8)}"
    plainer = body | {"Name": (name[: NAME_LENGTH - len(tail)].rstrip() + tail).strip()}
    return plainer if "Sku" not in body else plainer | {"Sku": plain_name(body["Sku"]) or plainer["Name"]}


def _is_letter(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character).startswith("M")
