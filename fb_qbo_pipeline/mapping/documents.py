"""What mapping produces: an intended QuickBooks document, or the problems that hold it back.

A document's body is the JSON that QuickBooks will get, except that references to things whose id is only known when
posting are *symbolic*: a string that begins with "@". `posting` replaces them just before the call:

    @customer/<key>      a customer, e.g. @customer/client/123 or @customer/generic
    @vendor/<key>        a vendor,   e.g. @vendor/acme-ltd
    @item/<key>          an item that the mapping asks to be created
    @invoice/<id>        the QuickBooks id of the invoice posted for FreshBooks invoice <id>
    @rate/<code>/<date>  the exchange rate of the currency on that day

So a body says the same thing on every run, whatever ids QuickBooks gives: its fingerprint is the identity of the content.
Everything here is immutable, pure data and serialises to JSON (Decimals as numbers).
"""

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

Json = dict[str, Any]


class Source(StrEnum):
    """Which FreshBooks resource a document comes from."""

    INVOICE = "invoice"
    PAYMENT = "payment"
    EXPENSE = "expense"


class Entity(StrEnum):
    """Which QuickBooks transaction a document becomes."""

    INVOICE = "Invoice"
    SALES_RECEIPT = "SalesReceipt"
    PAYMENT = "Payment"
    BILL = "Bill"
    VENDOR_CREDIT = "VendorCredit"


class Code(StrEnum):
    """Why a document is held; the codes are public (contract, section 3)."""

    UNMAPPED_TAX = "unmapped_tax"
    UNMAPPED_PRODUCT = "unmapped_product"
    UNMAPPED_CATEGORY = "unmapped_category"
    NOT_PAID_IN_FULL = "not_paid_in_full"
    SEVERAL_DEPOSIT_ACCOUNTS = "several_deposit_accounts"
    WRONG_ACCOUNT_TYPE = "wrong_account_type"
    CREDIT_WITHOUT_ACCOUNT = "credit_without_account"
    WAITING_FOR_INVOICE = "waiting_for_invoice"
    DUPLICATE_NUMBER = "duplicate_number"
    TOTAL_MISMATCH = "total_mismatch"
    NEGATIVE_AMOUNT = "negative_amount"
    CURRENCY_OFF = "currency_off"
    CLOSED_PERIOD = "closed_period"
    INACTIVE_REFERENCE = "inactive_reference"
    CHANGED_IN_QUICKBOOKS = "changed_in_quickbooks"
    LEFT_SCOPE = "left_scope"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a document cannot be posted, in words for finance, and what to do about it."""

    code: Code
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class PartyRequest:
    """A customer or vendor that a document needs.

    `key` is stable per FreshBooks client (or vendor name) and is what the ledger links to the QuickBooks id.
    `name` is the wished display name, already legal for QuickBooks; `body` is the rest of the create request, without
    DisplayName. `aliases` are other names under which an existing record with the same e-mail may be recognised.
    `suffix` makes the name unique where it is taken. `currency` is None where the company is single-currency.
    """

    kind: str  # Customer | Vendor
    key: str
    name: str
    email: str
    body: Json
    suffix: str
    aliases: tuple[str, ...] = ()
    currency: str | None = None
    note: str = ""  # shown to finance, e.g. that the organization was empty and the contact was used


@dataclass(frozen=True, slots=True)
class ItemRequest:
    """An item that a document needs: found (`id`), or to be created (`body` is the whole create request).

    Found ones are referred to by key as well, so that the document says the same before and after the item was created.
    """

    key: str
    body: Json
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """An intended QuickBooks document.

    `total` and `tax` are in the document's currency and are what QuickBooks has to return. `number` is the intended
    DocNumber, None where QuickBooks numbers or the entity has none. `balance` is the open amount after all payments
    (invoices only). `requires_invoice` is the FreshBooks invoice that has to stand in QuickBooks first (payments).
    """

    source: Source
    source_id: int
    entity: Entity
    date: dt.date
    number: str | None
    currency: str
    total: Decimal
    tax: Decimal
    body: Json = field(repr=False)
    balance: Decimal | None = None
    parties: tuple[PartyRequest, ...] = field(default=(), repr=False)
    items: tuple[ItemRequest, ...] = field(default=(), repr=False)
    requires_invoice: int | None = None
    notes: tuple[str, ...] = ()


class Outcome(StrEnum):
    """What mapping decided about a record."""

    DOCUMENT = "document"  # to be posted
    HELD = "held"  # an exception: problems say why
    WAITING = "waiting"  # a payment whose invoice is of a day that has not been synced: it follows with it, no exception
    OUT_OF_SCOPE = "out_of_scope"  # not picked up by the settings: no document, no exception
    DELETED = "deleted"  # gone in FreshBooks: a synced document goes, too
    KEPT = "kept"  # gone in FreshBooks, but a synced document stays (on_delete: keep): it counts on neither side


@dataclass(frozen=True, slots=True)
class Mapped:
    """The decision about one FreshBooks record. `document` is set for DOCUMENT and WAITING, `problems` for HELD.

    What is held by a closed period alone keeps its `document`: it may stand in QuickBooks already, unchanged.

    `label` is what a person calls it (invoice number, expense id), `party` the customer's or vendor's name.
    """

    source: Source
    source_id: int
    outcome: Outcome
    date: dt.date
    amount: Decimal
    currency: str
    label: str
    party: str
    document: Document | None = None
    problems: tuple[Problem, ...] = ()
    reason: str = ""  # for OUT_OF_SCOPE: which setting leaves it out; for WAITING: for what


def marker(account_id: str, source: Source, source_id: int) -> str:
    """The key in PrivateNote by which a document is found again (contract, section 4)."""
    return f"fb:{account_id}/{source.value}/{source_id}"
