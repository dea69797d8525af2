import datetime as dt
from typing import Any

import pytest

from fb_qbo_pipeline.freshbooks.records import Address, VisState
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Code, Document, Entity, Json, Mapped, Outcome
from fb_qbo_pipeline.mapping.invoices import map_invoice
from fb_qbo_pipeline.mapping.rows import document_fingerprint
from fb_qbo_pipeline_tests.mapping.books import book, detail, item_lines
from fb_qbo_pipeline_tests.mapping.builders import (
    DAY,
    GST,
    HST,
    D,
    client,
    company,
    context,
    integration,
    invoice,
    line,
    paid,
    payment,
    tax,
)


def document(mapped: Mapped) -> Document:
    assert mapped.outcome is Outcome.DOCUMENT, mapped.problems
    assert mapped.document is not None
    return mapped.document


def body(mapped: Mapped) -> Json:
    return document(mapped).body


def codes(mapped: Mapped) -> list[Code]:
    assert mapped.outcome is Outcome.HELD
    return [problem.code for problem in mapped.problems]


def test_a_plain_invoice_becomes_the_whole_document_and_nothing_else() -> None:
    one = invoice(line("200.00", HST, quantity="2", price="100.00", description="Logo"), line("50.00", name="Unknown"), amount="276.00")
    mapped = map_invoice(one, [], context())
    assert body(mapped) == {
        "CustomerRef": {"value": "@customer/client/7"},
        "DocNumber": "FB0000042",
        "TxnDate": "2025-03-15",
        "PrivateNote": "fb:ABC123/invoice/1001",
        "DueDate": "2025-03-15",
        "BillEmail": {"Address": "jane@acme.example"},
        "PrintStatus": "NotSet",
        "Line": [
            {
                "Description": "Logo",
                "Amount": D("200.00"),
                "DetailType": "SalesItemLineDetail",
                "SalesItemLineDetail": {
                    "ItemRef": {"value": "@item/design"},
                    "Qty": D("2"),
                    "UnitPrice": D("100"),
                    "TaxCodeRef": {"value": "5"},
                },
            },
            {
                "Amount": D("50.00"),
                "DetailType": "SalesItemLineDetail",
                "SalesItemLineDetail": {
                    "ItemRef": {"value": "@item/unknown"},
                    "Qty": D("1"),
                    "UnitPrice": D("50"),
                    "TaxCodeRef": {"value": "2"},
                },
            },
        ],
        "GlobalTaxCalculation": "TaxExcluded",
        "TxnTaxDetail": {
            "TotalTax": D("26.00"),
            "TaxLine": [
                {
                    "Amount": D("26.00"),
                    "DetailType": "TaxLineDetail",
                    "TaxLineDetail": {
                        "TaxRateRef": {"value": "30"},
                        "PercentBased": True,
                        "TaxPercent": D("13"),
                        "NetAmountTaxable": D("200.00"),
                    },
                },
                {
                    "Amount": D("0"),
                    "DetailType": "TaxLineDetail",
                    "TaxLineDetail": {
                        "TaxRateRef": {"value": "20"},
                        "PercentBased": True,
                        "TaxPercent": D("0"),
                        "NetAmountTaxable": D("50.00"),
                    },
                },
            ],
        },
    }
    found = document(mapped)
    assert (found.entity, found.total, found.tax, found.balance) == (Entity.INVOICE, D("276.00"), D("26.00"), D("276.00"))
    assert {item.key: item.id for item in found.items} == {"design": "100", "unknown": None}


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"vis_state": VisState.DELETED}, Outcome.DELETED),
        ({"vis_state": VisState.DELETED, "date": dt.date(2024, 1, 1)}, Outcome.DELETED),
        ({"vis_state": VisState.ARCHIVED}, Outcome.DOCUMENT),
        ({"date": dt.date(2024, 12, 31)}, Outcome.OUT_OF_SCOPE),
        ({"date": dt.date(2025, 1, 1)}, Outcome.DOCUMENT),
        ({"status": "draft"}, Outcome.OUT_OF_SCOPE),
        ({"status": "overdue"}, Outcome.DOCUMENT),
    ],
)
def test_scope_follows_state_date_and_status(change: dict[str, Any], outcome: Outcome) -> None:
    assert map_invoice(invoice(line("10.00"), **change), [], context()).outcome is outcome


def test_statuses_of_the_settings_decide_what_is_picked_up() -> None:
    where = context(sales={"statuses": ["draft", "deposit-paid"]})
    assert map_invoice(invoice(line("10.00"), status="deposit_paid"), [], where).outcome is Outcome.DOCUMENT
    assert map_invoice(invoice(line("10.00"), status="auto_paid"), [], context()).outcome is Outcome.DOCUMENT
    left_out = map_invoice(invoice(line("10.00"), status="sent"), [], where)
    assert left_out.outcome is Outcome.OUT_OF_SCOPE
    assert "sent" in left_out.reason


def test_without_a_sales_section_every_invoice_is_out_of_scope() -> None:
    where = Context(integration(sales=None, payments=None), company(), {}, [], {})
    assert map_invoice(invoice(line("10.00"), vis_state=VisState.DELETED), [], where).outcome is Outcome.OUT_OF_SCOPE


@pytest.mark.parametrize(
    ("one", "prefs", "code"),
    [
        (invoice(line("-10.00")), {}, Code.NEGATIVE_AMOUNT),
        (invoice(line("10.00"), currency="USD"), {}, Code.CURRENCY_OFF),
        (invoice(line("10.00")), {"closed_until": DAY}, Code.CLOSED_PERIOD),
        (invoice(line("10.00", tax("Luxury", "3")), amount="10.30"), {}, Code.UNMAPPED_TAX),
        (invoice(line("10.00", name="Hosting")), {}, Code.INACTIVE_REFERENCE),
        (invoice(line("10.00", name="")), {}, Code.UNMAPPED_PRODUCT),
        (invoice(line("10.00"), amount="10.06"), {}, Code.TOTAL_MISMATCH),
    ],
)
def test_what_cannot_be_posted_is_held_with_its_reason(one: Any, prefs: dict[str, Any], code: Code) -> None:
    mapped = map_invoice(one, [], context(books=company(**prefs)))
    assert codes(mapped) == [code]
    assert mapped.problems[0].reason
    assert mapped.problems[0].remedy


def test_all_problems_of_an_invoice_are_shown_at_once() -> None:
    one = invoice(line("10.00", tax("Luxury", "3"), name="Hosting"), line("5.00", name=""), amount="15.30")
    assert set(codes(map_invoice(one, [], context()))) == {Code.UNMAPPED_TAX, Code.INACTIVE_REFERENCE, Code.UNMAPPED_PRODUCT}


def test_an_open_period_begins_after_the_closing_date() -> None:
    where = context(books=company(closed_until=DAY - dt.timedelta(days=1)))
    assert map_invoice(invoice(line("10.00")), [], where).outcome is Outcome.DOCUMENT


def test_a_closed_period_alone_keeps_the_document_so_that_an_unchanged_posted_one_is_recognised() -> None:
    where = context(books=company(closed_until=DAY))
    mapped = map_invoice(invoice(line("10.00")), [], where)
    assert mapped.document == map_invoice(invoice(line("10.00")), [], context()).document
    assert map_invoice(invoice(line("10.00"), currency="USD"), [], where).document is None


def test_automatic_numbers_leave_the_freshbooks_number_in_the_memo() -> None:
    mapped = map_invoice(invoice(line("10.00")), [], context(sales={"auto_number": True, "number_prefix": ""}))
    assert document(mapped).number is None
    assert "DocNumber" not in body(mapped)
    assert body(mapped)["PrivateNote"] == "fb:ABC123/invoice/1001 | FreshBooks invoice 0000042"


def test_a_shortened_number_stands_whole_in_the_memo() -> None:
    mapped = map_invoice(invoice(line("10.00"), number="PROJECT-2025-000000042"), [], context())
    assert len(body(mapped)["DocNumber"]) == 21
    assert body(mapped)["PrivateNote"].endswith(" | FreshBooks invoice FBPROJECT-2025-000000042")


def test_a_sales_receipt_goes_to_the_clearing_account_of_its_payments_and_has_no_due_date() -> None:
    where = context(sales={"post_as": "sales_receipt", "allow_credit_card": True})
    mapped = map_invoice(paid(line("100.00")), [payment("60", id=1, method="paypal"), payment("40", id=2, method="PayPal")], where)
    assert document(mapped).entity is Entity.SALES_RECEIPT
    assert document(mapped).balance is None
    assert body(mapped)["DepositToAccountRef"] == {"value": "2"}
    assert not {"DueDate", "AllowOnlineCreditCardPayment"} & set(body(mapped))


@pytest.mark.parametrize(
    ("one", "payments", "expected"),
    [
        (invoice(line("100.00")), [], [Code.NOT_PAID_IN_FULL]),
        (invoice(line("100.00"), paid=D("40"), outstanding=D("60")), [payment("40")], [Code.NOT_PAID_IN_FULL]),
        (paid(line("100.00")), [payment("60"), payment("40", id=2, method="PayPal")], [Code.SEVERAL_DEPOSIT_ACCOUNTS]),
        (paid(line("100.00")), [payment("100", from_credit=True)], [Code.CREDIT_WITHOUT_ACCOUNT]),
    ],
)
def test_a_sales_receipt_needs_full_payment_into_one_account(one: Any, payments: Any, expected: list[Code]) -> None:
    assert codes(map_invoice(one, payments, context(sales={"post_as": "sales_receipt"}))) == expected


def test_a_sales_receipt_without_a_payments_section_leaves_the_account_to_quickbooks() -> None:
    mapped = map_invoice(paid(line("100.00")), [payment("100")], context(sales={"post_as": "sales_receipt"}, payments=None))
    assert "DepositToAccountRef" not in body(mapped)


def test_an_invoice_of_nothing_counts_as_paid() -> None:
    mapped = map_invoice(paid(line("0.00")), [], context(sales={"post_as": "sales_receipt"}))
    assert document(mapped).total == 0


def test_the_balance_is_only_promised_where_payments_are_synced() -> None:
    one = invoice(line("100.00"), paid=D("30"), outstanding=D("70"))
    assert document(map_invoice(one, [], context())).balance == D("70.00")
    assert document(map_invoice(one, [], context(payments=None))).balance is None


def test_multicurrency_adds_currency_and_rate_to_foreign_documents_and_only_currency_to_home_ones() -> None:
    where = context(books=company(multicurrency=True))
    foreign = body(map_invoice(invoice(line("10.00"), currency="USD"), [], where))
    assert foreign["CurrencyRef"] == {"value": "USD"}
    assert foreign["ExchangeRate"] == "@rate/USD/2025-03-15"
    assert foreign["CustomerRef"] == {"value": "@customer/client/7/USD"}
    home = body(map_invoice(invoice(line("10.00")), [], where))
    assert home["CurrencyRef"] == {"value": "CAD"}
    assert "ExchangeRate" not in home


@pytest.mark.parametrize(("per_line", "header"), [(False, True), (True, False)])
def test_class_is_where_the_company_keeps_it_and_location_on_the_document(per_line: bool, header: bool) -> None:
    books = company(class_per_line=per_line, class_per_transaction=header, locations=True)
    found = body(
        map_invoice(invoice(line("10.00"), line("5.00")), [], context(sales={"class": "Retail", "location": "Montreal"}, books=books))
    )
    assert ("ClassRef" in found) is header
    assert all(("ClassRef" in one["SalesItemLineDetail"]) is per_line for one in found["Line"])
    assert found["DepartmentRef"] == {"value": "1"}


def test_an_inactive_class_holds_the_invoice() -> None:
    where = context(sales={"class": "Old"}, books=company(class_per_line=True))
    assert codes(map_invoice(invoice(line("10.00")), [], where)) == [Code.INACTIVE_REFERENCE]


def test_a_generic_customer_keeps_the_client_in_the_memo_and_the_address_of_issue() -> None:
    where = context(sales={"customer": "generic", "generic_customer": "FreshBooks Sales"})
    found = body(map_invoice(invoice(line("10.00")), [], where))
    assert found["CustomerRef"] == {"value": "@customer/generic"}
    assert found["CustomerMemo"] == {"value": "Acme Ltd"}
    assert found["BillAddr"]["Line1"] == "1 Old Road"
    without = body(map_invoice(invoice(line("10.00"), address=Address()), [], where))
    assert without["BillAddr"]["Line1"] == "1 Main Street"


def test_what_a_client_changes_later_does_not_change_an_invoice_that_was_issued() -> None:
    generic: dict[str, Any] = {"sales": {"customer": "generic", "generic_customer": "FreshBooks Sales"}}
    for settings in ({}, generic):
        was = document(map_invoice(invoice(line("10.00")), [], context(**settings)))
        moved = client(organization="Acme Holdings", email="billing@acme.example", address=Address("9 New Street"))
        now = document(map_invoice(invoice(line("10.00")), [], context(clients=(moved,), **settings)))
        assert now.body["BillEmail"] == {"Address": "billing@acme.example"}
        assert document_fingerprint(now) == document_fingerprint(was)


def test_card_payment_is_only_mentioned_when_it_is_allowed() -> None:
    assert "AllowOnlineCreditCardPayment" not in body(map_invoice(invoice(line("10.00")), [], context()))
    assert body(map_invoice(invoice(line("10.00")), [], context(sales={"allow_credit_card": True})))["AllowOnlineCreditCardPayment"] is True


@pytest.mark.parametrize("email", ["", "not an address", "a@b", "a@b.example, c@d.example", "x" * 95 + "@b.example"])
def test_an_implausible_email_is_left_out(email: str) -> None:
    assert "BillEmail" not in body(map_invoice(invoice(line("10.00")), [], context(clients=(client(email=email),))))


def test_a_discount_lowers_the_tax_base_and_stands_on_a_line_for_each_code() -> None:
    # FreshBooks' recorded example: 20.00 at 13 %, 24.00 untaxed, 10 % off: 41.94.
    one = invoice(
        line("20.00", HST, quantity="4", price="5"),
        line("24.00", quantity="6", price="4"),
        amount="41.94",
        discount_percent=D("10"),
        discount_total=D("-4.40"),
    )
    books = company()
    mapped = map_invoice(one, [], context(books=books))
    discounts = [found for found in item_lines(document(mapped)) if found.get("Description") == "Discount 10%"]
    assert [(detail(found)["TaxCodeRef"]["value"], found["Amount"]) for found in discounts] == [("5", D("-2.00")), ("2", D("-2.40"))]
    assert book(document(mapped), books) == (D("41.94"), D("2.34"))


def test_a_discount_without_a_discount_product_is_held() -> None:
    one = invoice(line("20.00"), amount="18.00", discount_percent=D("10"), discount_total=D("-2.00"))
    mapped = map_invoice(one, [], context(sales={"discount_product": None}))
    assert codes(mapped) == [Code.UNMAPPED_PRODUCT]
    assert "sales.discount_product" in mapped.problems[0].remedy


def test_a_residue_goes_on_the_rounding_product_under_the_code_of_untaxed_lines() -> None:
    mapped = map_invoice(invoice(line("10.00", HST), amount="11.33"), [], context())
    last = item_lines(document(mapped))[-1]
    assert (last["Description"], last["Amount"], detail(last)["ItemRef"]["value"]) == ("Rounding", D("0.03"), "103")
    assert detail(last)["TaxCodeRef"] == {"value": "2"}
    assert "0.03" in document(mapped).notes[0]


def test_a_residue_takes_the_first_lines_code_where_untaxed_lines_have_none() -> None:
    mapped = map_invoice(invoice(line("10.00", HST), amount="11.32"), [], context(sales={"taxes": {"HST": "HST ON"}}))
    assert detail(item_lines(document(mapped))[-1])["TaxCodeRef"] == {"value": "5"}


@pytest.mark.parametrize(
    ("change", "hint"), [({"rounding_limit": "0.02"}, "rounding_limit"), ({"rounding_product": None}, "rounding_product")]
)
def test_a_residue_that_cannot_be_booked_is_held_with_the_numbers(change: dict[str, Any], hint: str) -> None:
    mapped = map_invoice(invoice(line("10.00", HST), amount="11.33"), [], context(sales=change))
    assert codes(mapped) == [Code.TOTAL_MISMATCH]
    assert hint in mapped.problems[0].remedy
    assert all(number in mapped.problems[0].reason for number in ("11.33", "10.00", "1.30", "0.03"))


def test_an_invoice_without_lines_gets_a_zero_line_on_the_default_product() -> None:
    where = context(sales={"products": {"default_product": "Services"}})
    found = item_lines(document(map_invoice(invoice(amount="0.00"), [], where)))
    assert [(one["Amount"], detail(one)["ItemRef"]["value"], detail(one)["TaxCodeRef"]["value"]) for one in found] == [(D("0"), "101", "2")]
    assert codes(map_invoice(invoice(amount="0.00"), [], context())) == [Code.UNMAPPED_PRODUCT]


def test_the_organization_mode_says_where_it_had_to_use_the_contact() -> None:
    where = context(sales={"customer": "organization"}, clients=(client(organization=""),))
    assert "no organization" in document(map_invoice(invoice(line("10.00")), [], where)).notes[0]


def test_a_credit_line_for_the_same_code_is_part_of_the_document() -> None:
    books = company()
    mapped = map_invoice(
        invoice(line("100.00", GST), line("-20.00", GST, quantity="-1", price="20"), amount="84.00"), [], context(books=books)
    )
    assert book(document(mapped), books) == (D("84.00"), D("4.00"))
