import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fb_qbo_pipeline.errors import PipelineError
from fb_qbo_pipeline.freshbooks.fields import Fields
from fb_qbo_pipeline.freshbooks.parsing import (
    BadRecord,
    parse_category,
    parse_client,
    parse_expense,
    parse_invoice,
    parse_item,
    parse_payment,
    parse_tax,
)
from fb_qbo_pipeline.freshbooks.records import Address, Category, ExpenseTax, LineTax, TaxDefinition, VisState
from fb_qbo_pipeline_tests.freshbooks.stand_ins import expense, invoice, line, money, payment


def test_an_invoice_is_read_whole():
    read = parse_invoice(invoice())
    assert (read.id, read.number, read.client_id, read.currency) == (501, "0000501", 42, "CAD")
    assert (read.date, read.due_date) == (dt.date(2025, 2, 3), dt.date(2025, 3, 5))
    assert (read.amount, read.paid, read.outstanding) == (Decimal("101.70"), Decimal("50.00"), Decimal("51.70"))
    assert (read.discount_percent, read.discount_total) == (Decimal("10"), Decimal("-10.00"))
    assert (read.status, read.vis_state) == ("partial", VisState.ACTIVE)
    assert read.address == Address("1 Main St", "", "Toronto", "ON", "M5V 1A1", "Canada")
    assert (read.organization, read.first_name, read.last_name, read.notes, read.terms, read.po_number) == ("Northwind", "", "", "", "", "")
    (only,) = read.lines
    assert (only.line_id, only.kind, only.name, only.description, only.expense_id) == (1, 0, "Consulting", "", None)
    assert (only.quantity, only.unit_cost, only.amount) == (Decimal("2.5"), Decimal("40.00"), Decimal("100.00"))
    assert only.taxes == (LineTax("HST", Decimal("13")),)


@pytest.mark.parametrize("spelling", ["deposit_paid", "deposit-paid", "Deposit_Paid"])
def test_both_spellings_of_a_status_are_one(spelling):
    assert parse_invoice(invoice(v3_status=spelling)).status == "deposit_paid"


@pytest.mark.parametrize("value", ["2025-02-03", "2025-02-03 10:31:19", "2025-02-03T10:31:19Z", "2025-02-03 08:16:74"])
def test_a_date_may_carry_a_time_even_an_impossible_one(value):
    assert parse_invoice(invoice(create_date=value)).date == dt.date(2025, 2, 3)


@pytest.mark.parametrize("none", [None, "", "0000-00-00"])
def test_an_invoice_may_lack_a_due_date(none):
    assert parse_invoice(invoice(due_date=none)).due_date is None


@pytest.mark.parametrize(
    ("slots", "taxes"),
    [
        ({"taxName1": None, "taxAmount1": "0"}, []),
        ({"taxName1": "", "taxAmount1": None}, []),
        ({"taxName1": "", "taxAmount1": 0}, []),
        ({"taxName1": "Zero rated", "taxAmount1": "0"}, [("Zero rated", "0")]),
        ({"taxName1": "", "taxAmount1": "7"}, [("", "7")]),
        ({"taxName1": "GST", "taxAmount1": "5", "taxName2": "QST", "taxAmount2": "9.975"}, [("GST", "5"), ("QST", "9.975")]),
        ({"taxName1": None, "taxAmount1": "0", "taxName2": "QST", "taxAmount2": Decimal("9.975")}, [("QST", "9.975")]),
    ],
)
def test_a_line_tax_counts_if_it_has_a_name_or_a_rate(slots, taxes):
    (only,) = parse_invoice(invoice(lines=[line(**slots)])).lines
    assert only.taxes == tuple(LineTax(name, Decimal(percent)) for name, percent in taxes)


def test_a_rebilled_expense_and_a_compound_tax_are_kept():
    (only,) = parse_invoice(invoice(lines=[line(type=1, expenseid="77", compounded_tax=True)])).lines
    assert (only.kind, only.expense_id, only.compounded) == (1, 77, True)


def test_numbers_may_be_strings_or_numbers_and_blank_quantities_are_zero():
    (only,) = parse_invoice(
        invoice(
            lines=[
                line(lineid=None, qty=3, unit_cost=Decimal("1.5"), amount="4.50"),
            ]
        )
    ).lines
    assert (only.line_id, only.quantity, only.unit_cost, only.amount) == (1, Decimal(3), Decimal("1.5"), Decimal("4.50"))
    (blank,) = parse_invoice(invoice(lines=[line(qty="", unit_cost=None)])).lines
    assert (blank.quantity, blank.unit_cost) == (0, 0)


def test_no_lines_differ_from_lines_that_were_not_sent():
    assert parse_invoice(invoice(lines=[])).lines == ()
    without = invoice()
    del without["lines"]
    with pytest.raises(BadRecord, match="invoice 501: lines is missing"):
        parse_invoice(without)


@pytest.mark.parametrize(
    ("paid", "outstanding", "expected"),
    [
        (money("20.00"), None, ("20.00", "81.70")),
        (None, money("81.70"), ("20.00", "81.70")),
        (None, None, ("0", "101.70")),
    ],
)
def test_paid_and_outstanding_complete_each_other(paid, outstanding, expected):
    read = parse_invoice(invoice(paid=paid, outstanding=outstanding))
    assert (read.paid, read.outstanding) == (Decimal(expected[0]), Decimal(expected[1]))


@pytest.mark.parametrize("discount", [None, "", money("0.00"), money(None)])
def test_an_invoice_without_a_discount_has_none(discount):
    assert parse_invoice(invoice(discount_total=discount, discount_value=None)).discount_total == 0


def test_the_currency_falls_back_to_that_of_the_money():
    assert parse_invoice(invoice(currency_code=None, amount=money("5", "usd"))).currency == "USD"


def test_a_payment_is_read_whole():
    read = parse_payment(payment())
    assert (read.id, read.invoice_id, read.credit_id, read.client_id) == (9, 501, None, 42)
    assert (read.amount, read.currency, read.date) == (Decimal("50.00"), "CAD", dt.date(2025, 2, 4))
    assert (read.method, read.from_credit, read.note, read.vis_state) == ("Credit Card", False, "", VisState.ACTIVE)


def test_an_applied_credit_is_told_from_cash():
    read = parse_payment(payment(id=None, logid="10", invoiceid=501, creditid=3, from_credit=True, type="Credit"))
    assert (read.id, read.credit_id, read.from_credit) == (10, 3, True)


def test_a_prepayment_has_no_invoice():
    assert parse_payment(payment(invoiceid=0, creditid="3")).invoice_id is None


def test_an_expense_keeps_three_decimals_and_its_taxes_as_money():
    read = parse_expense(expense())
    assert (read.id, read.amount, read.currency, read.category_id) == (77, Decimal("39.991"), "CAD", 2003174)
    assert read.taxes == (ExpenseTax("GST", Decimal("5"), Decimal("1.70")),)
    assert (read.vendor, read.client_id, read.invoice_id, read.vis_state) == ("", None, None, VisState.ARCHIVED)


def test_an_expense_tax_without_a_percentage_and_a_second_one_are_read():
    read = parse_expense(expense(taxPercent1=None, taxName2="QST", taxPercent2=0, taxAmount2=money("3.40")))
    assert read.taxes == (ExpenseTax("GST", None, Decimal("1.70")), ExpenseTax("QST", None, Decimal("3.40")))


def test_a_negative_expense_is_a_record_like_any_other():
    assert parse_expense(expense(amount=money("-12.00"))).amount == Decimal("-12.00")


def test_a_client_is_read_with_both_addresses():
    read = parse_client(
        {
            "userid": 42,
            "organization": " Œuvre & Fils ",
            "fname": "Zoë",
            "lname": None,
            "email": "z@example.com",
            "bus_phone": "1",
            "mob_phone": None,
            "p_street": "1 Main",
            "p_code": "H2X",
            "s_city": "Laval",
            "currency_code": "cad",
            "vat_number": None,
            "vis_state": 2,
        }
    )
    assert (read.id, read.organization, read.first_name, read.last_name) == (42, "Œuvre & Fils", "Zoë", "")
    assert (read.phone, read.mobile, read.currency, read.vat_number, read.vis_state) == ("1", "", "CAD", "", VisState.ARCHIVED)
    assert (read.address.street, read.address.postal_code, read.shipping.city) == ("1 Main", "H2X", "Laval")


def test_an_item_may_lack_sku_and_price():
    read = parse_item({"id": 1, "itemid": 1, "name": "Widget", "unit_cost": None})
    assert (read.name, read.sku, read.unit_cost, read.vis_state) == ("Widget", "", None, VisState.ACTIVE)
    assert parse_item({"id": 1, "name": "Widget", "sku": "W-1", "unit_cost": money("0.333")}).unit_cost == Decimal("0.333")


def test_categories_and_taxes_are_read():
    assert parse_category({"id": 2, "category": "Gas", "parentid": 1, "vis_state": 0}) == Category(2, "Gas", 1, VisState.ACTIVE)
    assert parse_category({"categoryid": 1, "category": "Car", "parentid": None}).parent_id is None
    read = parse_tax({"id": 7, "taxid": 7, "name": "QST", "amount": "9.975", "compound": True})
    assert read == TaxDefinition(7, "QST", Decimal("9.975"), True)


@pytest.mark.parametrize(
    ("parse", "payload", "record_id", "key"),
    [
        (parse_invoice, invoice(id=None, invoiceid=None), "", "id"),
        (parse_invoice, invoice(id="abc"), "", "id"),
        (parse_invoice, invoice(id=Decimal("1.5")), "", "id"),
        (parse_invoice, invoice(id="1E+999999999"), "", "id"),
        (parse_invoice, invoice(customerid=0), "501", "customerid"),
        (parse_invoice, invoice(amount=None), "501", "amount"),
        (parse_invoice, invoice(amount=money("12,50")), "501", "amount"),
        (parse_invoice, invoice(amount=money("NaN")), "501", "amount"),
        (parse_invoice, invoice(amount={"code": "CAD"}), "501", "amount"),
        (parse_invoice, invoice(currency_code="", amount="5.00"), "501", "currency"),
        (parse_invoice, invoice(create_date=None), "501", "create_date"),
        (parse_invoice, invoice(create_date="03/02/2025"), "501", "create_date"),
        (parse_invoice, invoice(create_date="2025-02-30"), "501", "create_date"),
        (parse_invoice, invoice(create_date="2025-W05-1"), "501", "create_date"),
        (parse_invoice, invoice(due_date="soon"), "501", "due_date"),
        (parse_invoice, invoice(v3_status=None), "501", "v3_status"),
        (parse_invoice, invoice(vis_state=3), "501", "vis_state"),
        (parse_invoice, invoice(lines=[line(), line(qty="two")]), "501", "lines[2].qty"),
        (parse_invoice, invoice(lines=[line(amount=None)]), "501", "lines[1].amount"),
        (parse_invoice, invoice(lines=["x"]), "501", "lines[1].record"),
        (parse_payment, payment(date=""), "9", "date"),
        (parse_payment, payment(amount=money("")), "9", "amount"),
        (parse_payment, payment(from_credit=None, invoiceid=True), "9", "invoiceid"),
        (parse_expense, expense(categoryid=None), "77", "categoryid"),
        (parse_expense, expense(taxAmount1=money("x")), "77", "taxAmount1"),
        (parse_client, {"organization": "Northwind"}, "", "id"),
    ],
)
def test_an_unusable_record_says_which_one_and_which_key(parse, payload, record_id, key):
    with pytest.raises(BadRecord) as caught:
        parse(payload)
    assert isinstance(caught.value, PipelineError)
    assert (caught.value.resource, caught.value.record_id, caught.value.key) == (parse.__name__.removeprefix("parse_"), record_id, key)


def test_a_bad_record_does_not_show_the_value():
    with pytest.raises(BadRecord) as caught:
        parse_invoice(invoice(amount=money("Jane Doe owes 5")))
    assert "Jane" not in str(caught.value)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**12) + 1, max_value=10**12 - 1))
def test_any_amount_is_read_to_its_last_decimal(amount):
    assert parse_payment(payment(amount=money(f"{amount:f}"))).amount == amount


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("organization", {"name": "Acme"}),
        ("notes", ["x"]),
        ("fname", True),
        ("customerid", -7),
        ("customerid", 2**63),
        ("amount", {"amount": 10**12, "code": "CAD"}),
        ("amount", {"amount": "0." + "0" * 30 + "1", "code": "CAD"}),
        ("currency_code", "dollars"),
        ("currency_code", "C$"),
        ("discount_value", "5000"),
        ("create_date", "\uff12\uff10\uff12\uff15-02-03"),
    ],
)
def test_a_value_of_the_wrong_type_or_size_is_never_taken_for_another(key, value):
    with pytest.raises(BadRecord):
        parse_invoice(invoice(**{key: value}))


@pytest.mark.parametrize("value", ["maybe", 2, [True], {"a": 1}])
def test_what_is_neither_true_nor_false_is_no_flag(value):
    with pytest.raises(BadRecord, match="neither true nor false"):
        Fields("payment", {"from_credit": value}).flag("from_credit")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=True) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(invoice())), json_values))
def test_whatever_an_invoice_holds_it_is_read_or_named_bad(changes):
    try:
        read = parse_invoice(invoice(**changes))
    except BadRecord:
        return
    assert read.amount.is_finite()


def test_flags_are_read_in_every_spelling():
    fields = Fields("payment", {"a": True, "b": "true", "c": 1, "d": "1", "e": False, "f": None, "g": "", "h": 0})
    assert [key for key in "abcdefgh" if fields.flag(key)] == ["a", "b", "c", "d"]
