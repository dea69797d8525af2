import datetime as dt

import pytest

from fb_qbo_pipeline.mapping.due_dates import due_date
from fb_qbo_pipeline.settings.models import DueDate


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("kind", "days", "document", "due"),
    [
        ("days", 0, "2025-03-15", "2025-03-15"),
        ("days", 30, "2025-12-15", "2026-01-14"),
        ("days_after_month_end", 0, "2024-02-10", "2024-02-29"),
        ("days_after_month_end", 10, "2025-12-31", "2026-01-10"),
        ("day_of_next_month", 15, "2025-12-31", "2026-01-15"),
        ("day_of_next_month", 31, "2025-01-31", "2025-02-28"),
        ("day_of_next_month", 30, "2024-01-31", "2024-02-29"),
        ("day_of_next_month", 1, "2024-02-29", "2024-03-01"),
        ("days_after_month_end", 29, "2024-01-31", "2024-02-29"),
        ("days", 365, "2024-02-29", "2025-02-28"),
    ],
)
def test_a_document_without_due_date_follows_the_rule(kind: str, days: int, document: str, due: str) -> None:
    rule = DueDate.model_validate({"type": kind, "days": days})
    assert due_date(None, day(document), rule) == day(due)


def test_without_a_rule_it_is_the_documents_date() -> None:
    assert due_date(None, day("2025-03-15"), None) == day("2025-03-15")


def test_freshbooks_own_due_date_wins_but_is_never_before_the_document() -> None:
    rule = DueDate.model_validate({"type": "days", "days": 30})
    assert due_date(day("2025-03-20"), day("2025-03-15"), rule) == day("2025-03-20")
    assert due_date(day("2025-03-10"), day("2025-03-15"), rule) == day("2025-03-15")
