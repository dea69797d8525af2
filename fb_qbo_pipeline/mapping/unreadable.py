"""A FreshBooks record that cannot be read → an exception, so that finance sees what was not posted.

The public codes have none for it; `refused` is the closest: the document is not posted because one of the two services does
not take part, and a person has to open it. Records that the settings leave out in any case are left out here as well.
"""

import datetime as dt

from fb_qbo_pipeline.freshbooks.records import Unreadable, VisState
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Code, Mapped, Outcome, Problem, Source
from fb_qbo_pipeline.mapping.outcomes import deleted, held, out_of_scope
from fb_qbo_pipeline.money import ZERO


def map_unreadable(record: Unreadable, day: dt.date, context: Context, sale: Mapped | None = None) -> Mapped:
    """Decide about an unreadable record of `day`; `sale` is the decision about a payment's invoice, where that is known.

    An amount that is unreadable, too, counts as nothing, in the company's currency.
    """
    base = Mapped(
        source=Source(record.resource),
        source_id=record.id,
        outcome=Outcome.OUT_OF_SCOPE,
        date=day,
        amount=record.amount if record.amount is not None else ZERO,
        currency=record.currency or context.company.preferences.home_currency,
        label=record.number or (sale.label if sale is not None else str(record.id)),
        party=record.party or (sale.party if sale is not None else ""),
    )
    if record.vis_state is VisState.DELETED:
        return deleted(base, context.integration)
    left_out = _left_out(record, day, context, sale)
    if left_out:
        return out_of_scope(base, left_out)
    return held(
        base,
        Problem(
            Code.REFUSED,
            f"FreshBooks' record of {record.resource} {record.id} cannot be read: {record.why}",
            "open it in FreshBooks, correct it and save it: it is read again by itself",
        ),
    )


def _left_out(record: Unreadable, day: dt.date, context: Context, sale: Mapped | None) -> str:
    """Why the settings leave the record out; '' where they do not, or where that cannot be told."""
    integration = context.integration
    section = {"invoice": integration.sales, "payment": integration.payments, "expense": integration.expenses}[record.resource]
    if section is None:
        return f"{record.resource}s are not synced: the settings have no section for them"
    if record.resource == "payment":
        if integration.sales is not None and integration.sales.post_as == "sales_receipt":
            return "the sales receipt holds the payment (sales.post_as: sales_receipt)"
        if sale is not None and sale.outcome in (Outcome.OUT_OF_SCOPE, Outcome.DELETED, Outcome.KEPT):
            return f"its invoice {sale.label} is not synced"
        return ""
    if day < integration.start_date:
        return f"dated before start_date ({integration.start_date.isoformat()})"
    if integration.sales is not None and record.resource == "invoice" and record.status and record.status not in integration.sales.statuses:
        return f"its status “{record.status}” is not among sales.statuses"
    return ""
