import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fb_qbo_pipeline.errors import RemoteRefusal
from fb_qbo_pipeline.freshbooks.paging import PASSES, Page, all_rows


def rows_of(*ids):
    return [{"id": each} for each in ids]


def row_id(row):
    return str(row["id"]) if row.get("id") else None


class Listing:
    """A list that pages by offset; `changes` maps the number of a fetch to what happens to the rows just before it."""

    def __init__(self, ids, size=3, changes=None, **said):
        self.ids = list(ids)
        self.size = size
        self.changes = changes or {}
        self.said = said
        self.fetches = 0

    def __call__(self, number):
        self.fetches += 1
        self.changes.get(self.fetches, lambda _ids: None)(self.ids)
        page = rows_of(*self.ids[(number - 1) * self.size : number * self.size])
        said = {"per_page": self.size, "pages": -(-len(self.ids) // self.size), "total": len(self.ids)} | self.said
        return Page(page, said["per_page"], said["pages"], said["total"])

    def read(self):
        return [row["id"] for row in all_rows(self, row_id)]


@given(st.integers(0, 40), st.integers(1, 10), st.sampled_from([{}, {"total": None}, {"pages": None}, {"pages": None, "total": None}]))
def test_every_row_comes_once_whatever_the_size_and_the_counts_that_are_said(count, size, said):
    assert Listing(range(1, count + 1), size, **said).read() == list(range(1, count + 1))


def test_a_full_last_page_costs_no_further_request_where_all_counts_agree():
    listing = Listing([1, 2, 3, 4, 5, 6])
    assert listing.read() == [1, 2, 3, 4, 5, 6]
    assert listing.fetches == 2


def test_counts_that_are_too_low_do_not_end_the_reading():
    assert Listing(range(1, 9), pages=1, total=8).read() == list(range(1, 9))
    assert Listing(range(1, 9), pages=1, total=None).read() == list(range(1, 9))


def test_counts_that_include_unreadable_rows_do_not_keep_it_going():
    listing = Listing([], pages=1, total=16)
    assert listing.read() == []
    assert listing.fetches == 1


def test_a_short_page_before_the_last_does_not_end_the_reading():
    pages = {1: Page(rows_of(1, 2), 3, 2, 6), 2: Page(rows_of(4, 5, 6), 3, 2, 6)}
    assert [row["id"] for row in all_rows(lambda number: pages.get(number, Page([], 3, 2, 6)), row_id)] == [1, 2, 4, 5, 6]


def test_without_a_page_size_the_reading_ends_at_an_empty_page():
    assert Listing(range(1, 8), per_page=None, pages=None, total=None).read() == list(range(1, 8))


def test_rows_inserted_while_paging_come_once():
    listing = Listing([6, 5, 4, 3, 2, 1], changes={2: lambda ids: ids.insert(0, 7)})
    assert sorted(listing.read()) == [1, 2, 3, 4, 5, 6, 7]


def test_a_row_that_a_deletion_moved_to_a_page_already_read_is_found_in_a_second_reading():
    listing = Listing([6, 5, 4, 3, 2, 1], changes={2: lambda ids: ids.remove(5)})
    assert sorted(listing.read()) == [1, 2, 3, 4, 5, 6]  # 3 had moved up; 5 was given before it went


def test_an_insertion_and_a_deletion_that_leave_the_total_alone_are_noticed_by_the_repeated_row():
    def change(ids):
        ids.insert(0, 7)
        ids.remove(1)

    listing = Listing([6, 5, 4, 3, 2, 1], changes={2: change})
    assert sorted(listing.read()) == [2, 3, 4, 5, 6, 7]


def test_a_list_that_never_rests_is_given_up_with_a_warning(caplog):
    caplog.set_level(logging.WARNING)
    listing = Listing(range(100, 0, -1), 10, changes={n: (lambda ids, n=n: ids.insert(0, 1000 + n)) for n in range(2, 200)})
    got = listing.read()
    assert len(got) == len(set(got))
    assert f"{PASSES} readings" in caplog.text


@pytest.mark.parametrize("said", [(3, None, None), (3, 9, 27), (None, None, None)])
def test_a_server_that_ignores_the_page_number_is_noticed(said):
    given = []
    with pytest.raises(RemoteRefusal, match="repeats its invoices instead of giving page 2"):
        given.extend(all_rows(lambda _number: Page(rows_of(1, 2, 3), *said), row_id, "invoices"))


def test_a_list_without_an_end_is_given_up():
    with pytest.raises(RemoteRefusal, match="more than 100,000 pages of invoices"):
        for _ in all_rows(lambda number: Page(rows_of(number), 1, 10**11, None), row_id, "invoices"):
            pass


def test_rows_without_an_id_are_all_given():
    page = Page([{"id": None}, {"id": None}], 3, 1, 2)
    assert len(list(all_rows(lambda _number: page, row_id))) == 2


def test_pages_are_fetched_only_as_rows_are_taken():
    listing = Listing(range(1, 100))
    reading = all_rows(listing, row_id)
    for _ in range(4):
        next(reading)
    assert listing.fetches == 2
