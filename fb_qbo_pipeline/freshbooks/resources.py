"""The FreshBooks resources that are read: where each one lives and what its keys are called.

FreshBooks names an id twice (`id` and `invoiceid`), names list filters in its own way for each resource, and wants one
OAuth scope for each: this table is the only place that knows.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of the accounting family.

    `name` is the word for people and for bad records. `path` follows `/accounting/account/<account_id>/`. `own_id` is the twin
    of `id`; `ids_filter` the search key that takes several ids. `scope` is the OAuth scope that reading needs.
    """

    name: str
    path: str
    singular: str
    plural: str
    own_id: str
    ids_filter: str
    scope: str
    includes: tuple[str, ...] = ()

    def row_id(self, row: Any) -> str | None:
        """The id of a row as text; None where it has none that tells it from others (no number, or a row that is no object)."""
        value = (row.get("id") or row.get(self.own_id)) if isinstance(row, dict) else None
        return str(value) if value and isinstance(value, int | str) and not isinstance(value, bool) and str(value).isdecimal() else None


INVOICES = Resource("invoice", "invoices/invoices", "invoice", "invoices", "invoiceid", "invoiceids", "user:invoices:read", ("lines",))
PAYMENTS = Resource("payment", "payments/payments", "payment", "payments", "logid", "logids", "user:payments:read")
EXPENSES = Resource("expense", "expenses/expenses", "expense", "expenses", "expenseid", "expenseids", "user:expenses:read")
CLIENTS = Resource("client", "users/clients", "client", "clients", "userid", "userids", "user:clients:read")
ITEMS = Resource("item", "items/items", "item", "items", "itemid", "itemids", "user:billable_items:read")
CATEGORIES = Resource("category", "expenses/categories", "category", "categories", "categoryid", "categoryids", "user:expenses:read")
TAXES = Resource("tax", "taxes/taxes", "tax", "taxes", "taxid", "taxids", "user:taxes:read")
SYSTEMS = Resource("account", "systems/systems", "system", "systems", "systemid", "", "user:business:read")
