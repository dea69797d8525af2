"""A QuickBooks company as the mapping needs it: preferences and lists, typed and immutable, found by name.

People name QuickBooks things as they see them (`Parent:Child`); documents refer to them by id. This module is the only
place that goes from one to the other. It does no I/O: `quickbooks.lists` reads, this holds.
Inactive list members are kept (QuickBooks renames them "… (deleted)"), so that a reference to one can be explained.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Generic, Protocol, TypeVar


def fold(name: str) -> str:
    """A name as QuickBooks compares names: without case and surrounding blanks."""
    return " ".join(name.split()).casefold()


@dataclass(frozen=True, slots=True)
class Account:
    """A row of the chart of accounts. `type` is AccountType ("Bank", "Other Current Asset", "Income"…)."""

    id: str
    name: str
    full_name: str
    type: str
    sub_type: str
    currency: str
    active: bool


@dataclass(frozen=True, slots=True)
class Item:
    """A product or service. `type` is Service, NonInventory, Inventory, Category, Group…; a Category is no product."""

    id: str
    name: str
    full_name: str
    sku: str
    type: str
    active: bool


@dataclass(frozen=True, slots=True)
class Named:
    """A class, a department (location) or another plain list member."""

    id: str
    name: str
    full_name: str
    active: bool


@dataclass(frozen=True, slots=True)
class TaxRate:
    """A tax rate. `effective` lists (from, until, percent) where QuickBooks keeps a history; `percent` is the present one."""

    id: str
    name: str
    percent: Decimal
    active: bool
    effective: tuple[tuple[date | None, date | None, Decimal], ...] = ()

    def percent_on(self, day: date) -> Decimal:
        """The percentage in force on `day`; the present one where the history does not cover it."""
        for start, end, percent in self.effective:
            if (start is None or start <= day) and (end is None or day <= end):
                return percent
        return self.percent


@dataclass(frozen=True, slots=True)
class CodeRate:
    """A rate within a tax code. `applies` is TaxOnAmount, TaxOnAmountPlusTax (compound) or TaxOnTax."""

    rate_id: str
    applies: str
    order: int


@dataclass(frozen=True, slots=True)
class TaxCode:
    """A tax code. `group` False: a pseudo code (TAX, NON). Sales and purchase sides hold different rate ids."""

    id: str
    name: str
    active: bool
    taxable: bool
    group: bool
    sales: tuple[CodeRate, ...]
    purchase: tuple[CodeRate, ...]


@dataclass(frozen=True, slots=True)
class Party:
    """A customer, vendor or employee: the three share one set of names. `kind` is Customer, Vendor or Employee."""

    id: str
    kind: str
    display_name: str
    company_name: str
    given_name: str
    family_name: str
    email: str
    currency: str
    active: bool


@dataclass(frozen=True, slots=True)
class Preferences:
    """The switches that decide what a document may carry. Missing ones are off."""

    uses_sales_tax: bool
    partner_tax: bool | None  # None: not an automated-sales-tax company; True: set up; False: not set up
    custom_numbers: bool
    class_per_transaction: bool
    class_per_line: bool
    locations: bool
    multicurrency: bool
    home_currency: str
    closed_until: date | None
    discounts_allowed: bool
    auto_apply_credit: bool
    warn_duplicate_bill_numbers: bool


class _Listed(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def full_name(self) -> str: ...
    @property
    def active(self) -> bool: ...


_T = TypeVar("_T", bound=_Listed)


class ByName(Generic[_T]):
    """The members of a list by the names that people use for them.

    QuickBooks appends " (deleted)" to an inactive member's name; that suffix is ignored here.
    """

    def __init__(self, members: Iterable[_T]) -> None:
        self._full: dict[tuple[str, bool], _T] = {}
        self._own: defaultdict[tuple[str, bool], list[_T]] = defaultdict(list)
        for member in members:
            for name in _spellings(member.full_name, member.active):
                self._full.setdefault((name, member.active), member)
            for name in _spellings(member.name, member.active):
                self._own[name, member.active].append(member)

    def find(self, name: str) -> _T | None:
        """The member that people mean by `name`: by fully qualified name first, then by its own name if only one has it.

        Active members win; an inactive one is returned only where no active one matches, so that the caller can say so.
        """
        wanted = fold(name)
        for active in (True, False):
            if (wanted, active) in self._full:
                return self._full[wanted, active]
            own = self._own.get((wanted, active), [])
            if len(own) == 1:
                return own[0]
        return None


def _spellings(name: str, active: bool) -> set[str]:
    folded = fold(name)
    return {folded} if active else {folded, folded.removesuffix(" (deleted)")}


@dataclass(frozen=True)
class Company:
    """Everything of a QuickBooks company that mapping and posting look up."""

    realm_id: str
    name: str
    country: str  # "US", "CA", "GB"…
    preferences: Preferences
    accounts: tuple[Account, ...] = ()
    items: tuple[Item, ...] = ()
    classes: tuple[Named, ...] = ()
    locations: tuple[Named, ...] = ()
    tax_codes: tuple[TaxCode, ...] = ()
    tax_rates: tuple[TaxRate, ...] = ()
    parties: tuple[Party, ...] = field(default=(), repr=False)
    unreadable: tuple[str, ...] = ()  # list members that cannot be read, and are not among the others

    @cached_property
    def is_us(self) -> bool:
        """Whether the US sales-tax model holds: TAX or NON on lines, one tax code a document, no purchase tax."""
        return self.country.upper() in {"US", "USA"}

    @property
    def has_purchase_tax(self) -> bool:
        """Whether bills carry tax: outside the US, and only with sales tax switched on."""
        return self.preferences.uses_sales_tax and not self.is_us

    def account(self, name: str) -> Account | None:
        """The account that people call `name`; an inactive one only where no active one matches."""
        return self._accounts_by_name.find(name)

    def item(self, name: str) -> Item | None:
        """The product or service that people call `name`, by full or own name; categories are never products."""
        return self._items_by_name.find(name)

    def class_named(self, name: str) -> Named | None:
        """The class that people call `name`."""
        return self._classes_by_name.find(name)

    def location(self, name: str) -> Named | None:
        """The location (QuickBooks' Department) that people call `name`."""
        return self._locations_by_name.find(name)

    def tax_code(self, name: str) -> TaxCode | None:
        """The tax code named `name`; an active one before an inactive one."""
        return self._codes_by_name.get(fold(name))

    @cached_property
    def _accounts_by_name(self) -> ByName[Account]:
        return ByName(self.accounts)

    @cached_property
    def _items_by_name(self) -> ByName[Item]:
        return ByName(item for item in self.items if item.type != "Category")

    @cached_property
    def _classes_by_name(self) -> ByName[Named]:
        return ByName(self.classes)

    @cached_property
    def _locations_by_name(self) -> ByName[Named]:
        return ByName(self.locations)

    @cached_property
    def _codes_by_name(self) -> dict[str, TaxCode]:
        """Tax codes by folded name: asked for twice a document."""
        found: dict[str, TaxCode] = {}
        for code in sorted(self.tax_codes, key=lambda code: not code.active):
            found.setdefault(fold(code.name), code)
        return found

    @cached_property
    def rates_by_id(self) -> dict[str, TaxRate]:
        """Tax rates by id."""
        return {rate.id: rate for rate in self.tax_rates}

    @cached_property
    def codes_by_id(self) -> dict[str, TaxCode]:
        """Tax codes by id."""
        return {code.id: code for code in self.tax_codes}
