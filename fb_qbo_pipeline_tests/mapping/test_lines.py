from typing import Any

import pytest

from fb_qbo_pipeline.freshbooks.records import InvoiceLine
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.lines import SalesLine, sales_lines
from fb_qbo_pipeline.mapping.references import Problems
from fb_qbo_pipeline_tests.mapping.builders import D, context, invoice, line


def mapped(*lines: InvoiceLine, where: Context | None = None) -> list[SalesLine]:
    where = where or context(sales={"products": {"create": True, "income_account": "Services", "default_product": "Services"}})
    assert where.integration.sales is not None
    problems = Problems()
    found, _ = sales_lines(invoice(*lines), where.integration.sales, {}, where, problems)
    assert problems == []
    return found


@pytest.mark.parametrize(
    ("quantity", "price", "amount"),
    [
        ("2", "50", "100.00"),
        ("128.35", "14.50", "1861.08"),
        ("0.33333", "3", "1.00"),
        ("-1", "20", "-20.00"),
        ("4.000", "5.00", "20.00"),
        ("0", "9", "0.00"),
    ],
)
def test_quantity_and_price_are_kept_where_they_give_the_amount(quantity: str, price: str, amount: str) -> None:
    found = mapped(line(amount, quantity=quantity, price=price))[0]
    assert (found.quantity, found.unit_price, found.amount) == (D(quantity), D(price), D(amount))
    assert found.description == ""


@pytest.mark.parametrize(
    ("quantity", "price", "amount"), [("12.95", "75", "970.88"), ("0.333333", "3", "1.00"), ("1", "0.000001", "0.00"), ("3", "5", "0.00")]
)
def test_otherwise_the_line_is_one_piece_and_shows_what_freshbooks_showed(quantity: str, price: str, amount: str) -> None:
    found = mapped(line(amount, quantity=quantity, price=price, description="Work"))[0]
    assert (found.quantity, found.unit_price, found.amount) == (D("1"), D(amount), D(amount))
    assert found.description == f"Work\n{quantity} × {price}"


def test_an_amount_of_three_decimals_is_rounded_half_up() -> None:
    assert mapped(line("0.125", quantity="1", price="0.125"))[0].amount == D("0.13")


@pytest.mark.parametrize(
    ("change", "description"),
    [
        ({"name": "Design", "description": "Logo"}, "Logo"),
        ({"name": "DESIGN", "description": ""}, ""),
        ({"name": "", "description": "Logo"}, "Logo"),
        ({"name": "Web: Site", "description": "Logo\r\nand page"}, "Web: Site\nLogo\nand page"),
    ],
)
def test_the_description_names_the_product_where_the_item_does_not(change: dict[str, Any], description: str) -> None:
    assert mapped(line("10.00", **change))[0].description == description


def test_a_description_is_cut_but_keeps_quantity_and_price() -> None:
    found = mapped(line("970.88", quantity="12.95", price="75", description="x" * 5000))[0]
    assert len(found.description) == 4000
    assert found.description.endswith("x\n12.95 × 75")


def test_a_line_of_text_only_carries_no_money_and_an_empty_one_is_dropped() -> None:
    found = mapped(line("10.00"), line("0.00", name="", description="Thank you"), line("0.00", name=" "))
    assert [one.item is None for one in found] == [False, True]
    assert found[1].body("5") == {"Description": "Thank you", "DetailType": "DescriptionOnly", "DescriptionLineDetail": {}}


def test_a_named_line_of_nothing_keeps_its_product() -> None:
    assert mapped(line("0.00", name="Design"))[0].item == "@item/design"


def test_an_item_is_asked_for_once_however_many_lines_need_it() -> None:
    where = context()
    assert where.integration.sales is not None
    _, items = sales_lines(invoice(line("1.00", name="New"), line("2.00", name="NEW")), where.integration.sales, {}, where, Problems())
    assert [one.key for one in items] == ["new"]
