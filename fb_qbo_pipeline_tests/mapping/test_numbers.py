import pytest

from fb_qbo_pipeline.freshbooks.records import Invoice
from fb_qbo_pipeline.mapping.documents import Code, Entity, Mapped, Outcome
from fb_qbo_pipeline.mapping.invoices import map_invoice
from fb_qbo_pipeline.mapping.numbers import document_number, hold_duplicates
from fb_qbo_pipeline_tests.mapping.builders import context, invoice, line, paid


@pytest.mark.parametrize(
    ("prefix", "number", "expected"),
    [("FB", "1234", "FB1234"), ("", "0000007", "0000007"), ("FB-", " 12  34 ", "FB- 12 34"), ("FB", "x" * 19, "FB" + "x" * 19)],
)
def test_a_number_that_fits_is_prefix_and_number(prefix: str, number: str, expected: str) -> None:
    assert document_number(prefix, number) == expected


def test_a_longer_number_keeps_its_beginning_and_is_always_shortened_alike() -> None:
    one, other = document_number("FB", "PROJECT-2025-0000001"), document_number("FB", "PROJECT-2025-0000002")
    assert one.startswith("FBPROJECT-20~")
    assert len(one) == 21
    assert one == document_number("FB", "PROJECT-2025-0000001") != other


def test_a_number_loses_what_quickbooks_refuses_and_stays_apart_from_the_one_that_never_had_it() -> None:
    clean, hidden = document_number("FB", "12"), document_number("FB", "1\x002\u200b")
    assert clean == "FB12"
    assert hidden.startswith("FB1 2~")
    assert hidden.isprintable()


def mapped(source_id: int, number: str, where_receipts: bool = False) -> Mapped:
    where = context(sales={"post_as": "sales_receipt"} if where_receipts else {})
    one: Invoice = (paid if where_receipts else invoice)(line("10.00"), id=source_id, number=number)
    return map_invoice(one, [], where)


def outcomes(decisions: list[Mapped]) -> list[Outcome]:
    return [one.outcome for one in decisions]


DOCUMENT, HELD = Outcome.DOCUMENT, Outcome.HELD


def test_the_lowest_id_keeps_a_number_whatever_the_order_and_case() -> None:
    decisions = hold_duplicates([mapped(3, "a-1"), mapped(2, "A-1"), mapped(4, "A-1"), mapped(5, "A-2")], {})
    assert outcomes(decisions) == [HELD, DOCUMENT, HELD, DOCUMENT]
    problem = decisions[0].problems[0]
    assert problem.code is Code.DUPLICATE_NUMBER
    assert "id 2" in problem.reason
    assert decisions[0].document is None


def test_a_posted_document_keeps_its_number_against_a_lower_id() -> None:
    taken = {(Entity.INVOICE, "FBA-1"): 9}
    assert outcomes(hold_duplicates([mapped(2, "a-1"), mapped(9, "A-1")], taken)) == [HELD, DOCUMENT]
    assert outcomes(hold_duplicates([mapped(2, "a-1")], taken)) == [HELD]


def test_numbers_only_collide_within_an_entity() -> None:
    assert outcomes(hold_duplicates([mapped(1, "A-1"), mapped(2, "A-1", True)], {(Entity.BILL, "FBA-1"): 7})) == [DOCUMENT, DOCUMENT]


def test_records_without_document_or_number_are_left_as_they_are() -> None:
    out = map_invoice(invoice(line("10.00"), status="draft"), [], context())
    unnumbered = [
        map_invoice(invoice(line("10.00"), id=number), [], context(sales={"auto_number": True, "number_prefix": ""})) for number in (1, 2)
    ]
    assert hold_duplicates([out, *unnumbered], {}) == [out, *unnumbered]
