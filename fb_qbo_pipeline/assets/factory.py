"""The ten partitioned assets of one integration and the look that precedes them.

    change_feed ─► raw_invoices ─► staged_invoices ─► posted_sales ────┐
                   raw_payments ─► staged_payments ─► posted_payments ─┼─► reconciliation
                   raw_expenses ─► staged_expenses ─► posted_bills ────┘

Each is a thin wrapper of a step in `pipeline`: it finds its days, calls the step, and says what happened. Days are company
days; a run covers one day or one contiguous range of them, and every day gets its own counts, empty days too.
"""

import contextlib
import datetime as dt
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from fb_qbo_pipeline.assets import checks
from fb_qbo_pipeline.assets.checks import FEED_IS_FRESH, FEED_IS_FRESH_SENTENCE, NO_OTHER_POSTS, NO_OTHER_POSTS_SENTENCE
from fb_qbo_pipeline.assets.code import code_of
from fb_qbo_pipeline.assets.company import Company
from fb_qbo_pipeline.assets.describe import (
    by_day,
    clearing_table,
    column_schema,
    cost_metadata,
    posted_metadata,
    raw_metadata,
    reconciled_metadata,
    staged_metadata,
    standing_metadata,
)
from fb_qbo_pipeline.assets.failures import failures_for_people
from fb_qbo_pipeline.assets.feed import freshness_of
from fb_qbo_pipeline.mapping.documents import Outcome
from fb_qbo_pipeline.pipeline.changes import look_for_changes
from fb_qbo_pipeline.pipeline.clock import told
from fb_qbo_pipeline.pipeline.preflight import require_valid_settings
from fb_qbo_pipeline.pipeline.runtime import Runtime
from fb_qbo_pipeline.pipeline.steps import begin_run, look_at_company, post_step, read_step, reconcile_step, settle_run, stage_step
from fb_qbo_pipeline.review import rules
from fb_qbo_pipeline.review.findings import clearing
from fb_qbo_pipeline.review.rules import Rule
from fb_qbo_pipeline.review.tieout import by_period
from fb_qbo_pipeline.schemas.posted import posted_schema
from fb_qbo_pipeline.schemas.raw import raw_schema
from fb_qbo_pipeline.schemas.staged import staged_schema
from fb_qbo_pipeline.settings.models import Integration

MONTH = 31  # days of a backfill's run: a failed one stays cheap
OWNERS = ["team:finance-systems"]
CHANGE_FEED = "change_feed"
RECONCILIATION = "reconciliation"
BATCH = "fb_qbo/batch"
PARTITIONED = (
    "raw_invoices",
    "raw_payments",
    "raw_expenses",
    "staged_invoices",
    "staged_payments",
    "staged_expenses",
    "posted_sales",
    "posted_payments",
    "posted_bills",
    RECONCILIATION,
)
_PLURAL = {"invoice": "invoices", "payment": "payments", "expense": "expenses"}
_POSTED = {"invoice": "posted_sales", "payment": "posted_payments", "expense": "posted_bills"}
_BECOME = {"invoice": "invoices or sales receipts", "payment": "payments, linked to their invoices", "expense": "bills"}
RULES_OF = (
    {f"staged_{plural}": rules.STAGED[source] for source, plural in _PLURAL.items()}
    | {_POSTED[source]: rules.POSTED[source] for source in _PLURAL}
    | {RECONCILIATION: rules.RECONCILED}
)


def partitions_of(integration: Integration) -> dg.DailyPartitionsDefinition:
    """Company days from the integration start date to today, today included."""
    return dg.DailyPartitionsDefinition(integration.start_date.isoformat(), timezone=integration.timezone, end_offset=1)


def build_assets(integration: Integration) -> list[dg.AssetsDefinition]:
    """All assets of one integration, in the order of the lineage."""
    builder = _Builder(integration)
    with warnings.catch_warnings():
        # Backfill policies and pools are "beta" since 1.5 and 1.10; what we need of them is pinned by tests.
        warnings.simplefilter("ignore", dg.BetaWarning)
        assets = [builder.change_feed()]
        for source in _PLURAL:
            assets += [builder.raw(source), builder.staged(source), builder.posted(source)]
        return [*assets, builder.reconciliation()]


def resource_key(integration: Integration) -> str:
    """The key of the company's resource. Dagster's resources become attributes, so a name alone could be a reserved word."""
    return f"company_{integration.name}"


def days_of(context: dg.AssetExecutionContext) -> list[dt.date]:
    """The days of this run's partitions."""
    return [dt.date.fromisoformat(key) for key in context.partition_keys]


def _asset(**options: Any) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """`dg.asset`, whose overloads cannot be told apart when options are shared."""
    decorator: Callable[[Callable[..., Any]], dg.AssetsDefinition] = dg.asset(**options)
    return decorator


class _Builder:
    def __init__(self, integration: Integration) -> None:
        self.integration = integration
        self.name = integration.name
        self.first_day = integration.start_date
        self.resource = resource_key(integration)
        self.partitions = partitions_of(integration)

    def key(self, asset: str) -> dg.AssetKey:
        return dg.AssetKey([self.name, asset])

    def company(self, context: dg.AssetExecutionContext) -> Company:
        found: Company = getattr(context.resources, self.resource)
        return found

    @contextlib.contextmanager
    def opened(self, context: dg.AssetExecutionContext) -> Iterator[tuple[Runtime, dict[str, Any]]]:
        """The company, opened, and what the step has cost: filled in at the end. What fails within says so to people."""
        started = time.monotonic()
        cost: dict[str, Any] = {}
        with failures_for_people(), self.company(context).open(context.run.run_id) as runtime:
            yield runtime, cost
            cost.update(cost_metadata(runtime.audit.counts, time.monotonic() - started))

    def begin(self, context: dg.AssetExecutionContext, runtime: Runtime) -> None:
        """Note on the run, before it reads anything, which touched dates it knows of: later ones are not settled by it."""
        if BATCH not in _tags(context):
            days = days_of(context)
            context.instance.add_run_tags(context.run.run_id, {BATCH: str(begin_run(runtime, days[0], days[-1]))})

    def settle(self, context: dg.AssetExecutionContext, runtime: Runtime, days: Sequence[dt.date]) -> None:
        """Everything up to here went well: the days of a run of all assets, whoever started it, need no other one."""
        selected = context.run.asset_selection
        batch = _tags(context).get(BATCH)
        if batch is not None and (selected is None or {self.key(asset) for asset in PARTITIONED} <= selected):
            settle_run(runtime, days[0], days[-1], int(batch))

    def common(
        self, asset: str, stage: str, kinds: set[str], description: str, deps: Sequence[str], step: Callable[..., Any]
    ) -> dict[str, Any]:
        """What all assets have. A group is a company, so that "Materialize all" in it is that company's alone."""
        return {
            "key": self.key(asset),
            "group_name": self.name,
            "kinds": kinds,
            "description": description,
            "deps": [self.key(name) for name in deps],
            "owners": OWNERS,
            "tags": {"fb_qbo/company": self.name, "fb_qbo/stage": stage},
            "required_resource_keys": {self.resource},
            "metadata": code_of(step),
        }

    def partitioned(self, asked: Sequence[Rule] = (), key: dg.AssetKey | None = None) -> dict[str, Any]:
        return {
            "partitions_def": self.partitions,
            "backfill_policy": dg.BackfillPolicy.multi_run(MONTH),
            "check_specs": [checks.spec(rule, key) for rule in asked if key is not None],
        }

    def change_feed(self) -> dg.AssetsDefinition:
        description = (
            "Asks FreshBooks what has changed since the last look and notes the dates that this touches: the old and the new "
            "date of a moved document, the invoice of a changed payment. A run of the partitioned assets follows for each span."
        )
        common = self.common(CHANGE_FEED, "freshbooks", {"python", "postgres"}, description, [], look_for_changes)
        specs = [
            dg.AssetCheckSpec(name, asset=common["key"], description=sentence)
            for name, sentence in ((FEED_IS_FRESH, FEED_IS_FRESH_SENTENCE), (NO_OTHER_POSTS, NO_OTHER_POSTS_SENTENCE))
        ]

        @_asset(check_specs=specs, freshness_policy=freshness_of(self.integration), **common)
        def change_feed(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
            with self.opened(context) as (runtime, cost):
                runtime.catch_up()
                require_valid_settings(runtime)
                look = look_for_changes(runtime)
                results = [checks.freshness(look.latest, runtime.clock()), checks.alone(look.not_posted, runtime.account_id)]
                self.tell_news(context, runtime)
            changed = {f"changed {resource}s": count for resource, count in look.changed.items()}
            context.log.info("%s; %d days wait for a run", "the first look" if look.first else f"changes: {look.changed}", look.waiting)
            metadata = changed | {"days waiting for a run": look.waiting, "first look": look.first} | cost
            if look.clock_off is not None:
                metadata["this machine's clock"] = f"{told(look.clock_off)} the services'"
            return dg.MaterializeResult(metadata=metadata, check_results=results)

        return change_feed

    def tell_news(self, context: dg.AssetExecutionContext, runtime: Runtime) -> None:
        """Give every check its last word anew where that has changed since the last run."""
        at = runtime.clock().astimezone(self.integration.zone)
        verdicts = look_at_company(runtime, rules.EVERY_RULE)
        for asset, of_asset in RULES_OF.items():
            checks.report_news(context, self.key(asset), of_asset, verdicts, at)

    def raw(self, source: str) -> dg.AssetsDefinition:
        plural = _PLURAL[source]
        description = f"FreshBooks {plural} by document date, exactly as FreshBooks has them now: present, archived and deleted."
        common = self.common(f"raw_{plural}", "freshbooks", {"python", "postgres"}, description, [CHANGE_FEED], read_step)
        common["metadata"] |= {"dagster/column_schema": column_schema(raw_schema())}

        @_asset(**common, **self.partitioned())
        def raw(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
            days = days_of(context)
            with self.opened(context) as (runtime, cost):
                self.begin(context, runtime)
                read = read_step(runtime, source, days[0], days[-1])
            for day in days:
                context.add_asset_metadata(raw_metadata(read.counts, day, self.first_day) | cost, partition_key=day.isoformat())
            intake = read.intake
            context.log.info(
                "%d %s from FreshBooks, %d of them deleted; %d changed", intake.present, plural, intake.deleted, intake.changed
            )
            return dg.MaterializeResult()

        return raw

    def staged(self, source: str) -> dg.AssetsDefinition:
        plural = _PLURAL[source]
        description = (
            f"Each of FreshBooks' {plural} as the QuickBooks document that it becomes, validated by a pandera schema (totals, tax "
            "codes, accounts, customer mode), or held with code, reason and remedy, or out of scope."
        )
        upstream = [f"raw_{plural}"] if source != "payment" else ["raw_payments", "staged_invoices"]
        if source == "invoice":
            upstream.append("raw_payments")  # a receipt's deposit account follows from its payments
        common = self.common(f"staged_{plural}", "staging", {"python", "pandera", "postgres"}, description, upstream, stage_step)
        common["metadata"] |= {"dagster/column_schema": column_schema(staged_schema())}

        @_asset(**common, **self.partitioned(rules.STAGED[source], common["key"]))
        def staged(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
            days = days_of(context)
            with self.opened(context) as (runtime, cost):
                done = stage_step(runtime, source, days[0], days[-1])
            grouped = by_day(done.rows, "partition_date")
            for day in days:
                context.add_asset_metadata(staged_metadata(grouped.get(day, [])) | cost, partition_key=day.isoformat())
            codes = Counter(row["problems"][0]["code"] for row in done.rows if row["outcome"] == Outcome.HELD.value)
            context.log.info("%d %s staged, %d held%s", len(done.rows), plural, codes.total(), f" ({_listed(codes)})" if codes else "")
            return dg.MaterializeResult(check_results=checks.report(context, done.judgements, days))

        return staged

    def posted(self, source: str) -> dg.AssetsDefinition:
        plural = _PLURAL[source]
        description = (
            f"FreshBooks {plural} as QuickBooks {_BECOME[source]}: created, updated or voided exactly once, and compared with "
            "what QuickBooks returned. A repeated run writes nothing."
        )
        upstream = [f"staged_{plural}"] + (["posted_sales"] if source == "payment" else [])
        common = self.common(_POSTED[source], "quickbooks", {"python", "quickbooks"}, description, upstream, post_step)
        common["metadata"] |= {"dagster/column_schema": column_schema(posted_schema())}

        @_asset(pool=f"{self.name}_quickbooks", **common, **self.partitioned(rules.POSTED[source], common["key"]))
        def posted(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
            days = days_of(context)
            with self.opened(context) as (runtime, cost):
                done = post_step(runtime, source, days[0], days[-1], self.company(context).progress)
            grouped = by_day(done.books.staged, "partition_date")
            for day in days:
                rows = grouped.get(day, [])
                metadata = standing_metadata(rows, done.books, context.run.run_id)
                if source == "payment":
                    metadata["clearing accounts"] = dg.MarkdownMetadataValue(clearing_table(clearing(done.books, rows)))
                context.add_asset_metadata(metadata | cost, partition_key=day.isoformat())
            context.log.info("%s", ", ".join(f"{value} {name}" for name, value in posted_metadata(done.counts).items()))
            return dg.MaterializeResult(check_results=checks.report(context, done.judgements, days))

        return posted

    def reconciliation(self) -> dg.AssetsDefinition:
        description = "FreshBooks in scope against QuickBooks and what is held, by day: the difference has to be 0.00."
        upstream = ["posted_sales", "posted_payments", "posted_bills"]
        common = self.common(RECONCILIATION, "finance", {"python", "postgres"}, description, upstream, reconcile_step)

        @_asset(**common, **self.partitioned(rules.RECONCILED, common["key"]))
        def reconciliation(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
            days = days_of(context)
            with self.opened(context) as (runtime, cost):
                done = reconcile_step(runtime, days[0], days[-1])
                self.settle(context, runtime, days)
            per_day, grouped = by_period(done.lines), by_day(done.books.staged, "partition_date")
            for day in days:
                metadata = reconciled_metadata(per_day.get(day.isoformat(), []), grouped.get(day, []), done.books)
                context.add_asset_metadata(metadata | cost, partition_key=day.isoformat())
            return dg.MaterializeResult(check_results=checks.report(context, done.judgements, days))

        return reconciliation


def _tags(context: dg.AssetExecutionContext) -> Mapping[str, str]:
    """The run's tags as they are now; `context.run` has those with which it began."""
    run = context.instance.get_run_by_id(context.run.run_id)
    return run.tags if run is not None else {}


def _listed(codes: Counter[str]) -> str:
    return ", ".join(f"{count} {code}" for code, count in codes.most_common())
