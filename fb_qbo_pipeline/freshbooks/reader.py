"""What the pipeline asks FreshBooks for, as typed records next to their untouched payloads.

FreshBooks ignores filters that it does not know and gives everything, and its documentation contradicts itself on whether a
maximum is inclusive. So every filter is asked for generously and applied once more here. One record that cannot be read is
handed to `on_bad` and does not stop the others.
"""

import datetime as dt
import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar
from zoneinfo import ZoneInfo

from fb_qbo_pipeline.freshbooks import parsing
from fb_qbo_pipeline.freshbooks.client import FreshBooksClient
from fb_qbo_pipeline.freshbooks.fields import BadRecord
from fb_qbo_pipeline.freshbooks.records import Category, Client, Expense, Invoice, Item, Payment, TaxDefinition, VisState
from fb_qbo_pipeline.freshbooks.resources import CATEGORIES, CLIENTS, EXPENSES, INVOICES, ITEMS, PAYMENTS, TAXES, Resource
from fb_qbo_pipeline.http import Json

_log = logging.getLogger(__name__)

# Accounting times are zoneless US Eastern, and the `updated` filter takes days.
EASTERN = ZoneInfo("America/New_York")
UPDATED_OVERLAP = dt.timedelta(days=1)
IDS_PER_REQUEST = 50  # keeps the address below 2,000 characters

OnBad = Callable[[BadRecord, Json], None]


class _Record(Protocol):
    @property
    def id(self) -> int: ...


class _Dated(_Record, Protocol):
    @property
    def date(self) -> dt.date: ...
    @property
    def vis_state(self) -> VisState: ...


_R = TypeVar("_R", bound=_Record)
_D = TypeVar("_D", bound=_Dated)


@dataclass(frozen=True)
class _Kind(Generic[_R]):
    resource: Resource
    parse: Callable[[Json], _R]


_INVOICES = _Kind(INVOICES, parsing.parse_invoice)
_PAYMENTS = _Kind(PAYMENTS, parsing.parse_payment)
_EXPENSES = _Kind(EXPENSES, parsing.parse_expense)
_CLIENTS = _Kind(CLIENTS, parsing.parse_client)
_ITEMS = _Kind(ITEMS, parsing.parse_item)
_CATEGORIES = _Kind(CATEGORIES, parsing.parse_category)
_TAXES = _Kind(TAXES, parsing.parse_tax)


def updated_filter(updated_since: dt.datetime | None) -> list[tuple[str, str]]:
    """The `updated` filter for a UTC instant: its US Eastern day, less a day of overlap.

    The zone in which FreshBooks lets the day begin is not documented, and one hour each November is ambiguous: the overlap
    covers both. Raises ValueError on an instant without a zone.
    """
    if updated_since is None:
        return []
    if updated_since.tzinfo is None:
        raise ValueError("updated_since needs a time zone")
    return [("search[updated_min]", (updated_since.astimezone(EASTERN).date() - UPDATED_OVERLAP).isoformat())]


def date_filter(date_from: dt.date | None, date_to: dt.date | None) -> list[tuple[str, str]]:
    """The `date` filter that surely holds both days: a day is added, because the maximum may be exclusive."""
    filters = []
    if date_from is not None:
        filters.append(("search[date_min]", date_from.isoformat()))
    if date_to is not None:
        filters.append(("search[date_max]", (date_to + dt.timedelta(days=1)).isoformat()))
    return filters


def _report(bad: BadRecord, _payload: Json) -> None:
    _log.warning("%s", bad.message)


class FreshBooksReader:
    """Reads one account's records. Every method gives a record with its payload, in FreshBooks' order."""

    def __init__(self, client: FreshBooksClient, on_bad: OnBad = _report) -> None:
        self.client = client
        self._on_bad = on_bad

    def invoices(
        self,
        date_from: dt.date | None = None,
        date_to: dt.date | None = None,
        updated_since: dt.datetime | None = None,
        deleted: bool = False,
    ) -> Iterator[tuple[Invoice, Json]]:
        """Invoices with their lines: by invoice date (both days included), by time of change, or both.

        `deleted` False: active and archived ones; True: only deleted ones.
        """
        return self._dated(_INVOICES, date_from, date_to, updated_since, deleted)

    def payments(
        self,
        date_from: dt.date | None = None,
        date_to: dt.date | None = None,
        updated_since: dt.datetime | None = None,
        deleted: bool = False,
    ) -> Iterator[tuple[Payment, Json]]:
        """Payments, selected as `invoices`, by payment date."""
        return self._dated(_PAYMENTS, date_from, date_to, updated_since, deleted)

    def expenses(
        self,
        date_from: dt.date | None = None,
        date_to: dt.date | None = None,
        updated_since: dt.datetime | None = None,
        deleted: bool = False,
    ) -> Iterator[tuple[Expense, Json]]:
        """Expenses, selected as `invoices`, by expense date."""
        return self._dated(_EXPENSES, date_from, date_to, updated_since, deleted)

    def invoices_by_id(self, ids: Collection[int]) -> Iterator[tuple[Invoice, Json]]:
        """Those of the invoices that are not deleted. A missing one may be deleted: `invoice` tells."""
        return self._by_id(_INVOICES, ids)

    def clients_by_id(self, ids: Collection[int]) -> Iterator[tuple[Client, Json]]:
        """Those of the clients that are not deleted."""
        return self._by_id(_CLIENTS, ids)

    def payments_of_invoice(self, invoice_id: int) -> Iterator[tuple[Payment, Json]]:
        """The payments of an invoice that are not deleted."""
        for payment, payload in self._records(_PAYMENTS, [("search[invoiceid]", str(invoice_id))]):
            if payment.invoice_id == invoice_id and payment.vis_state is not VisState.DELETED:
                yield payment, payload

    def invoice(self, invoice_id: int) -> tuple[Invoice, Json] | None:
        """One invoice, also a deleted one; None where FreshBooks has none. Raises BadRecord on an unreadable one."""
        return self._one(_INVOICES, invoice_id)

    def payment(self, payment_id: int) -> tuple[Payment, Json] | None:
        """One payment, as `invoice`."""
        return self._one(_PAYMENTS, payment_id)

    def expense(self, expense_id: int) -> tuple[Expense, Json] | None:
        """One expense, as `invoice`."""
        return self._one(_EXPENSES, expense_id)

    def clients(self, updated_since: dt.datetime | None = None) -> Iterator[tuple[Client, Json]]:
        """Active and archived clients."""
        return self._records(_CLIENTS, updated_filter(updated_since))

    def items(self, updated_since: dt.datetime | None = None) -> Iterator[tuple[Item, Json]]:
        """Active and archived products and services."""
        return self._records(_ITEMS, updated_filter(updated_since))

    def categories(self) -> Iterator[tuple[Category, Json]]:
        """All expense categories; FreshBooks cannot filter them by change."""
        return self._records(_CATEGORIES, [])

    def taxes(self) -> Iterator[tuple[TaxDefinition, Json]]:
        """All taxes that are set up; deleted ones are gone, while documents keep their names and percentages."""
        return self._records(_TAXES, [])

    def me(self) -> Json:
        """The login behind the connection: `business_memberships[].business.{account_id, name}` are the accounts that it can use."""
        response = self.client.get("auth/api/v1/users/me", subject="the connected login", scope="user:profile:read").get("response")
        return response if isinstance(response, dict) else {}

    def system(self) -> Json:
        """The account's own record: name, base currency (`currency_code`), country. Raises ConfigurationError on an unknown account."""
        return self.client.system()

    def _dated(
        self,
        kind: _Kind[_D],
        date_from: dt.date | None,
        date_to: dt.date | None,
        updated_since: dt.datetime | None,
        deleted: bool,
    ) -> Iterator[tuple[_D, Json]]:
        filters = date_filter(date_from, date_to) + updated_filter(updated_since)
        if deleted:
            filters.append(("search[vis_state]", str(VisState.DELETED.value)))
        for record, payload in self._records(kind, filters):
            after = date_from is None or date_from <= record.date
            before = date_to is None or record.date <= date_to
            if after and before and (record.vis_state is VisState.DELETED) == deleted:
                yield record, payload

    def _by_id(self, kind: _Kind[_R], ids: Collection[int]) -> Iterator[tuple[_R, Json]]:
        ordered = sorted(set(ids))
        for start in range(0, len(ordered), IDS_PER_REQUEST):
            wanted = ordered[start : start + IDS_PER_REQUEST]
            filters = [(f"search[{kind.resource.ids_filter}][]", str(each)) for each in wanted]
            for record, payload in self._records(kind, filters):
                if record.id in wanted:
                    yield record, payload

    def _one(self, kind: _Kind[_R], record_id: int) -> tuple[_R, Json] | None:
        payload = self.client.read(kind.resource, record_id)
        return None if payload is None else (kind.parse(payload), payload)

    def _records(self, kind: _Kind[_R], filters: list[tuple[str, str]]) -> Iterator[tuple[_R, Json]]:
        for payload in self.client.list(kind.resource, filters):
            try:
                record = kind.parse(payload)
            except BadRecord as bad:
                self._on_bad(bad, payload)
                continue
            yield record, payload
