"""`fb-qbo trace NUMBER`: one document's story, from the FreshBooks record to every request that was made for it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from fb_qbo_pipeline.cli.exceptions import opened
from fb_qbo_pipeline.cli.options import config_option, json_option, one_integration
from fb_qbo_pipeline.cli.output import out, print_json
from fb_qbo_pipeline.errors import PipelineError
from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.mapping.rows import row_notes
from fb_qbo_pipeline.review.trace import Story, stories
from fb_qbo_pipeline.settings.environment import Environment


@click.command("trace")
@click.argument("number")
@config_option
@json_option
def command(number: str, config: Path | None, as_json: bool) -> int:
    """Tell the story of a document by its FreshBooks or QuickBooks number, or its FreshBooks id."""
    environment = Environment.read()
    integration = one_integration(config, environment)
    with opened(environment, integration) as ledger:
        found = _found(ledger, number)
    if as_json:
        print_json([story.to_json() for story in found])
        return 0
    console = out()
    for line in (line for story in found for line in _lines(story)):
        console.print(line, markup=False)
    return 0


def _found(ledger: Ledger, number: str) -> list[Story]:
    found = stories(ledger, number)
    if not found:
        raise PipelineError(
            f"no document {number} has been read", "give the number as FreshBooks or QuickBooks shows it, or sync its date first"
        )
    return found


def _lines(story: Story) -> Iterator[str]:
    row: dict[str, Any] = story.staged
    yield f"{row['source']} {row['label']} (FreshBooks id {row['source_id']}) of {row['document_date']}: {row['amount']} {row['currency']}"
    yield f"  mapped to: {row['entity'] or '–'} {row['number'] or ''} — {row['outcome']} {row['reason']}".rstrip()
    for problem in row["problems"]:
        yield f"    {problem['code']}: {problem['reason']} → {problem['remedy']}"
    for note in row_notes(row):
        yield f"    note: {note}"
    if story.posted is not None:
        p = story.posted
        yield f"  in QuickBooks: {p['entity']} id {p['qbo_id']}, number {p['number']}, total {p['total']}, tax {p['tax']}, {p['state']}"
    for held in story.exceptions:
        yield f"  exception {held['id']} ({held['status']}) since {held['since']:%Y-%m-%d %H:%M}: {held['code']}: {held['reason']}"
    for write in story.writes:
        sent_by = f"(request {write['request_id']}, run {write['run_id']})"
        yield f"  {write['operation']} {write['entity']}: {write['state']} {write['note']} {sent_by}"
    for call in story.requests:
        answer = f"{call['status'] or call['error']} in {call['seconds']} s"
        yield f"    {call['at']:%Y-%m-%d %H:%M:%S} {call['method']} {call['url']} → {answer}"
