"""What the assets tell of their tables."""

from decimal import Decimal

from fb_qbo_pipeline.assets.describe import staged_metadata
from fb_qbo_pipeline.mapping.documents import Outcome


def test_every_staged_row_is_counted_under_its_outcome() -> None:
    common = {"source": "invoice", "source_id": 1, "currency": "CAD", "amount": Decimal(1), "notes": [], "problems": [], "label": "1"}
    rows = [common | {"outcome": outcome.value} for outcome in Outcome]
    metadata = staged_metadata(rows)
    counted = ("to post", "held", "waiting", "out of scope", "deleted", "kept")
    assert [metadata[name] for name in counted] == [1] * len(Outcome)
