"""Outages of the database in words for a person: the driver's own name statements, and sometimes addresses.

They are translated where a piece of work ends, not where they happen: further in, an error that is meant for people says
that a request was certainly not sent, and the loss of the database says nothing of the kind.
"""

import contextlib
from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError, OperationalError

from fb_qbo_pipeline.errors import PipelineError, Unreachable, cause_for_people, causes
from fb_qbo_pipeline.shortages import shortage

# Beginnings of SQLSTATE, the first that fits: class 53 is a lack of resources, 57P the operator's intervention, 08 the connection.
_OUTAGES = (
    ("53100", "the database's disk is full", "free some space on it"),
    ("53", "the database is short of memory or connections", "give it more"),
    ("57P", "the database was stopped or restarted", "see that it runs"),
    ("25006", "the database takes no changes at present", "see that FB_QBO_DATABASE_URL names the primary server"),
    ("08", "the connection to the database was lost", "see that it runs and can be reached"),
)


def outage(error: BaseException) -> PipelineError | None:
    """What is wrong with the database, where that is what an error came from.

    None for anything else, such as a statement that the server refuses: that is a fault of the program.
    """
    for cause in causes(error):
        if isinstance(cause, DBAPIError):
            state = _sqlstate(cause)
            for beginning, wrong, remedy in _OUTAGES:
                if state.startswith(beginning):
                    return Unreachable(wrong, f"{remedy}, then run the same command again: what is done is not repeated")
    return None


def explained(error: BaseException) -> PipelineError | None:
    """What an error is to people: the nearest cause that is meant for them, an outage of the database, or a shortage of the machine."""
    return cause_for_people(error) or outage(error) or shortage(error)


@contextlib.contextmanager
def outages_in_words() -> Iterator[None]:
    """Raise an outage of the database within the block as the PipelineError that it is to people."""
    try:
        yield
    except DBAPIError as error:
        told = outage(error)
        if told is None:
            raise
        raise told from error


def _sqlstate(error: DBAPIError) -> str:
    """The server's code; where it gave none because it did not answer, that of a failed connection."""
    state = getattr(error.orig, "pgcode", None)
    if state is None and (error.connection_invalidated or isinstance(error, OperationalError)):
        return "08000"
    return str(state or "")
