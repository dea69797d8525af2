"""The sensors with real runs of a company, a mail server and a webhook."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from fb_qbo_pipeline.assets.company import Company
from fb_qbo_pipeline.assets.factory import CHANGE_FEED
from fb_qbo_pipeline.automation.alerts import build_alert_sensors
from fb_qbo_pipeline.automation.alerts_delivery import NotDelivered
from fb_qbo_pipeline.automation.jobs import COMPANY_TAG, asset_keys, build_job
from fb_qbo_pipeline.automation.left_out import left_out
from fb_qbo_pipeline.definitions import build_definitions
from fb_qbo_pipeline.http import utc_now
from fb_qbo_pipeline.ledger.exceptions import IGNORED
from fb_qbo_pipeline.oauth import TokenPair
from fb_qbo_pipeline.pipeline.runtime import token_store
from fb_qbo_pipeline.sandbox.server import REFRESH_TOKEN
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.loading import load_integrations
from fb_qbo_pipeline_tests.automation.receivers import MailServer, WebhookServer
from fb_qbo_pipeline_tests.pipeline.world import World, day

pytestmark = pytest.mark.filterwarnings("ignore::dagster.BetaWarning")  # of backfill policies
HOUR = dt.timedelta(hours=1)
INVOICES = ("raw_invoices", "raw_payments", "staged_invoices")
UI = "https://dagster.example.com"


class Alerted:
    """A world that is run by Dagster, and its sensors, ticked at hours from now."""

    def __init__(self, world: World, instance: dg.DagsterInstance, mail: MailServer, hook: WebhookServer) -> None:
        self.world, self.instance, self.mail, self.hook = world, instance, mail, hook
        self.environment = replace(
            world.environment, alert_webhook=hook.address, smtp=mail.address, alert_email=("books@example.com",), ui_url=UI
        )
        self.start = utc_now()
        self.now = self.start
        self._cursors: dict[str, str | None] = {}

    def run(self, assets: tuple[str, ...], days: tuple[int, int] | None = None) -> dg.ExecuteInProcessResult:
        """Run the company's job, as the command line does."""
        integration = self.world.integration
        tags = {}
        if days:
            names = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
            tags = {name: day(number).isoformat() for name, number in zip(names, days, strict=True)}
        job = build_definitions([Company(integration, self.world.environment)]).resolve_job_def(build_job(integration).name)
        return job.execute_in_process(
            instance=self.instance, asset_selection=asset_keys(integration, assets), tags=tags, raise_on_error=False
        )

    def tick(self, sensor: str, hours: float) -> list[str]:
        """Evaluate a sensor so many hours after the start; the texts that the webhook got."""
        self.now = self.start + hours * HOUR
        sensors = build_alert_sensors(Company(self.world.integration, self.environment), clock=lambda: self.now)
        (found,) = [one for one in sensors if one.name.endswith(sensor)]
        context = dg.build_sensor_context(instance=self.instance, cursor=self._cursors.get(sensor))
        before = len(self.hook.bodies)
        with context:
            found.evaluate_tick(context)
            self._cursors[sensor] = context.cursor
        return self.hook.texts()[before:]

    def reconnect(self, refresh_token: str) -> None:
        """Put another refresh token of FreshBooks in the place of the present pair."""
        world = self.world
        with token_store(world.engine, world.environment, world.integration, "freshbooks").locked() as tokens:
            tokens.save(TokenPair("", refresh_token, None))


@pytest.fixture
def alerted(world: World, mail_server: MailServer, webhook: WebhookServer) -> Iterator[Alerted]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Alerted(world, instance, mail_server, webhook)


def test_without_a_webhook_or_a_mail_server_there_is_no_sensor(world: World) -> None:
    assert build_alert_sensors(Company(world.integration, world.environment)) == []


def test_a_failed_run_is_told_with_its_reason_and_a_link_and_not_every_hour(alerted: Alerted) -> None:
    assert alerted.tick("alerts", 0) == []
    alerted.world.settings["sales"]["discount_product"] = "No such item"
    run_id = alerted.run((CHANGE_FEED,)).run_id
    (told,) = alerted.tick("alerts", 0.1)
    assert told.splitlines()[0] == "FreshBooks to QuickBooks, acme: 1 to look at"
    assert "• change_feed failed:" in told
    assert "No such item" in told
    assert told.endswith(f"{UI}/runs/{run_id}")
    assert alerted.mail.texts() == [told]
    alerted.run((CHANGE_FEED,))
    assert alerted.tick("alerts", 2) == []


def test_a_stopped_connection_is_told_once_with_the_remedy_and_its_return_too(alerted: Alerted) -> None:
    alerted.tick("alerts", 0)
    alerted.reconnect("revoked-refresh-token")
    alerted.run((CHANGE_FEED,))
    alerted.run((CHANGE_FEED,))
    (told,) = alerted.tick("alerts", 0.1)
    assert "connection stopped" in told
    assert "fb-qbo connect freshbooks" in told
    assert "revoked-refresh-token" not in told
    assert alerted.tick("alerts", 2) == []
    alerted.reconnect(REFRESH_TOKEN)
    alerted.run((CHANGE_FEED,))
    (told,) = alerted.tick("alerts", 3)
    assert "• over: connection stopped" in told


def test_failed_checks_are_told_with_their_days_and_no_name(alerted: Alerted) -> None:
    alerted.tick("alerts", 0)
    client = alerted.world.client("Confidential Ltd")
    for number in (5, 7):
        alerted.world.invoice("40.00", on=day(number), client=client, taxes=(("Unheard of", "3"),))
    alerted.run(INVOICES, days=(5, 7))
    (told,) = alerted.tick("alerts", 0.1)
    assert "2026-03-05, 2026-03-07" in told
    assert f"{UI}/assets/acme/staged_invoices?view=checks" in told
    assert "Confidential" not in told
    alerted.world.invoice("40.00", on=day(9), client=client, taxes=(("Unheard of", "3"),))
    alerted.run(INVOICES, days=(5, 9))
    (told,) = alerted.tick("alerts", 2)
    assert "2026-03-09" in told


def test_silence_is_told_after_a_look_was_due_for_so_long_and_a_backfill_does_not_break_it(alerted: Alerted) -> None:
    alerted.run((CHANGE_FEED,))
    assert alerted.tick("alerts", 0) == []
    assert alerted.tick("alerts", 5) == []
    alerted.run(("raw_expenses",), days=(5, 6))
    (told,) = alerted.tick("alerts", 7.1)
    assert "no look for changes has succeeded since" in told
    assert "acme_hourly" in told


def test_a_company_that_looks_once_a_week_is_not_silent_after_some_hours(alerted: Alerted) -> None:
    alerted.world.settings["schedule"] = {"cron": "0 6 * * 1"}
    alerted.start = dt.datetime(2026, 3, 17, 10, tzinfo=dt.UTC)  # a Tuesday, 06:00 in Toronto
    alerted.tick("alerts", 0)
    assert alerted.tick("alerts", 6 * 24 + 5) == []
    (told,) = alerted.tick("alerts", 6 * 24 + 7)
    assert "no look for changes has succeeded at all" in told


def test_a_company_whose_schedule_is_off_is_never_silent(alerted: Alerted) -> None:
    alerted.world.settings["schedule"] = {"enabled": False}
    alerted.tick("alerts", 0)
    assert alerted.tick("alerts", 1000) == []


def test_another_company_s_failure_is_not_told(alerted: Alerted) -> None:
    alerted.tick("alerts", 0)

    @dg.asset(key=["other", CHANGE_FEED])
    def broken() -> None:
        raise ValueError("Confidential Ltd")

    dg.materialize([broken], instance=alerted.instance, tags={COMPANY_TAG: "other"}, raise_on_error=False)
    assert alerted.tick("alerts", 0.1) == []


def test_an_unexpected_error_is_told_by_its_name_alone(alerted: Alerted) -> None:
    alerted.tick("alerts", 0)

    @dg.asset(key=["acme", CHANGE_FEED])
    def broken() -> None:
        raise ValueError("Confidential Ltd")

    dg.materialize([broken], instance=alerted.instance, tags={COMPANY_TAG: "acme"}, raise_on_error=False)
    (told,) = alerted.tick("alerts", 0.1)
    assert "unexpected ValueError" in told
    assert "Confidential" not in told


def test_a_message_that_nobody_took_is_tried_again_in_the_next_tick(alerted: Alerted) -> None:
    alerted.tick("alerts", 0)
    alerted.hook.status, alerted.mail.refusing = 500, True
    alerted.reconnect("revoked-refresh-token")
    alerted.run((CHANGE_FEED,))
    with pytest.raises(NotDelivered, match="webhook answered 500"):
        alerted.tick("alerts", 0.1)
    alerted.hook.status, alerted.mail.refusing = 200, False
    (told,) = alerted.tick("alerts", 0.2)
    assert "connection stopped" in told


def test_the_report_comes_once_a_day_with_counts_and_remedies_by_mail_and_without_documents_in_the_chat(alerted: Alerted) -> None:
    world = alerted.world
    alerted.start = alerted.start.astimezone(world.integration.zone).replace(hour=1)
    assert alerted.tick("report", 0) == []
    invoice = world.invoice("100.00", on=day(5), client=world.client("Confidential Ltd"))
    world.payment(invoice, "60.00", on=day(10))
    held = world.invoice("40.00", on=day(6), taxes=(("Unheard of", "3"),))
    world.invoice("30.00", on=day(7), taxes=(("Unheard of", "3"),))
    world.sync()
    with world.ledger.begin() as tx:
        tx.exceptions.set_status(next(row["id"] for row in tx.exceptions.unresolved() if row["source_id"] == held), IGNORED, "a test")
    assert alerted.tick("report", 4) == []
    (chat,) = alerted.tick("report", 24 + 6.5)
    (mail,) = alerted.mail.texts()
    assert mail.splitlines()[0] == "FreshBooks to QuickBooks, acme: all agrees, 1 exception open"
    for text in (
        "1 invoice created",
        "1 payment created",
        "173.00 CAD in all",
        "0.00",
        "unmapped_tax: 1 document, 30.90 CAD",
        "(1 more is ignored)",
    ):
        assert text in mail
        assert text in chat
    assert "→ " in mail
    assert "→ " not in chat
    assert "Confidential" not in chat
    assert alerted.tick("report", 24 + 7) == []
    (quiet,) = alerted.tick("report", 48 + 7)
    assert "Nothing was written to QuickBooks." in quiet


def test_a_file_that_cannot_be_used_is_an_asset_that_says_why_and_is_told_once(
    alerted: Alerted, tmp_path: Path, make_settings: Callable[[], dict[str, Any]]
) -> None:
    (tmp_path / "good.yaml").write_text(yaml.safe_dump(make_settings()))
    (tmp_path / "bad.yaml").write_text("name: Bad Name\n")
    broken = [result for result in load_integrations(tmp_path) if result.error]
    definitions = left_out(broken, alerted.environment)
    (spec,) = definitions.resolve_all_asset_specs()
    assert spec.key == dg.AssetKey(["left_out", "bad.yaml"])
    assert "bad.yaml:1: name:" in (spec.description or "")
    sensor = definitions.resolve_sensor_def("left_out_alerts")
    cursor = None
    for _ in range(2):
        with dg.build_sensor_context(instance=alerted.instance, cursor=cursor) as context:
            sensor.evaluate_tick(context)
            cursor = context.cursor
    (told,) = alerted.hook.texts()
    assert "bad.yaml cannot be used" in told
    assert left_out(broken, Environment.read({})).sensors in (None, [])


@pytest.fixture
def make_settings(world: World) -> Callable[[], dict[str, Any]]:
    """Settings of an integration as a file has them."""
    return lambda: yaml.safe_load(yaml.safe_dump(world.settings))


def test_a_clock_that_is_off_is_told_once_a_look_has_noticed_it(alerted: Alerted) -> None:
    alerted.tick("alerts", 0)
    with alerted.world.ledger.begin() as tx:
        tx.cursors.set("clock_off_seconds", 1200)
    told = alerted.tick("alerts", 2)
    assert ["this machine's clock is 20 minutes ahead of the services'" in text for text in told] == [True]
