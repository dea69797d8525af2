"""QuickBooks' change feed, asked once for whoever needs it: the lists that are mirrored, and the transactions that stand there.

Reads are metered, and the feed answers for any number of entities at once. So every look learns what a person has changed or
deleted in QuickBooks with the one read that it makes anyway.
"""

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from fb_qbo_pipeline.errors import PipelineError, RemoteRefusal
from fb_qbo_pipeline.http import utc_now
from fb_qbo_pipeline.quickbooks.reader import Changes, QuickBooksReader

log = logging.getLogger(__name__)

_APART = dt.timedelta(minutes=2, seconds=15)  # the lists are asked for two minutes more than they need
AHEAD = dt.timedelta(minutes=10)  # a mark that lies further in the future was made under a wrong clock and is not believed


@dataclass(frozen=True, slots=True)
class Ask:
    """What somebody wants to know of the feed: which entities, since when."""

    entities: Sequence[str]
    since: dt.datetime


class Follower(Protocol):
    """Somebody who follows QuickBooks by its change feed, and can do without it."""

    def ask(self) -> Ask | None:
        """What is wanted of the feed; None where it cannot help."""

    def take(self, changes: Changes | None, asked_at: dt.datetime) -> None:
        """Take over what the feed has told, or read everything anew where it has not told all."""


def catch_up(reader: QuickBooksReader, followers: Sequence[Follower], clock: Callable[[], dt.datetime] = utc_now) -> None:
    """Bring all followers up to date with one read. Where it holds not everything, each does it alone.

    So it is after many documents were posted: then those that know of them ask from there on, and the others from before.
    """
    now = clock()
    asks = [follower.ask() for follower in followers]
    wanted = [ask for ask in asks if ask is not None]
    together = _together(wanted)
    changes = asked(reader, together) if together is not None else None
    for follower, ask in zip(followers, asks, strict=True):
        told = changes if ask is not None else None
        alone = together is None or (told is not None and not told.complete and len(wanted) > 1)
        if ask is not None and alone:
            told = asked(reader, ask)  # too much for one answer, or refused: perhaps only the others' part
        follower.take(told, now)


def _together(asks: Sequence[Ask]) -> Ask | None:
    """What all want, in one question; None where they want it from too different times."""
    since = [ask.since for ask in asks]
    if not asks or max(since) - min(since) > _APART:
        return None
    return Ask(sorted({entity for ask in asks for entity in ask.entities}), min(since))


def asked(reader: QuickBooksReader, ask: Ask) -> Changes | None:
    """What the feed tells; None where it gives no answer. A refusal may be about one of the entities only: then it is incomplete."""
    try:
        return reader.cdc(ask.entities, ask.since)
    except RemoteRefusal as error:
        log.info("QuickBooks' change feed refused %s: %s", ", ".join(ask.entities), error.message)
        return Changes({}, complete=False)
    except PipelineError as error:  # the change feed is a saving, not a need
        log.info("QuickBooks' change feed gave no answer (%s)", type(error).__name__)
        return None
