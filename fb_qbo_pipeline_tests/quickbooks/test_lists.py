import datetime as dt
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fb_qbo_pipeline.errors import RemoteRefusal
from fb_qbo_pipeline.http import Reply
from fb_qbo_pipeline.quickbooks.company import CodeRate
from fb_qbo_pipeline.quickbooks.lists import (
    build_company,
    fetch_lists,
    parse_account,
    parse_company,
    parse_item,
    parse_named,
    parse_party,
    parse_preferences,
    parse_tax_code,
    parse_tax_rate,
    with_full_names,
)
from fb_qbo_pipeline_tests.quickbooks.stand_ins import Company, refusal, rows


def test_only_what_is_wanted_is_read_and_inactive_members_too():
    company = Company(Reply(200, {"Preferences": {"Id": "1"}}), rows("Account", range(1, 3)), Reply(200, {"QueryResponse": {}}))
    raw = fetch_lists(company.client, frozenset({"Account", "Preferences", "Vendor"}))
    assert raw == {"Preferences": [{"Id": "1"}], "Account": [{"Id": "1"}, {"Id": "2"}], "Vendor": []}
    statements = [parse_qs(urlsplit(url).query)["query"][0] for url in company.urls[1:]]
    assert all("WHERE Active IN (true, false)" in statement for statement in statements)


def test_a_list_that_cannot_be_asked_for_inactive_members_is_read_without():
    company = Company(refusal("4001", "property 'Active' is not queryable"), rows("TaxRate", range(1, 2)))
    assert fetch_lists(company.client, frozenset({"TaxRate"})) == {"TaxRate": [{"Id": "1"}]}


def test_another_refusal_of_a_list_is_not_hidden():
    with pytest.raises(RemoteRefusal, match="5020"):
        fetch_lists(Company(refusal("5020")).client, frozenset({"Employee"}))


def test_a_list_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="Klass"):
        fetch_lists(Company().client, frozenset({"Klass"}))


def test_an_account_is_read():
    row = {
        "Id": "60",
        "Name": "Fuel",
        "FullyQualifiedName": "Automobile:Fuel",
        "AccountType": "Expense",
        "AccountSubType": "Auto",
        "Active": False,
        "CurrencyRef": {"value": "CAD", "name": "Canadian Dollar"},
    }
    account = parse_account(row)
    assert (account.id, account.name, account.full_name, account.type, account.sub_type) == (
        "60",
        "Fuel",
        "Automobile:Fuel",
        "Expense",
        "Auto",
    )
    assert (account.currency, account.active) == ("CAD", False)


def test_a_member_with_nothing_but_id_and_name_has_the_defaults():
    assert parse_account({"Id": 7, "Name": "Bank"}).id == "7"
    assert parse_named({"Id": "1", "Name": "Retail"}).full_name == "Retail"
    item = parse_item({"Id": "1", "Name": "Hours"})
    assert (item.full_name, item.sku, item.type, item.active) == ("Hours", "", "Service", True)
    assert parse_item({"Id": "1", "Name": "Bolt", "TrackQtyOnHand": True}).type == "Inventory"


def test_a_member_without_an_id_is_refused():
    with pytest.raises(RemoteRefusal, match="without an id"):
        parse_named({"Name": "Retail"})


def test_names_are_qualified_by_their_parents_where_quickbooks_does_not():
    named = with_full_names(
        [
            {"Id": "3", "Name": "City", "ParentRef": {"value": "2"}},
            {"Id": "2", "Name": "Fuel", "ParentRef": {"value": "1"}},
            {"Id": "1", "Name": "Automobile"},
            {"Id": "4", "Name": "Lost", "ParentRef": {"value": "99"}},
            {"Id": "5", "Name": "Own", "FullyQualifiedName": "As:Given", "ParentRef": {"value": "1"}},
        ]
    )
    assert [row["FullyQualifiedName"] for row in named] == ["Automobile:Fuel:City", "Automobile:Fuel", "Automobile", "Lost", "As:Given"]


def test_parents_in_a_circle_end():
    circle = [{"Id": "1", "Name": "A", "ParentRef": {"value": "2"}}, {"Id": "2", "Name": "B", "ParentRef": {"value": "1"}}]
    assert [row["FullyQualifiedName"] for row in with_full_names(circle)] == ["B:A", "A:B"]


def test_a_tax_code_has_two_sides_in_the_order_of_its_rates():
    row = {
        "Id": "9",
        "Name": "GST/QST QC - 9.975",
        "Active": True,
        "Taxable": True,
        "TaxGroup": True,
        "SalesTaxRateList": {
            "TaxRateDetail": [
                {"TaxRateRef": {"value": "21"}, "TaxTypeApplicable": "TaxOnAmountPlusTax", "TaxOrder": 1},
                {"TaxRateRef": {"value": "7"}, "TaxTypeApplicable": "TaxOnAmount", "TaxOrder": 0},
            ]
        },
        "PurchaseTaxRateList": {"TaxRateDetail": [{"TaxRateRef": {"value": "8"}}]},
    }
    code = parse_tax_code(row)
    assert code.sales == (CodeRate("7", "TaxOnAmount", 0), CodeRate("21", "TaxOnAmountPlusTax", 1))
    assert code.purchase == (CodeRate("8", "TaxOnAmount", 0),)


@pytest.mark.parametrize(
    ("row", "group", "taxable"),
    [
        ({"Id": "TAX"}, False, True),
        ({"Id": "NON"}, False, False),
        ({"Id": "5", "Name": "HST", "SalesTaxRateList": {"TaxRateDetail": [{"TaxRateRef": {"value": "1"}}]}}, True, True),
        ({"Id": "2", "Name": "Exempt", "TaxGroup": True, "Taxable": False, "SalesTaxRateList": {"TaxRateDetail": []}}, True, False),
    ],
)
def test_a_tax_code_that_omits_its_nature_shows_it_by_its_rates(row, group, taxable):
    code = parse_tax_code(row)
    assert (code.group, code.taxable) == (group, taxable)


def test_a_tax_rate_keeps_its_history():
    row = {
        "Id": "11",
        "Name": "HST ON",
        "RateValue": Decimal("13"),
        "EffectiveTaxRate": [
            {"RateValue": 8, "EffectiveDate": "2000-01-01T00:00:00-08:00", "EndDate": "2010-06-30T00:00:00-07:00"},
            {"RateValue": Decimal("13"), "EffectiveDate": "2010-07-01"},
        ],
    }
    rate = parse_tax_rate(row)
    assert rate.percent == 13
    assert rate.percent_on(dt.date(2009, 1, 1)) == 8
    assert rate.percent_on(dt.date(2025, 1, 1)) == 13


def test_a_tax_rate_without_a_value_has_that_of_its_latest_entry():
    history = [{"RateValue": 15, "EffectiveDate": "2020-01-01"}, {"RateValue": 14, "EffectiveDate": "2010-01-01"}]
    assert parse_tax_rate({"Id": "1", "EffectiveTaxRate": history}).percent == 15
    assert parse_tax_rate({"Id": "1"}).percent == 0


def test_a_party_is_read():
    row = {
        "Id": "58",
        "DisplayName": "Acme Ltd",
        "CompanyName": "Acme",
        "GivenName": "Ann",
        "FamilyName": "Lee",
        "PrimaryEmailAddr": {"Address": "ann@example.com"},
        "CurrencyRef": {"value": "usd"},
    }
    party = parse_party(row, "Vendor")
    assert (party.kind, party.display_name, party.company_name, party.email) == ("Vendor", "Acme Ltd", "Acme", "ann@example.com")
    assert (party.given_name, party.family_name, party.currency, party.active) == ("Ann", "Lee", "USD", True)


def test_a_party_without_a_display_name_is_called_by_its_parts():
    assert parse_party({"Id": "1", "GivenName": "Ann", "FamilyName": "Lee"}, "Employee").display_name == "Ann Lee"


def test_preferences_are_read():
    row = {
        "AccountingInfoPrefs": {
            "TrackDepartments": True,
            "ClassTrackingPerTxn": False,
            "ClassTrackingPerTxnLine": True,
            "BookCloseDate": "2024-12-31",
        },
        "SalesFormsPrefs": {"CustomTxnNumbers": True, "AllowDiscount": True, "AutoApplyCredit": True},
        "TaxPrefs": {"UsingSalesTax": True, "PartnerTaxEnabled": False},
        "CurrencyPrefs": {"MultiCurrencyEnabled": True, "HomeCurrency": {"value": "EUR"}},
        "OtherPrefs": {"NameValue": [{"Name": "WarnDuplicateCheckNumber", "Value": "true"}]},
    }
    preferences = parse_preferences(row, "CA")
    assert preferences.closed_until == dt.date(2024, 12, 31)
    assert preferences.partner_tax is False
    assert preferences.home_currency == "EUR"
    assert preferences.class_per_line
    assert not preferences.class_per_transaction
    assert all(
        (
            preferences.uses_sales_tax,
            preferences.custom_numbers,
            preferences.locations,
            preferences.multicurrency,
            preferences.discounts_allowed,
            preferences.auto_apply_credit,
            preferences.warn_duplicate_bill_numbers,
        )
    )


def test_missing_preferences_are_off_and_the_home_currency_is_the_countrys():
    preferences = parse_preferences({}, "GB")
    assert preferences.home_currency == "GBP"
    assert preferences.partner_tax is None
    assert preferences.closed_until is None
    assert not any(
        (
            preferences.uses_sales_tax,
            preferences.custom_numbers,
            preferences.class_per_transaction,
            preferences.class_per_line,
            preferences.locations,
            preferences.multicurrency,
            preferences.discounts_allowed,
            preferences.auto_apply_credit,
            preferences.warn_duplicate_bill_numbers,
        )
    )


def test_the_country_is_found_in_an_address_or_by_the_currency():
    assert parse_company({"CompanyName": "Acme", "Country": "Canada"}) == ("Acme", "CA")
    assert parse_company({"LegalName": "Acme", "LegalAddr": {"Country": "United States"}}) == ("Acme", "US")
    assert parse_company({"CompanyName": "Acme"}, "GBP") == ("Acme", "GB")


def test_a_company_is_built_from_its_lists():
    raw = {
        "CompanyInfo": [{"CompanyName": "Acme", "Country": "CA"}],
        "Preferences": [{"TaxPrefs": {"UsingSalesTax": True}}],
        "Account": [{"Id": "1", "Name": "Automobile"}, {"Id": "2", "Name": "Fuel", "ParentRef": {"value": "1"}, "AccountType": "Expense"}],
        "Item": [{"Id": "1", "Name": "Services", "Type": "Service"}],
        "Class": [{"Id": "1", "Name": "Retail"}],
        "Department": [{"Id": "1", "Name": "Montreal"}],
        "TaxCode": [{"Id": "5", "Name": "HST ON"}],
        "TaxRate": [{"Id": "11", "Name": "HST", "RateValue": 13}],
        "Customer": [{"Id": "1", "DisplayName": "A"}],
        "Vendor": [{"Id": "2", "DisplayName": "B"}],
    }
    company = build_company("42", raw)
    assert (company.realm_id, company.name, company.country, company.has_purchase_tax) == ("42", "Acme", "CA", True)
    account, item, code = company.account("Automobile:Fuel"), company.item("services"), company.tax_code("HST ON")
    assert account is not None
    assert account.id == "2"
    assert item is not None
    assert code is not None
    assert company.rates_by_id["11"].percent == 13
    assert [party.kind for party in company.parties] == ["Customer", "Vendor"]
    assert [member.name for member in (*company.classes, *company.locations)] == ["Retail", "Montreal"]


def test_a_company_without_lists_is_empty():
    company = build_company("42", {})
    assert (company.name, company.country, company.accounts, company.parties) == ("", "", (), ())


@pytest.mark.parametrize(
    ("kind", "row", "why"),
    [
        ("TaxRate", {"Id": "5", "Name": "HST", "RateValue": "some"}, "RateValue is not a number"),
        ("TaxRate", {"Id": "5", "EffectiveTaxRate": [{"RateValue": 5, "EffectiveDate": "soon"}]}, "EffectiveDate is not a date"),
        ("Account", {"Id": "7", "Name": {"a": 1}}, "Name is no text"),
        ("Account", {"Name": "Nameless"}, "without an id"),
        ("Item", {"Id": ["9"], "Name": "Design"}, "Id is no text"),
        ("Customer", {"DisplayName": "Jane Doe"}, "without an id"),
        ("TaxCode", {"Id": "3", "SalesTaxRateList": {"TaxRateDetail": [{"TaxOrder": "first"}]}}, "TaxOrder is not a number"),
    ],
)
def test_a_member_that_cannot_be_read_is_named_and_costs_the_others_nothing(kind, row, why):
    company = build_company("1", {kind: [row, {"Id": "99", "Name": "Fine", "DisplayName": "Fine"}]})
    (told,) = company.unreadable
    assert told.startswith(kind)
    assert why in told
    members = (*company.accounts, *company.items, *company.tax_codes, *company.tax_rates, *company.parties)
    assert [member.id for member in members] == ["99"]


def test_a_closing_date_that_cannot_be_read_stops_before_anything_is_posted():
    with pytest.raises(RemoteRefusal, match="BookCloseDate is not a date"):
        build_company("1", {"Preferences": [{"AccountingInfoPrefs": {"BookCloseDate": "soon"}}]})


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=6), inner, max_size=2),
    max_leaves=4,
)
_KEYS = (
    "Id",
    "Name",
    "Active",
    "FullyQualifiedName",
    "ParentRef",
    "CurrencyRef",
    "RateValue",
    "EffectiveTaxRate",
    "SalesTaxRateList",
    "PrimaryEmailAddr",
    "Type",
    "Taxable",
    "Sku",
)


@given(
    st.sampled_from(("Account", "Item", "Class", "Department", "TaxCode", "TaxRate", "Customer")),
    st.dictionaries(st.sampled_from(_KEYS), _values),
)
def test_whatever_a_member_holds_it_is_read_or_named(kind, row):
    company = build_company("1", {kind: [row, {"Id": "fine", "Name": "Fine", "DisplayName": "Fine"}]})
    lists = (company.accounts, company.items, company.classes, company.locations, company.tax_codes, company.tax_rates, company.parties)
    assert sum(map(len, lists)) + len(company.unreadable) == 2
