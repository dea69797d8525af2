import datetime as dt
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from fb_qbo_pipeline.money import total
from fb_qbo_pipeline.sandbox.quickbooks.ledger import postings, trial_balance
from fb_qbo_pipeline.sandbox.quickbooks.operations import write
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline_tests.sandbox_quickbooks.asgi import Api, Clock, Json


def test_an_empty_company_has_no_balances(api: Api) -> None:
    assert trial_balance(api.company) == {}


def test_every_kind_of_document_is_posted_to_its_accounts(api: Api) -> None:
    customer, vendor = api.customer(), api.vendor()
    discount = {"DetailType": "DiscountLineDetail", "Amount": 10, "DiscountLineDetail": {"PercentBased": False}}
    invoice = api.write("Invoice", api.invoice(customer, api.line("100.00", "GST/QST QC - 9.975"), discount))
    api.write(
        "Payment", api.payment(customer, "50.00", (invoice["Id"], "50.00"), DepositToAccountRef=api.ref("Account", "PayPal Clearing"))
    )
    api.write("SalesReceipt", api.invoice(customer, api.line("10.00", "Exempt"), DepositToAccountRef=api.ref("Account", "Chequing")))
    api.write("CreditMemo", api.invoice(customer, api.line("5.00", "Exempt")))
    api.write("Bill", api.bill(vendor, api.expense("200.00")))
    api.write("VendorCredit", api.bill(vendor, api.expense("20.00", "Exempt", "Travel")))
    assert trial_balance(api.company) == {
        "Accounts Payable (A/P)": Decimal("-206.00"),
        "Accounts Receivable (A/R)": Decimal("48.48"),
        "Chequing": Decimal("10.00"),
        "Discounts given": Decimal("10.00"),
        "Office Supplies": Decimal("200.00"),
        "PayPal Clearing": Decimal("50.00"),
        "Services": Decimal("-105.00"),
        "Tax:GST": Decimal("-4.50"),
        "Tax:HST (ON) ITC": Decimal("26.00"),
        "Tax:QST": Decimal("-8.98"),
        "Travel": Decimal("-20.00"),
    }


def test_a_discount_item_goes_to_its_own_account(api: Api) -> None:
    api.write("Invoice", api.invoice(api.customer(), api.line("100.00", "Exempt"), api.line("-10.00", "Exempt", "Discount")))
    assert trial_balance(api.company)["Discounts given"] == 10


def test_an_item_line_of_a_bill_goes_to_the_items_expense_account(api: Api) -> None:
    detail = {"ItemRef": api.ref("Item", "Services"), "TaxCodeRef": api.code("Exempt")}
    line = {"DetailType": "ItemBasedExpenseLineDetail", "Amount": 30, "ItemBasedExpenseLineDetail": detail}
    api.write("Bill", api.bill(api.vendor(), line))
    assert trial_balance(api.company) == {"Accounts Payable (A/P)": -30, "Other": 30}


def test_a_voided_or_deleted_document_leaves_nothing(api: Api) -> None:
    customer = api.customer()
    first, second = (api.write("Invoice", api.invoice(customer)) for _ in range(2))
    api.write("Invoice", {"Id": first["Id"], "SyncToken": "0"}, operation="void")
    api.write("Invoice", {"Id": second["Id"], "SyncToken": "0"}, operation="delete")
    assert trial_balance(api.company) == {}


def test_later_documents_can_be_left_out(api: Api) -> None:
    customer = api.customer()
    for day in ("2026-01-31", "2026-02-01"):
        api.write("Invoice", api.invoice(customer, TxnDate=day))
    assert trial_balance(api.company, dt.date(2026, 1, 31))["Accounts Receivable (A/R)"] == 113


def test_a_payment_at_another_rate_makes_an_exchange_gain(world: Api) -> None:
    customer = world.customer(CurrencyRef={"value": "USD"})

    def foreign(rate: str) -> Json:
        return {"CurrencyRef": {"value": "USD"}, "ExchangeRate": Decimal(rate)}

    invoice = world.write("Invoice", world.invoice(customer, world.line("100.00", "Exempt"), **foreign("1.40")))
    world.write("Payment", world.payment(customer, "100.00", (invoice["Id"], "100.00"), **foreign("1.45")))
    assert trial_balance(world.company) == {
        "Exchange Gain or Loss": Decimal("-5.00"),
        "Services": Decimal("-140.00"),
        "Undeposited Funds": Decimal("145.00"),
    }


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 99_999), st.sampled_from(["HST ON", "GST/QST QC - 9.975", "Exempt"])), min_size=1, max_size=5),
    st.integers(1, 20_000),
)
def test_every_document_balances_in_the_home_currency(lines: list[tuple[int, str]], rate: int) -> None:
    company = QuickBooks(multicurrency=True, clock=Clock())
    customer = write(company, "Customer", {"DisplayName": "A", "CurrencyRef": {"value": "USD"}})
    invoice = write(
        company,
        "Invoice",
        {
            "CustomerRef": {"value": customer["Id"]},
            "CurrencyRef": {"value": "USD"},
            "ExchangeRate": Decimal(rate) / 10_000,
            "Line": [
                {
                    "DetailType": "SalesItemLineDetail",
                    "Amount": Decimal(cents) / 100,
                    "SalesItemLineDetail": {"ItemRef": {"value": "1"}, "TaxCodeRef": {"value": company.named("TaxCode", code)["Id"]}},
                }
                for cents, code in lines
            ],
        },
    )
    assert total(amount for _, amount in postings(company, "Invoice", invoice)) == 0
    assert trial_balance(company).get("Accounts Receivable (A/R)", 0) == invoice["HomeTotalAmt"]
