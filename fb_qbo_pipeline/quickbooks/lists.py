"""QuickBooks' JSON into the company's lists.

QuickBooks omits what is empty, so every key but the id has a default: a list member is active, a preference is off, a
name that is not qualified is qualified by its parents. `fetch_lists` reads only what is wanted, because reads are
metered; what it returns is plain JSON, so that it can be kept and given to `build_company` again.

A member that cannot be read is left out and named (`Company.unreadable`): what needs it is held as if it were not there. The
preferences are otherwise: without a closing date that can be read nothing may be posted.
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

from fb_qbo_pipeline.errors import RemoteRefusal
from fb_qbo_pipeline.http import Json
from fb_qbo_pipeline.money import ZERO, parse_decimal
from fb_qbo_pipeline.quickbooks.company import Account, CodeRate, Company, Item, Named, Party, Preferences, TaxCode, TaxRate
from fb_qbo_pipeline.quickbooks.countries import country_code, home_currency
from fb_qbo_pipeline.quickbooks.query import ACTIVE_OR_NOT, Select
from fb_qbo_pipeline.quickbooks.reader import QuickBooksReader, ReadRefused

_T = TypeVar("_T")

SINGLE = ("CompanyInfo", "Preferences")
_PARTIES = ("Customer", "Vendor", "Employee")
LISTS = ("Account", "Item", "Class", "Department", "TaxCode", "TaxRate", "Customer", "Vendor", "Employee")
ALL = frozenset((*SINGLE, *LISTS))

# "Error parsing query" and "Invalid query": the list has no Active that can be asked for.
_QUERY_REFUSED = frozenset({"4000", "4001"})


def fetch_lists(reader: QuickBooksReader, wanted: frozenset[str] = ALL) -> dict[str, list[Json]]:
    """The raw members, active or not, of each wanted list; `CompanyInfo` and `Preferences` are lists of one.

    Raises ValueError on a name that is not in `ALL`, and what the reader raises.
    """
    unknown = wanted - ALL
    if unknown:
        raise ValueError(f"no such lists: {', '.join(sorted(unknown))}")
    raw: dict[str, list[Json]] = {}
    if "CompanyInfo" in wanted:
        raw["CompanyInfo"] = [reader.company_info()]
    if "Preferences" in wanted:
        raw["Preferences"] = [reader.preferences()]
    for name in LISTS:
        if name in wanted:
            raw[name] = _members(reader, name)
    return raw


def _members(reader: QuickBooksReader, name: str) -> list[Json]:
    try:
        return reader.query(Select(name, (ACTIVE_OR_NOT,)))
    except ReadRefused as refused:
        if not any(error.code in _QUERY_REFUSED for error in refused.fault.errors):
            raise
    return reader.query(Select(name))


def build_company(realm_id: str, raw: Mapping[str, Sequence[Json]]) -> Company:
    """The company from raw lists by name, as `fetch_lists` returns them; a list that is not there is empty."""
    rows = {name: with_full_names(raw.get(name, ())) for name in ("Account", "Item", "Class", "Department")}
    preferences = next(iter(raw.get("Preferences", ())), {})
    try:
        name, country = parse_company(
            next(iter(raw.get("CompanyInfo", ())), {}), _currency(_part(preferences, "CurrencyPrefs"), "HomeCurrency")
        )
        switches = parse_preferences(preferences, country)
    except ValueError as error:
        raise RemoteRefusal(f"QuickBooks' company record or preferences cannot be read: {error}", "run `fb-qbo check` later") from None
    unreadable: list[str] = []

    def members(kind: str, parse: Callable[[Json], _T]) -> tuple[_T, ...]:
        found = []
        for row in rows[kind] if kind in rows else raw.get(kind, ()):
            try:
                found.append(parse(row))
            except (ValueError, ArithmeticError, RemoteRefusal) as error:
                unreadable.append(f"{kind} {_name_of(row)}: {error.message if isinstance(error, RemoteRefusal) else error}")
        return tuple(found)

    parties = [member for kind in _PARTIES for member in members(kind, partial(parse_party, kind=kind))]
    return Company(
        realm_id=realm_id,
        name=name,
        country=country,
        preferences=switches,
        accounts=members("Account", parse_account),
        items=members("Item", parse_item),
        classes=members("Class", parse_named),
        locations=members("Department", parse_named),
        tax_codes=members("TaxCode", parse_tax_code),
        tax_rates=members("TaxRate", parse_tax_rate),
        parties=tuple(parties),
        unreadable=tuple(unreadable),
    )


def readable(parse: Callable[[Json], _T], rows: Iterable[Json]) -> list[tuple[_T, Json]]:
    """The members that can be read, each with its row; the others are left out, as in `build_company`."""
    found = []
    for row in rows:
        with contextlib.suppress(ValueError, ArithmeticError, RemoteRefusal):
            found.append((parse(row), row))
    return found


def _name_of(row: Json) -> str:
    """What tells a person which member it is: its id, else its name."""
    known = (row.get(key) for key in ("Id", "Name", "DisplayName"))
    return next((str(value) for value in known if isinstance(value, str | int) and value), "without an id")


def with_full_names(rows: Sequence[Json]) -> list[Json]:
    """The rows, each with a FullyQualifiedName: its own, or its name after those of its parents (`Parent:Child`)."""
    by_id = {_plain(row, "Id"): row for row in rows}

    def full_name(row: Json, below: frozenset[str]) -> str:
        given = _plain(row, "FullyQualifiedName")
        parent = by_id.get(_plain(_part(row, "ParentRef"), "value"))
        if given or parent is None or _plain(parent, "Id") in below:
            return given or _plain(row, "Name")
        return f"{full_name(parent, below | {_plain(row, 'Id')})}:{_plain(row, 'Name')}"

    return [row if _odd_name(row) else {**row, "FullyQualifiedName": full_name(row, frozenset({_plain(row, "Id")}))} for row in rows]


def _odd_name(row: Json) -> bool:
    return any(isinstance(row.get(key), dict | list) for key in ("Name", "FullyQualifiedName"))


def _plain(row: Json, key: str) -> str:
    """As `_text`, and '' for what is no text: reading the row says so."""
    return "" if isinstance(row.get(key), dict | list) else _text(row, key)


def parse_account(row: Json) -> Account:
    """An Account row; `currency` is '' in a single-currency company."""
    return Account(
        id=_id(row),
        name=_text(row, "Name"),
        full_name=_text(row, "FullyQualifiedName") or _text(row, "Name"),
        type=_text(row, "AccountType"),
        sub_type=_text(row, "AccountSubType"),
        currency=_currency(row),
        active=_flag(row, "Active", True),
    )


def parse_item(row: Json) -> Item:
    """An Item row. Without a Type it is Inventory where quantities are tracked, otherwise Service."""
    return Item(
        id=_id(row),
        name=_text(row, "Name"),
        full_name=_text(row, "FullyQualifiedName") or _text(row, "Name"),
        sku=_text(row, "Sku"),
        type=_text(row, "Type") or ("Inventory" if _flag(row, "TrackQtyOnHand") else "Service"),
        active=_flag(row, "Active", True),
    )


def parse_named(row: Json) -> Named:
    """A Class or Department row."""
    return Named(
        id=_id(row),
        name=_text(row, "Name"),
        full_name=_text(row, "FullyQualifiedName") or _text(row, "Name"),
        active=_flag(row, "Active", True),
    )


def parse_tax_code(row: Json) -> TaxCode:
    """A TaxCode row. Without TaxGroup it is a group where it has rates; without Taxable it is taxable if a group, or TAX."""
    sales, purchase = _code_rates(row, "SalesTaxRateList"), _code_rates(row, "PurchaseTaxRateList")
    group = _flag(row, "TaxGroup", bool(sales or purchase))
    return TaxCode(
        id=_id(row),
        name=_text(row, "Name") or _id(row),
        active=_flag(row, "Active", True),
        taxable=_flag(row, "Taxable", group or _id(row) == "TAX"),
        group=group,
        sales=sales,
        purchase=purchase,
    )


def _code_rates(row: Json, side: str) -> tuple[CodeRate, ...]:
    rates = [
        CodeRate(
            rate_id=_text(_part(detail, "TaxRateRef"), "value"),
            applies=_text(detail, "TaxTypeApplicable") or "TaxOnAmount",
            order=int(_number(detail, "TaxOrder") or 0),
        )
        for detail in _parts(_part(row, side), "TaxRateDetail")
    ]
    return tuple(sorted(rates, key=lambda rate: rate.order))


def parse_tax_rate(row: Json) -> TaxRate:
    """A TaxRate row. Without RateValue the percentage is that of the history's latest entry; without one, 0."""
    effective = tuple(
        (_day(entry, "EffectiveDate"), _day(entry, "EndDate"), percent)
        for entry in _parts(row, "EffectiveTaxRate")
        if (percent := _number(entry, "RateValue")) is not None
    )
    latest = max(effective, key=lambda entry: entry[0] or date.min, default=(None, None, ZERO))[2]
    percent = _number(row, "RateValue")
    return TaxRate(
        id=_id(row),
        name=_text(row, "Name"),
        percent=latest if percent is None else percent,
        active=_flag(row, "Active", True),
        effective=effective,
    )


def parse_party(row: Json, kind: str) -> Party:
    """A Customer, Vendor or Employee row. Without DisplayName the name is put together as QuickBooks does."""
    parts = [_text(row, key) for key in ("Title", "GivenName", "MiddleName", "FamilyName", "Suffix")]
    return Party(
        id=_id(row),
        kind=kind,
        display_name=_text(row, "DisplayName") or " ".join(part for part in parts if part) or _text(row, "FullyQualifiedName"),
        company_name=_text(row, "CompanyName"),
        given_name=_text(row, "GivenName"),
        family_name=_text(row, "FamilyName"),
        email=_text(_part(row, "PrimaryEmailAddr"), "Address"),
        currency=_currency(row),
        active=_flag(row, "Active", True),
    )


def parse_preferences(row: Json, country: str) -> Preferences:
    """The Preferences object. What is missing is off; a missing home currency is that of `country`.

    The warning about used bill numbers is shown in QuickBooks as one setting with that about check numbers, and the API
    names it only in OtherPrefs, where companies without bills have no entry for it.
    """
    accounting, sales, tax = _part(row, "AccountingInfoPrefs"), _part(row, "SalesFormsPrefs"), _part(row, "TaxPrefs")
    currency = _part(row, "CurrencyPrefs")
    other = {_text(pair, "Name"): pair for pair in _parts(_part(row, "OtherPrefs"), "NameValue")}
    warning = other.get("WarnDuplicateBillNumber") or other.get("WarnDuplicateCheckNumber") or {}
    return Preferences(
        uses_sales_tax=_flag(tax, "UsingSalesTax"),
        partner_tax=_flag(tax, "PartnerTaxEnabled") if tax.get("PartnerTaxEnabled") is not None else None,
        custom_numbers=_flag(sales, "CustomTxnNumbers"),
        class_per_transaction=_flag(accounting, "ClassTrackingPerTxn"),
        class_per_line=_flag(accounting, "ClassTrackingPerTxnLine"),
        locations=_flag(accounting, "TrackDepartments"),
        multicurrency=_flag(currency, "MultiCurrencyEnabled"),
        home_currency=_currency(currency, "HomeCurrency") or home_currency(country),
        closed_until=_day(accounting, "BookCloseDate"),
        discounts_allowed=_flag(sales, "AllowDiscount"),
        auto_apply_credit=_flag(sales, "AutoApplyCredit"),
        warn_duplicate_bill_numbers=_flag(warning, "Value"),
    )


def parse_company(row: Json, currency: str = "") -> tuple[str, str]:
    """Name and country code of a CompanyInfo object; `currency`, the home currency, tells the country where nothing else does."""
    countries = [_text(row, "Country"), *(_text(_part(row, key), "Country") for key in ("CompanyAddr", "LegalAddr"))]
    return _text(row, "CompanyName") or _text(row, "LegalName"), country_code(countries, currency)


def _id(row: Json) -> str:
    found = _text(row, "Id")
    if not found:
        raise RemoteRefusal("QuickBooks returned a list member without an id", "run the same command again")
    return found


def _text(row: Json, key: str) -> str:
    value = row.get(key)
    if isinstance(value, dict | list):
        raise ValueError(f"{key} is no text")
    return "" if value is None else str(value).strip()


def _part(row: Json, key: str) -> Json:
    value = row.get(key)
    return value if isinstance(value, dict) else {}


def _parts(row: Json, key: str) -> Iterable[Json]:
    value = row.get(key)
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _flag(row: Json, key: str, default: bool = False) -> bool:
    """A switch; OtherPrefs writes them as text ("true")."""
    value: Any = row.get(key)
    return default if value is None or value == "" else str(value).casefold() == "true"


def _number(row: Json, key: str) -> Decimal | None:
    value = row.get(key)
    try:
        return None if value is None or value == "" else parse_decimal(value)
    except ValueError:
        raise ValueError(f"{key} is not a number") from None


def _day(row: Json, key: str) -> date | None:
    """A date; QuickBooks adds a time or an offset to some ("2014-09-12T00:00:00-07:00")."""
    value = _text(row, key)
    try:
        return date.fromisoformat(value[:10].replace("/", "-")) if value else None
    except ValueError:
        raise ValueError(f"{key} is not a date") from None


def _currency(row: Json, key: str = "CurrencyRef") -> str:
    return _text(_part(row, key), "value").upper()
