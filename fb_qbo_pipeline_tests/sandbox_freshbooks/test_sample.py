import datetime as dt
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fb_qbo_pipeline.money import ZERO
from fb_qbo_pipeline.sandbox.freshbooks.resources import RESOURCES
from fb_qbo_pipeline.sandbox.freshbooks.totals import Rounding
from fb_qbo_pipeline.sandbox.sample import SampleCompany, build_sample
from fb_qbo_pipeline.sandbox.sample_text import CATEGORY_ACCOUNTS
from fb_qbo_pipeline.settings.models import Integration

TODAY = dt.date(2026, 3, 31)
COUNTRIES = ("ca", "us", "uk")


@pytest.fixture(scope="module", params=COUNTRIES)
def sample(request: pytest.FixtureRequest) -> SampleCompany:
    return build_sample(request.param, TODAY)


@pytest.fixture(scope="module")
def canadian() -> SampleCompany:
    return build_sample("ca", TODAY)


def amount(record: Any, key: str = "amount") -> Decimal:
    return Decimal(record[key]["amount"])


def test_the_same_arguments_give_the_same_records(canadian: SampleCompany) -> None:
    again = build_sample("ca", TODAY)
    assert all(again.freshbooks.view(name) == canadian.freshbooks.view(name) for name in RESOURCES)
    assert again.expected == canadian.expected


def test_another_seed_gives_other_records(canadian: SampleCompany) -> None:
    assert build_sample("ca", TODAY, seed=2).freshbooks.view("invoice") != canadian.freshbooks.view("invoice")


def test_the_rounding_order_changes_some_totals_and_nothing_is_out_by_more_than_cents(canadian: SampleCompany) -> None:
    other = build_sample("ca", TODAY, rounding=Rounding.PER_LINE).freshbooks.view("invoice")
    pairs = zip(canadian.freshbooks.view("invoice"), other, strict=True)
    differences = [abs(amount(one) - amount(two)) for one, two in pairs]
    assert 0 < max(differences) <= Decimal("0.12")


def test_an_unknown_country_is_refused() -> None:
    with pytest.raises(ValueError, match="ca, us or uk"):
        build_sample("fr")


def test_the_company_has_a_years_worth_of_documents(sample: SampleCompany) -> None:
    account = sample.freshbooks
    counts = {name: len(account.view(name)) for name in RESOURCES}
    assert 590 <= counts["invoice"] <= 620
    assert 520 <= counts["payment"] <= 580
    assert 240 <= counts["expense"] <= 260
    assert (counts["client"], counts["item"]) == (45, 26)
    dates = [row["create_date"] for row in account.view("invoice")]
    assert min(dates[:585]) >= "2025-04-01"
    assert max(dates) <= "2026-03-31"
    assert len({date[:7] for date in dates}) >= 12


def test_without_a_date_the_year_ends_today_and_nothing_lies_in_the_future() -> None:
    sample = build_sample("ca")
    assert sample.integration["start_date"] == dt.datetime.now(ZoneInfo("America/Toronto")).date() - dt.timedelta(days=364)
    now = dt.datetime.now(ZoneInfo("America/New_York")).strftime("%Y-%m-%d %H:%M:%S")
    assert all(row["updated"] <= now for name in ("invoice", "payment", "expense") for row in sample.freshbooks.view(name))


def test_paid_and_outstanding_agree_with_the_payments_and_lines_with_the_total(sample: SampleCompany) -> None:
    paid: Counter[int] = Counter()
    for payment in sample.freshbooks.view("payment"):
        if payment["vis_state"] != 1:
            paid[payment["invoiceid"]] += amount(payment)  # type: ignore[assignment]
    for invoice in sample.freshbooks.view("invoice"):
        assert amount(invoice, "paid") == paid[invoice["id"]]
        assert amount(invoice, "outstanding") == amount(invoice) - amount(invoice, "paid") >= 0
        net = sum((amount(line) for line in invoice["lines"]), ZERO) + amount(invoice, "discount_total")
        assert net <= amount(invoice)


def test_only_the_home_currency_occurs(sample: SampleCompany) -> None:
    account = sample.freshbooks
    codes = {row["amount"]["code"] for name in ("invoice", "payment", "expense") for row in account.view(name)}
    assert codes == {account.currency}


def test_the_integration_is_valid_and_starts_with_the_year(sample: SampleCompany) -> None:
    integration = Integration.model_validate(sample.integration)
    assert integration.freshbooks.account_id == sample.freshbooks.account_id
    assert integration.start_date == TODAY - dt.timedelta(days=364)
    assert sample.quickbooks_country in {"ca", "us", "gb"}


def line_tax_keys(line: Any) -> tuple[str, str]:
    """How integration.yaml may name a line's taxes: by name, and by name and rate."""
    taxes = [(line[f"taxName{n}"], line[f"taxAmount{n}"]) for n in (1, 2) if line[f"taxName{n}"]]
    return " + ".join(name for name, _ in taxes) or "none", " + ".join(f"{name} {rate}%" for name, rate in taxes) or "none"


def test_every_line_is_mapped_apart_from_the_invoice_meant_to_be_held(sample: SampleCompany) -> None:
    mapped = sample.integration["sales"]["taxes"]
    unmapped = {
        invoice["id"]
        for invoice in sample.freshbooks.view("invoice")
        for line in invoice["lines"]
        if not mapped.keys() & set(line_tax_keys(line))
    }
    assert unmapped == held(sample, "unmapped_tax")
    assert all(any(key in line_tax_keys(line) for line in every_line(sample)) for key in mapped)


def every_line(sample: SampleCompany) -> list[Any]:
    return [line for invoice in sample.freshbooks.view("invoice") for line in invoice["lines"]]


def held(sample: SampleCompany, code: str) -> set[int]:
    return {expected.source_id for expected in sample.expected if expected.code == code}


def test_every_category_in_use_is_mapped_apart_from_the_one_meant_to_be_held(sample: SampleCompany) -> None:
    categories = {row["id"]: row for row in sample.freshbooks.view("category")}

    def mapped(expense: Any) -> bool:
        category = categories[expense["categoryid"]]
        parent = categories.get(category["parentid"])
        path = f"{parent['category']}/{category['category']}" if parent else category["category"]
        return path in CATEGORY_ACCOUNTS or category["category"] in CATEGORY_ACCOUNTS

    assert {row["id"] for row in sample.freshbooks.view("expense") if not mapped(row)} == held(sample, "unmapped_category")


def test_expense_taxes_are_mapped_where_the_country_has_purchase_tax(sample: SampleCompany) -> None:
    if sample.quickbooks_country == "us":
        assert "taxes" not in sample.integration["expenses"]
        return
    mapped = sample.integration["expenses"]["taxes"]
    for row in sample.freshbooks.view("expense"):
        names = [row[f"taxName{n}"] for n in (1, 2) if row[f"taxName{n}"]]
        key = " + ".join(names) or "none"
        assert any(known.startswith(key) for known in mapped)


def test_the_documents_meant_to_be_held_are_what_they_say(sample: SampleCompany) -> None:
    codes = Counter(expected.code for expected in sample.expected)
    assert codes == {
        "unmapped_tax": 1,
        "waiting_for_invoice": 1,
        "duplicate_number": 1,
        "credit_without_account": 1,
        "unmapped_category": 2,
    }
    (credit,) = held(sample, "credit_without_account")
    assert sample.freshbooks.get("payment", credit)["from_credit"]
    (waiting,) = held(sample, "waiting_for_invoice")
    assert {sample.freshbooks.get("payment", waiting)["invoiceid"]} == held(sample, "unmapped_tax")


def test_only_one_number_occurs_twice_among_invoices_that_are_not_deleted(sample: SampleCompany) -> None:
    invoices = [row for row in sample.freshbooks.view("invoice") if row["vis_state"] != 1]
    numbers = Counter(row["invoice_number"] for row in invoices)
    assert {number for number, count in numbers.items() if count > 1} == {"2002"}
    assert max(row["id"] for row in invoices if row["invoice_number"] == "2002") in held(sample, "duplicate_number")


UNTIDY: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "quantities with three decimals": ("invoice", lambda row: any(len(line["qty"].partition(".")[2]) == 3 for line in row["lines"])),
    "percentage discounts": ("invoice", lambda row: row["discount_value"] != "0"),
    "lines without a name": ("invoice", lambda row: any(not line["name"] for line in row["lines"])),
    "rebilled expenses": ("invoice", lambda row: any(line["type"] == 1 for line in row["lines"])),
    "drafts": ("invoice", lambda row: row["v3_status"] == "draft"),
    "overdue invoices": ("invoice", lambda row: row["v3_status"] == "overdue"),
    "automatically paid invoices": ("invoice", lambda row: row["v3_status"] == "autopaid"),
    "disputed invoices": ("invoice", lambda row: row["v3_status"] == "disputed"),
    "part payments": ("invoice", lambda row: row["payment_status"] == "partial"),
    "invoices over nothing": ("invoice", lambda row: amount(row) == 0),
    "long numbers": ("invoice", lambda row: len(row["invoice_number"]) > 21),
    "deleted invoices": ("invoice", lambda row: row["vis_state"] == 1),
    "archived invoices": ("invoice", lambda row: row["vis_state"] == 2),
    "deleted payments": ("payment", lambda row: row["vis_state"] == 1),
    "deleted expenses": ("expense", lambda row: row["vis_state"] == 1),
    "expenses with three decimals": ("expense", lambda row: len(row["amount"]["amount"].partition(".")[2]) == 3),
    "expenses without a vendor": ("expense", lambda row: not row["vendor"]),
    "taxed expenses": ("expense", lambda row: row["taxName1"] is not None),
    "blank organizations": ("client", lambda row: not row["organization"]),
    "leading blanks": ("client", lambda row: row["organization"].startswith(" ")),
    "colons in names": ("client", lambda row: ":" in row["organization"]),
    "names beyond QuickBooks' length": ("client", lambda row: len(row["organization"]) > 100),
    "names in other scripts": ("client", lambda row: not row["organization"].isascii()),
    "items with a SKU": ("item", lambda row: bool(row["sku"])),
    "categories below others": ("category", lambda row: row["parentid"] is not None),
}


@pytest.mark.parametrize("what", UNTIDY)
def test_the_company_is_as_untidy_as_real_ones(sample: SampleCompany, what: str) -> None:
    resource, holds = UNTIDY[what]
    assert any(holds(row) for row in sample.freshbooks.view(resource))


def test_canadian_documents_carry_pairs_of_taxes(canadian: SampleCompany) -> None:
    assert any(line["taxName2"] == "QST" for line in every_line(canadian))
    assert any(row["taxName2"] == "QST" for row in canadian.freshbooks.view("expense"))
