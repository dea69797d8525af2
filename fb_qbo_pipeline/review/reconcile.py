"""Both sides read anew and compared document by document: proof that does not rest on what the pipeline remembers.

FreshBooks' documents of the period go through the mapping to see what should stand in QuickBooks; QuickBooks' transactions
of the period are recognised by their markers. What is missing, double, strange or different is named.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from fb_qbo_pipeline.freshbooks.parsing import parse_payment
from fb_qbo_pipeline.ledger.ledger import Ledger, Transaction
from fb_qbo_pipeline.ledger.posted import POSTED
from fb_qbo_pipeline.ledger.raw import PRESENT
from fb_qbo_pipeline.mapping.documents import Entity, Json, Outcome
from fb_qbo_pipeline.money import ZERO, round_half_up
from fb_qbo_pipeline.posting.look_up import transactions_between
from fb_qbo_pipeline.posting.verify import MARKER, is_void, money
from fb_qbo_pipeline.quickbooks.reader import QuickBooksReader
from fb_qbo_pipeline.review.tieout import KINDS, Line, by_month
from fb_qbo_pipeline.settings.models import Integration

Key = tuple[str, int]  # source, FreshBooks id


@dataclass(frozen=True, slots=True)
class Standing:
    """One of our transactions as it stands in QuickBooks. Voided ones count as nothing."""

    entity: str
    qbo_id: str
    number: str
    date: dt.date
    currency: str
    total: Decimal
    balance: Decimal | None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not agree: which document, and how."""

    source: str
    source_id: int
    number: str
    date: dt.date
    problem: str


@dataclass
class Reconciliation:
    """The tie-out of a period, read from both sides. `held` are documents with an exception, which explain a gap."""

    start: dt.date
    end: dt.date
    lines: list[Line] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Whether every document stands in QuickBooks once, with equal amounts, or is held."""
        return not self.findings and all(line.difference == ZERO for line in self.lines)


def entities(integration: Integration) -> list[str]:
    """The QuickBooks transaction types that the settings can produce."""
    names: list[Entity] = []
    if integration.sales is not None:
        names += [Entity.INVOICE] if integration.sales.post_as == "invoice" else [Entity.SALES_RECEIPT, Entity.INVOICE]
    if integration.payments is not None:
        names.append(Entity.PAYMENT)
    if integration.expenses is not None:
        names += [Entity.BILL, Entity.VENDOR_CREDIT]
    return [name.value for name in names]


def standing(reader: QuickBooksReader, integration: Integration, start: dt.date, end: dt.date) -> dict[Key, list[Standing]]:
    """Our transactions in QuickBooks dated from `start` to `end`, by FreshBooks document, recognised by their markers."""
    found: defaultdict[Key, list[Standing]] = defaultdict(list)
    for entity in entities(integration):
        # payments from before the start date belong to the first partition
        early = entity == Entity.PAYMENT.value and start <= integration.start_date
        since = "1970-01-01" if early else start.isoformat()
        for transaction in transactions_between(reader, entity, since, end.isoformat()):
            key = marked(transaction, integration.freshbooks.account_id)
            if key is not None:
                found[key].append(_standing(entity, transaction))
    return dict(found)


def marked(transaction: Json, account_id: str) -> Key | None:
    """Which FreshBooks document a transaction was made from; None for what is not ours."""
    match = MARKER.search(str(transaction.get("PrivateNote") or ""))
    if match is None or match["account"] != account_id:
        return None
    return match["source"], int(match["id"])


def _standing(entity: str, transaction: Json) -> Standing:
    sign = -1 if entity == Entity.VENDOR_CREDIT.value else 1
    void = is_void(transaction)
    return Standing(
        entity=entity,
        qbo_id=str(transaction["Id"]),
        number=str(transaction.get("DocNumber") or ""),
        date=dt.date.fromisoformat(str(transaction["TxnDate"])[:10]),
        currency=str((transaction.get("CurrencyRef") or {}).get("value") or ""),
        total=ZERO if void else sign * money(transaction, "TotalAmt"),
        balance=money(transaction, "Balance") if entity == Entity.INVOICE.value and not void else None,
    )


def compare(
    ledger: Ledger,
    found: dict[Key, list[Standing]],
    start: dt.date,
    end: dt.date,
    period: Callable[[dt.date], str] = by_month,
) -> Reconciliation:
    """Compare what was staged for the partitions from `start` to `end` with what was found in QuickBooks."""
    result = Reconciliation(start, end)
    lines: dict[tuple[str, str, str], Line] = {}
    rest = dict(found)
    with ledger.begin() as tx:
        held_ids = {(row["source"], row["source_id"]) for row in tx.exceptions.unresolved()}
        for source, kind in KINDS.items():
            rows = tx.staging.in_partitions(source, start, end)
            awaited = _awaited(tx, [row["source_id"] for row in rows], held_ids, end) if source == "invoice" else {}
            for row in rows:
                ours = rest.pop((source, row["source_id"]), [])
                key = (period(row["partition_date"]), kind, row["currency"])
                if row["outcome"] not in (Outcome.DOCUMENT, Outcome.HELD) and not any(s.total for s in ours):
                    continue
                held = (source, row["source_id"]) in held_ids
                _add(lines.setdefault(key, Line(*key)), row, ours, held)
                result.findings += _findings(row, ours, held, awaited.get(row["source_id"], ZERO))
    result.findings += list(_strangers(rest))
    result.lines = [lines[key] for key in sorted(lines)]
    return result


def _awaited(tx: Transaction, invoices: list[int], held: set[Key], end: dt.date) -> dict[int, Decimal]:
    """By invoice, the payments that QuickBooks does not have yet: held ones, and those dated after `end` that are not posted."""
    payments = [parse_payment(payload) for state, payload in tx.raw.payments_of(invoices) if state == PRESENT]
    posted = tx.posted.by_ids("payment", [payment.id for payment in payments if payment.date > end])
    sums: defaultdict[int, Decimal] = defaultdict(lambda: ZERO)
    for payment in payments:
        booked = posted.get(payment.id)
        later = payment.date > end and (booked is None or booked.state != POSTED)
        if payment.invoice_id and (later or ("payment", payment.id) in held):
            sums[payment.invoice_id] += round_half_up(payment.amount)
    return sums


def _add(line: Line, row: Mapping[Any, Any], ours: list[Standing], held: bool) -> None:
    in_scope = row["outcome"] in (Outcome.DOCUMENT, Outcome.HELD)
    amount = round_half_up(row["amount"]) if in_scope else ZERO
    booked = sum((transaction.total for transaction in ours), ZERO)
    line.documents += in_scope
    line.freshbooks += amount
    line.posted += sum(1 for transaction in ours if transaction.total or not amount)
    line.quickbooks += booked
    if held:
        line.held_documents += 1
        line.held += amount - booked


def _findings(row: Mapping[Any, Any], ours: list[Standing], held: bool, awaited: Decimal) -> Iterator[Finding]:
    """What does not agree. `awaited`: payments of the invoice that are held or have a later date, and explain its balance."""

    def finding(problem: str) -> Finding:
        return Finding(row["source"], row["source_id"], row["label"], row["document_date"], problem)

    expected = row["outcome"] == Outcome.DOCUMENT
    live = [transaction for transaction in ours if transaction.total or row["amount"] == 0]
    if len(live) > 1:
        yield finding(f"stands {len(live)} times in QuickBooks: ids {', '.join(transaction.qbo_id for transaction in live)}")
    if held or not live:
        if expected and not held and not live:
            yield finding("is missing in QuickBooks")
        return
    one = live[0]
    if not expected:
        yield finding("stands in QuickBooks although it is not in scope")
        return
    amount = round_half_up(row["amount"])
    if one.total != amount:
        yield finding(f"{amount} {row['currency']} in FreshBooks, {one.total} in QuickBooks")
    if one.balance is not None and row["balance"] is not None and one.balance != row["balance"] + awaited:
        yield finding(f"open balance {row['balance']} in FreshBooks, {one.balance} in QuickBooks")
    if one.date != row["document_date"]:
        yield finding(f"dated {row['document_date']} in FreshBooks, {one.date} in QuickBooks")


def _strangers(rest: dict[Key, list[Standing]]) -> Iterable[Finding]:
    """Transactions with our marker whose FreshBooks document is not in the period."""
    for (source, source_id), ours in sorted(rest.items()):
        for one in ours:
            if one.total:
                yield Finding(
                    source, source_id, one.number, one.date, f"stands in QuickBooks ({one.entity} {one.qbo_id}), but not in FreshBooks"
                )
