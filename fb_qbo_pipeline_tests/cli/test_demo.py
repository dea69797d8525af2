"""What `fb-qbo demo` tells of the checks, after the tie-out."""

import pytest

from fb_qbo_pipeline.assets import checks
from fb_qbo_pipeline.cli.demo import RULES, show_checks
from fb_qbo_pipeline.review.failing import Failing, failing
from fb_qbo_pipeline_tests.pipeline.world import START, TODAY, World, day


def failing_in(world: World) -> list[Failing]:
    with world.runtime() as runtime:
        return failing(world.ledger, world.integration, runtime.mirror.company(), RULES, START, TODAY)


def test_every_rule_of_every_asset_is_asked() -> None:
    names = [rule.name for rules in RULES.values() for rule in rules]
    assets = (checks.STAGED, checks.POSTED)
    assert sorted(names) == sorted(
        rule.name for rules in (*(group for asset in assets for group in asset.values()), checks.RECONCILED) for rule in rules
    )


def test_a_check_that_fails_silently_is_told_with_documents_money_and_remedy(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.expense("1000.00", vendor="", on=day(3))
    world.expense("345.97", vendor="", on=day(12))
    world.expense("56.50", on=day(12))
    world.sync()
    found = failing_in(world)
    assert [(one.name, one.summary) for one in found] == [("no_fallback_was_used", "2 documents, 1,345.97 CAD")]
    show_checks(found)
    told = capsys.readouterr().out
    assert "checks: 10 of 11 pass; 1 fails" in told
    assert "no_fallback_was_used: 2 documents, 1,345.97 CAD" in told
    assert "→ Enter the vendor in FreshBooks" in told


def test_each_rule_is_asked_about_its_own_documents(world: World) -> None:
    world.invoice("100.00", taxes=(("Eco Levy", "2"),))
    world.sync()
    assert [one.name for one in failing_in(world)] == ["taxes_and_products_are_mapped", "no_document_is_held"]


def test_where_all_checks_pass_that_is_said(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    show_checks(failing_in(world))
    assert "checks: all 11 pass" in capsys.readouterr().out
