"""What a staged record needs, decided from what stands in QuickBooks."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from fb_qbo_pipeline.ledger.posted import Posted
from fb_qbo_pipeline.mapping.documents import Code, Document, Entity, Source
from fb_qbo_pipeline.mapping.rows import document_to_json
from fb_qbo_pipeline.posting.plan import Action, decide

DAY = dt.date(2026, 3, 5)
D = Decimal


def _row(outcome: str, fingerprint: str | None = "new") -> dict[str, Any]:
    document = Document(Source.INVOICE, 1, Entity.INVOICE, DAY, "FB1", "CAD", D("1.00"), D("0"), {"Line": []})
    kept = document_to_json(document) if outcome == "document" else None
    return {"source": "invoice", "source_id": 1, "outcome": outcome, "fingerprint": fingerprint, "document": kept, "reason": "a reason"}


def _posted(state: str, fingerprint: str = "old", entity: str = "Invoice", total: str = "1.00") -> Posted:
    return Posted("invoice", 1, entity, "17", "0", "FB1", DAY, "CAD", D(total), D("0"), state, fingerprint)


@pytest.mark.parametrize(
    ("outcome", "posted", "expected"),
    [
        ("document", None, Action.CREATE),
        ("document", _posted("deleted"), Action.CREATE),
        ("document", _posted("posted", "new"), Action.UNCHANGED),
        ("document", _posted("posted"), Action.UPDATE),
        ("document", _posted("voided", "new"), Action.VOID),
        ("document", _posted("voided", ""), Action.HOLD),
        ("document", _posted("posted", entity="SalesReceipt"), Action.UNCHANGED),
        ("document", _posted("voided", entity="SalesReceipt"), Action.VOID),
        ("document", _posted("posted", entity="SalesReceipt", total="2.00"), Action.HOLD),
        ("waiting", None, Action.NOTHING),
        ("waiting", _posted("posted"), Action.NOTHING),
        ("deleted", None, Action.NOTHING),
        ("deleted", _posted("posted"), Action.VOID),
        ("kept", _posted("posted"), Action.NOTHING),
        ("kept", replace(_posted("posted"), drift="it was changed"), Action.NOTHING),
        ("deleted", _posted("voided"), Action.NOTHING),
        ("deleted", _posted("deleted"), Action.NOTHING),
        ("out_of_scope", None, Action.NOTHING),
        ("out_of_scope", _posted("posted"), Action.HOLD),
        ("out_of_scope", _posted("voided"), Action.NOTHING),
        ("held", None, Action.NOTHING),
        ("held", _posted("posted"), Action.NOTHING),
    ],
)
def test_each_record_gets_the_one_action_that_it_needs(outcome: str, posted: Posted | None, expected: Action) -> None:
    assert decide(_row(outcome), posted).action is expected


def test_only_what_is_to_be_written_carries_a_document() -> None:
    assert decide(_row("document"), None).document is not None
    assert decide(_row("deleted"), _posted("posted")).document is None


def test_what_left_the_scope_names_the_setting_that_left_it_out() -> None:
    problem = decide(_row("out_of_scope"), _posted("posted")).problem
    assert problem is not None
    assert problem.code is Code.LEFT_SCOPE
    assert "a reason" in problem.reason


@pytest.mark.parametrize(
    ("outcome", "fingerprint", "closed", "expected"),
    [
        ("deleted", "old", DAY, Action.HOLD),
        ("document", "old", DAY, Action.HOLD),
        ("document", "new", DAY, Action.UNCHANGED),
        ("deleted", "old", DAY - dt.timedelta(days=1), Action.VOID),
        ("out_of_scope", "old", DAY, Action.HOLD),
    ],
)
def test_what_stands_in_a_closed_period_is_neither_changed_nor_voided(
    outcome: str, fingerprint: str, closed: dt.date, expected: Action
) -> None:
    step = decide(_row(outcome), _posted("posted", fingerprint), closed_until=closed)
    assert step.action is expected
    if expected is Action.HOLD and outcome != "out_of_scope":
        assert step.problem is not None
        assert step.problem.code is Code.CLOSED_PERIOD


@pytest.mark.parametrize(
    ("posted", "code", "fingerprint", "expected"),
    [
        ("differs", "total_mismatch", "new", Action.HOLD),
        ("differs", "total_mismatch", "old", Action.UPDATE),  # FreshBooks or the settings say something else now
        ("differs", "total_mismatch", "", Action.UPDATE),  # a person wants it to be tried again
        ("differs", "refused", "new", Action.UPDATE),
        ("old", "total_mismatch", "new", Action.UPDATE),
    ],
)
def test_what_quickbooks_has_made_something_else_of_is_not_sent_again_just_so(
    posted: str, code: str, fingerprint: str, expected: Action
) -> None:
    held = {"code": code, "fingerprint": fingerprint, "reason": "a reason", "remedy": "a remedy"}
    assert decide(_row("document"), _posted("posted", posted), held=held).action is expected


def test_a_closed_period_does_not_matter_to_what_is_new() -> None:
    assert decide(_row("document"), None, closed_until=DAY).action is Action.CREATE
