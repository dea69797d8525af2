"""A FreshBooks record that cannot be read → an exception, so that finance sees what was not posted.

The public codes have none for it; `refused` is the closest: the document is not posted because one of the two services does
not take part, and a person has to open it. Records that the settings leave out in any case are left out here as well.
"""

import datetime as dt

from fb_qbo_pipeline.freshbooks.records import Unreadable
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Code, Mapped, Outcome, Problem, Source
from fb_qbo_pipeline.mapping.outcomes import held
from fb_qbo_pipeline.mapping.scope import expense_scope, invoice_scope, payment_scope
from fb_qbo_pipeline.money import ZERO

REMEDY = "open it in FreshBooks, correct it and save it: it is read again by itself"
NO_ID = "no id"


def map_unreadable(record: Unreadable, day: dt.date, context: Context, sale: Mapped | None = None) -> Mapped:
    """Decide about an unreadable record of `day`; `sale` is the decision about a payment's invoice, where that is known.

    An amount that is unreadable, too, counts as nothing, in the company's currency.
    """
    what = f"{record.resource} {record.id}" if record.id > 0 else f"a {record.resource} without a usable id"
    base = Mapped(
        source=Source(record.resource),
        source_id=record.id,
        outcome=Outcome.OUT_OF_SCOPE,
        date=day,
        amount=record.amount if record.amount is not None else ZERO,
        currency=record.currency or context.company.preferences.home_currency,
        label=record.number or (sale.label if sale is not None else str(record.id) if record.id > 0 else NO_ID),
        party=record.party or (sale.party if sale is not None else ""),
    )
    left_out = _scope(base, record, context, sale)
    if left_out is not None:
        return left_out
    return held(
        base,
        Problem(
            Code.REFUSED,
            f"FreshBooks' record of {what} cannot be read: {record.why}",
            REMEDY if record.id > 0 else f"find it in FreshBooks by its date and amount; {REMEDY}; if it looks right there, ask FreshBooks",
        ),
    )


def list_problem(record: Unreadable, whose: str) -> Problem:
    """The problem of a document that names `record`, a client, product or category that cannot be read; `whose`: "its client"."""
    name = f"“{record.number or record.party}”" if record.number or record.party else f"with the id {record.id}"
    return Problem(Code.REFUSED, f"{whose} {name} cannot be read in FreshBooks: {record.why}", REMEDY)


def _scope(base: Mapped, record: Unreadable, context: Context, sale: Mapped | None) -> Mapped | None:
    """The decision about a record that the settings leave out; None where they do not, or where that cannot be told."""
    if base.source is Source.INVOICE:
        return invoice_scope(base, context.integration, record.vis_state, record.status)
    if base.source is Source.EXPENSE:
        return expense_scope(base, context.integration, record.vis_state, record.amount)
    return payment_scope(base, context.integration, record.vis_state, record.amount, sale, of_no_invoice=False)
