"""The Dagster side of a `World`: its definitions, an instance whose storage lives in memory, and what the event log says."""

import contextlib
import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster._core.events import DagsterEventType
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecord, AssetCheckExecutionRecordStatus

from fb_qbo_pipeline.assets.company import Company
from fb_qbo_pipeline.assets.factory import PARTITIONED
from fb_qbo_pipeline.assets.spans import Span
from fb_qbo_pipeline.automation.jobs import asset_keys, build_job
from fb_qbo_pipeline.definitions import build_definitions
from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.pipeline.runtime import Runtime, open_runtime
from fb_qbo_pipeline_tests.pipeline.world import World, skipping


class CompanyOf(Company):
    """A world's company, whose runs live in the world's time and never really wait."""

    def __init__(self, world: World) -> None:
        super().__init__(world.integration, world.environment)
        self._world = world

    @contextlib.contextmanager
    def open(self, run_id: str) -> Iterator[Runtime]:
        world = self._world
        with open_runtime(self.integration, world.environment, run_id=run_id, engine=world.engine, waiting=skipping()) as runtime:
            runtime.clock = world.freshbooks.clock.now
            yield runtime

    @contextlib.contextmanager
    def ledger(self) -> Iterator[Ledger]:
        yield self._world.ledger

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        with self._world.ledger.run_lock():
            yield


@dataclass(frozen=True)
class Verdict:
    """A check's evaluation as the event log has it; `day` None: that of the whole run."""

    passed: bool
    severity: dg.AssetCheckSeverity
    metadata: dict[str, Any]


class Deployment:
    """Runs a world's job as the daemon does, in this process."""

    def __init__(self, world: World, instance: dg.DagsterInstance) -> None:
        self.world = world
        self.instance = instance

    @property
    def definitions(self) -> dg.Definitions:
        """The definitions under the world's settings of this moment."""
        return build_definitions([CompanyOf(self.world)])

    def run(
        self,
        first: dt.date,
        last: dt.date | None = None,
        *,
        assets: Sequence[str] = PARTITIONED,
        tags: dict[str, str] | None = None,
        raises: bool = True,
    ) -> dg.ExecuteInProcessResult:
        """Run a day, or a range by its tags as the sensor and backfills do."""
        days = {"partition_key": first.isoformat()} if last is None else {}
        job = self.definitions.resolve_job_def(build_job(self.world.integration).name)
        return job.execute_in_process(
            instance=self.instance,
            asset_selection=asset_keys(self.world.integration, tuple(assets)),
            tags=(Span(first, last).tags() if last is not None else {}) | (tags or {}),
            raise_on_error=raises,
            **days,
        )

    def look(self) -> dg.ExecuteInProcessResult:
        """Run the look for changes."""
        job = self.definitions.resolve_job_def(build_job(self.world.integration).name)
        return job.execute_in_process(instance=self.instance, asset_selection=asset_keys(self.world.integration, ("change_feed",)))

    def sensor_tick(self) -> list[dg.RunRequest]:
        """What the sensor starts at this moment."""
        definitions, name = self.definitions, f"{self.world.integration.name}_touched_dates"
        context = dg.build_sensor_context(instance=self.instance, definitions=definitions)
        return list(definitions.resolve_sensor_def(name).evaluate_tick(context).run_requests or ())

    def schedule_tick(self) -> list[dg.RunRequest]:
        """What the schedule starts at this moment."""
        definitions = self.definitions
        schedule = definitions.resolve_schedule_def(f"{self.world.integration.name}_hourly")
        context = dg.build_schedule_context(
            instance=self.instance, scheduled_execution_time=dt.datetime.now(dt.UTC), repository_def=definitions.get_repository_def()
        )
        return list(schedule.evaluate_tick(context).run_requests or ())

    def key(self, asset: str) -> dg.AssetKey:
        """The key of one of the company's assets."""
        return dg.AssetKey([self.world.integration.name, asset])

    def days(self, asset: str) -> set[str]:
        """The partitions that have been materialized."""
        return set(self.instance.get_materialized_partitions(self.key(asset)))

    def metadata(self, asset: str, day: dt.date) -> dict[str, Any]:
        """The metadata of a day's newest materialization, as plain values."""
        records = self.instance.fetch_materializations(
            dg.AssetRecordsFilter(self.key(asset), asset_partitions=[day.isoformat()]), limit=1
        ).records
        event = records[0].asset_materialization
        assert event is not None
        return {name: value.value for name, value in event.metadata.items()}

    def checks(self) -> list[dg.AssetCheckKey]:
        """The checks of the partitioned assets."""
        keys = self.definitions.resolve_asset_graph().asset_check_keys
        partitioned = {self.key(asset) for asset in PARTITIONED}
        return sorted((key for key in keys if key.asset_key in partitioned), key=str)

    def verdict(self, asset: str, check: str, day: dt.date) -> Verdict:
        """The newest evaluation of a check for a day."""
        found = [evaluation for evaluation in self._evaluations(asset, check) if evaluation.partition == day.isoformat()]
        assert found, f"{check} was never evaluated for {day}"
        metadata = {name: value.value for name, value in found[0].metadata.items()}
        return Verdict(found[0].passed, found[0].severity, metadata)

    def feed(self) -> Verdict:
        """The newest evaluation of the feed's freshness."""
        return self.newest("change_feed", "feed_is_fresh")

    def newest(self, asset: str, check: str) -> Verdict:
        """The newest evaluation of a check, whatever it is about."""
        newest = self._evaluations(asset, check)[0]
        return Verdict(newest.passed, newest.severity, {name: value.value for name, value in newest.metadata.items()})

    def history(self, asset: str, check: str) -> int:
        """How many evaluations a check has."""
        return len(self._evaluations(asset, check))

    def evaluated(self, key: dg.AssetCheckKey) -> set[str]:
        """The days for which a check has an evaluation."""
        return {evaluation.partition for evaluation in self._evaluations(key.asset_key.path[-1], key.name) if evaluation.partition}

    def _evaluations(self, asset: str, check: str) -> list[dg.AssetCheckEvaluation]:
        """Every evaluation of a check, newest first."""
        events = [record.event.dagster_event for record in self._history(dg.AssetCheckKey(self.key(asset), check)) if record.event]
        return [
            event.asset_check_evaluation_data for event in events if event and event.event_type is DagsterEventType.ASSET_CHECK_EVALUATION
        ]

    def _history(self, key: dg.AssetCheckKey) -> Sequence[AssetCheckExecutionRecord]:
        return self.instance.event_log_storage.get_asset_check_execution_history(key, limit=1000)

    def planned(self) -> list[dg.AssetCheckKey]:
        """The checks that the event log still calls planned for some day."""
        keys = self.definitions.resolve_asset_graph().asset_check_keys
        return [key for key in keys for record in self._history(key) if record.status is AssetCheckExecutionRecordStatus.PLANNED]
