"""The tie-out from the ledger, and the reconciliation that asks both sides anew."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from fb_qbo_pipeline.ledger.exceptions import IGNORED
from fb_qbo_pipeline.pipeline.reconcile import reconcile
from fb_qbo_pipeline.pipeline.stage import restage
from fb_qbo_pipeline.review.conclusion import notes
from fb_qbo_pipeline.review.reconcile import Reconciliation, compare, standing, whereabouts
from fb_qbo_pipeline.review.tieout import by_day, by_month, by_period, tie_out, to_json, totals
from fb_qbo_pipeline.sandbox.quickbooks import operations
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline.sandbox.sample import build_sample
from fb_qbo_pipeline_tests.pipeline.world import START, TODAY, World, day, line

D = Decimal


def _reconcile(world: World) -> Reconciliation:
    with world.runtime() as runtime:
        found = standing(runtime.quickbooks, runtime.integration, START, TODAY)
        lost = whereabouts(runtime.quickbooks, runtime.ledger, found, START, TODAY)
    return compare(world.ledger, found, START, TODAY, lost=lost)


@pytest.fixture
def busy(world: World) -> World:
    """A world with something of everything, synced: posted, held, out of scope, deleted."""
    invoice = world.invoice("100.00", on=day(5))
    world.payment(invoice, "60.00", on=day(10))
    world.expense("56.50", on=day(7))
    world.invoice("40.00", on=day(6), taxes=(("Unheard of", "3"),))
    world.invoice("70.00", on=day(6), status="draft")
    gone = world.invoice("80.00", on=day(8))
    world.sync()
    world.freshbooks.delete("invoice", gone)
    world.sync()
    return world


def test_freshbooks_less_quickbooks_less_held_is_nothing(busy: World) -> None:
    lines = {line.kind: line for line in tie_out(busy.ledger, START, TODAY)}
    sales = lines["sales"]
    assert (sales.documents, sales.freshbooks) == (2, D("154.20"))
    assert (sales.quickbooks, sales.held_documents, sales.held) == (D("113.00"), 1, D("41.20"))
    assert (lines["payments"].quickbooks, lines["expenses"].quickbooks) == (D("60.00"), D("56.50"))
    assert all(line.agrees for line in lines.values())


def test_both_tie_outs_agree(busy: World) -> None:
    result = _reconcile(busy)
    assert result.agrees
    assert [to_json(line) for line in result.lines] == [to_json(line) for line in tie_out(busy.ledger, START, TODAY)]


def test_periods_are_days_or_months_and_add_up_by_currency(busy: World) -> None:
    days = tie_out(busy.ledger, START, TODAY, by_day)
    assert set(by_period(days)) == {day(n).isoformat() for n in (5, 6, 7, 10)}
    (whole,) = totals(days)
    assert (whole.currency, whole.freshbooks) == ("CAD", sum(line.freshbooks for line in tie_out(busy.ledger, START, TODAY, by_month)))


def test_a_document_deleted_by_hand_is_missing(world: World) -> None:
    invoice = world.invoice()
    world.sync()
    posted = world.document("invoice", invoice)["Id"]
    world.quickbooks.remove("Invoice", posted)
    result = _reconcile(world)
    expected = f"is missing in QuickBooks: Invoice {posted} was deleted there"
    assert [(finding.source_id, finding.problem, finding.party) for finding in result.findings] == [(invoice, expected, "Acme Ltd")]
    assert not result.agrees
    assert "fb-qbo exceptions post ID makes it again" in result.findings[0].remedy


def test_the_exception_about_a_document_deleted_by_hand_leads_to_making_it_again(world: World) -> None:
    invoice = world.invoice()
    world.sync()
    world.quickbooks.remove("Invoice", world.document("invoice", invoice)["Id"])
    world.freshbooks.edit_invoice(invoice, lines=[line("200.00")])
    world.sync()
    (held,) = world.held()
    assert held["code"] == "changed_in_quickbooks"
    (finding,) = _reconcile(world).findings
    assert finding.remedy.startswith(f"fb-qbo exceptions post {held['id']} makes it again")
    assert f"fb-qbo exceptions ignore {held['id']} --reason" in finding.remedy


def test_an_amount_changed_by_hand_is_named_with_both_amounts(world: World) -> None:
    invoice = world.invoice()
    world.sync()
    world.quickbooks.edit("Invoice", world.document("invoice", invoice)["Id"], TotalAmt=D("99.00"), Balance=D("99.00"))
    (finding,) = _reconcile(world).findings  # the open balance follows from the amount
    assert finding.problem == "113.00 CAD in FreshBooks, 99.00 in QuickBooks"
    assert finding.remedy.startswith("Undo the change in QuickBooks")
    assert finding.remedy.endswith("change the amount in FreshBooks")


def test_what_has_changed_in_freshbooks_since_has_a_sync_as_its_remedy(world: World) -> None:
    invoice = world.invoice(on=day(5))
    world.sync()
    world.freshbooks.edit_invoice(invoice, lines=[line("1000.00")])
    with world.runtime() as runtime:
        (finding,) = reconcile(runtime, START, TODAY).findings
    assert finding.problem == "1,130.00 CAD in FreshBooks, 113.00 in QuickBooks"
    assert f"fb-qbo sync --from {day(5)} --to {day(5)}" in finding.remedy


@pytest.mark.parametrize(
    ("change", "words", "remedy"),
    [
        ({"TxnDate": "2026-03-09"}, "dated 2026-03-05", "change the date in FreshBooks"),
        ({"Balance": D("1.00")}, "open balance 113.00", "Compare its payments"),
        ({"DocNumber": "MINE"}, "numbered MINE in QuickBooks instead of FB", "change the number in FreshBooks"),
    ],
)
def test_a_date_a_balance_or_a_number_changed_by_hand_is_named(world: World, change: dict[str, object], words: str, remedy: str) -> None:
    invoice = world.invoice()
    world.sync()
    world.quickbooks.edit("Invoice", world.document("invoice", invoice)["Id"], **change)
    (finding,) = _reconcile(world).findings
    assert words in finding.problem
    assert remedy in finding.remedy


def test_a_document_voided_by_hand_is_missing_and_says_so(world: World) -> None:
    expected = world.payment(world.invoice(), "113.00")
    world.sync()
    posted = world.document("payment", expected)
    body = {"Id": posted["Id"], "SyncToken": posted["SyncToken"], "sparse": True}
    operations.write(world.quickbooks, "Payment", body, operation="update", include="void")
    problems = {finding.source: finding.problem for finding in _reconcile(world).findings}
    assert problems["payment"] == f"is missing in QuickBooks: Payment {posted['Id']} was voided there"
    assert "open balance 0.00 in FreshBooks, 113.00 in QuickBooks" in problems["invoice"]


@pytest.mark.parametrize(
    ("change", "words", "remedy"),
    [
        ({"TxnDate": "2026-05-01"}, "is dated 2026-05-01 there", "Set its date back to 2026-03-07 in QuickBooks"),
        ({"PrivateNote": "my own memo"}, "has lost its marker", "Put the old memo back in QuickBooks"),
        ({"DocNumber": "MINE"}, "numbered MINE in QuickBooks instead of EXP-", "Undo the change in QuickBooks"),
    ],
)
def test_a_bill_edited_by_hand_is_named_with_what_was_done_to_it(world: World, change: dict[str, object], words: str, remedy: str) -> None:
    expense = world.expense()
    world.sync()
    posted = world.document("expense", expense)
    world.quickbooks.edit("Bill", posted["Id"], **change)
    (finding,) = _reconcile(world).findings
    assert (finding.source, finding.source_id) == ("expense", expense)
    assert words in finding.problem
    assert finding.remedy.startswith(remedy)


def test_a_bill_moved_to_another_account_by_hand_is_named(world: World) -> None:
    expense = world.expense()
    world.sync()
    posted = world.document("expense", expense)
    (row,) = posted["Line"]
    detail = row["AccountBasedExpenseLineDetail"] | {"AccountRef": {"value": world.quickbooks.named("Account", "Rent")["Id"]}}
    world.quickbooks.edit("Bill", posted["Id"], Line=[row | {"AccountBasedExpenseLineDetail": detail}])
    (finding,) = _reconcile(world).findings
    assert "its lines, its texts or who it is with" in finding.problem
    assert finding.remedy.startswith("Undo the change in QuickBooks")


def test_a_change_on_both_sides_differs_until_a_person_accepts_it(world: World) -> None:
    invoice = world.invoice("100.00")
    world.sync()
    world.quickbooks.edit("Invoice", world.document("invoice", invoice)["Id"], TotalAmt=D("99.00"), Balance=D("99.00"))
    world.freshbooks.edit_invoice(invoice, lines=[line("200.00")])
    world.sync()
    assert world.codes() == ["changed_in_quickbooks"]
    result = _reconcile(world)
    assert "226.00 CAD in FreshBooks, 99.00 in QuickBooks" in [finding.problem for finding in result.findings]
    assert (result.documents[0].code, result.documents[0].held) == ("changed_in_quickbooks", False)
    assert {finding.remedy for finding in result.findings} == {world.held()[0]["remedy"]}
    assert "fb-qbo exceptions lists 1 document more (226.00 CAD)" in notes(result)[0]
    with world.ledger.begin() as tx:
        tx.exceptions.set_status(world.held()[0]["id"], IGNORED, "agreed with the client")
    assert _reconcile(world).agrees


def test_what_neither_stands_nor_is_held_is_a_difference(world: World) -> None:
    """Such as a document that was staged by a run which never came to post it."""
    world.expense("56.50")
    with world.runtime() as runtime:
        for _ in restage(runtime, START, TODAY):
            pass
    (line,) = tie_out(world.ledger, START, TODAY)
    assert (line.difference, line.agrees) == (D("56.50"), False)


def test_a_document_that_freshbooks_has_moved_meanwhile_tells_both_dates(world: World) -> None:
    invoice = world.invoice(on=day(5))
    world.sync()
    world.freshbooks.edit_invoice(invoice, date="2026-05-01")
    with world.runtime() as runtime:
        (finding,) = reconcile(runtime, START, TODAY).findings
    assert (finding.source_id, finding.date) == (invoice, day(5))
    assert "FreshBooks dates the document 2026-05-01" in finding.problem
    assert "fb-qbo sync --from 2026-03-05 --to 2026-05-01" in finding.remedy


def test_a_document_that_stands_twice_is_named_with_its_ids(world: World) -> None:
    invoice = world.invoice()
    world.sync()
    posted = world.document("invoice", invoice)
    world.typed_by_hand("COPY", note=posted["PrivateNote"])
    (finding, *_rest) = _reconcile(world).findings
    assert "2 times" in finding.problem
    assert posted["Id"] in finding.problem
    assert f"keep Invoice {posted['Id']}" in finding.remedy


def test_a_document_with_a_marker_that_freshbooks_does_not_know_is_a_stranger(world: World) -> None:
    world.invoice()
    world.sync()
    world.typed_by_hand("STRANGE", note="fb:ABC123/invoice/999")
    (finding,) = _reconcile(world).findings
    assert (finding.source_id, "not in FreshBooks" in finding.problem) == (999, True)
    assert finding.remedy.startswith("Void Invoice ")


def test_documents_of_others_are_none_of_our_business(world: World) -> None:
    world.invoice()
    world.sync()
    world.typed_by_hand("THEIRS", note="fb:OTHER/invoice/999")
    world.typed_by_hand("PLAIN")
    assert _reconcile(world).agrees


def test_a_document_left_out_later_is_shown_by_both(world: World) -> None:
    invoice = world.invoice()
    world.sync()
    world.freshbooks.edit_invoice(invoice, status="draft")
    world.sync()
    (line,) = tie_out(world.ledger, START, TODAY)
    assert not line.agrees
    assert _reconcile(world).lines[0].quickbooks == D("113.00")


def test_a_held_change_keeps_the_earlier_amount_and_explains_the_gap(world: World) -> None:
    invoice = world.invoice()
    world.sync()
    world.freshbooks.edit_invoice(invoice, lines=[line("100.00", (("Unheard of", "3"),))])
    world.sync()
    (sales,) = tie_out(world.ledger, START, TODAY)
    assert (sales.freshbooks, sales.quickbooks, sales.held) == (D("103.00"), D("113.00"), D("-10.00"))
    assert (sales.held_money, sales.held_booked) == (D("103.00"), D("113.00"))
    assert sales.agrees
    assert [to_json(line) for line in _reconcile(world).lines] == [to_json(sales)]


def test_a_held_document_never_shows_as_nothing(world: World) -> None:
    invoice = world.invoice()
    world.sync()
    world.freshbooks.edit_invoice(invoice, lines=[line("100.00", (("Unheard of", "13"),))])
    world.sync()
    (sales,) = _reconcile(world).lines
    assert (sales.held, sales.difference) == (D("0.00"), D("0.00"))
    assert (sales.held_documents, sales.held_money, sales.held_booked) == (1, D("113.00"), D("113.00"))


def test_what_left_the_scope_is_held_with_its_money(world: World) -> None:
    invoice = world.invoice()
    world.sync()
    world.freshbooks.edit_invoice(invoice, status="draft")
    world.sync()
    result = _reconcile(world)
    (sales,) = result.lines
    assert (sales.documents, sales.held_documents, sales.held_money, sales.held_booked) == (0, 1, D("113.00"), D("113.00"))
    assert [(one.held, one.status, one.code) for one in result.documents] == [(True, "open", "left_scope")]
    assert sales.difference == D("0.00")


def test_a_month_of_the_sample_company_ties_out(make_world: Callable[..., World]) -> None:
    sample = build_sample("ca", TODAY)
    start, end = day(1), TODAY
    world = make_world(
        settings=sample.integration | {"start_date": start}, freshbooks=sample.freshbooks, quickbooks=QuickBooks(sample.quickbooks_country)
    )
    world.sync(start, end)
    lines = tie_out(world.ledger, start, end)
    assert {line.kind for line in lines} == {"sales", "payments", "expenses"}
    assert all(line.agrees for line in lines)
    with world.runtime() as runtime:
        result = compare(world.ledger, standing(runtime.quickbooks, runtime.integration, start, end), start, end)
    assert result.findings == []
    assert [to_json(line) for line in result.lines] == [to_json(line) for line in lines]
    assert world.sync(start, end).created == {}
