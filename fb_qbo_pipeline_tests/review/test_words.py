"""How counts, money and documents are said."""

from decimal import Decimal

from fb_qbo_pipeline.review.words import Amount, added, called, counted

D = Decimal


def test_counts_are_singular_or_plural_and_have_thousands_separators() -> None:
    assert [counted(number, "document") for number in (0, 1, 2, 1234)] == ["0 documents", "1 document", "2 documents", "1,234 documents"]
    assert counted(2, "expense category", "expense categories") == "2 expense categories"


def test_money_is_added_up_by_currency_and_never_across() -> None:
    amounts = [Amount(D("1000.005"), "CAD"), Amount(D("12"), "USD"), Amount(D("234.50"), "CAD")]
    assert added(amounts) == "1,234.51 CAD, 12.00 USD"


def test_a_document_is_called_by_its_number_and_never_by_an_id_alone() -> None:
    assert called("invoice", "31", 410001, "Acme Ltd") == "invoice 31"
    assert called("payment", "31", 620001, "Acme Ltd") == "payment of invoice 31"
    assert called("expense", "830245", 830245, "Serano Bakery") == "expense of Serano Bakery (FreshBooks id 830245)"
