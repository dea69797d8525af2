"""Every exception code of the contract comes up in a sync, and what its remedy says closes it."""

from collections.abc import Callable
from typing import Any

import pytest

from fb_qbo_pipeline.mapping.documents import Code
from fb_qbo_pipeline.sandbox.freshbooks.clock import Clock
from fb_qbo_pipeline.sandbox.freshbooks.state import FreshBooks
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline.sandbox.sample_country import country_named, integration
from fb_qbo_pipeline_tests.pipeline.world import NOW, START, World, day, line

Cure = Callable[[], object]
CASES: dict[Code, Callable[[World], Cure]] = {}


def case(code: Code) -> Callable[[Callable[[World], Cure]], Callable[[World], Cure]]:
    """Registers how a world gets to an exception; the case returns what the remedy is."""

    def register(lead: Callable[[World], Cure]) -> Callable[[World], Cure]:
        CASES[code] = lead
        return lead

    return register


def setting(world: World, *path: str, to: Any) -> Cure:
    """Changes the setting at `path`."""
    *sections, key = path

    def change() -> None:
        place = world.settings
        for section in sections:
            place = place[section]
        place[key] = to

    return change


@case(Code.UNMAPPED_TAX)
def _unmapped_tax(world: World) -> Cure:
    world.invoice(taxes=(("Eco Levy", "2"),))
    return setting(world, "sales", "taxes", "Eco Levy", to="GST")


@case(Code.UNMAPPED_PRODUCT)
def _unmapped_product(world: World) -> Cure:
    products = world.settings["sales"]["products"]
    world.settings["sales"]["products"] = {"create": False}
    world.invoice()
    return setting(world, "sales", "products", to=products)


@case(Code.UNMAPPED_CATEGORY)
def _unmapped_category(world: World) -> Cure:
    world.freshbooks.add_expense("20.00", world.freshbooks.add_category("Barter")["id"], day(4))
    return setting(world, "expenses", "categories", "Barter", to="Other")


@case(Code.NOT_PAID_IN_FULL)
def _not_paid_in_full(world: World) -> Cure:
    world.settings["sales"]["post_as"] = "sales_receipt"
    invoice = world.invoice("100.00")
    world.payment(invoice, "13.00")
    return lambda: world.payment(invoice, "100.00")


@case(Code.SEVERAL_DEPOSIT_ACCOUNTS)
def _several_deposit_accounts(world: World) -> Cure:
    world.settings["sales"]["post_as"] = "sales_receipt"
    invoice = world.invoice("100.00")
    world.payment(invoice, "13.00", method="PayPal")
    world.payment(invoice, "100.00", method="Check")
    return setting(world, "payments", "by_method", to={})


@case(Code.WRONG_ACCOUNT_TYPE)
def _wrong_account_type(world: World) -> Cure:
    world.settings["payments"]["deposit_account"] = "Services"
    world.payment(world.invoice(), "113.00")
    return setting(world, "payments", "deposit_account", to="Undeposited Funds")


@case(Code.CREDIT_WITHOUT_ACCOUNT)
def _credit_without_account(world: World) -> Cure:
    world.payment(world.invoice(), "113.00", method="Credit", from_credit=True)
    return setting(world, "payments", "credit_account", to="Customer Credits")


@case(Code.WAITING_FOR_INVOICE)
def _waiting_for_invoice(world: World) -> Cure:
    invoice = world.invoice(taxes=(("Eco Levy", "2"),))
    world.payment(invoice, "102.00")
    return setting(world, "sales", "taxes", "Eco Levy", to="GST")


@case(Code.DUPLICATE_NUMBER)
def _duplicate_number(world: World) -> Cure:
    world.invoice(number="7", client=world.client("Acme Ltd"))
    second = world.invoice(number="7", client=world.client("Zenith Ltd"))
    return lambda: world.freshbooks.edit_invoice(second, number="8")


@case(Code.TOTAL_MISMATCH)
def _total_mismatch(world: World) -> Cure:
    """QuickBooks computes 7.25 % although FreshBooks charged 8.5 %."""
    world.invoice(taxes=(("Sales Tax", "8.5"),))
    return setting(world, "sales", "taxes", "Sales Tax", to="New York")


@case(Code.NEGATIVE_AMOUNT)
def _negative_amount(world: World) -> Cure:
    invoice = world.invoice("-50.00")
    return lambda: world.freshbooks.edit_invoice(invoice, lines=[line("50.00")])


@case(Code.CURRENCY_OFF)
def _currency_off(world: World) -> Cure:
    world.invoice(currency="USD")
    return lambda: setattr(world.quickbooks, "multicurrency", True)


@case(Code.CLOSED_PERIOD)
def _closed_period(world: World) -> Cure:
    world.quickbooks.close_date = day(10)
    world.invoice(on=day(5))
    return lambda: setattr(world.quickbooks, "close_date", day(4))


@case(Code.INACTIVE_REFERENCE)
def _inactive_reference(world: World) -> Cure:
    retail = world.quickbooks.named("Class", "Retail")
    world.quickbooks.edit("Class", retail["Id"], Active=False)
    world.settings["sales"]["class"] = "Retail"
    world.invoice()
    return lambda: world.quickbooks.edit("Class", retail["Id"], Active=True)


@case(Code.CHANGED_IN_QUICKBOOKS)
def _changed_in_quickbooks(world: World) -> Cure:
    invoice = world.invoice()
    world.sync()
    posted = world.document("invoice", invoice)
    world.quickbooks.edit("Invoice", posted["Id"], DueDate="2026-12-31")
    world.freshbooks.edit_invoice(invoice, lines=[line("200.00")])
    return lambda: world.quickbooks.edit("Invoice", posted["Id"], DueDate=posted["DueDate"])


@case(Code.LEFT_SCOPE)
def _left_scope(world: World) -> Cure:
    invoice = world.invoice()
    world.sync()
    world.freshbooks.edit_invoice(invoice, status="draft")
    return lambda: world.freshbooks.edit_invoice(invoice, status="sent")


@case(Code.REFUSED)
def _refused(world: World) -> Cure:
    world.quickbooks.plan = "Simple Start"  # a plan without bills
    world.expense()
    return lambda: setattr(world.quickbooks, "plan", "Plus")


def test_every_code_has_a_case() -> None:
    assert set(CASES) == set(Code)


@pytest.mark.parametrize("code", Code)
def test_an_exception_comes_up_and_what_its_remedy_says_closes_it(make_world: Callable[..., World], code: Code) -> None:
    options: dict[str, Any] = {}
    if code is Code.TOTAL_MISMATCH:  # a company whose automated sales tax computes its own
        options = {
            "settings": integration(country_named("us"), START),
            "freshbooks": FreshBooks(currency="USD", clock=Clock(NOW)),
            "quickbooks": QuickBooks("us", us_honours_total_tax=False),
        }
    world = make_world(**options)
    cure = CASES[code](world)
    world.sync(fresh=True)
    assert code in world.codes()
    held = next(row for row in world.held() if row["code"] == code)
    assert held["reason"]
    assert held["remedy"]
    cure()
    world.sync(fresh=True)
    assert world.codes() == []
