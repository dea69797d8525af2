"""A company to try everything on: a year of invoices, payments and expenses, made from a seed and stored nowhere.

It is as untidy as real ones: odd quantities, discounts, part payments, deleted and archived documents, names that clash.
A handful of documents cannot be posted and are meant to become exceptions; `SampleCompany.expected` lists them.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from fb_qbo_pipeline.sandbox.freshbooks.state import FreshBooks
from fb_qbo_pipeline.sandbox.freshbooks.totals import Rounding
from fb_qbo_pipeline.sandbox.sample_country import country_named, integration
from fb_qbo_pipeline.sandbox.sample_special import ExpectedException, add_special_documents
from fb_qbo_pipeline.sandbox.sample_studio import Studio


@dataclass(frozen=True)
class SampleCompany:
    """The sample: the account, the content of its integration.yaml, and the QuickBooks country that it goes with (ca, us, gb)."""

    freshbooks: FreshBooks
    integration: dict[str, Any]
    quickbooks_country: str
    expected: tuple[ExpectedException, ...]


def build_sample(
    country: str = "ca", today: dt.date | None = None, seed: int = 1, *, rounding: Rounding = Rounding.PER_TAX
) -> SampleCompany:
    """The sample company of `country` (ca, us, uk) with the 12 months up to `today` (now, in the company's time zone).

    The same arguments give the same records. `rounding` is the order in which FreshBooks rounds.
    With `today` the account's clock stands still at that evening, else it runs.
    Raises ValueError for another country.
    """
    studio = Studio(country_named(country), today, seed)
    studio.account.rounding = rounding
    studio.add_lists()
    studio.add_invoices()
    studio.add_expenses()
    expected = add_special_documents(studio)
    studio.close(runs=today is None)
    return SampleCompany(studio.account, integration(studio.country, studio.start), studio.country.quickbooks, expected)
