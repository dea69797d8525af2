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
from fb_qbo_pipeline.assets.checks import BOTH_SIDES_AGREE, BOTH_SIDES_AGREE_SENTENCE, FEED_IS_FRESH, FEED_IS_FRESH_SENTENCE
from fb_qbo_pipeline.assets.company import Company
from fb_qbo_pipeline.assets.describe import (
    by_day,
    clearing_table,
    column_schema,
    cost_metadata,
    posted_metadata,
    raw_metadata,
    staged_metadata,
    standing_metadata,
    tie_out_table,
)
from fb_qbo_pipeline.mapping.documents import Outcome
from fb_qbo_pipeline.pipeline.changes import look_for_changes
from fb_qbo_pipeline.pipeline.intake import read_dates, read_lists
from fb_qbo_pipeline.pipeline.post import post
from fb_qbo_pipeline.pipeline.preflight import require_valid_settings
from fb_qbo_pipeline.pipeline.runtime import Runtime
from fb_qbo_pipeline.pipeline.stage import stage
from fb_qbo_pipeline.review.books import SOURCES, read_books
from fb_qbo_pipeline.review.findings import Books, clearing
from fb_qbo_pipeline.review.tieout import by_day as each_day
from fb_qbo_pipeline.review.tieout import by_period, tie_out
from fb_qbo_pipeline.schemas.posted import posted_schema
from fb_qbo_pipeline.schemas.raw import raw_schema
from fb_qbo_pipeline.schemas.staged import staged_schema
from fb_qbo_pipeline.settings.models import Integration

MONTH = 31  # days of a backfill's run: a failed one stays cheap
OWNERS = ["team:finance-systems"]
CHANGE_FEED = "change_feed"
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
    "reconciliation",
)
_PLURAL = {"invoice": "invoices", "payment": "payments", "expense": "expenses"}
_POSTED = {"invoice": "posted_sales", "payment": "posted_payments", "expense": "posted_bills"}
_BECOME = {"invoice": "invoices or sales receipts", "payment": "payments, linked to their invoices", "expense": "bills"}


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
        """The company, opened, and what the step has cost: filled in at the end."""
        started = time.monotonic()
        cost: dict[str, Any] = {}
        with self.company(context).open(context.run.run_id) as runtime:
            yield runtime, cost
            cost.update(cost_metadata(runtime.audit.counts, time.monotonic() - started))

    def books(self, runtime: Runtime, days: Sequence[dt.date], sources: Sequence[str] = SOURCES) -> Books:
        """What the checks of a step look at."""
        company = runtime.mirror.company()
        with runtime.ledger.begin() as tx:
            return read_books(tx, runtime.integration, company, days[0], days[-1], sources)

    def begin(self, context: dg.AssetExecutionContext, runtime: Runtime) -> None:
        """Note on the run, before it reads anything, which touched dates it knows of: later ones are not settled by it."""
        if BATCH not in _tags(context):
            days = days_of(context)
            with runtime.ledger.begin() as tx:
                batch = tx.touched.begin(days[0], days[-1])
            context.instance.add_run_tags(context.run.run_id, {BATCH: str(batch)})

    def settle(self, context: dg.AssetExecutionContext, runtime: Runtime, days: Sequence[dt.date]) -> None:
        """Everything up to here went well: the days of a run of all assets, whoever started it, need no other one."""
        selected = context.run.asset_selection
        batch = _tags(context).get(BATCH)
        if batch is None or not (selected is None or {self.key(asset) for asset in PARTITIONED} <= selected):
            return
        start = days[0] if days[0] > self.first_day else dt.date.min  # noted under an earlier start date
        with runtime.ledger.begin() as tx:
            tx.touched.release(start, days[-1], int(batch))

    def common(self, group: str, kinds: set[str], description: str, deps: Sequence[str]) -> dict[str, Any]:
        return {
            "group_name": group,
            "kinds": kinds,
            "description": description,
            "deps": [self.key(asset) for asset in deps],
            "owners": OWNERS,
            "tags": {"fb_qbo/company": self.name},
            "required_resource_keys": {self.resource},
        }

    def partitioned(self) -> dict[str, Any]:
        return {"partitions_def": self.partitions, "backfill_policy": dg.BackfillPolicy.multi_run(MONTH)}

    def change_feed(self) -> dg.AssetsDefinition:
        description = (
            "Asks FreshBooks what has changed since the last look and notes the dates that this touches: the old and the new "
            "date of a moved document, the invoice of a changed payment. A run of the partitioned assets follows for each span."
        )

        key = self.key(CHANGE_FEED)
        spec = dg.AssetCheckSpec(FEED_IS_FRESH, asset=key, description=FEED_IS_FRESH_SENTENCE)

        @_asset(key=key, check_specs=[spec], **self.common("freshbooks", {"python", "postgres"}, description, []))
        def change_feed(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
            with self.opened(context) as (runtime, cost):
                runtime.catch_up()
                require_valid_settings(runtime)
                look = look_for_changes(runtime)
                fresh = checks.freshness(look.latest, runtime.clock())
            changed = {f"changed {resource}s": count for resource, count in look.changed.items()}
            context.log.info("%s; %d days wait for a run", "the first look" if look.first else f"changes: {look.changed}", look.waiting)
            metadata = changed | {"days waiting for a run": look.waiting, "first look": look.first} | cost
            return dg.MaterializeResult(metadata=metadata, check_results=[fresh])

        return change_feed

    def raw(self, source: str) -> dg.AssetsDefinition:
        plural = _PLURAL[source]
        description = f"FreshBooks {plural} by document date, exactly as FreshBooks has them now: present, archived and deleted."
        common = self.common("freshbooks", {"python", "postgres"}, description, [CHANGE_FEED])

        @_asset(
            key=self.key(f"raw_{plural}"),
            metadata={"dagster/column_schema": column_schema(raw_schema())},
            **common,
            **self.partitioned(),
        )
        def raw(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
            days = days_of(context)
            with self.opened(context) as (runtime, cost):
                self.begin(context, runtime)
                read_lists(runtime)
                intake = read_dates(runtime, source, days[0], days[-1])
                with runtime.ledger.begin() as tx:
                    counts = tx.raw.counts_by_day(source, days[0] if days[0] > self.first_day else None, days[-1])
            for day in days:
                context.add_asset_metadata(raw_metadata(counts, day, self.first_day), partition_key=day.isoformat())
            context.log.info(
                "%d %s from FreshBooks, %d of them deleted; %d changed", intake.present, plural, intake.deleted, intake.changed
            )
            return dg.MaterializeResult(metadata=cost)

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
        common = self.common("staging", {"python", "pandera", "postgres"}, description, upstream)
        key = self.key(f"staged_{plural}")

        @_asset(
            key=key,
            metadata={"dagster/column_schema": column_schema(staged_schema())},
            check_specs=[rule.spec(key) for rule in checks.STAGED[source]],
            **common,
            **self.partitioned(),
        )
        def staged(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
            days = days_of(context)
            with self.opened(context) as (runtime, cost):
                rows = stage(runtime, source, days[0], days[-1])
            grouped = by_day(rows, "partition_date")
            for day in days:
                context.add_asset_metadata(staged_metadata(grouped.get(day, [])), partition_key=day.isoformat())
            codes = Counter(row["problems"][0]["code"] for row in rows if row["outcome"] == Outcome.HELD.value)
            context.log.info("%d %s staged, %d held%s", len(rows), plural, codes.total(), f" ({_listed(codes)})" if codes else "")
            results = checks.apply(context, checks.STAGED[source], Books(rows, {}), days)
            return dg.MaterializeResult(metadata=cost, check_results=results)

        return staged

    def posted(self, source: str) -> dg.AssetsDefinition:
        plural = _PLURAL[source]
        description = (
            f"FreshBooks {plural} as QuickBooks {_BECOME[source]}: created, updated or voided exactly once, and compared with "
            "what QuickBooks returned. A repeated run writes nothing."
        )
        upstream = [f"staged_{plural}"] + (["posted_sales"] if source == "payment" else [])
        common = self.common("quickbooks", {"python", "quickbooks"}, description, upstream)

        key = self.key(_POSTED[source])

        @_asset(
            key=key,
            check_specs=[rule.spec(key) for rule in checks.POSTED[source]],
            metadata={"dagster/column_schema": column_schema(posted_schema())},
            pool=f"{self.name}_quickbooks",
            **common,
            **self.partitioned(),
        )
        def posted(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
            days = days_of(context)
            with self.opened(context) as (runtime, cost):
                counts = post(runtime, source, days[0], days[-1], self.company(context).progress)
                books = self.books(runtime, days, (source,))
            grouped = by_day(books.staged, "partition_date")
            for day in days:
                rows = grouped.get(day, [])
                metadata = standing_metadata(rows, books, context.run.run_id)
                if source == "payment":
                    metadata["clearing accounts"] = dg.MarkdownMetadataValue(clearing_table(clearing(books, rows)))
                context.add_asset_metadata(metadata, partition_key=day.isoformat())
            context.log.info("%s", ", ".join(f"{value} {name}" for name, value in posted_metadata(counts).items()))
            return dg.MaterializeResult(metadata=cost, check_results=checks.apply(context, checks.POSTED[source], books, days))

        return posted

    def reconciliation(self) -> dg.AssetsDefinition:
        description = "FreshBooks in scope against QuickBooks and what is held, by day: the difference has to be 0.00."
        common = self.common("finance", {"python", "postgres"}, description, ["posted_sales", "posted_payments", "posted_bills"])
        key = self.key("reconciliation")

        @_asset(
            key=key,
            check_specs=[
                dg.AssetCheckSpec(BOTH_SIDES_AGREE, asset=key, description=BOTH_SIDES_AGREE_SENTENCE),
                *(rule.spec(key) for rule in checks.RECONCILED),
            ],
            **common,
            **self.partitioned(),
        )
        def reconciliation(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
            days = days_of(context)
            with self.opened(context) as (runtime, cost):
                lines = tie_out(runtime.ledger, days[0], days[-1], each_day)
                books = self.books(runtime, days)
                self.settle(context, runtime, days)
            per_day = by_period(lines)
            for day in days:
                of_day = per_day.get(day.isoformat(), [])
                metadata = {
                    "documents": sum(line.documents for line in of_day),
                    "held": sum(line.held_documents for line in of_day),
                    "difference": float(sum(abs(line.difference) for line in of_day)),
                    "tie-out": dg.MarkdownMetadataValue(tie_out_table(of_day)),
                }
                context.add_asset_metadata(metadata, partition_key=day.isoformat())
            agree = checks.agreement(context, lines, books, days)
            results = [agree, *checks.apply(context, checks.RECONCILED, books, days)]
            return dg.MaterializeResult(metadata=cost, check_results=results)

        return reconciliation


def _tags(context: dg.AssetExecutionContext) -> Mapping[str, str]:
    """The run's tags as they are now; `context.run` has those with which it began."""
    run = context.instance.get_run_by_id(context.run.run_id)
    return run.tags if run is not None else {}


def _listed(codes: Counter[str]) -> str:
    return ", ".join(f"{count} {code}" for code, count in codes.most_common())
