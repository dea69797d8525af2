"""One odd record is one exception: whatever FreshBooks sends in the place of a value, nothing stops and nothing vanishes."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fb_qbo_pipeline.ledger.tables import raw_record, staged_document
from fb_qbo_pipeline.pipeline.check import check
from fb_qbo_pipeline.sandbox.freshbooks.payloads import Line
from fb_qbo_pipeline_tests.pipeline.odd_answers import OddFreshBooks, put
from fb_qbo_pipeline_tests.pipeline.world import HST, TODAY, World, day

HUGE = 10**20  # beyond 64 bits
IDS = {"invoice": ("id", "invoiceid"), "payment": ("id", "logid"), "expense": ("id", "expenseid")}


def company(world: World) -> dict[str, int]:
    """One good document of every kind, and one of each that is going to be odd; the ids of those."""
    fine = world.invoice("40.00", number="1")
    world.payment(fine, "45.20")
    world.expense("11.30", taxes=(("HST", "1.30", "13"),))
    odd = world.invoice("100.00", number="31")
    return {"invoice": odd, "payment": world.payment(world.invoice("70.00", number="2"), "20.00"), "expense": world.expense()}


def without_id(resource: str) -> Callable[[Any], Any]:
    def changed(record: Any) -> Any:
        for key in IDS[resource]:
            record[key] = None
        return record

    return changed


def with_ids(resource: str, value: Any) -> Callable[[Any], Any]:
    def changed(record: Any) -> Any:
        for key in IDS[resource]:
            record[key] = value
        return record

    return changed


@pytest.mark.parametrize(
    ("resource", "value"),
    [("invoice", value) for value in (None, HUGE, 2**63, -4, "abc", [7], {}, True, "７")]
    + [(resource, value) for resource in ("payment", "expense") for value in (None, HUGE)],
)
def test_a_record_without_a_usable_id_is_held_with_what_can_be_told_until_freshbooks_is_corrected(
    world: World, resource: str, value: Any
) -> None:
    ids = company(world)
    freshbooks = OddFreshBooks(world)
    freshbooks.change(resource, ids[resource], with_ids(resource, value))
    world.follow()
    (held,) = [row for row in world.held() if row["source"] == resource]
    assert held["code"] == "refused"
    assert held["source_id"] < 0
    assert held["amount"] > 0
    assert held["document_date"] == {"invoice": day(5), "payment": day(10), "expense": day(7)}[resource]
    assert world.documents(resource, ids[resource]) == []
    world.follow()
    assert [row["id"] for row in world.held() if row["source"] == resource] == [held["id"]]
    freshbooks.changes.clear()
    world.follow()
    assert not world.held()
    assert world.document(resource, ids[resource])["TotalAmt"] > 0


@pytest.mark.parametrize(("resource", "value"), [("invoice", None), ("invoice", "a row"), ("payment", [{"id": 3}]), ("expense", 1.5)])
def test_a_row_that_is_no_object_is_held(world: World, resource: str, value: Any) -> None:
    ids = company(world)
    freshbooks = OddFreshBooks(world)
    freshbooks.change(resource, ids[resource], put(value=value))
    world.follow()
    held = [row for row in world.held() if row["source"] == resource]
    assert [row["code"] for row in held] == ["refused"]
    world.follow()
    assert [row["id"] for row in world.held() if row["source"] == resource] == [held[0]["id"]]
    freshbooks.changes.clear()
    world.freshbooks.clock.advance(dt.timedelta(days=1))  # its day cannot be read: the whole list is read once a day
    world.follow()
    assert world.document(resource, ids[resource])["TotalAmt"] > 0


@pytest.mark.parametrize(
    "amount", ["1e27", 1e27, 10**27, "1e3", "1_000", "１００", "NaN", "Infinity", float("nan"), "0x10", "1,000.00", True, []]
)
def test_what_is_no_amount_is_held(world: World, amount: Any) -> None:
    resource = "invoice" if isinstance(amount, int) else "expense" if isinstance(amount, str) else "payment"
    ids = company(world)
    OddFreshBooks(world).change(resource, ids[resource], put("amount", "amount", value=amount))
    world.follow()
    assert [(row["source"], row["source_id"], row["code"]) for row in world.held()] == [(resource, ids[resource], "refused")]
    assert "amount" in world.held()[0]["reason"]


_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(
        ["", " ", "x", "-1", "1e3", "1_000", "１", "2026-13-45", "0001-01-01", "9999-12-31", "auto-paid", "\u202eevil", "null", "7"]
    ),
    st.sampled_from([0, -1, 3, 2**63 - 1, 2**63, 10**27, -(10**40), 10**400, 1e300, -1e-300, float("nan"), float("inf")]),
    st.text(max_size=8),
)
VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3), max_leaves=4
)


def paths(record: Any, above: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a record, its own included."""
    found = [above]
    items = record.items() if isinstance(record, dict) else enumerate(record) if isinstance(record, list) else ()
    for key, inner in items:
        found += paths(inner, (*above, key))
    return found


@pytest.mark.parametrize("resource", ["invoice", "payment", "expense"])
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_sent_in_any_place_of_a_document_stops_nothing_and_drops_nothing(
    make_world: Callable[..., World], resource: str, data: st.DataObject
) -> None:
    world = make_world()
    world.restore()  # an empty ledger for every example
    ids = company(world)
    record = json.loads(json.dumps(next(row for row in world.freshbooks.view(resource) if row["id"] == ids[resource]), default=str))
    path = data.draw(st.sampled_from(paths(record)))
    value = data.draw(VALUES)
    freshbooks = OddFreshBooks(world)
    freshbooks.change(resource, ids[resource], put(*path, value=value))
    world.follow()
    world.look()
    everything_is_accounted_for(world, resource)
    freshbooks.changes.clear()
    world.sync()
    world.follow()
    assert not [row for row in world.held() if row["source_id"] == ids[resource] and row["source"] == resource]
    assert [row["TotalAmt"] > 0 for _, row in world.documents(resource, ids[resource])] == [True]


def everything_is_accounted_for(world: World, resource: str) -> None:
    """Every record that was sent is in the ledger; what is due has a decision, and every held one is an exception in plain words."""
    with world.engine.connect() as connection:
        raw = list(connection.execute(raw_record.select()).mappings())
        staged = {(row["source"], row["source_id"]): row for row in connection.execute(staged_document.select()).mappings()}
    assert len([row for row in raw if row["resource"] == resource]) == len(world.freshbooks.view(resource))
    due = {(row["resource"], row["source_id"]) for row in raw if row["document_date"] is not None and row["document_date"] <= TODAY}
    assert due == staged.keys()
    held = {(row["source"], row["source_id"]): row for row in world.held()}
    assert {key for key, row in staged.items() if row["outcome"] == "held"} <= held.keys()
    assert all("fault of the pipeline" not in row["remedy"] for row in held.values())


LISTED = {"client": "invoice", "item": "invoice", "category": "expense"}


@pytest.mark.parametrize(
    ("resource", "key", "value"),
    [
        ("client", "email", {"a": 1}),
        ("client", "vis_state", "x"),
        ("item", "sku", ["A"]),
        ("category", "parentid", "x"),
        ("item", "itemid", None),
    ],
)
def test_a_member_of_a_list_that_cannot_be_read_holds_what_names_it_until_it_is_corrected(
    world: World, resource: str, key: str, value: Any
) -> None:
    item = world.freshbooks.add_item("Design")
    invoice, expense = world.invoice("100.00"), world.expense()
    documents = {"invoice": invoice, "expense": expense}
    ids = {
        "client": world.freshbooks.view("invoice")[0]["customerid"],
        "item": item["id"],
        "category": world.freshbooks.view("expense")[0]["categoryid"],
    }
    other = world.freshbooks.add_invoice(world.client("Beta Inc"), lines=[Line("Support", 1, "10.00", (HST,))], date=day(5))["id"]
    freshbooks = OddFreshBooks(world)
    freshbooks.change(resource, ids[resource], with_ids_none(resource) if key == "itemid" else put(key, value=value))
    world.follow()
    source = LISTED[resource]
    assert [(row["source"], row["source_id"], row["code"]) for row in world.held()] == [(source, documents[source], "refused")]
    assert "cannot be read" in world.held()[0]["reason"]
    assert world.document("invoice", other)["TotalAmt"] > 0
    with world.runtime() as runtime:
        assert "unreadable" in {finding.key for finding in check(runtime).findings}
    world.follow()
    assert len(world.held()) == 1
    freshbooks.changes.clear()
    world.follow()
    assert not world.held()
    assert world.document(source, documents[source])["TotalAmt"] > 0


def with_ids_none(resource: str) -> Callable[[Any], Any]:
    def changed(record: Any) -> Any:
        return record | {"id": None, f"{resource}id": None}

    return changed


@pytest.mark.parametrize("resource", ["client", "item", "category"])
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_sent_in_any_place_of_a_list_stops_nothing_and_drops_nothing(
    make_world: Callable[..., World], resource: str, data: st.DataObject
) -> None:
    world = make_world()
    world.restore()
    item = world.freshbooks.add_item("Design")
    ids = company(world)
    members = {
        "client": world.freshbooks.view("client")[0]["id"],
        "item": item["id"],
        "category": world.freshbooks.view("category")[0]["id"],
    }
    record = json.loads(json.dumps(next(row for row in world.freshbooks.view(resource) if row["id"] == members[resource]), default=str))
    freshbooks = OddFreshBooks(world)
    freshbooks.change(resource, members[resource], put(*data.draw(st.sampled_from(paths(record))), value=data.draw(VALUES)))
    world.follow()
    world.look()
    for source in ids:
        everything_is_accounted_for(world, source)
    freshbooks.changes.clear()
    world.follow()
    world.sync()
    assert not [row for row in world.held() if "cannot be read" in row["reason"]]
