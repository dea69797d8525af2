"""What the Dagster UI shows of a step: counts, money as text and as numbers to plot, bounded tables, column types."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import dagster as dg
import pandera.pandas as pa

from fb_qbo_pipeline.escaping import markdown
from fb_qbo_pipeline.ledger.posted import Posted
from fb_qbo_pipeline.ledger.raw import DELETED, GONE, PRESENT
from fb_qbo_pipeline.money import ZERO
from fb_qbo_pipeline.posting.counts import Counts
from fb_qbo_pipeline.review.findings import Books, Clearing, Finding, withheld
from fb_qbo_pipeline.review.tieout import Line
from fb_qbo_pipeline.review.verdicts import MOST_SHOWN, Tally

TABLE_ROWS = MOST_SHOWN  # a check or a materialization is one event, however many documents it is about
_OF_CHECK = {"exact_number": "amount", "is_a_date": "date", "is_an_object": "record"}
_OF_DTYPE = {"int64": "whole number", "float64": "number", "bool": "yes or no"}

Metadata = dict[str, Any]


def column_schema(schema: pa.DataFrameSchema) -> dg.TableSchema:
    """A pandera schema as Dagster shows columns: name, type in words, meaning, and the names of the checks."""
    columns = []
    for name, column in schema.columns.items():
        checks = [str(check.name or check) for check in column.checks]
        constraints = dg.TableColumnConstraints(nullable=bool(column.nullable), unique=bool(column.unique), other=checks)
        columns.append(dg.TableColumn(str(name), _type_in_words(str(column.dtype), checks), column.description or "", constraints))
    rules = [str(check.name) for check in schema.checks]
    return dg.TableSchema(columns, dg.TableConstraints(other=rules))


def _type_in_words(dtype: str, checks: Sequence[str]) -> str:
    """What a column holds. Exact numbers, dates and records are objects to pandas; their checks say what they are."""
    words = [_OF_CHECK[check] for check in checks if check in _OF_CHECK]
    return words[0] if words else _OF_DTYPE.get(dtype, "text")


def money_text(amounts: Mapping[str, Decimal]) -> str:
    """Amounts by currency, such as "1,234.50 CAD"."""
    return ", ".join(f"{amount:,.2f} {currency}" for currency, amount in sorted(amounts.items())) or "0.00"


def findings_metadata(found: Tally, what_next: str) -> Metadata:
    """What a check has found: how much money, how many, a bounded table, what to do. With nothing found, two zeros."""
    metadata: Metadata = {"money at stake": money_text(found.amounts), "documents": found.documents}
    if found.documents:
        metadata |= {"found": dg.MarkdownMetadataValue(findings_table(found)), "what to do": what_next}
    return metadata


def findings_table(found: Tally) -> str:
    """Findings as a Markdown table, at most `TABLE_ROWS` of them."""
    lines = ["| number | customer or vendor | date | amount | reason | what to do |", "|---|---|---|---:|---|---|"]
    for one in found.shown:
        amount = f"{one.amount:,.2f} {one.currency}"
        cells = (f"{one.source} {one.number}", one.party, one.date, amount, one.reason, one.remedy)
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    if found.documents > len(found.shown):
        lines.append(f"\n…and {found.documents - len(found.shown)} more: `fb-qbo exceptions` and `fb-qbo reconcile` list all.")
    return "\n".join(lines)


def held_metadata(found: Sequence[Finding]) -> Metadata:
    """Which documents of a day are held and why; nothing where none is."""
    return {"held documents": dg.MarkdownMetadataValue(findings_table(Tally().add(found)))} if found else {}


def clearing_table(lines: Sequence[Clearing]) -> str:
    """The clearing accounts of a day or a run as a Markdown table."""
    rows = ["| method | payments | FreshBooks | QuickBooks | held | unexplained |", "|---|---:|---:|---:|---:|---:|"]
    for line in lines:
        figures = (line.freshbooks, line.quickbooks, line.held, line.unexplained)
        told = " | ".join(f"{figure:,.2f} {line.currency}" for figure in figures)
        rows.append(f"| {_cell(line.method)} | {line.payments} | {told} |")
    return "\n".join(rows)


def _cell(value: object) -> str:
    return markdown(str(value))


def tie_out_table(lines: Iterable[Line]) -> str:
    """Tie-out lines as a Markdown table."""
    rows = ["| period | kind | FreshBooks | QuickBooks | held | difference |", "|---|---|---:|---:|---:|---:|"]
    for line in lines:
        figures = (line.freshbooks, line.quickbooks, line.held, line.difference)
        rows.append(
            f"| {_cell(line.period)} | {_cell(line.kind)} | " + " | ".join(f"{figure:,.2f} {line.currency}" for figure in figures) + " |"
        )
    return "\n".join(rows)


def staged_metadata(rows: Sequence[Mapping[Any, Any]]) -> Metadata:
    """Money, what is held and why, and counts of staged rows."""
    outcomes = Counter(row["outcome"] for row in rows)
    intended: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    held: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    for row in rows:
        if row["outcome"] == "document":
            intended[row["currency"]] += row["amount"]
        elif row["outcome"] == "held":
            held[row["currency"]] += row["amount"]
    return {
        "money to post": money_text(intended),
        "money held": money_text(held),
        **held_metadata(withheld(Books(rows, {}))),
        "dagster/row_count": len(rows),
        "to post": outcomes["document"],
        "held": outcomes["held"],
        "out of scope": outcomes["out_of_scope"],
        "waiting": outcomes["waiting"],
        "deleted": outcomes["deleted"],
        "kept": outcomes["kept"],
        "amount": float(sum(intended.values(), ZERO)),
        **_notes(rows),
    }


def _notes(rows: Sequence[Mapping[Any, Any]]) -> Metadata:
    """What is posted, but not as a person might expect: how often, and the first ones."""
    told = [f"{row['label']}: {note}" for row in rows if row["outcome"] == "document" for note in row["notes"]]
    return {"notes": len(told), "notes by document": "\n".join(told[:TABLE_ROWS])} if told else {}


def raw_metadata(counts: Mapping[tuple[dt.date, str], int], day: dt.date, first: dt.date) -> Metadata:
    """Counts of a day's records by state. `first`: the first partition, which earlier records belong to."""
    of_day: Counter[str] = Counter()
    for (dated, state), count in counts.items():
        if max(dated, first) == day:
            of_day[state] += count
    return {"dagster/row_count": of_day[PRESENT], "deleted": of_day[DELETED] + of_day[GONE]}


def standing_metadata(rows: Sequence[Mapping[Any, Any]], books: Books, run_id: str) -> Metadata:
    """What stands in QuickBooks of a day's staged rows, what this run has written of it, and what is held and why."""
    standing = [document for row in rows if (document := books.standing(row))]
    written = [document for document in standing if document.run_id == run_id]
    return {
        "money in QuickBooks": money_text(_sums(standing)),
        "money written": money_text(_sums(written)),
        **held_metadata(withheld(replace(books, staged=rows))),
        "dagster/row_count": len(standing),
        "written by this run": len(written),
        "amount": float(sum(_sums(standing).values(), ZERO)),
    }


def reconciled_metadata(lines: Sequence[Line], rows: Sequence[Mapping[Any, Any]], books: Books) -> Metadata:
    """A day's tie-out: what is left over, the two sides, and what is held and why."""
    held: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    differences: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    for line in lines:
        held[line.currency] += line.held
        differences[line.currency] += abs(line.difference)
    return {
        "money that differs": money_text(differences),
        "money held": money_text(held),
        "tie-out": dg.MarkdownMetadataValue(tie_out_table(lines)),
        **held_metadata(withheld(replace(books, staged=rows))),
        "documents": sum(line.documents for line in lines),
        "held": sum(line.held_documents for line in lines),
        "difference": float(sum(differences.values(), ZERO)),
    }


def _sums(documents: Iterable[Posted]) -> dict[str, Decimal]:
    sums: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    for document in documents:
        sums[document.currency] += document.signed_total
    return sums


def cost_metadata(requests: Mapping[tuple[str, str], int], seconds: float) -> Metadata:
    """What a step cost. A run over a range shows the same on each of its days, hence the names."""
    counted: Counter[str] = Counter()
    for (service, _kind), count in requests.items():
        counted[service] += count
    return {
        "run: requests to FreshBooks": counted["freshbooks"],
        "run: requests to QuickBooks": counted["quickbooks"],
        "run: seconds": round(seconds, 2),
    }


def posted_metadata(counts: Counts) -> Metadata:
    """What a posting step did."""
    return {
        "created": sum(counts.created.values()),
        "updated": sum(counts.updated.values()),
        "voided": sum(counts.voided.values()),
        "unchanged": counts.unchanged,
        "held": counts.held,
        "money posted": money_text(counts.money),
    }


def by_day(rows: Iterable[Mapping[Any, Any]], key: str) -> dict[dt.date, list[Mapping[Any, Any]]]:
    """Rows grouped by the day in their column `key`."""
    grouped: defaultdict[dt.date, list[Mapping[Any, Any]]] = defaultdict(list)
    for row in rows:
        grouped[row[key]].append(row)
    return dict(grouped)
