import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fb_qbo_pipeline.quickbooks.query import ACTIVE_OR_NOT, Select, compare, in_groups, is_in, literal


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("Adam's", r"'Adam\'s'"),
        ("a\\b", r"'a\\b'"),
        ("\\'", r"'\\\''"),
        ("Été 日本", "'Été 日本'"),
        (True, "true"),
        (False, "false"),
        (7, "'7'"),
        (Decimal("1E+2"), "'100'"),
        (dt.date(2025, 1, 31), "'2025-01-31'"),
        (dt.datetime(2025, 1, 31, 10, 0, tzinfo=dt.timezone(dt.timedelta(hours=-5))), "'2025-01-31T10:00:00-05:00'"),
    ],
)
def test_values_are_written_as_the_language_wants_them(value, written):
    assert literal(value) == written


def test_an_instant_without_a_time_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        literal(dt.datetime(2025, 1, 31))  # noqa: DTZ001


@given(st.text())
def test_a_text_cannot_leave_its_quotes(text):
    written = literal(text)
    inner, plain, index = written[1:-1], [], 0
    while index < len(inner):
        assert inner[index] != "'"
        index += inner[index] == "\\"
        plain.append(inner[index])
        index += 1
    assert "".join(plain) == text


def test_a_page_names_conditions_order_and_place():
    select = Select("Invoice", (compare("TxnDate", ">=", dt.date(2025, 1, 1)), is_in("DocNumber", ["FB1", "FB2"])))
    assert select.page(1001) == (
        "SELECT * FROM Invoice WHERE TxnDate >= '2025-01-01' AND DocNumber IN ('FB1', 'FB2') ORDERBY Id STARTPOSITION 1001 MAXRESULTS 1000"
    )


def test_a_count_has_no_order_and_no_page():
    assert Select("Customer", (ACTIVE_OR_NOT,)).count() == "SELECT COUNT(*) FROM Customer WHERE Active IN (true, false)"


def test_more_conditions_do_not_change_the_query_they_are_added_to():
    select = Select("Item")
    assert select.also(compare("Name", "LIKE", "A%")).count() == "SELECT COUNT(*) FROM Item WHERE Name LIKE 'A%'"
    assert select.where == ()


@pytest.mark.parametrize("name", ["", "Doc Number", "Id; x", "Name'", "MetaData."])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(ValueError, match="no name"):
        compare(name, "=", "x")


def test_names_may_have_parts():
    assert compare("MetaData.LastUpdatedTime", ">", "x").startswith("MetaData.LastUpdatedTime > ")


@pytest.mark.parametrize(("start", "size"), [(0, 10), (1, 0), (1, 1001)])
def test_a_page_that_quickbooks_would_refuse_is_refused(start, size):
    with pytest.raises(ValueError, match="no page"):
        Select("Item").page(start, size)


def test_a_list_of_nothing_is_refused():
    with pytest.raises(ValueError, match="IN needs"):
        is_in("Id", [])


@given(st.lists(st.text(max_size=60), max_size=60), st.integers(70, 400))
def test_groups_keep_every_value_in_order_and_stay_short(values, longest):
    groups = in_groups(values, longest)
    assert [value for group in groups for value in group] == values
    assert all(len(group) == 1 or len(", ".join(literal(value) for value in group)) <= longest for group in groups)
