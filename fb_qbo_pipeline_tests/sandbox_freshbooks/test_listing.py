import datetime as dt
from typing import Any

import pytest

from fb_qbo_pipeline.sandbox.freshbooks.listing import page_of, parse_query, selected
from fb_qbo_pipeline.sandbox.freshbooks.payloads import Line
from fb_qbo_pipeline.sandbox.freshbooks.refusals import Refusal
from fb_qbo_pipeline.sandbox.freshbooks.resources import RESOURCES
from fb_qbo_pipeline.sandbox.freshbooks.state import FreshBooks

LINES = (Line("Design", 1, "10.00"),)


def listed(account: FreshBooks, resource: str, *pairs: tuple[str, Any], **options: Any) -> tuple[list[Any], Any]:
    query = parse_query([(key, str(value)) for key, value in pairs])
    return page_of(selected(RESOURCES[resource], account.view(resource), query, **options), query)


def add_invoices(account: FreshBooks, client_id: int, count: int) -> list[int]:
    return [account.add_invoice(client_id, lines=LINES)["id"] for _ in range(count)]


@pytest.mark.parametrize(
    ("pairs", "rows", "page", "pages", "per_page"),
    [
        ((), 15, 1, 8, 15),
        ((("per_page", 100),), 100, 1, 2, 100),
        ((("per_page", 500),), 100, 1, 2, 100),
        ((("page", 0), ("per_page", 50)), 50, 1, 3, 50),
        ((("page", 3), ("per_page", 50)), 20, 3, 3, 50),
        ((("page", 9),), 0, 9, 8, 15),
        ((("page", 99), ("per_page", 100)), 0, 99, 2, 100),
    ],
)
def test_pages_count_from_one_hold_15_rows_by_default_and_100_at_most(
    account: FreshBooks, client_id: int, pairs: Any, rows: int, page: int, pages: int, per_page: int
) -> None:
    add_invoices(account, client_id, 120)
    shown, paging = listed(account, "invoice", *pairs)
    assert (len(shown), paging) == (rows, {"page": page, "pages": pages, "per_page": per_page, "total": 120})


def test_an_empty_list_has_no_pages(account: FreshBooks) -> None:
    assert listed(account, "payment") == ([], {"page": 1, "pages": 0, "per_page": 15, "total": 0})


@pytest.mark.parametrize(
    ("pair", "errno"),
    [(("page", "two"), 1014), (("page", "-1"), 1014), (("page", ""), 1014), (("per_page", "x"), 1013), (("per_page", "0"), 1013)],
)
def test_an_impossible_page_is_refused(pair: tuple[str, str], errno: int) -> None:
    with pytest.raises(Refusal) as caught:
        parse_query([pair])
    assert (caught.value.status, caught.value.errno) == (422, errno)


def test_deleted_rows_are_hidden_and_archived_ones_shown_unless_one_state_is_asked_for(account: FreshBooks, client_id: int) -> None:
    active, deleted, archived = add_invoices(account, client_id, 3)
    account.delete("invoice", deleted)
    account.archive("invoice", archived)

    def ids(*pairs: tuple[str, Any]) -> list[int]:
        return [row["id"] for row in listed(account, "invoice", *pairs)[0]]

    assert ids() == [archived, active]
    assert ids(("search[vis_state]", 0)) == [active]
    assert ids(("search[vis_state]", 1)) == [deleted]
    assert ids(("search[vis_state]", 2)) == [archived]


def test_taxes_have_no_vis_state_and_are_listed_all_the_same(account: FreshBooks) -> None:
    assert [tax["name"] for tax in listed(account, "tax")[0]] == ["HST"]


def test_default_orders_are_newest_id_first_and_expenses_by_date(account: FreshBooks, client_id: int) -> None:
    ids = add_invoices(account, client_id, 3)
    assert [row["id"] for row in listed(account, "invoice")[0]] == ids[::-1]
    category = account.view("category")[0]["id"]
    first, second, third = (account.add_expense(1, category, day)["id"] for day in ("2026-01-02", "2026-01-03", "2026-01-03"))
    assert [row["id"] for row in listed(account, "expense")[0]] == [second, third, first]


@pytest.mark.parametrize(
    ("sort", "dates"),
    [
        ("invoice_date_asc", ["2026-01-01", "2026-02-01", "2026-03-01"]),
        ("invoice_date_desc", ["2026-03-01", "2026-02-01", "2026-01-01"]),
        ("updated_asc", ["2026-03-01", "2026-01-01", "2026-02-01"]),  # ignored: the default order, newest id first
        ("create_date_asc", ["2026-03-01", "2026-01-01", "2026-02-01"]),
        ("nonsense", ["2026-03-01", "2026-01-01", "2026-02-01"]),
    ],
)
def test_only_known_sorts_are_heeded(account: FreshBooks, client_id: int, sort: str, dates: list[str]) -> None:
    for date in ("2026-02-01", "2026-01-01", "2026-03-01"):
        account.add_invoice(client_id, lines=LINES, date=date)
    assert [row["create_date"] for row in listed(account, "invoice", ("sort", sort))[0]] == dates


def test_unknown_searches_are_ignored_and_return_everything(account: FreshBooks, client_id: int) -> None:
    add_invoices(account, client_id, 3)
    for key in ("search[updated_after]", "search[create_date_min]", "search[status]", "updated_min"):
        assert listed(account, "invoice", (key, "2999-01-01"))[1]["total"] == 3


def test_max_is_exclusive_unless_switched(account: FreshBooks, client_id: int) -> None:
    for day in (1, 2, 3):
        account.add_invoice(client_id, lines=LINES, date=dt.date(2026, 1, day))
    pairs = (("search[date_min]", "2026-01-01"), ("search[date_max]", "2026-01-03"))
    assert listed(account, "invoice", *pairs)[1]["total"] == 2
    assert listed(account, "invoice", *pairs, max_inclusive=True)[1]["total"] == 3


def test_updated_has_the_granularity_of_an_eastern_day(account: FreshBooks, client_id: int) -> None:
    account.clock.set(dt.datetime(2026, 3, 17, 3, 30, tzinfo=dt.UTC))  # 23:30 of the 16th in New York
    add_invoices(account, client_id, 1)
    assert listed(account, "invoice", ("search[updated_min]", "2026-03-16"))[1]["total"] == 1
    assert listed(account, "invoice", ("search[updated_min]", "2026-03-17"))[1]["total"] == 0
    assert listed(account, "invoice", ("search[updated_max]", "2026-03-16"))[1]["total"] == 0
