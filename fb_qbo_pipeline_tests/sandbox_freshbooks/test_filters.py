from typing import Any

import pytest

from fb_qbo_pipeline.sandbox.freshbooks.filters import select
from fb_qbo_pipeline.sandbox.freshbooks.payloads import Line
from fb_qbo_pipeline.sandbox.freshbooks.refusals import Refusal
from fb_qbo_pipeline.sandbox.freshbooks.state import FreshBooks


@pytest.fixture
def books(account: FreshBooks, client_id: int) -> FreshBooks:
    """Three invoices (numbers 1, 2, 3; the second of another client and part-paid), two payments, two expenses, items."""
    other = account.add_client("Other & Co", "Ann", "Lee", "ann@example.com")["id"]
    for number, client, date in (("1", client_id, "2026-01-10"), ("2", other, "2026-02-10"), ("3", client_id, "2026-03-10")):
        account.add_invoice(client, lines=[Line("Design", 1, "100.00")], date=date, number=number)
    one, two, _ = (row["id"] for row in account.view("invoice"))
    account.add_payment(one, "100", "2026-01-20", "PayPal")
    account.add_payment(two, "25", "2026-02-20", from_credit=True, note="Half of it")
    advertising = account.view("category")[0]["id"]
    gas = account.add_category("Gas", advertising, is_editable=True)["id"]
    account.add_expense("10", advertising, "2026-01-05", vendor="Adwell")
    account.add_expense("99.99", gas, "2026-02-05", has_receipt=True, clientid=client_id)
    account.add_item("Logo", "10", "SKU-1", description="A logo")
    account.add_item("Mug", "5")
    return account


def found(books: FreshBooks, resource: str, **searches: str | list[str]) -> list[Any]:
    """The positions of the records that a search finds, from 1. A list is sent as `search[key][]`."""
    asked = {(key, isinstance(value, list)): value if isinstance(value, list) else [value] for key, value in searches.items()}
    records = books.view(resource)
    return [records.index(record) + 1 for record in select(resource, records, asked)]


@pytest.mark.parametrize(
    ("resource", "searches", "positions"),
    [
        ("invoice", {"invoice_number": "2"}, [2]),
        ("invoice", {"v3_status": "paid"}, [1]),
        ("invoice", {"v3_status": "OVERDUE"}, [2]),
        ("invoice", {"paid": "true"}, [1]),
        ("invoice", {"outstanding": "true"}, [2, 3]),
        ("invoice", {"outstanding": "False"}, [1]),
        ("invoice", {"date_min": "2026-02-10"}, [2, 3]),
        ("invoice", {"date_max": "2026-02-10"}, [1]),
        ("invoice", {"date_min": "2026-02-01", "date_max": "2026-03-01"}, [2]),
        ("invoice", {"updated_min": "2026-03-16"}, [1, 2, 3]),
        ("invoice", {"updated_min": "2026-03-17"}, []),
        ("payment", {"date_min": "2026-02-01"}, [2]),
        ("payment", {"amount_min": "25.00", "amount_max": "100"}, [2]),
        ("payment", {"from_credit": "true"}, [2]),
        ("payment", {"type": "paypal"}, [1]),
        ("payment", {"currency": "CAD"}, [1, 2]),
        ("expense", {"vendor": "adwell"}, [1]),
        ("expense", {"has_receipt": "1"}, [2]),
        ("expense", {"amount_min": "10", "amount_max": "99.99"}, [1]),
        ("expense", {"date_max": "2026-02-05"}, [1]),
        ("category", {"name": "ga"}, [2]),
        ("category", {"is_editable": "false"}, [1]),
        ("client", {"organization_like": "other"}, [2]),
        ("client", {"email": "ANN@example.com"}, [2]),
        ("item", {"sku": "sku-1"}, [1]),
        ("item", {"description_like": "logo"}, [1]),
        ("tax", {"name_like": "hs"}, [1]),
        ("tax", {"compound": "true"}, []),
    ],
)
def test_known_filters_narrow(books: FreshBooks, resource: str, searches: dict[str, str], positions: list[int]) -> None:
    assert found(books, resource, **searches) == positions


def test_id_filters_take_single_values_or_lists(books: FreshBooks, client_id: int) -> None:
    one, two, three = (str(row["id"]) for row in books.view("invoice"))
    assert found(books, "invoice", invoiceid=two) == [2]
    assert found(books, "invoice", invoiceids=[one, three, "999"]) == [1, 3]
    assert found(books, "invoice", customerid=str(client_id)) == [1, 3]
    assert found(books, "payment", invoiceid=two) == [2]
    assert found(books, "client", userids=[str(client_id)]) == [1]
    parent = str(books.view("category")[0]["id"])
    assert found(books, "category", parentid=parent) == [2]


@pytest.mark.parametrize(
    ("resource", "searches", "errno"),
    [
        ("invoice", {"customerid": "abc"}, 1024),
        ("invoice", {"vis_state": "deleted"}, 1024),
        ("payment", {"amount_min": "much"}, 1024),
        ("invoice", {"date_min": "10/01/2026"}, 1023),
        ("invoice", {"updated_min": "2026-02-30"}, 1023),
        ("invoice", {"updated_min": "2026-02-01T00:00:00Z"}, 1023),
        ("invoice", {"paid": "maybe"}, 1032),
        ("invoice", {"invoiceids": "1"}, 1034),
        ("invoice", {"invoiceids": ["1", "x"]}, 1024),
        ("invoice", {"customerid": ["1"]}, 1037),
    ],
)
def test_a_known_filter_with_an_unreadable_value_is_refused(
    books: FreshBooks, resource: str, searches: dict[str, str | list[str]], errno: int
) -> None:
    with pytest.raises(Refusal) as caught:
        found(books, resource, **searches)
    assert (caught.value.status, caught.value.errno) == (422, errno)


@pytest.mark.parametrize(
    ("resource", "key"), [("category", "updated_min"), ("expense", "status"), ("tax", "vis_state"), ("client", "fname")]
)
def test_filters_that_a_resource_does_not_have_are_ignored(books: FreshBooks, resource: str, key: str) -> None:
    assert len(found(books, resource, **{key: "2999-01-01"})) == len(books.view(resource))
