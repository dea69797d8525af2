"""`fb-qbo trace NUMBER`: one document's story, from the FreshBooks record to every request that was made for it."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from fb_qbo_pipeline.cli.companies import one_integration
from fb_qbo_pipeline.cli.exceptions import opened
from fb_qbo_pipeline.cli.listing import Amount, print_text
from fb_qbo_pipeline.cli.options import config_option, json_option
from fb_qbo_pipeline.cli.output import log_to, out, print_json
from fb_qbo_pipeline.errors import PipelineError
from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.ledger.posted import POSTED
from fb_qbo_pipeline.posting.verify import MARKER
from fb_qbo_pipeline.review.links import page, web_of
from fb_qbo_pipeline.review.sides import freshbooks_side, quickbooks_side
from fb_qbo_pipeline.review.trace import Story, similar, stories
from fb_qbo_pipeline.review.words import called, number_of
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.models import Integration


@click.command("trace")
@click.argument("number")
@config_option
@json_option
def command(number: str, config: Path | None, as_json: bool) -> int:
    """Tell the story of a document by its FreshBooks or QuickBooks number, its FreshBooks id, or the marker in its memo."""
    environment = Environment.read()
    log_to(environment, verbose=False)
    integration = one_integration(config, environment)
    with opened(environment, integration) as ledger:
        found = _found(ledger, integration, number)
    if as_json:
        print_json([story.to_json() for story in found])
        return 0
    console = out()
    for place, story in enumerate(found):
        if place:
            console.print()
        for indent, line in _lines(story, web_of(environment.quickbooks_api_url)):
            print_text(console, line, indent)
    return 0


def _found(ledger: Ledger, integration: Integration, number: str) -> list[Story]:
    """The documents that a person may mean: by number, id, or the marker that stands in the memo in QuickBooks."""
    marker = MARKER.search(number)
    sections = (integration.sales, integration.expenses)
    prefixes = [section.number_prefix for section in sections if section is not None and section.number_prefix]
    found = stories(ledger, marker["id"] if marker else number.strip(), prefixes)
    if marker:
        found = [one for one in found if (one.staged["source"], str(one.staged["source_id"])) == (marker["source"], marker["id"])]
    if not found:
        near = similar(ledger, number.strip())
        meant = f"did you mean {' or '.join(near)}? Or give" if near else "give"
        raise PipelineError(
            f"no document {number} has been read", f"{meant} the number as FreshBooks or QuickBooks shows it, or sync its date first"
        )
    return found


def _lines(story: Story, web: str) -> Iterator[tuple[int, str]]:
    """The story line by line, what matters first: how far it is indented, and the text."""
    row: dict[str, Any] = story.staged
    name = called(row["source"], row["label"], row["source_id"], row["party"])
    known = number_of(row["label"], row["source_id"])
    dated = f"{name} of {row['document_date']}" if known else f"{name}, {row['document_date']}"
    told = (dated, row["party"] if known else "", str(Amount(row["amount"], row["currency"])))
    yield 0, ", ".join(part for part in told if part) + (f" (FreshBooks id {row['source_id']})" if known else "")
    state = story.state
    yield 2, f"state: {state.words}"
    if state.remedy:
        yield 4, f"→ {state.remedy}"
    yield from _freshbooks(story)
    yield from _mapping(story)
    yield from _quickbooks(story, web)
    for held in story.exceptions:
        yield 2, f"exception {held['id']}, {held['status']}, since {_instant(held['since'])}: {held['code']}"
    yield from _writes(story)


def _freshbooks(story: Story) -> Iterator[tuple[int, str]]:
    record, row = story.record, story.staged
    if record is None:
        yield 2, "FreshBooks: its record is not in the ledger"
        return
    yield 2, f"FreshBooks: {record['state']}, unchanged since it was read on {_instant(record['read_at'])}"
    for line in freshbooks_side(row["source"], record["payload"], row["label"], row["party"], story.categories):
        yield 4, line


def _mapping(story: Story) -> Iterator[tuple[int, str]]:
    row = story.staged
    becomes = f"becomes {row['entity']} {row['number'] or ''}" if row["entity"] else f"{row['outcome'].replace('_', ' ')} {row['reason']}"
    yield 2, f"mapping: {becomes}".rstrip()
    told = story.state.remedy
    for problem in row["problems"]:
        yield 4, f"{problem['code']}: {problem['reason']}"
        if problem["remedy"] != told:
            yield 4, f"→ {problem['remedy']}"
    for note in row["notes"]:
        yield 4, f"note: {note}"


def _quickbooks(story: Story, web: str) -> Iterator[tuple[int, str]]:
    posted = story.posted
    if posted is None:
        yield 2, "QuickBooks: nothing"
        return
    name = " ".join(str(part) for part in (posted["entity"], posted["number"]) if part)
    state = "changed there since" if posted["drift"] else str(posted["state"])
    yield 2, f"QuickBooks: {name} (id {posted['qbo_id']}), {state}; as it answered on {_instant(posted['changed_at'])}"
    transaction = story.transaction
    if posted["state"] == POSTED and transaction is not None:
        for line in quickbooks_side(transaction, story.codes):
            yield 4, line
    else:
        total, tax = (Amount(posted[key], posted["currency"]) for key in ("total", "tax"))
        yield 4, f"total {total}, of it tax {tax}"
    address = page(web, posted["entity"], posted["qbo_id"])
    if address:
        yield 4, address


def _writes(story: Story) -> Iterator[tuple[int, str]]:
    for write in story.writes:
        yield 2, f"write: {write['operation']} {write['entity']}: {write['state']} {write['note']}".rstrip()
        yield 4, ", ".join(part for part in (f"run {write['run_id']}" if write["run_id"] else "", f"request {write['request_id']}") if part)
        for call in (call for call in story.requests if call["request_id"] == write["request_id"]):
            answer = call["status"] or call["error"] or "no answer"
            yield 4, f"{_instant(call['at'])} {call['method']} {urlsplit(call['url']).path} → {answer} in {call['seconds']} s"


def _instant(at: dt.datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
