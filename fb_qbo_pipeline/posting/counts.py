"""What a posting run did, in the words of the sync report."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from fb_qbo_pipeline.money import ZERO, parse_decimal

# QuickBooks' entity names as the report spells them.
WORDS = {"Invoice": "invoice", "SalesReceipt": "sales_receipt", "Payment": "payment", "Bill": "bill", "VendorCredit": "vendor_credit"}
KINDS = ("invoice", "sales_receipt", "payment", "bill", "customer", "vendor", "item")


@dataclass
class Counts:
    """Documents created, updated, voided, unchanged and held; `money` is the created and updated total by currency."""

    created: Counter[str] = field(default_factory=Counter)
    updated: Counter[str] = field(default_factory=Counter)
    voided: Counter[str] = field(default_factory=Counter)
    unchanged: int = 0
    held: int = 0
    money: dict[str, Decimal] = field(default_factory=dict)

    def add(self, other: "Counts") -> None:
        """Add another run's counts."""
        self.created += other.created
        self.updated += other.updated
        self.voided += other.voided
        self.unchanged += other.unchanged
        self.held += other.held
        for currency, amount in other.money.items():
            self.add_money(currency, amount)

    def add_money(self, currency: str, amount: Decimal) -> None:
        """Count an amount that was posted."""
        self.money[currency] = self.money.get(currency, ZERO) + amount

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, for the ledger."""
        return {
            "created": dict(self.created),
            "updated": dict(self.updated),
            "voided": dict(self.voided),
            "unchanged": self.unchanged,
            "held": self.held,
            "money": {currency: str(amount) for currency, amount in self.money.items()},
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Counts":
        """The counts that `to_json` wrote."""
        return cls(
            Counter(values["created"]),
            Counter(values["updated"]),
            Counter(values["voided"]),
            values["unchanged"],
            values["held"],
            {currency: parse_decimal(amount) for currency, amount in values["money"].items()},
        )
