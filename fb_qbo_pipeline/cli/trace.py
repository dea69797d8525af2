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
from fb_qbo_pipeline.posting.verify import MARKER
from fb_qbo_pipeline.review.trace import Story, stories
from fb_qbo_pipeline.settings.environment import Environment


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
        found = _found(ledger, number)
    if as_json:
        print_json([story.to_json() for story in found])
        return 0
    console = out()
    for place, story in enumerate(found):
        if place:
            console.print()
        for indent, line in _lines(story):
            print_text(console, line, indent)
    return 0


def _found(ledger: Ledger, number: str) -> list[Story]:
    """The documents that a person may mean: by number, id, or the marker that stands in the memo in QuickBooks."""
    marker = MARKER.search(number)
    found = stories(ledger, marker["id"] if marker else number.strip())
    if marker:
        found = [one for one in found if (one.staged["source"], str(one.staged["source_id"])) == (marker["source"], marker["id"])]
    if not found:
        raise PipelineError(
            f"no document {number} has been read", "give the number as FreshBooks or QuickBooks shows it, or sync its date first"
        )
    return found


def _lines(story: Story) -> Iterator[tuple[int, str]]:
    """The story line by line: how far it is indented, and the text."""
    row: dict[str, Any] = story.staged
    amount = Amount(row["amount"], row["currency"])
    yield 0, f"{row['source']} {row['label']} of {row['document_date']}, {amount} (FreshBooks id {row['source_id']})"
    if story.record is not None:
        record = story.record
        yield 2, f"FreshBooks: {record['state']}, unchanged since it was read on {_instant(record['read_at'])}"
    mapped = f"becomes {row['entity']} {row['number'] or ''}" if row["entity"] else f"{row['outcome']} {row['reason']}"
    yield 2, f"mapping: {mapped}".rstrip()
    for problem in row["problems"]:
        yield 4, f"{problem['code']}: {problem['reason']}"
        yield 4, f"→ {problem['remedy']}"
    for note in row["notes"]:
        yield 4, f"note: {note}"
    if story.posted is not None:
        p = story.posted
        total, tax = (Amount(p[name], p["currency"]) for name in ("total", "tax"))
        yield 2, f"QuickBooks: {p['entity']} {p['number']} (id {p['qbo_id']}), {p['state']}, total {total}, tax {tax}"
    for held in story.exceptions:
        yield 2, f"exception {held['id']}, {held['status']}, since {_instant(held['since'])}: {held['code']}: {held['reason']}"
    for write in story.writes:
        yield 2, f"write: {write['operation']} {write['entity']}: {write['state']} {write['note']}".rstrip()
        yield 4, f"run {write['run_id']}, request {write['request_id']}"
        for call in (call for call in story.requests if call["request_id"] == write["request_id"]):
            answer = call["status"] or call["error"]
            yield 4, f"{_instant(call['at'])} {call['method']} {urlsplit(call['url']).path} → {answer} in {call['seconds']} s"


def _instant(at: dt.datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
