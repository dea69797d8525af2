from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fb_qbo_pipeline.money import round_half_up, total
from fb_qbo_pipeline.sandbox.quickbooks.lists import RateSeed, TaxSeed
from fb_qbo_pipeline.sandbox.quickbooks.operations import write
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline_tests.sandbox_quickbooks.asgi import Api, Clock, Json, tax_line, update


def taxes(row: Json) -> dict[str, Decimal]:
    return {line["TaxLineDetail"]["TaxRateRef"]["name"]: line["Amount"] for line in row["TxnTaxDetail"]["TaxLine"]}


def rate(api: Api, name: str) -> str:
    return str(api.ref("TaxRate", name)["value"])


def test_tax_is_rounded_on_each_line_and_then_summed(api: Api) -> None:
    api.company.add_tax_code(TaxSeed("Twelve", (RateSeed("Twelve", Decimal(12)),)))
    lines = [api.line("1.59", "Twelve")] * 29 + [api.line("17.49", "Twelve")] * 2
    invoice = api.write("Invoice", api.invoice(api.customer(), *lines))
    assert invoice["TxnTaxDetail"]["TotalTax"] == Decimal("9.71")  # 12 % of the sum would be 9.73
    api.company.tax_rounding = "total"
    invoice = api.write("Invoice", api.invoice(api.customer("B"), *lines))
    assert invoice["TxnTaxDetail"]["TotalTax"] == Decimal("9.73")


def test_each_rate_of_a_pair_has_its_own_tax_line(api: Api) -> None:
    invoice = api.write("Invoice", api.invoice(api.customer(), api.line("100.00", "GST/QST QC - 9.975")))
    assert taxes(invoice) == {"GST": Decimal("5.00"), "QST": Decimal("9.98")}
    first = invoice["TxnTaxDetail"]["TaxLine"][0]["TaxLineDetail"]
    assert (first["TaxPercent"], first["NetAmountTaxable"], first["PercentBased"]) == (5, 100, True)


def test_a_rate_that_two_codes_share_is_one_tax_line(api: Api) -> None:
    body = api.invoice(api.customer(), api.line("100.00", "GST/QST QC - 9.975"), api.line("50.00", "GST"))
    assert taxes(api.write("Invoice", body)) == {"GST": Decimal("7.50"), "QST": Decimal("9.98")}


def test_a_code_without_tax_still_has_a_tax_line_of_zero(api: Api) -> None:
    invoice = api.write("Invoice", api.invoice(api.customer(), api.line(code="Exempt")))
    assert taxes(invoice) == {"GST/HST EXEMPT": 0}


def test_a_compound_rate_taxes_the_tax_before_it(api: Api) -> None:
    api.company.add_tax_code(
        TaxSeed("Old QST", (RateSeed("GST", Decimal(5)), RateSeed("QST before 2013", Decimal("7.5"), "TaxOnAmountPlusTax")))
    )
    invoice = api.write("Invoice", api.invoice(api.customer(), api.line("100.00", "Old QST")))
    assert taxes(invoice) == {"GST": Decimal("5.00"), "QST before 2013": Decimal("7.88")}


def test_the_rate_is_that_of_the_documents_date(api: Api) -> None:
    history = [
        {"RateValue": Decimal(15), "EffectiveDate": "2000-01-01T00:00:00-08:00", "EndDate": "2026-01-31T00:00:00-08:00"},
        {"RateValue": Decimal(13), "EffectiveDate": "2026-02-01T00:00:00-08:00"},
    ]
    api.company.edit("TaxRate", rate(api, "HST (ON)"), EffectiveTaxRate=history)
    customer = api.customer()
    before, after = (api.write("Invoice", api.invoice(customer, TxnDate=day)) for day in ("2026-01-31", "2026-02-01"))
    assert (before["TxnTaxDetail"]["TotalTax"], after["TxnTaxDetail"]["TotalTax"]) == (15, 13)


@pytest.mark.parametrize(("country", "sentence"), [("ca", "a GST/HST rate"), ("gb", "a VAT rate")])
@pytest.mark.parametrize("code", [None, "9999", "HST ON"])
def test_a_line_without_a_tax_codes_id_is_refused_in_the_countrys_words(country: str, sentence: str, code: str | None) -> None:
    api = Api(QuickBooks(country, clock=Clock()))
    line = api.line(code=None)
    if code:
        line["SalesItemLineDetail"]["TaxCodeRef"] = {"value": code}
    error = api.refuse("Invoice", api.invoice(api.customer(), line))
    assert error["code"] == "6000"
    assert error["Detail"] == f"Business Validation Error: Make sure all your transactions have {sentence} before you save."


def test_an_inactive_tax_code_is_refused(api: Api) -> None:
    body = api.invoice(api.customer())
    api.company.deactivate("TaxCode", api.ref("TaxCode", "HST ON")["value"])
    assert api.refuse("Invoice", body)["code"] == "610"


def test_a_code_serves_only_the_side_on_which_it_has_rates(api: Api) -> None:
    api.company.add_tax_code(TaxSeed("Sales only", (RateSeed("S", Decimal(1)),)))
    api.company.add_tax_code(TaxSeed("Purchases only", (), (RateSeed("P", Decimal(1)),)))
    customer, vendor = api.customer(), api.vendor()
    assert api.write("Invoice", api.invoice(customer, api.line(code="Sales only")))["TotalAmt"] == 101
    assert api.write("Bill", api.bill(vendor, api.expense(code="Purchases only")))["TotalAmt"] == 101
    assert api.refuse("Invoice", api.invoice(customer, api.line(code="Purchases only")))["code"] == "6000"
    assert api.refuse("Bill", api.bill(vendor, api.expense(code="Sales only")))["code"] == "6000"


def test_purchases_use_the_purchase_rates_of_a_code(api: Api) -> None:
    bill = api.write("Bill", api.bill(api.vendor(), api.expense("100.00", "GST/QST QC - 9.975")))
    assert taxes(bill) == {"GST (ITC)": Decimal("5.00"), "QST (ITR)": Decimal("9.98")}
    assert bill["TotalAmt"] == Decimal("114.98")


def test_out_of_scope_documents_carry_no_tax_at_all(api: Api) -> None:
    customer = api.customer()
    scope: Json = {"GlobalTaxCalculation": "NotApplicable"}
    invoice = api.write("Invoice", api.invoice(customer, api.line(code=None), **scope))
    assert "TxnTaxDetail" not in invoice
    assert invoice["TotalAmt"] == 100
    assert api.refuse("Invoice", api.invoice(customer, api.line(code=None), TxnTaxDetail={"TotalTax": 0}, **scope))["code"] == "6170"
    assert api.refuse("Invoice", api.invoice(customer, api.line(code="HST ON"), **scope))["code"] == "6000"


def test_tax_fields_are_ignored_while_sales_tax_is_off(api: Api) -> None:
    api.company.sales_tax = False
    detail = {"TotalTax": 13, "TaxLine": [tax_line("1", "13.00")]}
    invoice = api.write("Invoice", api.invoice(api.customer(), TxnTaxDetail=detail, GlobalTaxCalculation="TaxExcluded"))
    assert invoice["TotalAmt"] == 100
    assert not {"TxnTaxDetail", "GlobalTaxCalculation"} & invoice.keys()
    assert "TaxCodeRef" not in invoice["Line"][0]["SalesItemLineDetail"]


def override(api: Api, *lines: Json, total_tax: str | None = None) -> Json:
    detail: Json = {"TaxLine": list(lines)}
    if total_tax is not None:
        detail["TotalTax"] = Decimal(total_tax)
    return api.invoice(api.customer(), api.line("100.00", "GST/QST QC - 9.975"), TxnTaxDetail=detail)


def test_tax_amounts_are_honoured_when_every_rate_is_named(api: Api) -> None:
    gst, qst = rate(api, "GST"), rate(api, "QST")
    body = override(api, tax_line(gst, "5.01", "100", "5"), tax_line(qst, "9.97", "100", "9.975"), total_tax="14.98")
    invoice = api.write("Invoice", body)
    assert taxes(invoice) == {"GST": Decimal("5.01"), "QST": Decimal("9.97")}
    assert invoice["TotalAmt"] == Decimal("114.98")


@pytest.mark.parametrize(
    ("lines", "total_tax", "code", "words"),
    [
        ([("GST", "5.00", {})], None, "6000", "All tax rates"),
        ([("GST", "5.00", {}), ("GST", "9.98", {})], None, "6000", "twice"),
        ([("GST", "5.00", {}), ("QST", "9.98", {}), ("HST (ON)", "0.00", {})], None, "2500", "TaxRate"),
        ([("GST (ITC)", "5.00", {}), ("QST (ITR)", "9.98", {})], None, "2500", "TaxRate"),
        ([("GST", "5.00", {"net": "99.99"}), ("QST", "9.98", {})], None, "6000", "net amount"),
        ([("GST", "5.00", {"percent": "6"}), ("QST", "9.98", {})], None, "6000", "percent"),
        ([("GST", "5.00", {}), ("QST", "9.98", {})], "15.00", "6000", "total tax"),
    ],
)
def test_an_override_that_is_incomplete_or_contradicts_the_lines_is_refused(
    api: Api, lines: list[tuple[str, str, dict[str, Any]]], total_tax: str | None, code: str, words: str
) -> None:
    body = override(api, *(tax_line(rate(api, name), amount, **more) for name, amount, more in lines), total_tax=total_tax)
    error = api.refuse("Invoice", body)
    assert error["code"] == code
    assert words in error["Detail"]


@pytest.mark.parametrize("gone", ["DetailType", "Amount"])
def test_a_tax_line_without_type_or_amount_is_refused(api: Api, gone: str) -> None:
    line = tax_line(rate(api, "GST"), "5.00")
    del line[gone]
    assert api.refuse("Invoice", override(api, line))["code"] == "2020"


def test_a_total_tax_alone_is_not_honoured_outside_the_us(api: Api) -> None:
    invoice = api.write("Invoice", api.invoice(api.customer(), TxnTaxDetail={"TotalTax": 99}))
    assert invoice["TxnTaxDetail"]["TotalTax"] == 13


def test_prices_that_include_tax_are_split_into_net_and_tax(api: Api) -> None:
    line = api.line("88.50", TaxInclusiveAmt=Decimal("100.00"))
    invoice = api.write("Invoice", api.invoice(api.customer(), line, GlobalTaxCalculation="TaxInclusive"))
    assert (invoice["TotalAmt"], invoice["TxnTaxDetail"]["TotalTax"]) == (100, Decimal("11.50"))
    wrong = api.line("88.51", TaxInclusiveAmt=Decimal("100.00"))
    assert api.refuse("Invoice", api.invoice(api.customer("B"), wrong, GlobalTaxCalculation="TaxInclusive"))["code"] == "6070"


def test_a_sparse_update_of_a_memo_keeps_overridden_tax_and_one_of_lines_computes_it_anew(api: Api) -> None:
    body = override(api, tax_line(rate(api, "GST"), "5.01"), tax_line(rate(api, "QST"), "9.97"))
    invoice = api.write("Invoice", body)
    same = api.write("Invoice", update(invoice, PrivateNote="hello"))
    assert taxes(same) == {"GST": Decimal("5.01"), "QST": Decimal("9.97")}
    changed = api.write("Invoice", update(same, Line=[api.line("200.00", "GST/QST QC - 9.975")]))
    assert taxes(changed) == {"GST": 10, "QST": Decimal("19.95")}


# ---------------------------------------------------------------------------------------------------- the United States


def test_a_us_line_is_tax_or_non(us: Api) -> None:
    customer = us.customer()
    assert us.write("Invoice", us.invoice(customer, us.line(code="NON")))["TotalAmt"] == 100
    line = us.line(code=None)
    line["SalesItemLineDetail"]["TaxCodeRef"] = us.ref("TaxCode", "California")
    assert us.refuse("Invoice", us.invoice(customer, line))["code"] == "6100"


def test_the_us_line_default_follows_item_and_customer(us: Api) -> None:
    exempt = us.customer("School", Taxable=False)
    lines = [us.write("Invoice", us.invoice(customer))["Line"][0] for customer in (us.customer(), exempt)]
    assert [line["SalesItemLineDetail"]["TaxCodeRef"]["value"] for line in lines] == ["TAX", "NON"]


def us_invoice(us: Api, **detail: Any) -> Json:
    return us.invoice(us.customer(), us.line("100.00", "TAX"), us.line("50.00", "NON"), TxnTaxDetail=detail)


def test_us_tax_is_computed_from_the_documents_code(us: Api) -> None:
    invoice = us.write("Invoice", us_invoice(us, TxnTaxCodeRef=us.ref("TaxCode", "New York")))
    assert taxes(invoice) == {"New York State": Decimal("4.00"), "New York City": Decimal("4.50")}
    assert invoice["TxnTaxDetail"]["TxnTaxCodeRef"]["name"] == "New York"
    assert invoice["TotalAmt"] == Decimal("158.50")


@pytest.mark.parametrize(("honoured", "tax"), [(True, "8.51"), (False, "8.50")])
def test_an_explicit_us_total_is_spread_over_the_rates_where_it_is_honoured(us: Api, honoured: bool, tax: str) -> None:
    us.company.us_honours_total_tax = honoured
    invoice = us.write("Invoice", us_invoice(us, TxnTaxCodeRef=us.ref("TaxCode", "New York"), TotalTax=Decimal("8.51")))
    assert invoice["TxnTaxDetail"]["TotalTax"] == total(taxes(invoice).values()) == Decimal(tax)


def test_us_tax_needs_a_code_with_rates(us: Api) -> None:
    assert us.refuse("Invoice", us_invoice(us, TxnTaxCodeRef={"value": "99"}))["code"] == "2500"


def test_a_us_discount_reduces_the_taxed_base_only_when_asked(us: Api) -> None:
    discount = {"DetailType": "DiscountLineDetail", "Amount": 20, "DiscountLineDetail": {"PercentBased": False}}
    body = us.invoice(us.customer(), us.line("100.00", "TAX"), discount, TxnTaxDetail={"TxnTaxCodeRef": us.ref("TaxCode", "California")})
    assert us.write("Invoice", body)["TxnTaxDetail"]["TotalTax"] == Decimal("7.25")
    assert us.write("Invoice", {**body, "ApplyTaxAfterDiscount": True})["TxnTaxDetail"]["TotalTax"] == Decimal("5.80")


def test_us_purchases_carry_no_tax(us: Api) -> None:
    bill = us.write("Bill", us.bill(us.vendor(), us.expense(code=None), TxnTaxDetail={"TotalTax": 5}))
    assert bill["TotalAmt"] == 100
    assert "TxnTaxDetail" not in bill
    assert bill["Line"][0]["AccountBasedExpenseLineDetail"]["TaxCodeRef"] == {"value": "NON"}


def test_us_tax_is_left_out_while_sales_tax_is_off(us: Api) -> None:
    us.company.sales_tax = False
    invoice = us.write("Invoice", us_invoice(us, TotalTax=8))
    assert invoice["TotalAmt"] == 150
    assert "TxnTaxDetail" not in invoice


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 500_000), st.sampled_from(["HST ON", "GST", "GST/QST QC - 9.975", "Exempt"])), min_size=1, max_size=8)
)
def test_totals_add_up_whatever_the_lines(lines: list[tuple[int, str]]) -> None:
    company = QuickBooks(clock=Clock())
    codes = {"HST ON": ["13"], "GST": ["5"], "GST/QST QC - 9.975": ["5", "9.975"], "Exempt": []}
    amounts = [Decimal(cents) / 100 for cents, _ in lines]
    expected = total(
        round_half_up(amount * Decimal(p) / 100) for amount, (_, code) in zip(amounts, lines, strict=True) for p in codes[code]
    )
    body = {
        "Line": [
            {
                "DetailType": "SalesItemLineDetail",
                "Amount": amount,
                "SalesItemLineDetail": {"ItemRef": {"value": "1"}, "TaxCodeRef": {"value": company.named("TaxCode", code)["Id"]}},
            }
            for amount, (_, code) in zip(amounts, lines, strict=True)
        ]
    }
    receipt = write(company, "SalesReceipt", body)
    assert receipt["TxnTaxDetail"]["TotalTax"] == total(line["Amount"] for line in receipt["TxnTaxDetail"]["TaxLine"]) == expected
    assert receipt["TotalAmt"] == total(amounts) + expected
