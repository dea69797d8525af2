"""What the settings leave out: one rule for every record, whether it can be read in full or not.

A record that cannot be read must not be judged by other words than one that can: a status spelled `auto-paid` would hold the
one and silently drop the other. What is not known of a record (a status or an amount that cannot be read) leaves nothing out.
"""

from decimal import Decimal

from fb_qbo_pipeline.freshbooks.records import VisState
from fb_qbo_pipeline.mapping.documents import Mapped, Outcome, Source
from fb_qbo_pipeline.mapping.outcomes import NOTHING, deleted, kept, out_of_scope
from fb_qbo_pipeline.mapping.text import cents
from fb_qbo_pipeline.settings.models import Integration, Sales


def invoice_scope(base: Mapped, integration: Integration, vis_state: VisState, status: str) -> Mapped | None:
    """The decision about an invoice that is left out or deleted; None where it is in scope. `status` is '' where it is not known."""
    if integration.sales is None:
        return out_of_scope(base, "sales are not synced: the settings have no sales section")
    if vis_state is VisState.DELETED:
        return deleted(base, integration)
    if base.date < integration.start_date:
        return _before_start(base, integration)
    if status and not picked_up(status, integration.sales):
        return out_of_scope(base, f"its status “{status}” is not among sales.statuses")
    return None


def expense_scope(base: Mapped, integration: Integration, vis_state: VisState, amount: Decimal | None) -> Mapped | None:
    """The decision about an expense that is left out or deleted; None where it is in scope."""
    if integration.expenses is None:
        return out_of_scope(base, "expenses are not synced: the settings have no expenses section")
    if vis_state is VisState.DELETED:
        return deleted(base, integration)
    if base.date < integration.start_date:
        return _before_start(base, integration)
    return _nothing(base, amount)


def payment_scope(
    base: Mapped, integration: Integration, vis_state: VisState, amount: Decimal | None, sale: Mapped | None, *, of_no_invoice: bool
) -> Mapped | None:
    """The decision about a payment that is left out or deleted; None where it is in scope.

    `sale` is the decision about its invoice, where that is known; `of_no_invoice`: it is known to belong to none.
    """
    if integration.sales is None or integration.payments is None:
        return out_of_scope(base, "payments are not synced: the settings have no payments section")
    if vis_state is VisState.DELETED:
        return deleted(base, integration)
    if integration.sales.post_as == "sales_receipt":
        return out_of_scope(base, "the sales receipt holds the payment (sales.post_as: sales_receipt)")
    if sale is not None and sale.outcome is Outcome.OUT_OF_SCOPE:
        return out_of_scope(base, f"its invoice {sale.label} is not synced: {sale.reason}")
    if sale is not None and sale.outcome is Outcome.KEPT:
        return kept(base, f"its invoice {sale.label} is deleted in FreshBooks; on_delete is keep")
    if sale is not None and sale.outcome is Outcome.DELETED:
        return out_of_scope(base, f"its invoice {sale.label} is deleted in FreshBooks")
    if sale is None and of_no_invoice and base.date < integration.start_date:
        return _before_start(base, integration)
    return _nothing(base, amount)


def picked_up(status: str, sales: Sales) -> bool:
    """Whether the settings pick up this v3_status; `auto_paid`, `auto-paid` and `autopaid` are the same."""
    return _joined(status) in map(_joined, sales.statuses)


def _joined(status: str) -> str:
    return status.replace("_", "").replace("-", "").casefold()


def _before_start(base: Mapped, integration: Integration) -> Mapped:
    return out_of_scope(base, f"dated before start_date ({integration.start_date.isoformat()})")


def _nothing(base: Mapped, amount: Decimal | None) -> Mapped | None:
    assert base.source is not Source.INVOICE, "an invoice over nothing is posted"
    return out_of_scope(base, NOTHING) if amount is not None and cents(amount) == 0 else None
