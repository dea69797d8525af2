"""What the settings decide about documents, also when they change after a sync."""

from collections.abc import Callable
from decimal import Decimal

from fb_qbo_pipeline.sandbox.freshbooks.clock import Clock
from fb_qbo_pipeline.sandbox.freshbooks.state import FreshBooks
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline.sandbox.sample_country import country_named, integration
from fb_qbo_pipeline_tests.pipeline.world import NOW, START, World, day

D = Decimal


def test_an_exception_closes_when_the_settings_are_completed(world: World) -> None:
    invoice = world.invoice(taxes=(("Harmonised", "13"),))
    world.follow()
    assert world.codes() == ["unmapped_tax"]
    world.settings["sales"]["taxes"]["Harmonised"] = "HST ON"
    world.follow()
    assert not world.held()
    assert world.document("invoice", invoice)["TotalAmt"] == D("113.00")


def test_an_invoice_whose_status_is_no_longer_picked_up_is_left_to_a_person(world: World) -> None:
    invoice = world.invoice()
    world.follow()
    world.freshbooks.edit_invoice(invoice, status="draft")
    world.follow()
    assert world.codes() == ["left_scope"]
    assert world.document("invoice", invoice)["TotalAmt"] == D("113.00")
    world.freshbooks.edit_invoice(invoice, status="sent")
    world.follow()
    assert not world.held()


def test_a_receipt_holds_the_payment(world: World) -> None:
    world.settings["sales"]["post_as"] = "sales_receipt"
    paid, open_ = world.invoice("100.00"), world.invoice("50.00", on=day(6))
    world.payment(paid, "113.00", method="PayPal")
    world.follow()
    assert world.count() == {"SalesReceipt": 1}
    assert world.codes() == ["not_paid_in_full"]
    assert world.balances() == {"PayPal Clearing": D("113.00"), "Services": D("-100.00"), "Tax:HST (ON)": D("-13.00")}
    world.payment(open_, "56.50", on=day(18))
    world.follow()
    assert world.count() == {"SalesReceipt": 2}
    assert not world.held()


def test_a_receipt_is_voided_and_restored(world: World) -> None:
    world.settings["sales"]["post_as"] = "sales_receipt"
    invoice = world.invoice()
    world.payment(invoice, "113.00")
    world.follow()
    before = world.balances()
    world.freshbooks.delete("invoice", invoice)
    world.follow()
    assert world.balances() == {}
    world.freshbooks.restore("invoice", invoice)
    world.follow()
    assert world.balances() == before


def test_a_changed_setting_does_not_rewrite_documents_as_another_type(world: World) -> None:
    invoice = world.invoice()
    world.payment(invoice, "113.00")
    world.follow()
    world.settings["sales"]["post_as"] = "sales_receipt"
    counts = world.sync()
    assert world.document("invoice", invoice)["Balance"] == 0
    assert not counts.created


def test_each_country_posts_what_freshbooks_says(make_world: Callable[..., World]) -> None:
    freshbooks = FreshBooks(currency="USD", clock=Clock(NOW))
    world = make_world(settings=integration(country_named("us"), START), freshbooks=freshbooks, quickbooks=QuickBooks("us"))
    invoice = world.invoice("100.00", taxes=(("Sales Tax", "7.25"),))
    world.sync()
    assert world.document("invoice", invoice)["TotalAmt"] == D("107.25")


def test_a_location_that_the_settings_name_no_more_is_cleared_from_what_is_changed(world: World) -> None:
    world.settings["sales"] |= {"location": "Montreal"}
    invoice = world.invoice()
    world.payment(invoice, "20.00")
    world.sync()
    assert "DepartmentRef" in world.document("invoice", invoice)
    del world.settings["sales"]["location"]
    world.sync()
    document = world.document("invoice", invoice)
    assert "DepartmentRef" not in document
    assert (document["TotalAmt"], document["Balance"]) == (D("113.00"), D("93.00"))
    assert not world.held()
