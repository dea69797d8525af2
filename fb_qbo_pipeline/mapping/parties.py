"""Customers and vendors: which one a document needs.

A request is stable per FreshBooks client or vendor name: its key is what the ledger links to a QuickBooks id, so that a
customer renamed in QuickBooks is found again. Which QuickBooks record answers a request is decided in `party_decisions`.
"""

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
    "customer_request",
    "decide_party",
    "email_of",
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
        assert sales.generic_customer is not None, "the settings refuse generic without generic_customer"
        body = _currency_ref(currency)
        suffix = _suffix("Customer", currency, context)
        return PartyRequest(CUSTOMER, _keyed("generic", currency), legal_name(sales.generic_customer), "", body, suffix, currency=currency)
    client = context.clients.get(invoice.client_id)
    organization, first, last = _names(invoice, client)
    person = _person(first, last)
    original = person or organization or email_of(client) or f"Client {invoice.client_id}"
    name, note = original, ""
    if sales.customer == "organization":
        name = organization or original
        if not organization:
            note = f"FreshBooks client {invoice.client_id} has no organization: the contact was used as the customer"
    return PartyRequest(
        kind=CUSTOMER,
        key=_keyed(f"client/{invoice.client_id}", currency),
        name=name,
        email=email_of(client),
        body={**_customer_body(organization, first, last, client, invoice), **_currency_ref(currency)},
        suffix=_suffix(str(invoice.client_id), currency, context),
        aliases=tuple(alias for alias in (person, organization) if alias and fold(alias) != fold(name)),
        currency=currency,
        note=note,
    )


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
    client = context.clients.get(invoice.client_id)
    organization, first, last = _names(invoice, client)
    return organization or _person(first, last) or email_of(client) or f"Client {invoice.client_id}"


def issued_to(invoice: Invoice, context: Context) -> str:
    """The name that the invoice was issued to; what the client is called today where the invoice holds none."""
    issued = legal_name(invoice.organization) or _person(legal_name(invoice.first_name), legal_name(invoice.last_name))
    return issued or client_name(invoice, context)


def email_of(client: Client | None) -> str:
    """The client's e-mail if it is a plausible one, otherwise ''."""
    return legal_email(client.email) if client is not None else ""


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


def _names(invoice: Invoice, client: Client | None) -> tuple[str, str, str]:
    """Organization, first and last name: the client's present ones, or the invoice's snapshot where the client is not known."""
    record = client if client is not None else invoice
    return legal_name(record.organization), legal_name(record.first_name), legal_name(record.last_name)


def _customer_body(organization: str, first: str, last: str, client: Client | None, invoice: Invoice) -> Json:
    address = client.address if client is not None else invoice.address
    shipping = client.shipping if client is not None else Address()
    parts: Json = {
        "CompanyName": organization,
        "GivenName": first,
        "FamilyName": last,
        "PrimaryEmailAddr": _wrapped("Address", email_of(client)),
        "PrimaryPhone": _wrapped("FreeFormNumber", _phone(client.phone if client is not None else "")),
        "Mobile": _wrapped("FreeFormNumber", _phone(client.mobile if client is not None else "")),
        "BillAddr": postal_address(address),
        "ShipAddr": postal_address(shipping),
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
