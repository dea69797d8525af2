"""What a preflight found: its steps, its findings, and the exit status that follows.

The JSON form is public interface: scripts read it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from fb_qbo_pipeline.errors import PipelineError
from fb_qbo_pipeline.http import Json
from fb_qbo_pipeline.money import round_half_up

T = TypeVar("T")


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"  # nothing can be synced rightly until it is changed
    WARNING = "warning"  # some documents are held, or something looks wrong


class State(StrEnum):
    """How a step went."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """One thing to put right. `key` is a setting ("sales.taxes.HST"), a service, or the code of held documents.

    `documents`, `amount` (by currency, as FreshBooks has it) and `examples` are of the documents that it concerns; `holds`:
    a sync would hold them. `exit_status` is the command's where the finding is an error.
    """

    severity: Severity
    key: str
    message: str
    remedy: str
    documents: int = 0
    amount: Mapping[str, Decimal] = field(default_factory=dict)
    examples: tuple[str, ...] = ()
    exit_status: int = 2
    holds: bool = False

    def to_json(self) -> Json:
        """The finding in `check --json`; amounts are texts with two decimals."""
        return {
            "severity": self.severity.value,
            "key": self.key,
            "message": self.message,
            "remedy": self.remedy,
            "documents": self.documents,
            "amount": {currency: str(round_half_up(amount)) for currency, amount in self.amount.items()},
            "examples": list(self.examples),
        }


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was checked, and what was found."""

    title: str
    detail: str
    findings: tuple[CheckFinding, ...] = ()

    @property
    def state(self) -> State:
        """How it went."""
        if any(finding.severity is Severity.ERROR for finding in self.findings):
            return State.PROBLEM
        return State.WARNING if self.findings else State.OK


@dataclass
class CheckReport:
    """The steps in order."""

    steps: list[Step] = field(default_factory=list)

    @property
    def findings(self) -> list[CheckFinding]:
        """Everything found, errors first."""
        found = [finding for step in self.steps for finding in step.findings]
        return sorted(found, key=lambda finding: finding.severity is not Severity.ERROR)

    @property
    def ok(self) -> bool:
        """Whether a sync can begin; documents may be held all the same."""
        return not any(finding.severity is Severity.ERROR for finding in self.findings)

    def exit_status(self, *, strict: bool) -> int:
        """2 for a wrong configuration, 1 for an account that cannot be reached, 3 if `strict` and documents would be held."""
        if not self.ok:
            return max(finding.exit_status for finding in self.findings if finding.severity is Severity.ERROR)
        return 3 if strict and any(finding.holds and finding.documents for finding in self.findings) else 0

    def to_json(self) -> Json:
        """The document of `check --json`."""
        return {"ok": self.ok, "findings": [finding.to_json() for finding in self.findings]}

    def attempt(self, title: str, key: str, act: Callable[[], tuple[T, Step]]) -> T | None:
        """Add the step that `act` reports and return its value; an error that ends it is the step's finding."""
        try:
            value, step = act()
        except PipelineError as error:
            self.steps.append(failed(title, key, error))
            return None
        self.steps.append(step)
        return value


def failed(title: str, key: str, error: PipelineError) -> Step:
    """The step that `error` ended."""
    finding = CheckFinding(Severity.ERROR, key, error.message, error.remedy, exit_status=error.exit_status)
    return Step(title, "could not be checked", (finding,))
