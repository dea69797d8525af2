"""How counts, money and documents are said to people: one spelling in every command, report and sheet."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from fb_qbo_pipeline.mapping.documents import Source
from fb_qbo_pipeline.money import ZERO, round_half_up


class Amount(NamedTuple):
    """Money in one currency."""

    value: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{round_half_up(self.value):,} {self.currency}".rstrip()


def sums(amounts: Iterable[Amount]) -> list[Amount]:
    """Amounts added up, one for each currency."""
    found: dict[str, Decimal] = {}
    for amount in amounts:
        found[amount.currency] = found.get(amount.currency, ZERO) + amount.value
    return [Amount(found[currency], currency) for currency in sorted(found)]


def added(amounts: Iterable[Amount]) -> str:
    """Amounts added up by currency, such as "461.36 CAD, 12.00 USD"."""
    return ", ".join(map(str, sums(amounts)))


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 document`, `1,234 documents`; `plural` where an s does not do: `2 categories`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def number_of(number: str, source_id: int) -> str:
    """A document's number as people know it; '' where it has none and `number` is only FreshBooks' internal id."""
    return "" if number == str(source_id) else number


def called(source: str, number: str, source_id: int, party: str = "") -> str:
    """What a person calls a document: `invoice 31`, `payment of invoice 31`; by its id only together with whom it is with."""
    known = number_of(number, source_id)
    if not known:
        return f"{source}{f' of {party}' if party else ''} (FreshBooks id {source_id})"
    return f"payment of invoice {known}" if source == Source.PAYMENT else f"{source} {known}"
