"""Countries as QuickBooks spells them, and the currency that a company of each has at home.

CompanyInfo.Country holds a code in most companies and a name in some; the tax model depends on it. The table holds the
countries for which QuickBooks Online has an edition of its own; a company of any other states its home currency itself.
"""

from collections.abc import Iterable

_HOME = {
    "US": "USD",
    "CA": "CAD",
    "GB": "GBP",
    "AU": "AUD",
    "NZ": "NZD",
    "IN": "INR",
    "SG": "SGD",
    "HK": "HKD",
    "MY": "MYR",
    "ZA": "ZAR",
    "AE": "AED",
    "IE": "EUR",
    "FR": "EUR",
    "MX": "MXN",
    "BR": "BRL",
}
_NAMES = {
    "USA": "US",
    "U.S.A.": "US",
    "U.S.": "US",
    "UNITED STATES": "US",
    "UNITED STATES OF AMERICA": "US",
    "CAN": "CA",
    "CANADA": "CA",
    "UK": "GB",
    "U.K.": "GB",
    "GBR": "GB",
    "UNITED KINGDOM": "GB",
    "GREAT BRITAIN": "GB",
    "ENGLAND": "GB",
    "AUS": "AU",
    "AUSTRALIA": "AU",
    "NEW ZEALAND": "NZ",
    "INDIA": "IN",
    "SINGAPORE": "SG",
    "HONG KONG": "HK",
    "MALAYSIA": "MY",
    "SOUTH AFRICA": "ZA",
    "UNITED ARAB EMIRATES": "AE",
    "IRELAND": "IE",
    "FRANCE": "FR",
    "MEXICO": "MX",
    "BRAZIL": "BR",
}


def country_code(spellings: Iterable[str], currency: str = "") -> str:
    """The two-letter code of the first spelling that is not empty; otherwise of the country whose currency that is; else ''."""
    told = next((spelling.strip().upper() for spelling in spellings if spelling.strip()), "")
    if told:
        return _NAMES.get(told, told)
    at_home = [country for country, home in _HOME.items() if home == currency.upper()]
    return at_home[0] if len(at_home) == 1 else ""


def home_currency(country: str) -> str:
    """The currency of a company of `country`, a two-letter code; '' where the table has none."""
    return _HOME.get(country.upper(), "")
