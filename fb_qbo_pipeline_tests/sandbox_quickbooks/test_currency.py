from decimal import Decimal

import pytest

from fb_qbo_pipeline_tests.sandbox_quickbooks.asgi import Api, Json


@pytest.mark.parametrize("currency", [None, "CAD"])
def test_the_home_currency_is_harmless_without_multicurrency(api: Api, currency: str | None) -> None:
    more: Json = {"CurrencyRef": {"value": currency}} if currency else {}
    invoice = api.write("Invoice", api.invoice(api.customer(), **more))
    assert invoice["CurrencyRef"]["value"] == "CAD"
    assert not {"ExchangeRate", "HomeTotalAmt"} & invoice.keys()


def test_a_foreign_currency_needs_multicurrency(api: Api) -> None:
    assert api.refuse("Invoice", api.invoice(api.customer(), CurrencyRef={"value": "USD"}))["code"] == "6000"
    assert api.refuse("Customer", {"DisplayName": "B", "CurrencyRef": {"value": "USD"}})["code"] == "6000"


@pytest.mark.parametrize(
    ("own", "sent", "rate", "code", "words"),
    [
        ("USD", "USD", "1.4", None, ""),
        ("USD", "USD", None, "2410", "exchange rate are required"),
        ("CAD", "USD", None, "2410", "exchange rate are required"),
        ("CAD", "USD", "1.4", "6000", "You can only use one foreign currency per transaction."),
        ("USD", None, None, "6000", "You can only use one foreign currency per transaction."),
        ("USD", "EUR", "1.5", "6000", "You can only use one foreign currency per transaction."),
        ("CAD", None, None, None, ""),
        ("CAD", "XXX", "1", "2220", "XXX"),
        ("USD", "USD", "0", "2110", "positive"),
    ],
)
@pytest.mark.parametrize("entity", ["Invoice", "Bill", "Payment"])
def test_a_documents_currency_is_its_partys(
    world: Api, entity: str, own: str, sent: str | None, rate: str | None, code: str | None, words: str
) -> None:
    more: Json = {"CurrencyRef": {"value": sent}} if sent else {}
    if rate:
        more["ExchangeRate"] = Decimal(rate)
    party = (world.vendor if entity == "Bill" else world.customer)(CurrencyRef={"value": own})
    body = (
        world.payment(party, "5.00", **more) if entity == "Payment" else (world.bill if entity == "Bill" else world.invoice)(party, **more)
    )
    if code is None:
        document = world.write(entity, body)
        assert document["CurrencyRef"]["value"] == (sent or "CAD")
        assert document["ExchangeRate"] == Decimal(rate or 1)
    else:
        error = world.refuse(entity, body)
        assert error["code"] == code
        assert words in error["Detail"]


def test_a_missing_rate_may_count_as_one(world: Api) -> None:
    world.company.missing_rate = "one"
    body = world.invoice(world.customer(CurrencyRef={"value": "USD"}), CurrencyRef={"value": "USD"})
    assert world.write("Invoice", body)["HomeTotalAmt"] == 113


def test_a_payment_has_the_currency_of_its_invoices(world: Api) -> None:
    foreign: Json = {"CurrencyRef": {"value": "USD"}, "ExchangeRate": Decimal("1.4")}
    customer = world.customer(CurrencyRef={"value": "USD"})
    invoice = world.write("Invoice", world.invoice(customer, **foreign))
    paid = world.write("Payment", world.payment(customer, "113.00", (invoice["Id"], "113.00"), **foreign))
    assert paid["HomeTotalAmt"] == Decimal("158.20")
    assert world.send("GET", f"invoice/{invoice['Id']}").json["Invoice"]["HomeBalance"] == 0


@pytest.mark.parametrize(
    ("kept_in", "currency", "refused"), [("USD", "USD", False), ("CAD", "USD", False), ("EUR", "USD", True), ("USD", "CAD", True)]
)
def test_an_account_of_another_foreign_currency_takes_no_payment(world: Api, kept_in: str, currency: str, refused: bool) -> None:
    account = world.company.named("Account", "Chequing")
    world.company.edit("Account", account["Id"], CurrencyRef=world.company.currency_ref(kept_in))
    customer = world.write("Customer", {"DisplayName": "A", "CurrencyRef": {"value": currency}})
    body = world.payment({"value": customer["Id"]}, "10.00", CurrencyRef={"value": currency}, DepositToAccountRef={"value": account["Id"]})
    if currency != "CAD":
        body["ExchangeRate"] = Decimal("1.4")
    if refused:
        assert "one foreign currency" in world.refuse("Payment", body)["Detail"]
    else:
        assert world.write("Payment", body)["DepositToAccountRef"]["value"] == account["Id"]
