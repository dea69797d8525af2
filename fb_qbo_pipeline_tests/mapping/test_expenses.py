import datetime as dt
from typing import Any

import pytest

from fb_qbo_pipeline.freshbooks.parsing import parse_expense
from fb_qbo_pipeline.freshbooks.records import Category, Expense, VisState
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Code, Document, Entity, Outcome
from fb_qbo_pipeline.mapping.expenses import map_expense
from fb_qbo_pipeline_tests.mapping.books import book, detail, tax_by_rate
from fb_qbo_pipeline_tests.mapping.builders import CATEGORIES, DAY, D, company, context, expense, expense_tax, integration


def document(one: Expense, where: Context | None = None) -> Document:
    mapped = map_expense(one, where or context())
    assert mapped.outcome is Outcome.DOCUMENT, mapped.problems
    assert mapped.document is not None
    return mapped.document


def codes(one: Expense, where: Context | None = None) -> list[Code]:
    mapped = map_expense(one, where or context())
    assert mapped.outcome is Outcome.HELD
    return [problem.code for problem in mapped.problems]


def test_an_expense_becomes_the_whole_bill_and_nothing_else() -> None:
    bill = document(expense("113.00", expense_tax("HST", "13.00", "13")))
    assert bill.body == {
        "VendorRef": {"value": "@vendor/vendor/serano bakery"},
        "DocNumber": "EXP-987",
        "TxnDate": "2025-03-15",
        "PrivateNote": "fb:ABC123/expense/987",
        "DueDate": "2025-03-15",
        "Line": [
            {
                "Description": "Lunch",
                "Amount": D("100.00"),
                "DetailType": "AccountBasedExpenseLineDetail",
                "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "7"}, "TaxCodeRef": {"value": "5"}},
            }
        ],
        "GlobalTaxCalculation": "TaxExcluded",
        "TxnTaxDetail": {
            "TotalTax": D("13.00"),
            "TaxLine": [
                {
                    "Amount": D("13.00"),
                    "DetailType": "TaxLineDetail",
                    "TaxLineDetail": {
                        "TaxRateRef": {"value": "31"},
                        "PercentBased": True,
                        "TaxPercent": D("13"),
                        "NetAmountTaxable": D("100.00"),
                    },
                }
            ],
        },
    }
    assert (bill.entity, bill.total, bill.tax, bill.number) == (Entity.BILL, D("113.00"), D("13.00"), "EXP-987")


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"vis_state": VisState.DELETED}, Outcome.DELETED),
        ({"date": dt.date(2024, 12, 31)}, Outcome.OUT_OF_SCOPE),
        ({"amount": "0.00"}, Outcome.OUT_OF_SCOPE),
        ({"vis_state": VisState.ARCHIVED}, Outcome.DOCUMENT),
    ],
)
def test_scope_follows_state_date_and_amount(change: dict[str, Any], outcome: Outcome) -> None:
    assert map_expense(expense(**change), context()).outcome is outcome


def test_without_an_expenses_section_every_expense_is_out_of_scope() -> None:
    where = Context(integration(expenses=None), company(), {}, [], CATEGORIES)
    assert map_expense(expense(), where).outcome is Outcome.OUT_OF_SCOPE


@pytest.mark.parametrize(
    ("one", "settings", "prefs", "code"),
    [
        (expense(currency="USD"), {}, {}, Code.CURRENCY_OFF),
        (expense(), {}, {"closed_until": DAY}, Code.CLOSED_PERIOD),
        (expense(category_id=30), {}, {}, Code.UNMAPPED_CATEGORY),
        (expense(category_id=99), {}, {}, Code.UNMAPPED_CATEGORY),
        (expense(), {"categories": {"Advertising": "No such account"}}, {}, Code.UNMAPPED_CATEGORY),
        (expense(), {"categories": {"Advertising": "Accounts Payable (A/P)"}}, {}, Code.WRONG_ACCOUNT_TYPE),
        (expense(), {"categories": {"Advertising": "Old Bank"}}, {}, Code.INACTIVE_REFERENCE),
        (expense("113.00", expense_tax("PST", "7.00")), {}, {}, Code.UNMAPPED_TAX),
        (expense("113.00", expense_tax("HST", "13.00")), {"taxes": {"HST": "Old HST"}}, {}, Code.INACTIVE_REFERENCE),
        (expense("113.00", expense_tax("HST", "113.01")), {}, {}, Code.TOTAL_MISMATCH),
        (expense("-113.00", expense_tax("HST", "13.00")), {}, {}, Code.TOTAL_MISMATCH),
    ],
)
def test_what_cannot_be_posted_is_held(one: Expense, settings: dict[str, Any], prefs: dict[str, Any], code: Code) -> None:
    assert codes(one, context(expenses=settings, books=company(**prefs))) == [code]


@pytest.mark.parametrize("account", ["Undeposited Funds", "Services", "Cost of Goods Sold"])
def test_an_expense_may_go_to_an_asset_or_income_account(account: str) -> None:
    bill = document(expense(), context(expenses={"categories": {"Advertising": account}}))
    assert bill.total == D("113.00")


@pytest.mark.parametrize("key", ["Car & Truck Expenses/Gas", "car & truck expenses / GAS", "Gas"])
def test_a_subcategory_is_mapped_with_or_without_its_parent(key: str) -> None:
    bill = document(expense(category_id=11, notes=""), context(expenses={"categories": {key: "Automobile:Fuel"}}))
    line = bill.body["Line"][0]
    assert detail(line)["AccountRef"] == {"value": "8"}
    assert line["Description"] == "Car & Truck Expenses/Gas"


def test_the_full_category_wins_over_the_short_one() -> None:
    keys = {"Gas": "Advertising", "Car & Truck Expenses/Gas": "Automobile:Fuel"}
    assert detail(document(expense(category_id=11), context(expenses={"categories": keys})).body["Line"][0])["AccountRef"] == {"value": "8"}


def test_a_top_category_with_a_slash_in_its_name_is_not_taken_for_a_subcategory() -> None:
    categories = {40: Category(40, "Meals/Gas", None, VisState.ACTIVE)}
    assert codes(expense(category_id=40), context(categories=categories, expenses={"categories": {"Gas": "Automobile:Fuel"}})) == [
        Code.UNMAPPED_CATEGORY
    ]


def test_three_decimals_are_rounded_in_the_total_and_the_rest_stays_in_the_net_amount() -> None:
    books = company()
    bill = document(expense("39.991", expense_tax("HST", "4.605", "13")), context(books=books))
    assert book(bill, books) == (D("39.99"), D("4.61"))
    assert bill.body["Line"][0]["Amount"] == D("35.38")


def test_a_pair_of_taxes_is_one_code_with_both_rates() -> None:
    bill = document(expense("114.98", expense_tax("QST", "9.98"), expense_tax("GST", "5.00")))
    assert detail(bill.body["Line"][0])["TaxCodeRef"] == {"value": "7"}
    assert tax_by_rate(bill) == {"41": D("5.00"), "51": D("9.98")}


def test_a_negative_expense_is_a_vendor_credit_with_positive_amounts() -> None:
    books = company()
    credit = document(expense("-113.00", expense_tax("HST", "-13.00", "13")), context(books=books))
    assert credit.entity is Entity.VENDOR_CREDIT
    assert "DueDate" not in credit.body
    assert book(credit, books) == (D("113.00"), D("13.00"))


@pytest.mark.parametrize("books", [company("US"), company(uses_sales_tax=False)], ids=["US", "sales tax off"])
def test_without_purchase_tax_an_expense_is_gross_and_has_no_tax_key(books: Any) -> None:
    one = expense("113.00", expense_tax("HST", "13.00"), currency=books.preferences.home_currency)
    bill = document(one, context(books=books))
    assert not {"GlobalTaxCalculation", "TxnTaxDetail"} & set(bill.body)
    assert "TaxCodeRef" not in detail(bill.body["Line"][0])
    assert (bill.total, bill.tax, bill.body["Line"][0]["Amount"]) == (D("113.00"), D("0"), D("113.00"))


@pytest.mark.parametrize(("amount", "tax", "code"), [("113.00", "13.00", "5"), ("105.00", "5.00", "6")])
def test_one_name_with_several_rates_is_told_apart_by_the_amount(amount: str, tax: str, code: str) -> None:
    where = context(expenses={"taxes": {"VAT 13%": "HST ON", "VAT 5%": "GST"}})
    bill = document(expense(amount, expense_tax("VAT", tax)), where)
    assert detail(bill.body["Line"][0])["TaxCodeRef"] == {"value": code}


def test_an_amount_that_no_rate_explains_is_held() -> None:
    where = context(expenses={"taxes": {"VAT 13%": "HST ON", "VAT 5%": "GST"}})
    assert codes(expense("110.00", expense_tax("VAT", "10.00")), where) == [Code.UNMAPPED_TAX]


def test_an_expense_without_vendor_goes_to_the_default_vendor() -> None:
    bill = document(expense(vendor="  "))
    assert bill.body["VendorRef"] == {"value": "@vendor/vendor/freshbooks expenses"}
    assert bill.parties[0].name == "FreshBooks expenses"


def test_a_due_date_follows_the_rule() -> None:
    bill = document(expense(), context(expenses={"due_date": {"type": "days", "days": 15}}))
    assert bill.body["DueDate"] == "2025-03-30"


@pytest.mark.parametrize("per_line", [True, False])
def test_the_class_of_a_bill_is_on_its_line_however_classes_are_tracked(per_line: bool) -> None:
    books = company(locations=True, class_per_line=per_line, class_per_transaction=not per_line)
    where = context(expenses={"class": "Retail", "location": "Montreal"}, books=books)
    bill = document(expense(), where)
    assert detail(bill.body["Line"][0])["ClassRef"] == {"value": "1"}
    assert "ClassRef" not in bill.body
    assert bill.body["DepartmentRef"] == {"value": "1"}


ITEM_LINES = {"lines": "product", "products": {"create": True, "income_account": "Services", "expense_account": "Advertising"}}


def test_a_bill_line_on_an_item_creates_it_with_its_accounts() -> None:
    bill = document(expense("113.00", expense_tax("HST", "13.00")), context(expenses=ITEM_LINES))
    line = bill.body["Line"][0]
    assert line["ItemBasedExpenseLineDetail"] == {
        "ItemRef": {"value": "@item/advertising"},
        "Qty": D("1"),
        "UnitPrice": D("100.00"),
        "TaxCodeRef": {"value": "5"},
    }
    assert [item.body for item in bill.items] == [
        {"Name": "Advertising", "Type": "Service", "IncomeAccountRef": {"value": "4"}, "ExpenseAccountRef": {"value": "7"}}
    ]


def test_a_held_period_keeps_the_bill() -> None:
    mapped = map_expense(expense(), context(books=company(closed_until=DAY)))
    assert mapped.document == document(expense())


def test_a_very_long_number_is_shortened_and_kept_in_the_memo() -> None:
    bill = document(expense(id=123456789), context(expenses={"number_prefix": "FRESHBOOKS-EXPENSE-"}))
    assert bill.number is not None
    assert len(bill.number) == 21
    assert bill.body["PrivateNote"] == "fb:ABC123/expense/123456789 | FreshBooks expense FRESHBOOKS-EXPENSE-123456789"


@pytest.mark.parametrize("prefs", [{"locations": True}, {"class_per_line": True}], ids=["classes are off", "locations are off"])
def test_a_bill_is_held_rather_than_posted_without_its_class_or_location(prefs: dict[str, bool]) -> None:
    where = context(expenses={"class": "Retail", "location": "Montreal"}, books=company(**prefs))
    assert codes(expense(), where) == [Code.INACTIVE_REFERENCE]


def test_a_percentage_of_nought_beside_an_amount_is_none_at_all() -> None:
    where = context(expenses={"taxes": {"VAT 13%": "HST ON", "VAT 5%": "GST"}})
    read = parse_expense(
        {
            "id": 987,
            "amount": {"amount": "113.00", "code": "CAD"},
            "date": "2025-03-15",
            "categoryid": 20,
            "taxName1": "VAT",
            "taxPercent1": 0,
            "taxAmount1": {"amount": "13.00", "code": "CAD"},
        }
    )
    assert detail(document(read, where).body["Line"][0])["TaxCodeRef"] == {"value": "5"}


@pytest.mark.parametrize(("currency", "amount", "total"), [("JPY", "11300.00", "11300.00"), ("KWD", "11.305", "11.31")])
def test_a_bill_in_yen_or_dinars_has_the_two_decimals_that_quickbooks_keeps(currency: str, amount: str, total: str) -> None:
    books = company(multicurrency=True)
    bill = document(expense(amount, currency=currency), context(books=books))
    assert (bill.total, bill.currency) == (D(total), currency)
    assert bill.body["CurrencyRef"] == {"value": currency}
    assert bill.body["ExchangeRate"] == f"@rate/{currency}/2025-03-15"
    assert bill.body["VendorRef"] == {"value": f"@vendor/vendor/serano bakery/{currency}"}
