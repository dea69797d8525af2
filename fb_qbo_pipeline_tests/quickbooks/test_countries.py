import pytest

from fb_qbo_pipeline.quickbooks.countries import country_code, home_currency


@pytest.mark.parametrize(
    ("spelling", "code"),
    [
        ("US", "US"),
        ("usa", "US"),
        ("United States", "US"),
        ("CA", "CA"),
        (" Canada ", "CA"),
        ("GB", "GB"),
        ("UK", "GB"),
        ("United Kingdom", "GB"),
    ],
)
def test_every_spelling_of_a_country_has_its_code(spelling, code):
    assert country_code([spelling]) == code


def test_the_first_spelling_that_says_something_counts():
    assert country_code(["", " ", "Canada", "US"]) == "CA"


def test_an_unknown_country_keeps_its_spelling():
    assert country_code(["Narnia"]) == "NARNIA"
    assert home_currency("NARNIA") == ""


def test_the_home_currency_tells_the_country_where_only_one_has_it():
    assert country_code([], "cad") == "CA"
    assert country_code([], "EUR") == ""
    assert country_code([]) == ""


@pytest.mark.parametrize(("country", "currency"), [("US", "USD"), ("ca", "CAD"), ("GB", "GBP"), ("IE", "EUR")])
def test_a_country_has_its_home_currency(country, currency):
    assert home_currency(country) == currency
