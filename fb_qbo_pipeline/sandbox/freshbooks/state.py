"""One FreshBooks account in memory: its records, kept consistent the way FreshBooks keeps them.

Adding, editing or deleting a payment moves its invoice's `paid`, `outstanding` and states; editing lines moves the totals;
every change moves `updated`. Records are replaced and never changed in place, so a list that was handed out stays as it was.
"""

import copy
import datetime as dt
import threading
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from fb_qbo_pipeline.money import ZERO, parse_decimal
from fb_qbo_pipeline.sandbox.freshbooks import invoices, payloads, states
from fb_qbo_pipeline.sandbox.freshbooks.clock import Clock
from fb_qbo_pipeline.sandbox.freshbooks.payloads import ExpenseTax, Line
from fb_qbo_pipeline.sandbox.freshbooks.resources import ACTIVE, ARCHIVED, DELETED, RESOURCES, Json
from fb_qbo_pipeline.sandbox.freshbooks.totals import Rounding
from fb_qbo_pipeline.sandbox.freshbooks.wire import Number, amount_of, changed, money, stamp, stamp_of, version_stamp

Day = dt.date | str


class FreshBooks:
    """An account. `rounding` may be switched at any time and holds for what is computed from then on.

    `payment_touches_invoice`: whether recording a payment moves the invoice's `updated`; FreshBooks does not say.
    Methods return copies in the wire's shape. Unknown ids raise KeyError, unknown fields ValueError.
    """

    def __init__(
        self,
        account_id: str = "ABC123",
        *,
        business_name: str = "Sandbox Company",
        currency: str = "CAD",
        country: str = "Canada",
        timezone: str = "America/Toronto",
        clock: Clock | None = None,
        rounding: Rounding = Rounding.PER_TAX,
        payment_touches_invoice: bool = True,
    ) -> None:
        self.account_id = account_id
        self.business_id = 439000
        self.business_name = business_name
        self.currency = currency
        self.country = country
        self.timezone = timezone
        self.clock = clock or Clock()
        self.rounding = rounding
        self.payment_touches_invoice = payment_touches_invoice
        self._lock = threading.RLock()
        self._records: dict[str, dict[int, Json]] = {name: {} for name in RESOURCES}
        self._next_id = {name: resource.first_id for name, resource in RESOURCES.items()}
        self._next_credit_id = 95001
        self._payments_of: dict[int, list[int]] = {}
        self.revision = 0  # grows with every change
        self._views: dict[str, tuple[tuple[int, dt.date], list[Json]]] = {}

    # Reading

    def today(self) -> dt.date:
        """The business's calendar day."""
        return self.clock.now().astimezone(ZoneInfo(self.timezone)).date()

    def view(self, resource: str) -> list[Json]:
        """All records of a resource, deleted ones too, as they read now. For reading only: they are not copies."""
        with self._lock:
            state = (self.revision, self.today())
            kept = self._views.get(resource)
            if kept is None or kept[0] != state:
                records = list(self._records[resource].values())
                kept = self._views[resource] = (state, self._invoice_views(records) if resource == "invoice" else records)
            return list(kept[1])

    def get(self, resource: str, record_id: int) -> Json:
        """A copy of one record, as it reads now."""
        with self._lock:
            record = self._records[resource][record_id]
            return copy.deepcopy(self._invoice_views([record])[0] if resource == "invoice" else record)

    def _invoice_views(self, records: Sequence[Json]) -> list[Json]:
        """`v3_status` follows the calendar, and `current_organization` the client, without an edit of the invoice."""
        today, clients = self.today(), self._records["client"]
        return [
            {
                **record,
                "v3_status": states.v3_status(record, today),
                "current_organization": clients[record["customerid"]]["organization"],
            }
            for record in records
        ]

    # Clients, items, taxes, categories

    def add_client(self, organization: str = "", first_name: str = "", last_name: str = "", email: str = "", **details: Any) -> Json:
        """A client; `details` are wire keys (`p_city`, `bus_phone`…)."""
        with self._lock:
            record = payloads.client(self._new_ids("client"), self.account_id, self.currency, self.clock.now())
            names = {"organization": organization, "fname": first_name, "lname": last_name, "email": email}
            return self._store("client", changed(record, {**names, **details}))

    def add_item(self, name: str, unit_cost: Number = 0, sku: str | None = None, **details: Any) -> Json:
        """A product or service; `details` are wire keys (`description`, `inventory`, `tax1`…)."""
        with self._lock:
            record = payloads.item(self._new_ids("item"), self.account_id, name, money(unit_cost, self.currency), self.clock.now())
            return self._store("item", changed(record, {"sku": sku, **details}))

    def add_tax(self, name: str, percent: Number, **details: Any) -> Json:
        """A tax; lines copy its name and percent, so later edits do not reach them."""
        with self._lock:
            record = payloads.tax(self._new_ids("tax"), self.account_id, name, percent, self.clock.now())
            return self._store("tax", changed(record, details))

    def add_category(self, name: str, parent_id: int | None = None, **details: Any) -> Json:
        """An expense category under `parent_id`, or a top one."""
        with self._lock:
            record = payloads.category(self._new_ids("category"), name, parent_id, self.clock.now())
            return self._store("category", changed(record, details))

    def edit(self, resource: str, record_id: int, **changes: Any) -> Json:
        """Change a client, item, tax or category; `changes` are wire keys. An invoice's snapshot of its client stays."""
        if resource not in {"client", "item", "tax", "category"}:
            raise ValueError(f"use edit_{resource}: it has fields that depend on others")
        with self._lock:
            record = changed(self._records[resource][record_id], changes)
            return self._store(resource, {**record, **stamp_of(record, self.clock.now())})

    # Invoices

    def add_invoice(
        self,
        client_id: int,
        *,
        lines: Sequence[Line],
        date: Day | None = None,
        number: str | None = None,
        discount_value: Number = 0,
        due_offset_days: int = 30,
        status: str = "sent",
        currency: str | None = None,
        **details: Any,
    ) -> Json:
        """An invoice dated `date` (today), due `due_offset_days` later, with the next number unless one is given.

        `discount_value` is a percent. `status` is one of `states.SETTABLE`; paid, partial and overdue follow from payments
        and the due date. `details` are wire keys: notes, terms, po_number, auto_bill…
        """
        with self._lock:
            ids = self._new_ids("invoice")
            changes = {
                "client_id": client_id,
                "lines": lines,
                "date": date or self.today(),
                "number": number or f"{ids['id'] - RESOURCES['invoice'].first_id + 1:07}",
                "discount_value": discount_value,
                "due_offset_days": due_offset_days,
                "status": status,
                **details,
            }
            return self._edit_invoice(payloads.invoice(ids, self.account_id, currency or self.currency, self.clock.now()), changes)

    def edit_invoice(self, invoice_id: int, **changes: Any) -> Json:
        """Change an invoice, in the words of `add_invoice`. Lines are replaced as a whole; a new client is a new snapshot."""
        with self._lock:
            return self._edit_invoice(self._records["invoice"][invoice_id], changes)

    def _edit_invoice(self, record: Json, changes: Json) -> Json:
        taxes = self._records["tax"].values()
        after = invoices.edited(record, changes, self._records["client"], taxes, self.clock.now())
        return self._store("invoice", invoices.settled(after, self._payments(after["id"]), self.rounding))

    def _payments(self, invoice_id: int) -> list[Json]:
        return [self._records["payment"][payment_id] for payment_id in self._payments_of.get(invoice_id, [])]

    # Payments

    def add_payment(
        self,
        invoice_id: int | None,
        amount: Number,
        date: Day | None = None,
        method: str = "Bank Transfer",
        *,
        from_credit: bool = False,
        client_id: int | None = None,
        **details: Any,
    ) -> Json:
        """A payment of an invoice, or (invoice None) one that funds a credit of `client_id`. `method` is the wire's `type`.

        `from_credit`: a credit applied to the invoice, no cash. What exceeds the invoice's outstanding amount becomes a second
        payment row that funds a credit: the first row's `overpaymentid` is its `creditid`. `details` are wire keys (`note`…).
        """
        with self._lock:
            value, excess = parse_decimal(amount), ZERO
            code, client = self.currency, client_id
            if invoice_id is not None:
                invoice = self._records["invoice"][invoice_id]
                code, client = invoice["currency_code"], invoice["customerid"]
                excess = max(ZERO, value - max(ZERO, amount_of(invoice["outstanding"])))
            now, day = self.clock.now(), f"{date or self.today()}"
            row = payloads.payment(self._new_ids("payment"), self.account_id, money(value - excess, code), day, method, now)
            credit = self._new_credit() if invoice_id is None or from_credit or excess else None
            links = {"invoiceid": invoice_id, "clientid": client, "from_credit": from_credit}
            row = changed({**row, **links, "overpaymentid" if excess else "creditid": credit}, details)
            payment = self._store("payment", row)
            if excess:
                surplus = {"amount": money(excess, code), "invoiceid": None, "creditid": credit, "overpaymentid": None}
                self._store("payment", {**row, **self._new_ids("payment"), **surplus})
            self._link_payment(payment["id"], None)
            return payment

    def edit_payment(self, payment_id: int, **changes: Any) -> Json:
        """Change a payment: `amount`, `date`, `invoice_id`, or wire keys. Its old and its new invoice follow."""
        with self._lock:
            record, rest = dict(self._records["payment"][payment_id]), dict(changes)
            before = record["invoiceid"]
            if "amount" in rest:
                record["amount"] = money(rest.pop("amount"), record["amount"]["code"])
            if "date" in rest:
                record["date"] = f"{rest.pop('date')}"
            if "invoice_id" in rest:
                invoice = self._records["invoice"][rest.pop("invoice_id")]
                record |= {"invoiceid": invoice["id"], "clientid": invoice["customerid"]}
            payment = self._store("payment", {**changed(record, rest), **stamp(self.clock.now())})
            self._link_payment(payment_id, before)
            return payment

    def _link_payment(self, payment_id: int, before: int | None) -> None:
        """Let the invoice that the payment belonged to, and the one it belongs to now, follow."""
        after: int | None = self._records["payment"][payment_id]["invoiceid"]
        if before is not None:
            self._payments_of[before].remove(payment_id)
        if after is not None:
            self._payments_of.setdefault(after, []).append(payment_id)
        for invoice_id in {before, after}:
            if invoice_id is not None:
                self._settle(invoice_id)

    def _settle(self, invoice_id: int) -> None:
        record = invoices.settled(self._records["invoice"][invoice_id], self._payments(invoice_id), self.rounding)
        touched = version_stamp(self.clock.now()) if self.payment_touches_invoice else {}
        self._records["invoice"][invoice_id] = {**record, **touched}
        self.revision += 1

    def _new_credit(self) -> int:
        self._next_credit_id += 1
        return self._next_credit_id - 1

    # Expenses

    def add_expense(
        self,
        amount: Number,
        category_id: int,
        date: Day | None = None,
        *,
        vendor: str | None = None,
        taxes: Sequence[ExpenseTax] = (),
        currency: str | None = None,
        **details: Any,
    ) -> Json:
        """An expense of `amount`, taxes included. `details` are wire keys (`notes`, `clientid`, `has_receipt`…)."""
        with self._lock:
            category = self._records["category"][category_id]
            value, day = money(amount, currency or self.currency), f"{date or self.today()}"
            row = payloads.expense(self._new_ids("expense"), self.account_id, value, day, category["id"], self.clock.now())
            return self._store("expense", changed(row, {"vendor": vendor, **payloads.expense_taxes(taxes, value["code"]), **details}))

    def edit_expense(self, expense_id: int, **changes: Any) -> Json:
        """Change an expense: `amount`, `date`, `taxes`, `category_id`, or wire keys."""
        with self._lock:
            record, rest = dict(self._records["expense"][expense_id]), dict(changes)
            if "amount" in rest:
                record["amount"] = money(rest.pop("amount"), record["amount"]["code"])
            if "date" in rest:
                record["date"] = f"{rest.pop('date')}"
            if "taxes" in rest:
                record |= payloads.expense_taxes(rest.pop("taxes"), record["amount"]["code"])
            if "category_id" in rest:
                record["categoryid"] = self._records["category"][rest.pop("category_id")]["id"]
            return self._store("expense", {**changed(record, rest), **version_stamp(self.clock.now())})

    # Deleting and archiving

    def delete(self, resource: str, record_id: int) -> None:
        """Soft deletion, which moves `updated`; a tax is gone for good. Payments of a deleted invoice stay."""
        if RESOURCES[resource].has_vis_state:
            self._show(resource, record_id, DELETED)
        else:
            self.forget(resource, record_id)

    def forget(self, resource: str, record_id: int) -> None:
        """Know nothing of a record any more, not even that it was deleted."""
        with self._lock:
            del self._records[resource][record_id]
            self.revision += 1

    def spoil(self, resource: str, record_id: int, **values: Any) -> None:
        """Let the API send values that mean nothing, as if FreshBooks itself were at fault."""
        with self._lock:
            self._records[resource][record_id] = {**self._records[resource][record_id], **values}
            self.revision += 1

    def archive(self, resource: str, record_id: int) -> None:
        """Archived records stay in the books and in default lists."""
        self._show(resource, record_id, ARCHIVED)

    def restore(self, resource: str, record_id: int) -> None:
        """Back from deleted or archived to active."""
        self._show(resource, record_id, ACTIVE)

    def _show(self, resource: str, record_id: int, vis_state: int) -> None:
        with self._lock:
            record = changed(self._records[resource][record_id], {"vis_state": vis_state})
            self._store(resource, {**record, **stamp_of(record, self.clock.now())})
            if resource == "payment" and record["invoiceid"] is not None:
                self._settle(record["invoiceid"])

    # Common pieces

    def _new_ids(self, resource: str) -> Json:
        number = self._next_id[resource]
        self._next_id[resource] += 1
        return {"id": number, RESOURCES[resource].id_key: number}

    def _store(self, resource: str, record: Json) -> Json:
        self._records[resource][record["id"]] = record
        self.revision += 1
        return self.get(resource, record["id"])
