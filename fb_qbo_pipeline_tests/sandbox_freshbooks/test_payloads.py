import datetime as dt
from decimal import Decimal

import pytest

from fb_qbo_pipeline.sandbox.freshbooks import payloads
from fb_qbo_pipeline.sandbox.freshbooks.payloads import Line

NOW = dt.datetime(2021, 4, 16, 14, 31, 19, tzinfo=dt.UTC)


def test_a_line_names_its_taxes_by_text_and_percent_string() -> None:
    line = payloads.invoice_line(Line("Bowls", "4", "5.00"), [("HST1", Decimal("13"))], 1, 987654, "CAD", NOW)
    wanted = {
        "lineid": 1,
        "type": 0,
        "qty": "4",
        "unit_cost": {"amount": "5.00", "code": "CAD"},
        "amount": {"amount": "20.00", "code": "CAD"},
        "taxName1": "HST1",
        "taxAmount1": "13",
        "taxName2": None,
        "taxAmount2": "0",
        "updated": "2021-04-16 10:31:19",
    }
    assert {key: line[key] for key in wanted} == wanted


def test_a_missing_tax_is_null_on_one_line_and_blank_on_the_next() -> None:
    lines = [payloads.invoice_line(Line("Bowls"), [], number, 1, "CAD", NOW) for number in (1, 2)]
    assert [(line["taxName1"], line["taxAmount1"]) for line in lines] == [(None, "0"), ("", "0")]


def test_a_line_that_rebills_an_expense_has_type_1_and_its_id() -> None:
    line = payloads.invoice_line(Line("Airfare", expense_id=77), [], 1, 1, "CAD", NOW)
    assert (line["type"], line["expenseid"]) == (1, 77)


def test_a_priced_line_reads_back_what_was_written() -> None:
    taxes = [("GST", Decimal("5")), ("QST", Decimal("9.975"))]
    line = payloads.invoice_line(Line("Bowls", "2.375", "5.99", compounded=True), taxes, 1, 1, "CAD", NOW)
    priced = payloads.priced_line(line)
    assert (priced.quantity, priced.unit_cost, priced.compounded) == (Decimal("2.375"), Decimal("5.99"), True)
    assert priced.taxes == tuple(taxes)


def test_an_expense_has_at_most_two_taxes_and_null_for_the_rest() -> None:
    fields = payloads.expense_taxes([("HST", "6.21", None)], "CAD")
    assert fields["taxAmount1"] == {"amount": "6.21", "code": "CAD"}
    assert fields["taxPercent1"] is fields["taxName2"] is fields["taxAmount2"] is None
    with pytest.raises(ValueError, match="two taxes"):
        payloads.expense_taxes([("A", 1, None)] * 3, "CAD")


def test_none_is_null_blank_or_zero_by_field() -> None:
    client = payloads.client({"id": 1, "userid": 1}, "ABC123", "CAD", NOW)
    assert (client["organization"], client["vat_name"], client["vat_number"]) == ("", None, "")
    expense = payloads.expense({"id": 1, "expenseid": 1}, "ABC123", {"amount": "1.00", "code": "CAD"}, "2021-04-16", 5, NOW)
    assert (expense["clientid"], expense["invoiceid"], expense["account_name"]) == (0, None, "")
