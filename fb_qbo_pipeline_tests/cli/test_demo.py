"""What `fb-qbo demo` tells of the checks, after the tie-out."""

import pytest

from fb_qbo_pipeline.cli.demo import show_checks
from fb_qbo_pipeline.pipeline.steps import look_at_company
from fb_qbo_pipeline.review.rules import EVERY_RULE
from fb_qbo_pipeline_tests.pipeline.world import World, day


def show(world: World) -> None:
    with world.runtime() as runtime:
        show_checks(look_at_company(runtime, EVERY_RULE))


def test_a_check_that_fails_silently_is_told_with_documents_money_and_remedy(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.expense("1000.00", vendor="", on=day(3))
    world.expense("345.97", vendor="", on=day(12))
    world.expense("56.50", on=day(12))
    world.sync()
    show(world)
    told = capsys.readouterr().out
    assert f"checks: {len(EVERY_RULE) - 1} of {len(EVERY_RULE)} pass; 1 fails" in told
    assert "no_fallback_was_used: 2 documents, 1,345.97 CAD" in told
    assert "→ Enter the vendor in FreshBooks" in told


def test_each_rule_is_asked_about_its_own_documents(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.invoice("100.00", taxes=(("Eco Levy", "2"),))
    world.sync()
    show(world)
    told = capsys.readouterr().out
    assert [name for name in (rule.name for rule in EVERY_RULE) if name in told] == ["taxes_and_products_are_mapped", "no_document_is_held"]


def test_where_all_checks_pass_that_is_said(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    show(world)
    assert f"checks: all {len(EVERY_RULE)} pass" in capsys.readouterr().out


def test_the_checks_of_one_kind_say_nothing_of_another(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    astrology = world.freshbooks.add_category("Astrology")["id"]
    world.freshbooks.add_expense("56.50", astrology, day(7), vendor="Serano Bakery")
    world.invoice("100.00", taxes=(("Eco Levy", "2"),))
    world.sync()
    show(world)
    told = capsys.readouterr().out
    assert "taxes_and_products_are_mapped: 1 document, 102.00 CAD" in told
    assert "taxes_and_categories_are_mapped: 1 document, 56.50 CAD" in told
