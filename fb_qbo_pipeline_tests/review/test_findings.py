"""The rules behind the checks, on books written down by hand."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from fb_qbo_pipeline.ledger.posted import VOIDED, Posted
from fb_qbo_pipeline.review import findings
from fb_qbo_pipeline.review.books import read_books
from fb_qbo_pipeline.review.findings import Books, Clearing, Finding
from fb_qbo_pipeline_tests.pipeline.world import World, day

DAY = dt.date(2026, 3, 5)
PROBLEM = {"code": "unmapped_tax", "reason": "no code", "remedy": "map it"}


def row(source: str = "invoice", source_id: int = 1, amount: str = "113.00", **changed: Any) -> dict[str, Any]:
    """A staged row that is to be posted."""
    entity = {"invoice": "Invoice", "payment": "Payment", "expense": "Bill"}[source]
    values = {
        "source": source,
        "source_id": source_id,
        "partition_date": DAY,
        "document_date": DAY,
        "outcome": "document",
        "label": f"000{source_id}",
        "party": "Acme Ltd",
        "amount": Decimal(amount),
        "currency": "CAD",
        "entity": entity,
        "total": Decimal(amount),
        "balance": Decimal(0) if source == "invoice" else None,
        "requires_invoice": 1 if source == "payment" else None,
        "problems": [],
    }
    return values | changed


def held(code: str, **changed: Any) -> dict[str, Any]:
    """A staged row that is held."""
    return row(outcome="held", problems=[PROBLEM | {"code": code}], **changed)


def posted(source: str = "invoice", source_id: int = 1, total: str = "113.00", **changed: Any) -> Posted:
    """A document as it stands in QuickBooks."""
    entity = {"invoice": "Invoice", "payment": "Payment", "expense": "Bill"}[source]
    document = Posted(source, source_id, entity, "5", "0", f"FB{source_id}", DAY, "CAD", Decimal(total), Decimal(0), "posted", "f")
    return replace(document, **changed)


def books(rows: list[dict[str, Any]], *documents: Posted, **more: Any) -> Books:
    return Books(rows, {(document.source, document.source_id): document for document in documents}, **more)


def money(found: list[Finding]) -> list[tuple[int, Decimal]]:
    return [(int(one.number), one.amount) for one in found]


RULES = [
    findings.held,
    findings.unmapped_sales,
    findings.unmapped_payments,
    findings.unmapped_expenses,
    findings.in_closed_period,
    findings.neither_posted_nor_held,
    findings.unequal_totals,
    findings.unlinked_payments,
    findings.unequal_balances,
    findings.duplicate_numbers,
    findings.fallbacks,
    findings.unexplained_clearing,
]


@pytest.mark.parametrize("rule", RULES)
def test_no_rule_finds_anything_in_books_that_are_well(rule: Callable[[Books], list[Finding]]) -> None:
    rows = [row(), row("payment", 2), row("expense", 3, "56.50"), row(source_id=4, outcome="out_of_scope")]
    well = books(
        rows,
        posted(),
        posted("payment", 2, number=None),
        posted("expense", 3, "56.50"),
        payments={1: [(2, Decimal("113.00"))]},
        methods={2: "PayPal"},
        vendors=frozenset({3}),
        applied={2: Decimal("113.00")},
    )
    assert rule(well) == []


def exception(code: str, status: str = "open") -> dict[str, str]:
    """An unresolved exception."""
    return PROBLEM | {"code": code, "status": status}


def test_a_held_document_is_found_with_its_code_reason_and_remedy() -> None:
    (found,) = findings.held(books([held("unmapped_tax"), row(source_id=2)], held={("invoice", 1): exception("unmapped_tax")}))
    assert (found.number, found.party, found.amount, found.currency) == ("0001", "Acme Ltd", Decimal("113.00"), "CAD")
    assert (found.reason, found.remedy, found.day) == ("unmapped_tax: no code", "map it", DAY)


def test_what_posting_held_counts_as_held_and_what_a_person_ignores_does_not() -> None:
    exceptions = {("invoice", 1): exception("refused"), ("invoice", 2): exception("refused", "ignored")}
    assert money(findings.held(books([row(), row(source_id=2)], held=exceptions))) == [(1, Decimal("113.00"))]


@pytest.mark.parametrize(
    ("rule", "code", "source"),
    [
        (findings.unmapped_sales, "unmapped_tax", "invoice"),
        (findings.unmapped_sales, "unmapped_product", "invoice"),
        (findings.unmapped_expenses, "unmapped_category", "expense"),
        (findings.unmapped_expenses, "wrong_account_type", "expense"),
        (findings.unmapped_payments, "credit_without_account", "payment"),
        (findings.duplicate_numbers, "duplicate_number", "invoice"),
        (findings.in_closed_period, "closed_period", "invoice"),
    ],
)
def test_a_rule_about_one_cause_finds_that_cause_only(rule: Callable[[Books], list[Finding]], code: str, source: str) -> None:
    rows = [held(code, source=source), held("refused", source=source, source_id=2)]
    assert money(rule(books(rows))) == [(1, Decimal("113.00"))]


def test_a_change_that_a_closed_period_refused_when_posting_is_found_too() -> None:
    refused = {("invoice", 1): exception("closed_period")}
    assert len(findings.in_closed_period(books([row()], posted(), held=refused))) == 1


def test_what_is_neither_posted_nor_held_is_found() -> None:
    rows = [row(), row(source_id=2), row(source_id=3), row(source_id=4)]
    lost = books(rows, posted(), posted(source_id=2, state=VOIDED), held={("invoice", 3): exception("refused")})
    assert money(findings.neither_posted_nor_held(lost)) == [(2, Decimal("113.00")), (4, Decimal("113.00"))]


def test_of_an_unequal_total_the_difference_is_at_stake() -> None:
    (found,) = findings.unequal_totals(books([row()], posted(total="112.99")))
    assert (found.amount, found.reason) == (Decimal("0.01"), "113.00 CAD in FreshBooks, 112.99 CAD in QuickBooks")
    assert findings.unequal_totals(books([row()], posted(currency="USD"))) != []


def test_a_vendor_credit_is_a_negative_expense() -> None:
    credit = posted("expense", 3, "56.50", entity="VendorCredit")
    assert findings.unequal_totals(books([row("expense", 3, "-56.50")], credit)) == []


def test_a_payment_of_more_than_the_invoice_is_found_with_the_rest() -> None:
    document = {"body": {"Line": [{"Amount": Decimal("100.00"), "LinkedTxn": [{"TxnId": "@invoice/1"}]}]}}
    applied = {2: findings.applied(document)}
    found = findings.unlinked_payments(books([row("payment", 2)], posted(), posted("payment", 2), applied=applied))
    assert money(found) == [(2, Decimal("13.00"))]


def test_a_payment_whose_invoice_was_voided_is_found_whole() -> None:
    found = findings.unlinked_payments(books([row("payment", 2)], posted(state=VOIDED), posted("payment", 2)))
    assert money(found) == [(2, Decimal("113.00"))]


PAID = {1: [(2, Decimal("113.00"))]}


@pytest.mark.parametrize(
    ("balance", "payments", "documents", "at_stake"),
    [
        ("0", PAID, [posted("payment", 2)], []),
        ("0", PAID, [], []),  # the payment is held, or of a later day
        ("0", {}, [], []),  # the payment has not been read yet
        ("13.00", {1: [(2, Decimal("100.00"))]}, [posted("payment", 2, "100.00")], []),
        ("50.00", PAID, [posted("payment", 2)], ["50.00"]),  # FreshBooks takes less as paid than was received
        ("113.00", {}, [], []),
    ],
)
def test_the_open_balance_is_what_payments_leave(
    balance: str, payments: dict[int, Any], documents: list[Posted], at_stake: list[str]
) -> None:
    found = findings.unequal_balances(books([row(balance=Decimal(balance))], posted(), *documents, payments=payments))
    assert [one.amount for one in found] == [Decimal(amount) for amount in at_stake]


def test_two_documents_under_one_number_are_both_found() -> None:
    rows = [row(), row(source_id=2), row(source_id=3)]
    standing = (posted(number="FB7"), posted(source_id=2, number="fb7"), posted(source_id=3, number="FB8"))
    found = findings.duplicate_numbers(books(rows, *standing, numbers={("Invoice", "fb7"): 2, ("Invoice", "fb8"): 1}))
    assert [one.number for one in found] == ["0001", "0002"]


def test_a_number_that_a_document_of_another_day_has_is_found(world: World) -> None:
    """What QuickBooks holds counts, not what a run happens to look at."""
    for number, on in (("31", day(5)), ("32", day(6))):
        world.invoice(number=number, on=on)
    world.sync()
    with world.ledger.begin() as tx:
        (other,) = tx.posted.in_dates(day(6), day(6))
        tx.posted.save([replace(other, number="fb31")])
        of_one_day = read_books(tx, day(5), day(5))
    assert [one.number for one in findings.duplicate_numbers(of_one_day)] == ["31"]


def test_defaults_are_found_by_what_was_missing() -> None:
    lines = [{"SalesItemLineDetail": {"ItemRef": {"value": value}}} for value in ("9", "@item/design", "9")]
    rows = [row(), row("payment", 2), row("expense", 4), row("expense", 5)]
    defaulted = {1: findings.lines_on({"body": {"Line": lines}}, "9")}
    found = findings.fallbacks(books(rows, defaulted=defaulted, vendors=frozenset({5})))
    assert [(one.number, one.reason.split(":")[0]) for one in found] == [
        ("0001", "2 lines are on the default product"),
        ("0004", "names no vendor"),
    ]


def test_clearing_accounts_add_up_by_method_and_currency() -> None:
    rows = [row("payment", 2), row("payment", 3, "10.00"), row("payment", 4, "5.00", outcome="held"), row("payment", 5, "1.00")]
    known = books(rows, posted("payment", 2), posted("payment", 3, "10.00"), methods={2: "PayPal", 3: "PayPal", 4: "PayPal"})
    assert findings.clearing(known, rows) == [
        Clearing("PayPal", "CAD", 3, Decimal("128.00"), Decimal("123.00"), Decimal("5.00")),
        Clearing("no method", "CAD", 1, Decimal("1.00"), Decimal(0), Decimal(0)),
    ]
    assert money(findings.unexplained_clearing(known)) == [(5, Decimal("1.00"))]
