"""Currencies: which one a document may have, and what a foreign unit is worth in the home currency on a day.

A document's currency is its customer's or vendor's, and a foreign one needs a rate. The published rates here are made up
but stand still: the same currency and day always give the same rate.
"""

import datetime as dt
from decimal import Decimal

from fb_qbo_pipeline.money import round_half_up
from fb_qbo_pipeline.sandbox.quickbooks.lists import CURRENCIES
from fb_qbo_pipeline.sandbox.quickbooks.refusals import Json, Refusal, business
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks

_US_DOLLARS = {"USD": Decimal(1), "EUR": Decimal("1.08"), "GBP": Decimal("1.27"), "CAD": Decimal("0.73"), "JPY": Decimal("0.0067")}
RATE_PLACES = 6


def exchange_rate(company: QuickBooks, code: str, day: dt.date) -> Decimal:
    """Home units for one unit of `code` on `day`; a rate that a user has set goes first. Raises Refusal 2220."""
    if code not in CURRENCIES:
        raise Refusal("2220", f"Invalid Currency Type : {code}", "CurrencyRef")
    if code == company.home_currency:
        return Decimal(1)
    fixed = company.exchange_rates.get((code, day.isoformat()))
    if fixed is not None:
        return fixed
    swing = Decimal((day.toordinal() * 37 + sum(map(ord, code)) * 11) % 401 - 200) / 10000  # within two percent either way
    return round_half_up(_US_DOLLARS[code] / _US_DOLLARS[company.home_currency] * (1 + swing), RATE_PLACES)


def settle_currency(company: QuickBooks, body: Json, party: Json | None) -> Json:
    """CurrencyRef and ExchangeRate of a document, as it will carry them; raises Refusal 2220, 2410 or 6000.

    The company's home currency alone is harmless; anything else needs multicurrency, the party's own currency and a rate.
    """
    home = company.home_currency
    wanted = body["CurrencyRef"]["value"] if body.get("CurrencyRef") else home
    if not company.multicurrency:
        if wanted != home:
            raise business("Multicurrency is not turned on for this company.")
        return {"CurrencyRef": company.currency_ref(home)}
    if wanted not in CURRENCIES:
        raise Refusal("2220", f"Invalid Currency Type : {wanted}", "CurrencyRef")
    rate = body.get("ExchangeRate")
    if wanted != home and rate is None and company.missing_rate == "refused":
        raise Refusal("2410", "The currency and exchange rate are required for transaction in foreign currency.", "ExchangeRate")
    if party is not None and party["CurrencyRef"]["value"] != wanted:
        raise business("You can only use one foreign currency per transaction.")
    if rate is not None and rate <= 0:
        raise Refusal("2110", "Invalid Decimal : ExchangeRate has to be positive", "ExchangeRate")
    return {"CurrencyRef": company.currency_ref(wanted), "ExchangeRate": rate if wanted != home and rate is not None else Decimal(1)}


def home_amount(document: Json, amount: Decimal) -> Decimal:
    """An amount of a document in the home currency, to the cent."""
    rate: Decimal = document.get("ExchangeRate", Decimal(1))
    return amount if rate == 1 else round_half_up(amount * rate)
