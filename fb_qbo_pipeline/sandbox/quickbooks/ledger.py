"""Double entry of everything that stands in the company, and the trial balance that it makes.

Recomputed from the documents each time: whoever compares it with FreshBooks sees the books as they are, not a running
total. Amounts are in the home currency, debits positive. What converting to the home currency leaves over, and what a
payment gains or loses against the rate of its invoice, goes to the exchange account.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal

from fb_qbo_pipeline.money import ZERO, total
from fb_qbo_pipeline.sandbox.quickbooks.currency import home_amount
from fb_qbo_pipeline.sandbox.quickbooks.lines import ACCOUNT_EXPENSE, DISCOUNT, ITEM_EXPENSE, SALES_ITEM
from fb_qbo_pipeline.sandbox.quickbooks.refusals import Json
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline.sandbox.quickbooks.store import PURCHASES, SALES, TRANSACTIONS

RECEIVABLE, PAYABLE, EXCHANGE = "Accounts Receivable (A/R)", "Accounts Payable (A/P)", "Exchange Gain or Loss"
Posting = tuple[str, Decimal]


def trial_balance(company: QuickBooks, until: dt.date | None = None) -> dict[str, Decimal]:
    """Balance by account's full name, tax as "Tax:<rate name>"; accounts without a balance are left out.

    `until` (inclusive) leaves out later transactions. The values sum to zero.
    """
    balances: dict[str, Decimal] = defaultdict(lambda: ZERO)
    with company.lock:
        for entity in TRANSACTIONS:
            for row in company.tables[entity].values():
                if until is None or row["TxnDate"] <= until.isoformat():
                    for account, amount in postings(company, entity, row):
                        balances[account] += amount
    return {account: balances[account] for account in sorted(balances) if balances[account]}


def postings(company: QuickBooks, entity: str, row: Json) -> list[Posting]:
    """The balanced postings of one transaction, debits positive, home currency."""
    if entity == "Payment":
        made = list(_payment(company, row))
    elif entity in SALES:
        sign = -1 if entity in ("CreditMemo", "RefundReceipt") else 1
        made = [(account, sign * amount) for account, amount in _sale(company, entity, row)]
    else:
        assert entity in PURCHASES
        sign = -1 if entity == "VendorCredit" or row.get("Credit") else 1
        made = [(account, sign * amount) for account, amount in _purchase(company, entity, row)]
    rest = total(amount for _, amount in made)
    return [*made, (EXCHANGE, -rest)] if rest else made


def _name(company: QuickBooks, reference: Json) -> str:
    return str(company.tables["Account"][reference["value"]]["FullyQualifiedName"])


def _taxes(row: Json) -> Iterator[Posting]:
    for line in row.get("TxnTaxDetail", {}).get("TaxLine", ()):
        yield f"Tax:{line['TaxLineDetail']['TaxRateRef']['name']}", home_amount(row, line["Amount"])


def _sale(company: QuickBooks, entity: str, row: Json) -> Iterator[Posting]:
    """Debit receivables or the deposit account; credit income and tax, debit the discount."""
    debit = RECEIVABLE if entity in ("Invoice", "CreditMemo") else _name(company, row["DepositToAccountRef"])
    yield debit, home_amount(row, row["TotalAmt"])
    for line in row["Line"]:
        if SALES_ITEM in line:
            yield _name(company, line[SALES_ITEM]["ItemAccountRef"]), -home_amount(row, line["Amount"])
        elif DISCOUNT in line:
            yield _name(company, line[DISCOUNT]["DiscountAccountRef"]), home_amount(row, line["Amount"])
    yield from ((account, -amount) for account, amount in _taxes(row))


def _purchase(company: QuickBooks, entity: str, row: Json) -> Iterator[Posting]:
    """Credit payables or the paying account; debit expenses and recoverable tax."""
    credit = _name(company, row["AccountRef"]) if entity == "Purchase" else PAYABLE
    yield credit, -home_amount(row, row["TotalAmt"])
    for line in row["Line"]:
        if ACCOUNT_EXPENSE in line:
            yield _name(company, line[ACCOUNT_EXPENSE]["AccountRef"]), home_amount(row, line["Amount"])
        elif ITEM_EXPENSE in line:
            item = company.tables["Item"][line[ITEM_EXPENSE]["ItemRef"]["value"]]
            yield _name(company, item["ExpenseAccountRef"]), home_amount(row, line["Amount"])
    yield from _taxes(row)


def _payment(company: QuickBooks, row: Json) -> Iterator[Posting]:
    """Debit the deposit account; credit receivables at the rates of the documents that are paid."""
    yield _name(company, row["DepositToAccountRef"]), home_amount(row, row["TotalAmt"])
    for line in row["Line"]:
        link = line["LinkedTxn"][0]
        document = company.tables[link["TxnType"]][link["TxnId"]]
        sign = -1 if link["TxnType"] == "Invoice" else 1
        yield RECEIVABLE, sign * home_amount(document, line["Amount"])
    yield RECEIVABLE, -home_amount(row, row["UnappliedAmt"])


def trial_balance_report(company: QuickBooks, until: dt.date) -> Json:
    """The trial balance in the shape of QuickBooks' report of that name."""
    with company.lock:
        company.counters.reads += 1
        balances = trial_balance(company, until)
    ids = {row["FullyQualifiedName"]: row["Id"] for row in company.rows("Account")}
    rows = [{"ColData": [{"value": name, "id": ids.get(name, "")}, *_columns(amount)]} for name, amount in balances.items()]
    debits, credits = _sides(balances.values())
    return {
        "Header": {
            "Time": company.timestamp(milliseconds=True),
            "ReportName": "TrialBalance",
            "ReportBasis": "Accrual",
            "EndPeriod": until.isoformat(),
            "Currency": company.home_currency,
        },
        "Columns": {
            "Column": [
                {"ColTitle": "", "ColType": "Account"},
                {"ColTitle": "Debit", "ColType": "Money"},
                {"ColTitle": "Credit", "ColType": "Money"},
            ]
        },
        "Rows": {
            "Row": [
                *rows,
                {"Summary": {"ColData": [{"value": "TOTAL"}, {"value": f"{debits}"}, {"value": f"{credits}"}]}, "group": "GrandTotal"},
            ]
        },
    }


def _columns(amount: Decimal) -> list[Json]:
    return [{"value": f"{amount}" if amount > 0 else ""}, {"value": f"{-amount}" if amount < 0 else ""}]


def _sides(amounts: Iterable[Decimal]) -> tuple[Decimal, Decimal]:
    listed = list(amounts)
    return total(a for a in listed if a > 0), -total(a for a in listed if a < 0)
