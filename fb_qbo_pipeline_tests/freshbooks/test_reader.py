import datetime as dt
import logging

import pytest

from fb_qbo_pipeline.errors import PipelineError
from fb_qbo_pipeline.freshbooks.fields import BadRecord
from fb_qbo_pipeline.freshbooks.reader import IDS_PER_REQUEST, FreshBooksReader, date_filter, updated_filter
from fb_qbo_pipeline.http import FakeTransport, Reply
from fb_qbo_pipeline_tests.freshbooks.stand_ins import client, expense, invoice, payment, query, result, served

DAY = dt.date(2025, 2, 3)
NOT_FOUND = Reply(404, {"response": {"errors": [{"errno": 1012, "message": "Not found."}]}})


def reader(transport, **options):
    return FreshBooksReader(client(transport), **options)


def filters(request):
    return [pair for pair in query(request) if pair[0] not in {"page", "per_page"}]


def ids(pairs):
    return [record.id for record, _ in pairs]


def test_a_record_comes_with_its_untouched_payload():
    raw = invoice(something_new={"a": [1]})
    ((record, payload),) = reader(FakeTransport(served("invoices", [raw]))).invoices()
    assert record.id == 501
    assert payload == raw


def test_invoices_of_some_days_are_asked_for_with_lines_and_a_day_more():
    transport = FakeTransport(served("invoices", []))
    assert list(reader(transport).invoices(DAY, DAY)) == []
    assert filters(transport.requests[0]) == [
        ("search[date_min]", "2025-02-03"),
        ("search[date_max]", "2025-02-04"),
        ("include[]", "lines"),
    ]


def test_rows_outside_the_days_are_dropped_whether_or_not_the_filter_worked():
    rows = [invoice(id=number, create_date=f"2025-02-0{number}") for number in range(1, 7)]
    subject = reader(FakeTransport(served("invoices", rows)))
    assert ids(subject.invoices(dt.date(2025, 2, 2), dt.date(2025, 2, 4))) == [2, 3, 4]
    assert ids(subject.invoices(date_from=dt.date(2025, 2, 5))) == [5, 6]


def test_payments_and_expenses_go_by_their_own_dates():
    payments = FakeTransport(served("payments", [payment(id=1, date="2025-02-03"), payment(id=2, date="2025-02-04")]))
    assert ids(reader(payments).payments(DAY, DAY)) == [1]
    assert filters(payments.requests[0]) == [("search[date_min]", "2025-02-03"), ("search[date_max]", "2025-02-04")]
    expenses = FakeTransport(served("expenses", [expense(id=1, date="2025-02-03"), expense(id=2, date="2025-02-02")]))
    assert ids(reader(expenses).expenses(DAY, DAY)) == [1]


def test_deleted_documents_are_asked_for_apart_and_archived_ones_belong_to_the_living():
    rows = [invoice(id=1, vis_state=0), invoice(id=2, vis_state=1), invoice(id=3, vis_state=2)]
    transport = FakeTransport(served("invoices", rows))
    subject = reader(transport)
    assert ids(subject.invoices()) == [1, 3]
    assert ids(subject.invoices(deleted=True)) == [2]
    assert filters(transport.requests[0]) == [("include[]", "lines")]
    assert filters(transport.requests[1]) == [("search[vis_state]", "1"), ("include[]", "lines")]


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (dt.datetime(2025, 1, 10, 4, 59, tzinfo=dt.UTC), "2025-01-08"),  # 23:59 on the 9th in New York
        (dt.datetime(2025, 1, 10, 5, 0, tzinfo=dt.UTC), "2025-01-09"),
        (dt.datetime(2025, 7, 10, 3, 59, tzinfo=dt.UTC), "2025-07-08"),  # daylight saving time
        (dt.datetime(2025, 7, 10, 4, 0, tzinfo=dt.UTC), "2025-07-09"),
    ],
)
def test_changes_are_asked_for_by_the_eastern_day_less_one(instant, day):
    assert updated_filter(instant) == [("search[updated_min]", day)]


def test_an_instant_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        updated_filter(dt.datetime(2025, 1, 1))  # noqa: DTZ001


def test_absent_limits_ask_for_nothing():
    assert updated_filter(None) == []
    assert date_filter(None, None) == []


def test_one_bad_record_is_reported_and_the_rest_is_read():
    rows = [invoice(id=1), invoice(id=2, amount=None), invoice(id=3)]
    bad: list[tuple[BadRecord, dict]] = []
    subject = reader(FakeTransport(served("invoices", rows)), on_bad=lambda error, payload: bad.append((error, payload)))
    assert ids(subject.invoices()) == [1, 3]
    assert [(error.record_id, error.key, payload["id"]) for error, payload in bad] == [("2", "amount", 2)]


def test_a_bad_record_is_at_least_logged(caplog):
    caplog.set_level(logging.WARNING)
    assert ids(reader(FakeTransport(served("payments", [payment(date=None)]))).payments()) == []
    assert "payment 9: date is missing" in caplog.text


def test_documents_by_id_are_asked_for_in_groups_and_nothing_else_is_given():
    def answer(request):
        asked = [int(value) for key, value in query(request) if key == "search[invoiceids][]"]
        return result(invoices=[invoice(id=each) for each in [*asked, 9999]], page=1, pages=1, per_page=100, total=len(asked) + 1)

    transport = FakeTransport(answer)
    wanted = set(range(1, 121))
    assert ids(reader(transport).invoices_by_id(wanted)) == sorted(wanted)
    assert len(transport.requests) == -(-len(wanted) // IDS_PER_REQUEST)
    assert all(len(request.url or "") < 2500 for request in transport.requests)


def test_no_ids_cost_no_request():
    assert list(reader(FakeTransport([])).clients_by_id([])) == []


def test_clients_by_id_use_their_own_filter():
    transport = FakeTransport(served("clients", [{"id": 5, "organization": "Northwind"}]))
    assert ids(reader(transport).clients_by_id([5])) == [5]
    assert filters(transport.requests[0]) == [("search[userids][]", "5")]


def test_payments_of_an_invoice_are_its_own_and_not_deleted():
    rows = [payment(id=1, invoiceid=501), payment(id=2, invoiceid=502), payment(id=3, invoiceid=501, vis_state=1)]
    transport = FakeTransport(served("payments", rows))
    assert ids(reader(transport).payments_of_invoice(501)) == [1]
    assert filters(transport.requests[0]) == [("search[invoiceid]", "501")]


@pytest.mark.parametrize(("name", "row"), [("invoice", invoice(vis_state=1)), ("payment", payment()), ("expense", expense())])
def test_one_record_is_read_also_when_deleted_and_none_where_there_is_none(name, row):
    transport = FakeTransport([result(**{name: row}), NOT_FOUND, result(**{name + "s": []})])
    subject = reader(transport)
    found = getattr(subject, name)(row["id"])
    assert (found[0].id, found[1]) == (row["id"], row)
    assert getattr(subject, name)(12345) is None


def test_the_lists_behind_the_mapping_are_read():
    since = dt.datetime(2025, 1, 10, 12, 0, tzinfo=dt.UTC)
    for method, plural, row, asked in (
        ("clients", "clients", {"id": 1}, [("search[updated_min]", "2025-01-09")]),
        ("items", "items", {"id": 1, "name": "Widget"}, [("search[updated_min]", "2025-01-09")]),
        ("categories", "categories", {"id": 1, "category": "Gas"}, []),
        ("taxes", "taxes", {"id": 1, "name": "HST", "amount": "13"}, []),
    ):
        transport = FakeTransport(served(plural, [row]))
        subject = reader(transport)
        assert ids(getattr(subject, method)(*([since] if asked else []))) == [1]
        assert filters(transport.requests[0]) == asked


def test_the_login_and_the_account_are_read_for_the_preflight():
    transport = FakeTransport([Reply(200, {"response": {"id": 1, "business_memberships": []}}), result(system={"currency_code": "CAD"})])
    subject = reader(transport)
    assert subject.me() == {"id": 1, "business_memberships": []}
    assert subject.system() == {"currency_code": "CAD"}
    assert transport.requests[0].url == "https://api.freshbooks.example/auth/api/v1/users/me"


def test_a_single_bad_record_is_an_error_of_its_own():
    with pytest.raises(PipelineError, match="expense 77: date is missing"):
        reader(FakeTransport([result(expense=expense(date=None))])).expense(77)
