"""Which settings decide about a document, and what the documents of a setting come to."""

import datetime as dt
from typing import Any

import pytest

from fb_qbo_pipeline.freshbooks.records import Expense, Invoice, Payment
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.expenses import map_expense
from fb_qbo_pipeline.mapping.invoices import map_invoice
from fb_qbo_pipeline.mapping.preflight import configuration_problems
from fb_qbo_pipeline.mapping.taxes import Side
from fb_qbo_pipeline.mapping.usage import Usage, UsedTax, settings_of
from fb_qbo_pipeline_tests.mapping.builders import (
    DAY,
    GST,
    HST,
    PAYMENTS,
    QST,
    D,
    company,
    context,
    expense,
    expense_tax,
    invoice,
    line,
    payment,
)


def used(*records: Invoice | Expense, where: Context | None = None) -> Usage:
    where = where or context()
    usage = Usage()
    for record in records:
        mapped = map_invoice(record, [], where) if isinstance(record, Invoice) else map_expense(record, where)
        usage.add(record, mapped, where)
    return usage


@pytest.mark.parametrize(
    ("record", "keys"),
    [
        (invoice(line("10.00", HST)), {"sales.taxes", "sales.taxes.HST", "sales.taxes.HST 13%", "sales.number_prefix", "sales.class"}),
        (invoice(line("10.00", QST, GST)), {"sales.taxes.GST + QST", "sales.taxes.QST 9.975% + GST 5%", "sales.taxes.QST"}),
        (invoice(line("10.00")), {"sales.taxes.none"}),
        (invoice(line("10.00"), discount_total=D("-1.00")), {"sales.discount_product"}),
        (payment(method="paypal"), {"payments", "payments.by_method.PayPal"}),
        (payment(), {"payments.deposit_account"}),
        (payment(from_credit=True), {"payments.credit_account"}),
        (expense(category_id=11), {"expenses.categories.Car & Truck Expenses/Gas", "expenses.location", "expenses.taxes.none"}),
        (expense("113.00", expense_tax("HST", "13.00")), {"expenses.taxes.HST"}),
    ],
)
def test_a_record_names_the_settings_that_decide_about_it(record: Any, keys: set[str]) -> None:
    where = context(payments=PAYMENTS | {"credit_account": "Customer Credits"})
    assert keys <= set(settings_of(record, where))


@pytest.mark.parametrize(
    ("record", "key"),
    [
        (invoice(line("10.00")), "sales.taxes"),
        (invoice(line("10.00")), "sales.discount_product"),
        (payment(from_credit=True), "payments.deposit_account"),
    ],
)
def test_a_setting_that_does_not_matter_is_not_named(record: Any, key: str) -> None:
    assert key not in set(settings_of(record, context()))


def test_documents_of_a_setting_are_counted_with_money_and_names_once_each() -> None:
    twice = invoice(line("10.00", HST), line("20.00", HST), amount="33.90", number="7")
    usage = used(twice, invoice(line("5.00", HST), amount="5.65", id=1002, number="8"), invoice(line("9.00"), status="draft", id=1003))
    concerned = usage.by_setting["sales.taxes.HST"]
    assert (concerned.documents, concerned.amount, concerned.examples) == (2, {"CAD": D("39.55")}, ["invoice 7", "invoice 8"])
    assert usage.by_setting["sales.class"].documents == 2


def test_combinations_of_taxes_are_kept_with_their_latest_day() -> None:
    later = DAY + dt.timedelta(days=9)
    both = line("10.00", GST, QST, compounded=True)
    first, second = invoice(both, amount="11.55"), invoice(both, amount="11.55", id=1002, date=later)
    usage = used(first, second, expense("105.00", expense_tax("GST", "5.00")))
    assert usage.taxes == {
        Side.SALES: {(UsedTax("GST", D("5")), UsedTax("QST", D("9.975"), compound=True)): later},
        Side.PURCHASE: {(UsedTax("GST", None),): DAY},
    }


def test_a_percentage_that_nobody_stated_is_compared_with_no_rate() -> None:
    where = context(expenses={"taxes": {"GST": "HST ON", "none": "Exempt"}})
    usage = used(expense("105.00", expense_tax("GST", "5.00")), where=where)
    assert configuration_problems(where.integration, company(), (), usage.taxes) == []


def test_a_rate_of_documents_is_reported_once_though_it_is_set_up_as_well() -> None:
    where = context(sales={"taxes": {"HST": "GST", "none": "Exempt"}})
    usage = used(invoice(line("10.00", HST), amount="11.30"), where=where)
    found = configuration_problems(where.integration, company(), (), usage.taxes)
    assert [finding.key for finding in found] == ["sales.taxes.HST 13%"]
    assert "13%" in found[0].message
    assert "5%" in found[0].message


def payments_of(one: Payment) -> set[str]:
    return set(settings_of(one, context()))


def test_a_credit_without_an_account_concerns_payments_as_such() -> None:
    assert payments_of(payment(from_credit=True)) == {"payments"}
