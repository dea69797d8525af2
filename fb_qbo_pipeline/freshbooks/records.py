"""FreshBooks records as this package reads them: parsed once, typed, immutable.

FreshBooks sends numbers as strings, ids twice under different keys, and null, '' and 0 alike for "none".
That ends here: behind these classes money is Decimal, dates are dates, and "none" is None or ''.
Only what the pipeline uses is kept; the untouched payload stays in the ledger's raw records.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import NamedTuple


class VisState(IntEnum):
    """FreshBooks' `vis_state`. Archived documents still count in the books; deleted ones do not."""

    ACTIVE = 0
    DELETED = 1
    ARCHIVED = 2


class LineTax(NamedTuple):
    """A tax as a document line names it: by text and percent only. 9.975 means 9.975 %. A key of many look-ups, so a plain tuple."""

    name: str
    percent: Decimal


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line. `amount` is before discount and tax. A line names its product by text only.

    `kind` 1 is a rebilled expense (`expense_id` set), 0 anything else. `compounded`: the second tax is on top of the first.
    """

    line_id: int
    kind: int
    name: str
    description: str
    quantity: Decimal
    unit_cost: Decimal
    amount: Decimal
    taxes: tuple[LineTax, ...]
    compounded: bool
    expense_id: int | None


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address; every part may be ''."""

    street: str = ""
    street2: str = ""
    city: str = ""
    province: str = ""
    postal_code: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice with its lines. `amount` is the grand total after discount, with tax, and is the truth.

    `discount_total` is zero or negative; `discount_percent` 10 means 10 %. `status` is v3_status in lower case with
    underscores (`deposit_paid`). `date` is create_date, the invoice date in the business's calendar.
    `organization`, `first_name`, `last_name` and `address` are the snapshot of the client at issue.
    """

    id: int
    number: str
    client_id: int
    date: dt.date
    due_date: dt.date | None
    currency: str
    amount: Decimal
    paid: Decimal
    outstanding: Decimal
    discount_percent: Decimal
    discount_total: Decimal
    status: str
    vis_state: VisState
    lines: tuple[InvoiceLine, ...]
    organization: str
    first_name: str
    last_name: str
    address: Address
    notes: str
    terms: str
    po_number: str


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment of an invoice (`invoice_id`) or into a credit (`credit_id`, no invoice).

    `from_credit`: an existing credit applied to the invoice; no cash moved. `method` is FreshBooks' `type` ("Credit Card").
    `overpayment_id` is the credit that received what was paid beyond the invoice: another payment, with that `credit_id`.
    """

    id: int
    invoice_id: int | None
    credit_id: int | None
    client_id: int | None
    amount: Decimal
    currency: str
    date: dt.date
    method: str
    from_credit: bool
    note: str
    vis_state: VisState
    overpayment_id: int | None = None


@dataclass(frozen=True, slots=True)
class ExpenseTax:
    """A tax of an expense: `amount` is the part of the expense's amount that is this tax; `percent` is informational."""

    name: str
    percent: Decimal | None
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Expense:
    """An expense. `amount` includes its taxes (gross) and may have three decimals. `vendor` is free text, '' for none."""

    id: int
    amount: Decimal
    currency: str
    date: dt.date
    category_id: int
    vendor: str
    taxes: tuple[ExpenseTax, ...]
    notes: str
    client_id: int | None
    invoice_id: int | None
    vis_state: VisState


@dataclass(frozen=True, slots=True)
class Client:
    """A customer as FreshBooks knows them. Any of organization, first_name, last_name, email may be ''."""

    id: int
    organization: str
    first_name: str
    last_name: str
    email: str
    phone: str
    mobile: str
    address: Address
    shipping: Address
    currency: str
    vat_number: str
    vis_state: VisState


@dataclass(frozen=True, slots=True)
class Item:
    """A FreshBooks product or service. `sku` is '' where FreshBooks has none."""

    id: int
    name: str
    sku: str
    description: str
    unit_cost: Decimal | None
    vis_state: VisState


@dataclass(frozen=True, slots=True)
class Category:
    """An expense category; `parent_id` None for a top category. Two levels at most."""

    id: int
    name: str
    parent_id: int | None
    vis_state: VisState


@dataclass(frozen=True, slots=True)
class TaxDefinition:
    """A tax as set up in FreshBooks; documents copy its name and percent."""

    id: int
    name: str
    percent: Decimal
    compound: bool


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An invoice, payment or expense that is unusable; `why` names the field and never its value.

    None and '' stand for what is unreadable or absent; a `vis_state` that is unreadable counts as active, so that the
    record is shown.
    """

    resource: str
    id: int
    why: str
    date: dt.date | None = None
    amount: Decimal | None = None
    currency: str = ""
    number: str = ""
    party: str = ""
    status: str = ""
    invoice_id: int | None = None
    vis_state: VisState = VisState.ACTIVE
