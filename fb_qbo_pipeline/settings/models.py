"""`integration.yaml` as pydantic models: one FreshBooks account into one QuickBooks company.

Every field's description feeds the configuration reference in the README. QuickBooks things are named as people see them
there (`Parent:Child`); ids are looked up later. A section that is absent is a workflow that is off.
"""

import re
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from fb_qbo_pipeline.settings.cron import cron_fault
from fb_qbo_pipeline.settings.mistakes import Fault, SettingRefused, closest, shown

# FreshBooks' v3_status values. The documentation writes deposit_paid, an official SDK deposit-paid: both are read.
STATUSES = frozenset(
    {
        "created",
        "draft",
        "sent",
        "viewed",
        "failed",
        "retry",
        "success",
        "autopaid",
        "paid",
        "partial",
        "disputed",
        "resolved",
        "overdue",
        "declined",
        "pending",
        "deposit_partial",
        "deposit_paid",
    }
)
DEFAULT_STATUSES = ("sent", "viewed", "partial", "overdue", "paid", "autopaid")
NO_TAX = "none"

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

Text = Annotated[str, Field(min_length=1)]


def _valid_cron(value: str) -> str:
    if fault := cron_fault(value):
        raise SettingRefused(fault)
    return value


Cron = Annotated[Text, AfterValidator(_valid_cron)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class FreshBooksAccount(_Section):
    """The FreshBooks side."""

    account_id: Text = Field(description="FreshBooks account id, such as ABC123 (not the business id)")


class QuickBooksCompany(_Section):
    """The QuickBooks side."""

    realm_id: Annotated[str, Field(pattern=r"^[0-9]{1,20}$")] = Field(description="QuickBooks company id, digits in quotes")


class DueDateType(StrEnum):
    """How a due date follows from the document's date."""

    DAYS = "days"
    DAYS_AFTER_MONTH_END = "days_after_month_end"
    DAY_OF_NEXT_MONTH = "day_of_next_month"


class DueDate(_Section):
    """The due date of a document that has none of its own."""

    type: DueDateType = Field(description="what days counts from")
    days: Annotated[int, Field(ge=0, le=999)] = Field(description="the number of days, or the day of the month")

    @model_validator(mode="after")
    def _day_of_month(self) -> "DueDate":
        if self.type is DueDateType.DAY_OF_NEXT_MONTH and not 1 <= self.days <= 31:
            raise SettingRefused(Fault("days", f"{self.days} is not a day of a month", "write 1 to 31 with type: day_of_next_month"))
        return self


class ItemType(StrEnum):
    """What kind of QuickBooks item is created."""

    SERVICE = "service"
    NON_INVENTORY = "non_inventory"
    INVENTORY = "inventory"


class _Creation(_Section):
    create: bool = Field(default=False, description="create what is missing in QuickBooks")
    type: ItemType = Field(default=ItemType.SERVICE, description="what kind of item is created")
    income_account: Text | None = Field(default=None, description="income account of created items")
    expense_account: Text | None = Field(default=None, description="expense (cost) account of created items")
    asset_account: Text | None = Field(default=None, description="asset account of created inventory items")

    @model_validator(mode="after")
    def _accounts(self) -> "_Creation":
        if not self.create:
            return self
        needed = {"income_account": "an income"}
        if self.type is ItemType.INVENTORY:
            needed |= {"asset_account": "an asset", "expense_account": "a cost of goods sold"}
        faults = [
            Fault(key, f"is needed to create {self.type.value} items", f"name {kind} account of QuickBooks, or set create: false")
            for key, kind in needed.items()
            if getattr(self, key) is None
        ]
        if faults:
            raise SettingRefused(*faults)
        return self


class Products(_Creation):
    """How the products on FreshBooks lines find their QuickBooks items."""

    match_by: Literal["name", "sku"] = Field(default="name", description="name: FreshBooks SKU = item Name; sku: FreshBooks SKU = item Sku")
    default_product: Text | None = Field(default=None, description="item for unnamed lines, or missing products while create is false")


class ExpenseProducts(_Creation):
    """The items behind bill lines, for `lines: product`."""


class Sales(_Section):
    """Workflow 1: FreshBooks invoices."""

    statuses: tuple[str, ...] = Field(default=DEFAULT_STATUSES, min_length=1, description="FreshBooks v3_status values to pick up")
    post_as: Literal["invoice", "sales_receipt"] = Field(default="invoice", description="what an invoice becomes")
    number_prefix: Annotated[str, Field(max_length=20)] = Field(default="", description="invoice 1234 becomes PREFIX1234")
    auto_number: bool = Field(default=False, description="QuickBooks numbers; the FreshBooks number stays in the memo")
    class_: Text | None = Field(default=None, alias="class", description="default class of sales")
    location: Text | None = Field(default=None, description="default location of sales")
    customer: Literal["original", "organization", "generic"] = Field(
        default="original", description="the contact, its organization, or one for all"
    )
    generic_customer: Text | None = Field(default=None, description="the one customer of customer: generic")
    due_date: DueDate | None = Field(default=None, description="absent: the document's date")
    allow_credit_card: bool = Field(default=False, description="allow online card payment on the QuickBooks invoice")
    discount_product: Text | None = Field(default=None, description="item that carries FreshBooks' invoice discount")
    rounding_product: Text | None = Field(default=None, description="item that carries a rounding difference")
    rounding_limit: Annotated[Decimal, Field(ge=0, le=1)] = Field(
        default=Decimal("0.05"), description="largest rounding difference, in the document's currency; more is an exception"
    )
    products: Products = Field(default=Products(), description="how lines find their items")
    taxes: dict[str, Text] = Field(default_factory=dict, description="FreshBooks tax, pair `A + B`, `NAME RATE%`, or `none` → tax code")

    @field_validator("statuses")
    @classmethod
    def _known_statuses(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        normalised = tuple(value.strip().lower().replace("-", "_") for value in values)
        unknown = [name for name in normalised if name not in STATUSES]
        if unknown:
            meant = [found for name in unknown if (found := closest(name, STATUSES))]
            remedy = f"did you mean {', '.join(meant)}?" if len(meant) == len(unknown) else f"known are {', '.join(sorted(STATUSES))}"
            raise SettingRefused(Fault("", f"unknown status {', '.join(map(shown, unknown))}", remedy))
        return normalised

    @model_validator(mode="after")
    def _contradictions(self) -> "Sales":
        faults = []
        if self.customer == "generic" and self.generic_customer is None:
            faults.append(Fault("generic_customer", "is needed with customer: generic", "name the one QuickBooks customer"))
        if self.auto_number and self.number_prefix:
            faults.append(Fault("number_prefix", "has no effect with auto_number: true", "remove one of the two"))
        if faults:
            raise SettingRefused(*faults)
        return self


class Payments(_Section):
    """Optional part of workflow 1: payments, recorded and linked to their sales."""

    deposit_account: Text = Field(description="bank or other current asset account that receives payments")
    by_method: dict[str, Text] = Field(default_factory=dict, description="FreshBooks payment method → clearing account")
    credit_account: Text | None = Field(default=None, description="where an applied FreshBooks credit is cleared; absent: an exception")


class Expenses(_Section):
    """Workflow 2: FreshBooks expenses, posted as bills."""

    number_prefix: Annotated[str, Field(max_length=20)] = Field(default="", description="expense 987 becomes PREFIX987")
    class_: Text | None = Field(default=None, alias="class", description="default class of bills")
    location: Text | None = Field(default=None, description="default location of bills")
    due_date: DueDate | None = Field(default=None, description="absent: the expense's date")
    default_vendor: Text = Field(default="FreshBooks expenses", description="vendor of an expense that names none")
    categories: dict[str, Text] = Field(default_factory=dict, description="CATEGORY or PARENT/CATEGORY → expense account")
    lines: Literal["account", "product"] = Field(
        default="account", description="on the mapped account, or on an item named after the category"
    )
    products: ExpenseProducts = Field(default=ExpenseProducts(), description="for lines: product")
    taxes: dict[str, Text] = Field(default_factory=dict, description="as in sales, to purchase tax codes")


class Schedule(_Section):
    """When the automatic sync runs, in the company's time zone."""

    cron: Cron = Field(default="0 * * * *", description="cron expression")
    enabled: bool = Field(default=True, description="whether the schedule starts switched on")


class TwoSided(_Section):
    """When both services are read anew and compared, in the company's time zone; once a month everything from the start date on."""

    cron: Cron = Field(default="15 5 * * *", description="cron expression")
    months: Annotated[int, Field(ge=1, le=120)] = Field(default=2, description="whole months before the present one that are compared")
    enabled: bool = Field(default=True, description="whether the schedule starts switched on")


class Integration(_Section):
    """One FreshBooks account into one QuickBooks company."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)] = Field(
        description="prefix of the asset keys, key of all state"
    )
    timezone: str = Field(description="IANA time zone: what “today” and a partition's date mean")
    start_date: date = Field(description="integration start date: an earlier-dated invoice or expense is never synced")
    freshbooks: FreshBooksAccount
    quickbooks: QuickBooksCompany
    sales: Sales | None = Field(default=None, description="absent: the workflow is off")
    payments: Payments | None = Field(default=None, description="absent: no payments")
    expenses: Expenses | None = Field(default=None, description="absent: the workflow is off")
    on_delete: Literal["void", "keep"] = Field(default="void", description="a synced document that is deleted in FreshBooks")
    schedule: Schedule = Field(default=Schedule())
    reconciliation: TwoSided = Field(default=TwoSided())

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            meant = closest(value, available_timezones())
            remedy = f"did you mean {meant}?" if meant else "write an IANA name such as America/Toronto"
            raise SettingRefused(Fault("", f"unknown time zone {shown(value)}", remedy))
        return value

    @field_validator("start_date", mode="before")
    @classmethod
    def _written_as_date(cls, value: Any) -> Any:
        # pydantic alone would read the text 20250101 as seconds since 1970.
        if isinstance(value, str) and not _ISO_DATE.fullmatch(value.strip()):
            raise SettingRefused(Fault("", f"{shown(value)} is not a date", "write YYYY-MM-DD, such as 2025-01-31"))
        return value

    @model_validator(mode="after")
    def _workflows(self) -> "Integration":
        faults = []
        if self.payments is not None and self.sales is None:
            faults.append(Fault("payments", "payments are a part of sales", "add a sales section, or remove payments"))
        if self.sales is None and self.expenses is None:
            faults.append(Fault("sales", "nothing to sync", "add a sales section, an expenses section, or both"))
        if faults:
            raise SettingRefused(*faults)
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The company's time zone."""
        return ZoneInfo(self.timezone)
