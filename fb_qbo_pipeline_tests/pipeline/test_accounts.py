"""Whose books a FreshBooks connection reaches, with either of the two records hidden."""

from collections.abc import Callable
from typing import Any

import pytest

from fb_qbo_pipeline.errors import ConfigurationError, RemoteRefusal
from fb_qbo_pipeline.pipeline.accounts import Business, freshbooks_business
from fb_qbo_pipeline.sandbox.freshbooks.faults import Fault
from fb_qbo_pipeline_tests.pipeline.world import Sandboxes, World

ME, SYSTEM = "/users/me", "/systems/systems/"


@pytest.fixture
def hide(world: World, sandboxes: Sandboxes) -> Callable[..., None]:
    """Lets FreshBooks refuse a record for good."""
    app: Any = sandboxes.freshbooks.app

    def hide(path: str, status: int = 403) -> None:
        app.state.behaviour.faults.add(Fault(status, "A1", path, count=None, errno=1003, message="Access denied."))

    return hide


def business(world: World) -> Business:
    with world.runtime() as runtime:
        return freshbooks_business(runtime.reader)


def test_the_account_s_own_record_names_it_and_its_currency(world: World) -> None:
    assert business(world) == Business("ABC123", "Sandbox Company", "CAD")


def test_the_login_may_be_hidden(world: World, hide: Callable[..., None]) -> None:
    hide(ME)
    assert business(world) == Business("ABC123", "Sandbox Company", "CAD")


@pytest.mark.parametrize("status", [403, 404])
def test_the_account_s_own_record_may_be_hidden_or_missing(status: int, world: World, hide: Callable[..., None]) -> None:
    hide(SYSTEM, status)
    assert business(world) == Business("ABC123", "Sandbox Company", "")


def test_both_hidden_is_a_refusal_that_names_what_to_do(world: World, hide: Callable[..., None]) -> None:
    hide(ME)
    hide(SYSTEM)
    with pytest.raises(RemoteRefusal, match="gives no access to account ABC123") as caught:
        business(world)
    assert "fb-qbo connect freshbooks" in caught.value.remedy


def test_an_account_of_another_login_is_a_wrong_setting_and_the_login_s_own_are_named(world: World) -> None:
    world.settings["freshbooks"]["account_id"] = "XYZ999"
    with pytest.raises(ConfigurationError, match="knows no account 'XYZ999'") as caught:
        business(world)
    assert caught.value.remedy.startswith("this login has: ABC123;")


def test_an_unknown_account_of_a_hidden_login_is_a_wrong_setting_too(world: World, hide: Callable[..., None]) -> None:
    world.settings["freshbooks"]["account_id"] = "XYZ999"
    hide(ME)
    with pytest.raises(ConfigurationError, match="knows no account 'XYZ999'"):
        business(world)
