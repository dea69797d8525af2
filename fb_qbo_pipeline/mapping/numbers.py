"""Document numbers: prefix and FreshBooks' number, at most 21 characters, each held by one document only.

FreshBooks' numbers are free text and may repeat; QuickBooks may refuse a repeated one (6140), or store it silently,
depending on preferences. So a repeated number is an exception here, whatever QuickBooks would do.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from fb_qbo_pipeline.mapping.documents import Code, Entity, Mapped, Outcome, Problem
from fb_qbo_pipeline.mapping.text import digest, printable
from fb_qbo_pipeline.quickbooks.company import fold

NUMBER_LENGTH = 21
_TAIL = 8  # hexadecimal digits: among 10,000 shortened numbers, two share a tail with a chance of about 1 %


def full_number(prefix: str, number: str) -> str:
    """Prefix and number, without control characters, invisible ones and repeated blanks."""
    return " ".join(printable(f"{prefix}{number}").split())


def document_number(prefix: str, number: str) -> str:
    """The DocNumber: prefix + number, or its beginning and a digest of the whole where that is longer than 21 characters.

    So has one from which a refused character had to go: two numbers that differ in nothing else stay two.
    The same input gives the same number on every run.
    """
    typed, full = " ".join(f"{prefix}{number}".split()), full_number(prefix, number)
    if full == typed and len(full) <= NUMBER_LENGTH:
        return full
    return f"{full[: NUMBER_LENGTH - _TAIL - 1].rstrip()}~{digest(typed, _TAIL)}"


def hold_duplicates(mapped: Sequence[Mapped], taken: Mapping[tuple[Entity, str], int]) -> list[Mapped]:
    """`mapped` with all but one document of each number held as `duplicate_number`; order and other members are kept.

    Numbers are compared without case, per entity. `taken` holds the numbers of documents that stand in the ledger and
    their FreshBooks ids: they keep their numbers. Otherwise the lowest FreshBooks id keeps it.
    """
    holders = {(entity, fold(number)): source_id for (entity, number), source_id in taken.items()}
    labels = {(one.document.entity, one.source_id): one.label for one in mapped if one.document is not None}
    for one in sorted(mapped, key=lambda one: one.source_id):
        key = _claim(one)
        if key is not None:
            holders.setdefault(key, one.source_id)
    result = []
    for one in mapped:
        key = _claim(one)
        if key is None or holders[key] == one.source_id:
            result.append(one)
            continue
        other = labels.get((key[0], holders[key]), "")
        problem = _duplicate(one, holders[key], other)
        result.append(replace(one, outcome=Outcome.HELD, document=None, problems=(*one.problems, problem)))
    return result


def kept_claims(standing: Mapping[tuple[str, str], int], mapped: Iterable[Mapped]) -> dict[tuple[Entity, str], int]:
    """Which numbers (entity, folded number → FreshBooks id) of what stands in QuickBooks are still claimed.

    A document of `mapped` that is to have another number from now on gives its old one up.
    """
    numbers = {one.source_id: key[1] for one in mapped if one.outcome is Outcome.DOCUMENT and (key := _claim(one)) is not None}
    return {
        (Entity(entity), number): holder
        for (entity, number), holder in standing.items()
        if numbers.get(holder, fold(number)) == fold(number)
    }


def _claim(one: Mapped) -> tuple[Entity, str] | None:
    """The number that a document lays claim to; None for what has no document or no number."""
    if one.document is None or one.document.number is None:
        return None
    return one.document.entity, fold(one.document.number)


def _duplicate(one: Mapped, holder: int, holder_label: str) -> Problem:
    assert one.document is not None
    named = f"{one.source.value} {holder_label} " if holder_label else ""
    return Problem(
        Code.DUPLICATE_NUMBER,
        f"the number {one.document.number} already belongs to the FreshBooks {named or one.source.value + ' '}(id {holder})",
        f"give one of the two another number in FreshBooks; this one is FreshBooks id {one.source_id}",
    )
