import pytest

from fb_qbo_pipeline.freshbooks.records import Invoice
from fb_qbo_pipeline.mapping.charges import charged
from fb_qbo_pipeline_tests.mapping.builders import GST, HST, QST, D, invoice, line, tax

SMALL = [line("0.10", GST), line("0.10", GST)]  # 0.01 by sum, 0.02 by line


@pytest.mark.parametrize(
    ("one", "tax_total"),
    [
        (invoice(*SMALL, amount="0.21"), "0.01"),
        (invoice(*SMALL, amount="0.22"), "0.02"),
        # HST 0.0065 and GST 0.005: 0.02 by tax and by line, 0.01 when only the total is rounded.
        (invoice(line("0.05", HST), line("0.10", GST), amount="0.17"), "0.02"),
        (invoice(line("0.05", HST), line("0.10", GST), amount="0.16"), "0.01"),
        # 19.99 less 10 % is 17.991, tax 2.33883: 20.32983 in all; a rounded discount of 2.00 leaves 17.99 + 2.34.
        (invoice(line("19.99", HST), amount="20.33", discount_percent=D("10"), discount_total=D("-2.00")), "2.34"),
    ],
)
def test_the_model_that_reaches_the_total_is_taken(one: Invoice, tax_total: str) -> None:
    sums = charged(one)
    assert (sums.tax, sums.residue) == (D(tax_total), D("0"))


def test_an_unrounded_discount_is_met_by_the_tax_where_only_the_total_is_rounded() -> None:
    # 0.05 less 10 %: 0.045, tax 0.00585, in all 0.05085; the discount is shown as 0.01 (half-up), the tax has to be 0.01.
    one = invoice(line("0.05", HST), amount="0.05", discount_percent=D("10"), discount_total=D("-0.01"))
    assert (charged(one).tax, charged(one).residue) == (D("0.01"), D("0"))


def test_a_contradicting_discount_is_not_hidden_in_the_tax() -> None:
    one = invoice(line("100.00", HST), amount="101.70", discount_percent=D("10"), discount_total=D("0"))
    assert abs(charged(one).residue) == D("10.00")


def test_the_first_model_is_preferred_among_the_nearest_and_the_rest_is_the_residue() -> None:
    sums = charged(invoice(*SMALL, amount="0.19"))
    assert (sums.tax, sums.residue) == (D("0.01"), D("-0.02"))


def test_a_compounded_second_tax_is_on_top_of_the_first() -> None:
    one = invoice(line("100.00", GST, tax("QST", "9.5"), compounded=True), amount="114.98")
    assert list(charged(one).taxes.values()) == [(D("5.00"), D("9.98"))]


def test_a_tax_is_split_over_the_combinations_in_which_it_occurs() -> None:
    sums = charged(invoice(line("0.30", GST), line("0.30", GST, QST), amount="0.66"))
    assert sums.taxes == {(GST,): (D("0.01"),), (GST, QST): (D("0.02"), D("0.03"))}
    assert sums.tax == D("0.06")


def test_a_discount_without_percentage_counts_by_its_amount() -> None:
    one = invoice(line("100.00", HST), amount="101.70", discount_total=D("-10.00"))
    assert (charged(one).tax, charged(one).residue) == (D("11.70"), D("0"))


def test_yen_may_be_rounded_to_whole_yen() -> None:
    one = invoice(line("105", tax("JCT", "10")), amount="116", currency="JPY")
    assert (charged(one).tax, charged(one).residue) == (D("11"), D("0"))
    assert charged(invoice(line("105", tax("JCT", "10")), amount="115.50", currency="JPY")).residue == 0


def test_an_invoice_without_taxes_has_no_tax() -> None:
    sums = charged(invoice(line("10.00")))
    assert (sums.tax, sums.residue, sums.taxes) == (D("0"), D("0"), {})
