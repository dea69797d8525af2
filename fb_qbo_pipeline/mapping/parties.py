"""Customers and vendors: which one a document needs.

A request is stable per FreshBooks client or vendor name: its key is what the ledger links to a QuickBooks id, so that a
customer renamed in QuickBooks is found again. Which QuickBooks record answers a request is decided in `party_decisions`.
"""

from dataclasses import dataclass

from fb_qbo_pipeline.freshbooks.records import Address, Client, Expense, Invoice
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Json, PartyRequest
from fb_qbo_pipeline.mapping.party_decisions import Create, PartyDecision, Use, decide_party
from fb_qbo_pipeline.mapping.text import NAME_LENGTH, distinct_name, legal_email, legal_name, legal_text
from fb_qbo_pipeline.quickbooks.company import fold
from fb_qbo_pipeline.settings.models import Expenses, Sales

__all__ = [
    "Create",
    "PartyDecision",
    "Use",
    "client_name",
    "contact",
    "customer_request",
    "decide_party",
    "issued_to",
    "legal_name",
    "postal_address",
    "reference",
    "vendor_request",
]

CUSTOMER = "Customer"
VENDOR = "Vendor"
_PHONE_LENGTH = 30
_LINES, _LINE_LENGTH = 4, 400  # of a street: five lines of 500 characters, but 2,000 in all


@dataclass(frozen=True, slots=True)
class Contact:
    """The client of an invoice in QuickBooks' form; what is missing or not legal is ''. `called` is what people say, and never ''."""

    organization: str
    first: str
    last: str
    person: str
    email: str
    called: str


def reference(request: PartyRequest) -> str:
    """The symbolic reference to the party, e.g. "@customer/client/123"."""
    return f"@{request.kind.lower()}/{request.key}"


def customer_request(invoice: Invoice, sales: Sales, context: Context) -> PartyRequest:
    """The customer of an invoice by `sales.customer`.

    original: the person, else the organization, else the e-mail; organization: the organization, else as original, and
    says so; generic: the one customer of `sales.generic_customer`.
    """
    currency = _currency(context, invoice.currency)
    if sales.customer == "generic":
        return context.once(("generic customer", currency), lambda: _generic_customer(currency, sales, context))
    client = context.clients.get(invoice.client_id)
    if client is None:
        return _customer(invoice.client_id, invoice, currency, sales, context)
    return context.once(("customer", client.id, currency), lambda: _customer(client.id, client, currency, sales, context))


def vendor_request(expense: Expense, expenses: Expenses, context: Context) -> PartyRequest:
    """The vendor of an expense: FreshBooks' free text, or `expenses.default_vendor`. Spellings that fold alike are one vendor."""
    currency = _currency(context, expense.currency)
    text = expense.vendor if legal_name(expense.vendor) else expenses.default_vendor
    cut = len(" ".join(text.split())) > NAME_LENGTH
    name = distinct_name(text) if cut else legal_name(text) or "FreshBooks expenses"
    return PartyRequest(
        kind=VENDOR,
        key=_keyed(f"vendor/{fold(name)}", currency),
        name=name,
        email="",
        body=_currency_ref(currency),
        suffix=_suffix("Vendor", currency, context),
        currency=currency,
    )


def client_name(invoice: Invoice, context: Context) -> str:
    """What a person calls the client of an invoice: the organization, else the person, else the e-mail."""
    return contact(invoice, context).called


def issued_to(invoice: Invoice, context: Context) -> str:
    """The name that the invoice was issued to; what the client is called today where the invoice holds none."""
    issued = legal_name(invoice.organization) or _person(legal_name(invoice.first_name), legal_name(invoice.last_name))
    return issued or client_name(invoice, context)


def contact(invoice: Invoice, context: Context) -> Contact:
    """The client of an invoice: as known at present, or the invoice's snapshot where the client is not known."""
    client = context.clients.get(invoice.client_id)
    if client is None:
        return _contact(invoice.client_id, invoice)
    return context.once(("contact", client.id), lambda: _contact(client.id, client))


def postal_address(address: Address) -> Json:
    """A PhysicalAddress without its empty parts; {} for an empty address. A street of several lines has a key for each."""
    street = [line for text in (address.street, address.street2) for line in legal_text(text, 2 * _LINE_LENGTH).split("\n") if line.strip()]
    lines = [*street[: _LINES - 1], " ".join(street[_LINES - 1 :])]
    parts = {f"Line{number}": _one_line(line, _LINE_LENGTH) for number, line in enumerate(lines, 1)}
    parts |= {
        "City": _one_line(address.city, 255),
        "CountrySubDivisionCode": _one_line(address.province, 255),
        "PostalCode": _one_line(address.postal_code, 30),
        "Country": _one_line(address.country, 255),
    }
    return {key: text for key, text in parts.items() if text}


def _one_line(text: str, length: int) -> str:
    return legal_text(" ".join(text.split()), length)


def _person(first: str, last: str) -> str:
    return legal_name(f"{first} {last}")


def _contact(client_id: int, record: Client | Invoice) -> Contact:
    organization = legal_name(record.organization)
    first, last = legal_name(record.first_name), legal_name(record.last_name)
    person = _person(first, last)
    email = legal_email(record.email) if isinstance(record, Client) else ""
    return Contact(organization, first, last, person, email, called=organization or person or email or f"Client {client_id}")


def _generic_customer(currency: str | None, sales: Sales, context: Context) -> PartyRequest:
    assert sales.generic_customer is not None, "the settings refuse generic without generic_customer"
    name, suffix = legal_name(sales.generic_customer), _suffix("Customer", currency, context)
    return PartyRequest(CUSTOMER, _keyed("generic", currency), name, "", _currency_ref(currency), suffix, currency=currency)


def _customer(client_id: int, record: Client | Invoice, currency: str | None, sales: Sales, context: Context) -> PartyRequest:
    """The customer that stands for a client; `record` is the invoice with its snapshot where the client is not known."""
    one = _contact(client_id, record)
    name, note = one.person or one.called, ""
    if sales.customer == "organization":
        name = one.organization or name
        if not one.organization:
            note = f"FreshBooks client {client_id} has no organization: the contact was used as the customer"
    return PartyRequest(
        kind=CUSTOMER,
        key=_keyed(f"client/{client_id}", currency),
        name=name,
        email=one.email,
        body={**_customer_body(one, record), **_currency_ref(currency)},
        suffix=_suffix(str(client_id), currency, context),
        aliases=tuple(alias for alias in (one.person, one.organization) if alias and fold(alias) != fold(name)),
        currency=currency,
        note=note,
    )


def _customer_body(one: Contact, record: Client | Invoice) -> Json:
    parts: Json = {
        "CompanyName": one.organization,
        "GivenName": one.first,
        "FamilyName": one.last,
        "PrimaryEmailAddr": _wrapped("Address", one.email),
        "PrimaryPhone": _wrapped("FreeFormNumber", _phone(record.phone if isinstance(record, Client) else "")),
        "Mobile": _wrapped("FreeFormNumber", _phone(record.mobile if isinstance(record, Client) else "")),
        "BillAddr": postal_address(record.address),
        "ShipAddr": postal_address(record.shipping if isinstance(record, Client) else Address()),
    }
    return {key: value for key, value in parts.items() if value}


def _wrapped(key: str, text: str) -> Json:
    return {key: text} if text else {}


def _phone(text: str) -> str:
    """A number that is too long is left out: a shortened one would be a wrong one."""
    phone = legal_text(" ".join(text.split()), _PHONE_LENGTH + 1)
    return phone if len(phone) <= _PHONE_LENGTH else ""


def _currency(context: Context, currency: str) -> str | None:
    return currency.upper() if context.company.preferences.multicurrency else None


def _currency_ref(currency: str | None) -> Json:
    return {"CurrencyRef": {"value": currency}} if currency else {}


def _keyed(key: str, currency: str | None) -> str:
    """A QuickBooks customer or vendor has one currency for ever: with multicurrency there is one for each currency."""
    return f"{key}/{currency}" if currency else key


def _suffix(text: str, currency: str | None, context: Context) -> str:
    foreign = currency if currency and currency != context.company.preferences.home_currency.upper() else ""
    return f" ({text} {foreign})" if foreign else f" ({text})"
