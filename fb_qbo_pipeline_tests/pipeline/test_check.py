"""The preflight against both sandboxes: its steps, its findings and their remedies."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from fb_qbo_pipeline.embedded.layout import MAJOR
from fb_qbo_pipeline.errors import ConfigurationError, ConnectionRequired, Unreachable
from fb_qbo_pipeline.freshbooks.records import Item, VisState
from fb_qbo_pipeline.ledger.tables import token
from fb_qbo_pipeline.ledger.versions import OLDEST_MINOR
from fb_qbo_pipeline.pipeline.check import check, held_documents, look_alike_products
from fb_qbo_pipeline.pipeline.check_report import CheckFinding, CheckReport, Severity, State, Step, failed
from fb_qbo_pipeline.sandbox.freshbooks.faults import Fault
from fb_qbo_pipeline.sandbox.freshbooks.state import FreshBooks
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline.sandbox.sample_country import country_named, integration
from fb_qbo_pipeline_tests.pipeline.world import START, Sandboxes, World, day

D = Decimal
LEVY = (("Eco Levy", "2"),)


def checked(world: World) -> CheckReport:
    with world.runtime() as runtime:
        return check(runtime)


def states(report: CheckReport) -> dict[str, str]:
    return {step.title: step.state.value for step in report.steps}


def keys(report: CheckReport) -> list[str]:
    return [finding.key for finding in report.findings]


def finding(report: CheckReport, key: str) -> CheckFinding:
    found = [one for one in report.findings if one.key == key]
    assert len(found) == 1, f"{key}: {found}"
    return found[0]


def test_a_company_where_everything_fits(world: World) -> None:
    world.payment(world.invoice(), "113.00")
    world.expense()
    report = checked(world)
    assert report.ok
    assert report.findings == []
    assert report.exit_status(strict=True) == 0
    assert [(step.title, step.state, step.detail) for step in report.steps] == [
        ("Settings", State.OK, "acme: sales, payments, expenses from 2026-03-01"),
        ("FreshBooks", State.OK, "Sandbox Company (ABC123), CAD"),
        ("QuickBooks", State.OK, "Maple Sandbox Ltd. (9341452000000000), CA, CAD"),
        ("Settings against QuickBooks", State.OK, "every name, tax and feature fits"),
        ("FreshBooks' lists", State.OK, "1 client, 0 products, 1 expense category"),
        ("Documents", State.OK, "3 documents in scope from 2026-03-01 to 2026-03-20, 0 would be held"),
    ]


def test_a_database_with_known_holes_is_a_warning_with_the_version_to_take(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OLDEST_MINOR, MAJOR, 99)
    report = checked(world)
    old = finding(report, "database")
    assert states(report)["Database"] == "warning"
    assert "whose known security holes are open" in old.message
    assert f"update it to {MAJOR}.99 or newer" in old.remedy


def test_held_documents_come_by_code_with_money_examples_and_remedy(world: World) -> None:
    world.invoice("100.00", number="31", taxes=LEVY)
    world.payment(world.invoice("50.00", number="32", taxes=LEVY), "20.00")
    report = checked(world)
    tax = finding(report, "unmapped_tax")
    assert (tax.documents, tax.amount, tax.examples) == (2, {"CAD": D("153.00")}, ("invoice 31", "invoice 32"))
    assert "Eco Levy 2%" in tax.message
    assert "sales.taxes" in tax.remedy
    assert finding(report, "waiting_for_invoice").documents == 1
    assert report.ok
    assert (report.exit_status(strict=False), report.exit_status(strict=True)) == (0, 3)
    assert states(report)["Documents"] == "warning"


def test_a_name_that_quickbooks_does_not_have_is_fatal_and_does_not_hide_the_documents(world: World) -> None:
    world.settings["payments"]["deposit_account"] = "Chequeing"
    world.invoice(taxes=LEVY)
    report = checked(world)
    wrong = finding(report, "payments.deposit_account")
    assert (wrong.severity, wrong.documents) == (Severity.ERROR, 0)
    assert "QuickBooks has no account “Chequeing”" in wrong.message
    assert finding(report, "unmapped_tax").documents == 1
    assert not report.ok
    assert report.exit_status(strict=True) == 2
    assert report.findings[0] == wrong  # errors first
    assert states(report)["Settings against QuickBooks"] == "problem"


def test_features_that_are_off_and_numbers_that_would_collide_are_named(world: World) -> None:
    world.quickbooks.custom_numbers = False
    world.quickbooks.locations = False
    world.settings["sales"]["location"] = "Montreal"
    found = keys(checked(world))
    assert {"sales.number_prefix", "sales.location"} <= set(found)


def test_a_company_that_was_corrected_a_moment_ago_is_seen_as_it_is(world: World) -> None:
    world.quickbooks.custom_numbers = False
    assert not checked(world).ok
    world.quickbooks.custom_numbers = True
    assert checked(world).ok


def test_rates_that_differ_and_taxes_that_nobody_mapped_are_found_without_any_document(world: World) -> None:
    world.freshbooks.add_tax("HST", "15")
    world.freshbooks.add_tax(*LEVY[0])
    report = checked(world)
    assert "FreshBooks charges 15%" in finding(report, "sales.taxes.HST 15%").message
    assert "not mapped" in finding(report, "sales.taxes.Eco Levy").message


def test_products_with_one_name_are_reported(world: World) -> None:
    for name in ("Mugs", "Mugs"):
        world.freshbooks.add_item(name)
    assert "2 products called" in finding(checked(world), "sales.products").message


def test_products_whose_names_differ_in_case_only_are_reported(world: World) -> None:
    for name in ("Mugs", "MUGS"):
        world.freshbooks.add_item(name)
    assert "“Mugs” and “MUGS” differ in case only" in finding(checked(world), "sales.products").message


def test_products_do_not_matter_where_sales_are_off(world: World) -> None:
    for name in ("Mugs", "MUGS"):
        world.freshbooks.add_item(name)
    del world.settings["sales"], world.settings["payments"]
    assert checked(world).findings == []


def test_a_member_of_a_list_that_cannot_be_read_is_reported_and_stops_nothing(world: World) -> None:
    item = world.freshbooks.add_item("Mugs")["id"]
    world.freshbooks._records["item"][item]["unit_cost"] = "half"
    world.invoice()
    report = checked(world)
    unreadable = finding(report, "unreadable")
    assert (unreadable.documents, unreadable.examples) == (0, (f"item {item}",))
    assert "unit_cost is not a number" in unreadable.message
    assert report.exit_status(strict=True) == 0


def test_a_finding_about_a_setting_tells_which_documents_it_concerns(world: World) -> None:
    world.freshbooks.add_tax("HST", "13")
    world.settings["sales"]["taxes"]["HST"] = "GST"
    world.settings["payments"]["by_method"] = {"PayPal": "Visa"}
    world.quickbooks.custom_numbers = False
    invoice = world.invoice("100.00", number="31")
    world.invoice("50.00", number="32", taxes=(("GST", "5"),))
    world.invoice("50.00", number="33", status="draft")
    world.payment(invoice, "20.00", method="paypal")
    report = checked(world)
    rate, numbers, account = (finding(report, key) for key in ("sales.taxes.HST 13%", "sales.number_prefix", "payments.by_method.PayPal"))
    assert (rate.documents, rate.amount, rate.examples) == (1, {"CAD": D("113.00")}, ("invoice 31",))
    assert (numbers.documents, numbers.amount) == (2, {"CAD": D("165.50")})
    assert (account.documents, account.amount) == (1, {"CAD": D("20.00")})
    assert not any(one.holds for one in (rate, numbers, account))


def test_a_rate_that_only_documents_still_have_is_compared_with_its_code_on_their_day(world: World) -> None:
    world.invoice("100.00", number="31", taxes=(("HST", "15"),))  # the tax itself was deleted in FreshBooks
    world.expense("57.50", taxes=(("HST", "7.50", "15"),))
    report = checked(world)
    assert "FreshBooks charges 15% for “HST 15%”, but the tax code “HST ON” is 13%" in finding(report, "sales.taxes.HST 15%").message
    assert finding(report, "expenses.taxes.HST 15%").documents == 1
    assert report.exit_status(strict=True) == 0


def test_a_payment_method_that_was_misspelt_is_told_from_one_that_nobody_uses_yet(world: World) -> None:
    world.settings["payments"]["by_method"] = {"Pay-Pall": "PayPal Clearing", "Credit Card": "Stripe Clearing", "check": "Chequing"}
    invoice = world.invoice("100.00")
    for method in ("PayPal", "Check", "Cash"):
        world.payment(invoice, "10.00", method=method)
    report = checked(world)
    assert keys(report) == ["payments.by_method.Pay-Pall"]
    assert "“PayPal”" in finding(report, "payments.by_method.Pay-Pall").message


# Accounts that cannot be reached


@pytest.fixture
def freshbooks(world: World, sandboxes: Sandboxes) -> Callable[[Fault], None]:
    """Adds a fault to FreshBooks."""
    app: Any = sandboxes.freshbooks.app
    return lambda fault: app.state.behaviour.faults.add(fault)


def test_an_integration_that_was_never_connected_says_what_to_run_for_each_side(world: World) -> None:
    with world.engine.begin() as connection:
        connection.execute(token.delete())
    report = checked(world)
    assert [(one.key, one.remedy) for one in report.findings] == [
        ("freshbooks", "run: fb-qbo connect freshbooks"),
        ("quickbooks", "run: fb-qbo connect quickbooks"),
    ]
    assert report.exit_status(strict=False) == 1
    assert states(report) == {"Settings": "ok", "FreshBooks": "problem", "QuickBooks": "problem"}


def test_one_side_that_is_down_does_not_hide_the_findings_about_the_other(world: World, freshbooks: Callable[[Fault], None]) -> None:
    freshbooks(Fault(503, path="/accounting/", count=None))
    world.settings["sales"]["discount_product"] = "Rebate"
    report = checked(world)
    assert set(keys(report)) == {"freshbooks", "sales.discount_product"}
    assert "Documents" not in states(report)
    assert report.exit_status(strict=False) == 2  # what is certainly wrong comes before what could not be seen


def test_quickbooks_that_is_down_is_a_failure_to_be_tried_again(world: World) -> None:
    world.fail(status=503, path="/v3/company/", count=None)
    report = checked(world)
    assert keys(report) == ["quickbooks"]
    assert report.exit_status(strict=True) == 1


def test_a_wrong_account_is_a_wrong_configuration(world: World) -> None:
    world.settings["freshbooks"]["account_id"] = "XYZ999"
    report = checked(world)
    assert "XYZ999" in finding(report, "freshbooks").message
    assert report.exit_status(strict=False) == 2


def test_without_the_scope_for_taxes_the_rates_are_left_out_and_the_rest_is_checked(world: World, sandboxes: Sandboxes) -> None:
    app: Any = sandboxes.freshbooks.app
    app.state.behaviour.missing_scopes.add("user:taxes:read")
    report = checked(world)
    assert "user:taxes:read" in finding(report, "freshbooks").remedy
    assert report.ok
    assert states(report)["Documents"] == "ok"


def test_without_the_scope_for_documents_nothing_can_be_synced(world: World, sandboxes: Sandboxes) -> None:
    app: Any = sandboxes.freshbooks.app
    app.state.behaviour.missing_scopes.add("user:expenses:read")
    report = checked(world)
    assert "user:expenses:read" in finding(report, "freshbooks").remedy
    assert report.exit_status(strict=False) == 1


@pytest.mark.parametrize("country", ["us", "gb"])
def test_other_countries_are_checked_by_their_own_rules(country: str, make_world: Callable[..., World]) -> None:
    chosen = country_named(country)
    world = make_world(
        settings=integration(chosen, START), freshbooks=FreshBooks(currency=chosen.currency), quickbooks=QuickBooks(chosen.quickbooks)
    )
    assert checked(world).ok


# Parts


def row(
    code: str, *, source: str = "invoice", label: str = "1", amount: str = "10.00", currency: str = "CAD", reason: str = ""
) -> dict[str, Any]:
    problem = {"code": code, "reason": reason or code, "remedy": f"solve {reason or code}"}
    about = {"source": source, "source_id": 410_007, "label": label, "party": "Acme Ltd"}
    return about | {"amount": D(amount), "currency": currency, "problems": [problem]}


def test_money_is_summed_by_currency_and_written_with_two_decimals() -> None:
    rows = [row("refused", amount="1.005"), row("refused", amount="2.10"), row("refused", amount="7.00", currency="USD")]
    (found,) = held_documents(rows)
    assert found.to_json()["amount"] == {"CAD": "3.11", "USD": "7.00"}


def test_the_most_frequent_code_comes_first_and_examples_are_bounded() -> None:
    rows = [row("closed_period"), *(row("unmapped_tax", label=str(n)) for n in range(9))]
    first, second = held_documents(rows)
    assert (first.key, first.documents, len(first.examples), second.key) == ("unmapped_tax", 9, 5, "closed_period")


def test_many_different_reasons_are_told_by_the_most_frequent_and_a_count() -> None:
    rows = [row("unmapped_tax", reason=f"tax {name}") for name in "AABCDE"]
    (found,) = held_documents(rows)
    assert found.message == "tax A; tax B; tax C; and 2 others"
    assert found.remedy == "solve tax A; solve tax B; solve tax C; and 2 others"


def test_a_document_with_several_problems_counts_once_under_its_first() -> None:
    both = row("unmapped_tax")
    both["problems"].append({"code": "closed_period", "reason": "", "remedy": ""})
    assert [(found.key, found.documents) for found in held_documents([both])] == [("unmapped_tax", 1)]


def item(name: str, state: VisState = VisState.ACTIVE) -> Item:
    return Item(id=1, name=name, sku="", description="", unit_cost=None, vis_state=state)


def test_products_that_differ_only_beyond_quickbooks_limits_are_pointed_out() -> None:
    long = "x" * 100
    found = look_alike_products(
        [item(long + "1"), item(long + "2"), item("A: B"), item("a B"), item("C"), item("c"), item("D: E"), item("D E", VisState.ARCHIVED)]
    )
    assert len(found) == 2  # C and c are the same product to QuickBooks, which is another finding
    assert not any(one.fatal for one in found)
    assert "“A: B” and “a B”" in found[1].message


def test_the_exit_status_is_that_of_the_worst_error() -> None:
    unreachable = failed("FreshBooks", "freshbooks", Unreachable("no answer"))
    wrong = failed("QuickBooks", "quickbooks", ConfigurationError("no such company"))
    assert CheckReport([unreachable]).exit_status(strict=True) == 1
    assert CheckReport([unreachable, wrong]).exit_status(strict=False) == 2


def test_an_error_ends_its_step_and_not_the_check() -> None:
    report = CheckReport()

    def act() -> tuple[int, Step]:
        raise ConnectionRequired("not connected", "connect it")

    assert report.attempt("FreshBooks", "freshbooks", act) is None
    assert report.attempt("QuickBooks", "quickbooks", lambda: (7, Step("QuickBooks", "fine"))) == 7
    assert states(report) == {"FreshBooks": "problem", "QuickBooks": "ok"}


def test_the_json_document_holds_every_finding_with_all_keys() -> None:
    report = CheckReport([Step("Documents", "", tuple(held_documents([row("unmapped_tax", label="7", amount="12")])))])
    assert report.to_json() == {
        "ok": True,
        "findings": [
            {
                "severity": "warning",
                "key": "unmapped_tax",
                "message": "unmapped_tax",
                "remedy": "solve unmapped_tax",
                "documents": 1,
                "amount": {"CAD": "12.00"},
                "examples": ["invoice 7"],
            }
        ],
    }


def test_the_period_is_the_integration_s(world: World) -> None:
    world.settings["start_date"] = day(6)
    world.invoice(on=day(5), taxes=LEVY)
    report = checked(world)
    assert report.findings == []
    assert report.steps[-1].detail.startswith("0 documents in scope from 2026-03-06")
