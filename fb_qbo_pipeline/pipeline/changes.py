"""What changed in FreshBooks since the last look: the dates that it touches are noted, and a run follows for each span.

FreshBooks' `updated` filter takes days, in US Eastern time, so every look overlaps the one before; records that are the same
as before touch nothing. A look with nothing new costs eight reads. The first look notes every day from the start date.

A look asks from the time of the one before. One that was made under a clock that was ahead would make the next ask for too
little: so a look is dated by the services where they disagree with this machine, and one that lies in the future is not
believed; the next starts from the last good one, of which one a day is remembered.
"""

import datetime as dt
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from fb_qbo_pipeline.freshbooks.reader import FreshBooksReader
from fb_qbo_pipeline.http import Json
from fb_qbo_pipeline.json_text import fingerprint
from fb_qbo_pipeline.ledger.exceptions import MAPPING, OPEN
from fb_qbo_pipeline.ledger.ledger import Transaction
from fb_qbo_pipeline.ledger.raw import UNREADABLE
from fb_qbo_pipeline.mapping.documents import Code
from fb_qbo_pipeline.pipeline.clock import TOLERANCE, told
from fb_qbo_pipeline.pipeline.intake import (
    DOCUMENTS,
    LISTS,
    Dated,
    document_rows,
    note_touched,
    partitions,
    read_lists,
    read_without_id,
    receipts,
    refresh_list,
)
from fb_qbo_pipeline.pipeline.runtime import Runtime
from fb_qbo_pipeline.posting.books import ENTITIES

log = logging.getLogger(__name__)

_CURSOR = "freshbooks_changes"
_LATEST = "latest_changes"
NOT_POSTED = "not_posted"
_HISTORY = "freshbooks_looks"  # the last look of each day
_REMEMBERED = 400  # days

# The QuickBooks lists that decide whether a document can be posted; customers and vendors change with every sync.
_DECISIVE = ("Account", "Class", "CompanyInfo", "Department", "Item", "Preferences", "TaxCode", "TaxRate")


@dataclass
class Look:
    """What a look found: changed records by resource, and how many days wait for a run now.

    `latest`: when a look last found something changed in each resource that the settings use; runs of old dates, such as
    backfills, do not count. A resource that no look has found a change in yet has the instant of the first look.
    `not_posted`: how many transactions with this FreshBooks account's marker stand in QuickBooks that this ledger did not post.
    """

    changed: dict[str, int] = field(default_factory=dict)
    latest: dict[str, dt.datetime] = field(default_factory=dict)
    waiting: int = 0
    first: bool = False
    not_posted: int = 0
    clock_off: dt.timedelta | None = None  # how far this machine's clock is ahead of the services', where that is more than minutes


def look_for_changes(runtime: Runtime) -> Look:
    """Note the dates touched since the last look. Records are stored and dates noted in one transaction with the cursor."""
    started = runtime.clock()
    with runtime.ledger.begin() as tx:
        since = _last_good_look(tx, started)
    look = _first_look(runtime) if since is None else _next_look(runtime, since)
    _touch_after_settings(runtime)
    with runtime.ledger.begin() as tx:
        _touch_earlier_start(runtime, tx)
        # A look is a run, and there is one at a time: whoever else has begun is not at work any more.
        tx.touched.note(partitions(runtime, tx.touched.abandoned()), "a run of it did not end well")
        look.clock_off = runtime.service_clock.off()
        if look.clock_off is not None:
            log.error("this machine's clock is %s the services'; set it: dates and looks depend on it", told(look.clock_off))
            started -= look.clock_off
        tx.cursors.set("clock_off_seconds", round(look.clock_off.total_seconds()) if look.clock_off is not None else 0)
        _remember(tx, started)
        look.latest = _latest(runtime, tx, look, started)
        tx.cursors.set("looks", (tx.cursors.get("looks") or 0) + 1)
        tx.cursors.set("looked_on", runtime.today.isoformat())
        look.waiting = len(tx.touched.waiting())
        look.not_posted = tx.found.not_posted()
        tx.cursors.set(NOT_POSTED, look.not_posted)
    if look.not_posted:
        log.warning("%s", told_of_others(look.not_posted, runtime.account_id))
    return look


def told_of_others(count: int, account_id: str) -> str:
    """What it means that documents of this FreshBooks account stand in QuickBooks which this ledger did not post."""
    documents = "1 document" if count == 1 else f"{count:,} documents"
    return (
        f"QuickBooks holds {documents} of the FreshBooks account {account_id} that this deployment did not post. "
        "Where another deployment posts into the same company, switch one of the two off. "
        "After a new or restored database there is nothing to do: they are taken over, and nothing is posted twice"
    )


def _last_good_look(tx: Transaction, now: dt.datetime) -> dt.datetime | None:
    """When to ask from: the last look, or where that lies in the future, the last one before; None where there is none.

    What else that look has noted of the day is taken back as well.
    """
    since = tx.cursors.instant(_CURSOR)
    if since is None or since <= now + TOLERANCE:
        return since
    looks = [dt.datetime.fromisoformat(text) for text in (tx.cursors.get(_HISTORY) or {}).values()]
    good = max((look for look in looks if look <= now), default=None)
    log.error("the last look is dated %s, which is in the future: going on from %s", since, good or "the beginning")
    tx.cursors.set(_HISTORY, {look.date().isoformat(): look.isoformat() for look in looks if look <= now})
    looked_on = tx.cursors.get("looked_on")
    if good is not None and looked_on is not None:
        tx.cursors.set("looked_on", min(looked_on, good.date().isoformat()))
    return good


def _remember(tx: Transaction, look: dt.datetime) -> None:
    tx.cursors.set_instant(_CURSOR, look)
    look = look.astimezone(dt.UTC)
    looks = (tx.cursors.get(_HISTORY) or {}) | {look.date().isoformat(): look.isoformat()}
    tx.cursors.set(_HISTORY, dict(sorted(looks.items())[-_REMEMBERED:]))


def _latest(runtime: Runtime, tx: Transaction, look: Look, now: dt.datetime) -> dict[str, dt.datetime]:
    known = tx.cursors.get(_LATEST) or {}
    latest = {
        resource: now if look.changed.get(resource) or resource not in known else dt.datetime.fromisoformat(known[resource])
        for resource in resources(runtime)
    }
    tx.cursors.set(_LATEST, {resource: instant.astimezone(dt.UTC).isoformat() for resource, instant in latest.items()})
    return latest


def resources(runtime: Runtime) -> tuple[str, ...]:
    """The FreshBooks resources that the settings use."""
    integration = runtime.integration
    used = {"invoice": integration.sales, "payment": integration.payments or receipts(runtime), "expense": integration.expenses}
    return tuple(resource for resource in DOCUMENTS if used[resource])


def _first_look(runtime: Runtime) -> Look:
    read_lists(runtime)
    look = Look(first=True)
    start, today = runtime.integration.start_date, runtime.today
    for resource in resources(runtime):  # dated in the future: they wait for their day
        tomorrow = today + dt.timedelta(days=1)
        _store(runtime, resource, partial(_dated_from, resource=resource, day=tomorrow), tomorrow)
    days = [start + dt.timedelta(days=n) for n in range((today - start).days + 1)]
    # The books are read before anything is posted anyway. Done now, the look tells whether another deployment posts into them.
    runtime.books.know({entity: start for resource in resources(runtime) for entity in ENTITIES[resource]})
    with runtime.ledger.begin() as tx:
        tx.touched.note(days, "the first sync")
    return look


def _dated_from(reader: FreshBooksReader, resource: str, day: dt.date) -> Iterator[tuple[Dated, Json]]:
    if resource == "invoice":
        yield from reader.invoices(date_from=day)
    elif resource == "payment":
        yield from reader.payments(date_from=day)
    else:
        yield from reader.expenses(date_from=day)


def _store(runtime: Runtime, resource: str, read: Callable[[FreshBooksReader], Iterator[tuple[Dated, Json]]], day: dt.date) -> int:
    with runtime.ledger.begin() as tx:
        return len(tx.raw.upsert(resource, document_rows(runtime, resource, read, day)))


def _next_look(runtime: Runtime, since: dt.datetime) -> Look:
    look = Look()
    with runtime.ledger.begin() as tx:
        first_of_day = tx.cursors.get("looked_on") != runtime.today.isoformat()
    _read_lists_again(runtime, since, look)
    for resource in resources(runtime):
        with runtime.ledger.begin() as tx:
            rows = document_rows(runtime, resource, partial(_updated, resource=resource, since=since), runtime.today)
            changes = tx.raw.upsert(resource, rows)
            look.changed[resource] = len(changes)
            note_touched(runtime, tx, resource, changes, "changed in FreshBooks")
    for resource in resources(runtime):
        read_without_id(runtime, resource, whole=first_of_day)
    with runtime.ledger.begin() as tx:
        _touch_new_days(runtime, tx)
    return look


def _read_lists_again(runtime: Runtime, since: dt.datetime, look: Look) -> None:
    """What changed in FreshBooks' lists; a list of which something cannot be read is read as a whole, and wakes what waits for that."""
    for resource in LISTS:
        with runtime.ledger.begin() as tx:
            unreadable = bool(tx.raw.in_state(resource, UNREADABLE))
        if resource == "category" and not unreadable:
            continue  # they have no time of change; an expense of an unknown one asks for them
        changes = refresh_list(runtime, resource, None if unreadable else since)
        if resource != "category":
            look.changed[resource] = len(changes)
        if unreadable and changes:
            with runtime.ledger.begin() as tx:
                held = [row for row in tx.exceptions.unresolved() if row["code"] == Code.REFUSED.value and row["stage"] == MAPPING]
                tx.touched.note(partitions(runtime, {row["document_date"] for row in held}), f"a {resource} was corrected in FreshBooks")


def _updated(reader: FreshBooksReader, resource: str, since: dt.datetime) -> Iterator[tuple[Dated, Json]]:
    for deleted in (False, True):
        if resource == "invoice":
            yield from reader.invoices(updated_since=since, deleted=deleted)
        elif resource == "payment":
            yield from reader.payments(updated_since=since, deleted=deleted)
        else:
            yield from reader.expenses(updated_since=since, deleted=deleted)


def _touch_new_days(runtime: Runtime, tx: Transaction) -> None:
    """Records that were dated in the future when they were read: their day has come."""
    looked_on = dt.date.fromisoformat(tx.cursors.get("looked_on") or runtime.today.isoformat())
    days = {day for resource in resources(runtime) for day in tx.raw.dated_after(resource, looked_on, runtime.today)}
    tx.touched.note(partitions(runtime, days), "its day has come")


def _touch_earlier_start(runtime: Runtime, tx: Transaction) -> None:
    """Days that came into scope because the start date was moved back, and the one that was the first until then."""
    start = runtime.integration.start_date
    before = tx.cursors.get("start_date")
    if before is not None and start.isoformat() < before:
        days = (dt.date.fromisoformat(before) - start).days
        tx.touched.note({start + dt.timedelta(days=n) for n in range(days + 1)}, "the start date was moved back")
    tx.cursors.set("start_date", start.isoformat())


def _touch_after_settings(runtime: Runtime) -> None:
    """Open exceptions may pass under new settings or with new QuickBooks lists: their partitions are tried again.

    While a closed period holds something, the closing date is asked for: one read.
    """
    with runtime.ledger.begin() as tx:
        closed = any(held["code"] == Code.CLOSED_PERIOD.value and held["status"] == OPEN for held in tx.exceptions.unresolved())
    if closed:
        runtime.mirror.read_preferences()
    present = fingerprint(runtime.integration.model_dump(mode="json"))
    with runtime.ledger.begin() as tx:
        ours = {entry.qbo_id for entry in tx.links.all("Item").values() if entry.created}
        mirrored = tx.lists.all()
        lists = fingerprint(
            {name: [m for m in mirrored.get(name, ()) if name != "Item" or str(m.get("Id")) not in ours] for name in _DECISIVE}
        )
        before = tx.cursors.get("settings")
        if before is not None and before != [present, lists]:
            held = [row for row in tx.exceptions.unresolved() if row["status"] == OPEN]
            tx.exceptions.try_again([row["id"] for row in held])
            days = {row["document_date"] for row in held}
            tx.touched.note(partitions(runtime, days), "settings or QuickBooks' lists have changed")
        tx.cursors.set("settings", [present, lists])
