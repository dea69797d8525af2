"""What can go wrong, grouped by what the caller should do.

    PipelineError                 every error of this package that a person may read
    ├── ConfigurationError        exit 2: change a setting or an environment variable
    ├── ConnectionRequired        exit 1: a person has to connect the account again
    ├── Unreachable               exit 1: the other side did not answer in time; run again later
    └── RemoteRefusal             exit 1: the other side answered, and said no

Expected problems of a single document are not exceptions but data (`mapping.documents.Problem`).
Messages are written for the person who has to act; they hold no secret and no customer's data.
"""

from collections.abc import Iterator


class PipelineError(Exception):
    """Base of the errors that are shown to a person without a traceback. `remedy` says what to do."""

    exit_status = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n  → {self.remedy}" if self.remedy else self.message


class ConfigurationError(PipelineError):
    """A setting, an environment variable or a name in them is wrong."""

    exit_status = 2


class ConnectionRequired(PipelineError):
    """The stored tokens do not work any more, or there are none: `fb-qbo connect …` is needed."""


class Unreachable(PipelineError):
    """No usable answer after all retries: network, time-outs, 5xx, throttling that did not end."""


class RemoteRefusal(PipelineError):
    """A definite refusal: repeating the same request would be refused again."""


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, each once: one that is unwrapped and raised again is its own cause's cause."""
    cause: BaseException | None = error
    seen: set[int] = set()
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__


def cause_for_people(error: BaseException) -> PipelineError | None:
    """The error itself, or the nearest one that it came from, that a person may read; None for a fault of the program."""
    return next((cause for cause in causes(error) if isinstance(cause, PipelineError)), None)
