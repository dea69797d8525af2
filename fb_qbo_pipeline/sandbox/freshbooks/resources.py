"""The accounting resources that the sandbox serves: their paths, keys, scopes and default order.

FreshBooks writes every id twice, under `id` and under a name of the resource's own; the list's key is the plural.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

ACTIVE, DELETED, ARCHIVED = 0, 1, 2  # vis_state


def _newest_first(record: Json) -> tuple[Any, ...]:
    return (-record["id"],)


def _oldest_first(record: Json) -> tuple[Any, ...]:
    return (record["id"],)


def _latest_expense_first(record: Json) -> tuple[Any, ...]:
    return (-int(record["date"].replace("-", "")), record["id"])


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource. `refusal` is the errno with which a plan that lacks the feature is refused."""

    name: str  # the singular, and the key of a single record
    plural: str
    path: str  # below /accounting/account/{accountid}/
    id_key: str
    first_id: int
    scope: str
    order: Callable[[Json], tuple[Any, ...]] = _newest_first
    has_vis_state: bool = True
    refusal: int = 1003


RESOURCES: dict[str, Resource] = {
    resource.name: resource
    for resource in (
        Resource("invoice", "invoices", "invoices/invoices", "invoiceid", 410001, "user:invoices:read"),
        Resource("payment", "payments", "payments/payments", "logid", 620001, "user:payments:read"),
        Resource("expense", "expenses", "expenses/expenses", "expenseid", 830001, "user:expenses:read", _latest_expense_first),
        Resource("category", "categories", "expenses/categories", "categoryid", 2003101, "user:expenses:read", _oldest_first),
        Resource("client", "clients", "users/clients", "userid", 150001, "user:clients:read"),
        Resource("item", "items", "items/items", "itemid", 4301, "user:billable_items:read", _oldest_first, refusal=12001),
        Resource("tax", "taxes", "taxes/taxes", "taxid", 7801, "user:taxes:read", _oldest_first, has_vis_state=False),
    )
}
BY_PATH: dict[str, Resource] = {resource.path: resource for resource in RESOURCES.values()}
