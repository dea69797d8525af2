"""The QuickBooks company as the ledger mirrors it: read in full once a day, otherwise by what changed.

Intuit meters reads, so an hourly run asks for changes only (one read). Tax codes, tax rates and preferences are not in
QuickBooks' change feed: they are read again whenever something is going to be posted, because a closing date or a rate
that changed an hour ago has to be respected. Our own writes are merged as they happen.
"""

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from fb_qbo_pipeline.http import utc_now
from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.posting.feed import Ask
from fb_qbo_pipeline.quickbooks.company import Company
from fb_qbo_pipeline.quickbooks.lists import build_company, fetch_lists
from fb_qbo_pipeline.quickbooks.reader import Changes, QuickBooksReader
from fb_qbo_pipeline.settings.models import Integration

log = logging.getLogger(__name__)

Json = dict[str, Any]

FULL_AFTER = dt.timedelta(hours=24)
VOLATILE = frozenset({"Preferences", "TaxCode", "TaxRate"})  # not in the change feed
VOLATILE_AFTER = dt.timedelta(minutes=5)
_OVERLAP = dt.timedelta(minutes=2)  # clocks differ, and a write may become visible late


def wanted_lists(integration: Integration) -> frozenset[str]:
    """The lists that this integration's settings need: each is a metered read."""
    wanted = {"CompanyInfo", "Preferences", "Account", "Item", "TaxCode", "TaxRate"}
    sections = [s for s in (integration.sales, integration.expenses) if s is not None]
    if any(section.class_ for section in sections):
        wanted.add("Class")
    if any(section.location for section in sections):
        wanted.add("Department")
    if integration.sales is not None:
        wanted.add("Customer")
    if integration.expenses is not None:
        wanted.add("Vendor")
    return frozenset(wanted)


class CompanyMirror:
    """Keeps and refreshes the mirror of one company."""

    def __init__(
        self, ledger: Ledger, reader: QuickBooksReader, integration: Integration, clock: Callable[[], dt.datetime] = utc_now
    ) -> None:
        self._ledger = ledger
        self._reader = reader
        self._wanted = wanted_lists(integration)
        self._clock = clock

    def company(self) -> Company:
        """The company as mirrored; read in full where there is no mirror yet."""
        if not self._complete():
            self.refresh()
        with self._ledger.begin() as tx:
            return build_company(self._reader.realm_id, tx.lists.all())

    def refresh(self) -> None:
        """Read every wanted list in full."""
        started = self._clock()
        raw = fetch_lists(self._reader, self._wanted)
        with self._ledger.begin() as tx:
            for entity, members in raw.items():
                tx.lists.replace(entity, members)
            tx.cursors.set("lists", sorted(self._wanted))
            for name in ("lists_full", "lists_changes", "lists_volatile"):
                tx.cursors.set_instant(name, started)
        log.info("read QuickBooks' lists: %s", ", ".join(f"{len(members)} {entity}" for entity, members in sorted(raw.items())))

    def ask(self) -> Ask | None:
        """What the change feed is to be asked; None where the lists are to be read in full."""
        since = self._instant("lists_changes")
        if not self._complete() or since is None or self._older_than("lists_full", FULL_AFTER):
            return None
        return Ask(sorted(self._wanted - VOLATILE - {"CompanyInfo"}), since - _OVERLAP)

    def take(self, changes: Changes | None, asked_at: dt.datetime) -> None:
        """Take over what the change feed has told; without it, or where it holds not all, the lists are read in full."""
        if changes is None or not changes.complete:
            self.refresh()
            return
        with self._ledger.begin() as tx:
            for entity in self._wanted & changes.by_entity.keys():
                tx.lists.merge(entity, changes.by_entity[entity])
            tx.cursors.set_instant("lists_changes", asked_at)

    def before_posting(self) -> Company:
        """The company with preferences and taxes no older than a few minutes: for runs that are going to write."""
        if self._complete() and self._older_than("lists_volatile", VOLATILE_AFTER):
            now = self._clock()
            self._read_again(VOLATILE)
            with self._ledger.begin() as tx:
                tx.cursors.set_instant("lists_volatile", now)
        return self.company()

    def read_preferences(self) -> None:
        """Read the preferences again, which the change feed leaves out: the closing date may have been moved."""
        if self._complete():
            self._read_again(frozenset({"Preferences"}))

    def _read_again(self, entities: frozenset[str]) -> None:
        raw = fetch_lists(self._reader, entities)
        with self._ledger.begin() as tx:
            for entity, members in raw.items():
                tx.lists.replace(entity, members)

    def fresh(self) -> bool:
        """Whether the whole mirror was read within the last minutes."""
        return not self._older_than("lists_full", VOLATILE_AFTER)

    def merge(self, entity: str, members: Iterable[Json]) -> None:
        """Take over list members that QuickBooks has just returned."""
        with self._ledger.begin() as tx:
            tx.lists.merge(entity, members)

    def _instant(self, name: str) -> dt.datetime | None:
        with self._ledger.begin() as tx:
            instant = tx.cursors.instant(name)
        ahead = instant is not None and instant > self._clock() + _OVERLAP  # noted under a clock that was ahead: not believed
        return None if ahead else instant

    def _older_than(self, name: str, age: dt.timedelta) -> bool:
        instant = self._instant(name)
        return instant is None or self._clock() - instant > age

    def _complete(self) -> bool:
        with self._ledger.begin() as tx:
            have: Sequence[str] = tx.cursors.get("lists") or ()
        return self._wanted <= set(have)
