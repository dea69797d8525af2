"""What a run did, in the words of the sync report."""

from collections import Counter
from decimal import Decimal

from fb_qbo_pipeline.json_text import dump_json, load_json
from fb_qbo_pipeline.posting.counts import Counts


def _counts() -> Counts:
    counts = Counts(Counter(invoice=2), Counter(payment=1), Counter(bill=1), 3, 4)
    counts.add_money("CAD", Decimal("10.10"))
    return counts


def test_counts_survive_the_ledger() -> None:
    assert Counts.from_json(load_json(dump_json(_counts().to_json()))) == _counts()


def test_counts_of_several_runs_add_up() -> None:
    counts = _counts()
    counts.add(_counts())
    assert (counts.created["invoice"], counts.unchanged, counts.held, counts.money["CAD"]) == (4, 6, 8, Decimal("20.20"))
