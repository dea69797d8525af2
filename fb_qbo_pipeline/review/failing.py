"""Which checks fail over a range of days, with the documents and the money: what the Dagster UI shows, for a terminal.

The rules themselves are given, because they belong to the assets; here they are asked about all days at once.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.quickbooks.company import Company
from fb_qbo_pipeline.review.books import read_books
from fb_qbo_pipeline.review.findings import Books, Finding
from fb_qbo_pipeline.review.words import Amount, added, counted
from fb_qbo_pipeline.settings.models import Integration


class Rule(Protocol):
    """A check: its name, the sentence that says what should hold, and how it is found."""

    @property
    def name(self) -> str:
        """Its name in the Dagster UI."""

    @property
    def sentence(self) -> str:
        """What should hold."""

    @property
    def find(self) -> Callable[[Books], list[Finding]]:
        """What does not."""


Rules = Mapping[tuple[str, ...], Sequence[Rule]]
"""Rules by the sources (invoice, payment, expense) that they are about."""


@dataclass(frozen=True)
class Failing:
    """A check that fails."""

    name: str
    sentence: str
    found: list[Finding]

    @property
    def summary(self) -> str:
        """How many documents and how much money."""
        documents = len({(one.source, one.number, one.date, one.amount) for one in self.found})
        return f"{counted(documents, 'document')}, {added(Amount(one.amount, one.currency) for one in self.found)}"

    @property
    def remedies(self) -> list[tuple[str, int]]:
        """What to do, and for how many documents, the most frequent first."""
        counts: dict[str, int] = {}
        for one in self.found:
            counts[one.remedy] = counts.get(one.remedy, 0) + 1
        return sorted(counts.items(), key=lambda pair: -pair[1])


def failing(ledger: Ledger, integration: Integration, company: Company, rules: Rules, start: dt.date, end: dt.date) -> list[Failing]:
    """The rules that fail on the days from `start` to `end`; each is asked about the sources that it is about."""
    found = []
    with ledger.begin() as tx:
        for sources, of_sources in rules.items():
            books = read_books(tx, integration, company, start, end, sources)
            found += [Failing(rule.name, rule.sentence, findings) for rule in of_sources if (findings := rule.find(books))]
    return found
