"""The staged table's schema: what every intended document has to fulfil before anything is posted.

The mapping builds documents; this looks at them once more as a table, from outside: totals, tax codes, accounts, customer
mode, numbers. A row that fails is held with the check's name as the reason, so that neither a mistake in the mapping nor a
company list that changed meanwhile can reach the books.
"""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd
import pandera.pandas as pa

from fb_qbo_pipeline.mapping.documents import Code, Entity, Json, Outcome
from fb_qbo_pipeline.money import ZERO, parse_decimal, round_half_up
from fb_qbo_pipeline.quickbooks.company import Company
from fb_qbo_pipeline.settings.models import Integration

_CURRENCY = re.compile(r"[A-Z]{3}")
_CUSTOMER_KEYS = {"original": ("client/",), "organization": ("client/",), "generic": ("generic",)}
_TAX_CODE = "TaxCodeRef"
_REFERENCES = frozenset({_TAX_CODE, "AccountRef", "DepositToAccountRef"})
_CONTAINERS = (dict, list, tuple)

# The problem that a failed check becomes: its code and what to do.
_PROBLEMS: Mapping[str, tuple[Code, str]] = {
    "known_tax_codes": (Code.INACTIVE_REFERENCE, "Run `fb-qbo check`: a tax code of the settings is missing or inactive in QuickBooks"),
    "a_tax_code_on_every_line": (Code.UNMAPPED_TAX, "Map the tax of every line, and “none”, in the settings' taxes"),
    "known_accounts": (Code.INACTIVE_REFERENCE, "Run `fb-qbo check`: an account of the settings is missing or inactive in QuickBooks"),
}
_OTHERWISE = (Code.TOTAL_MISMATCH, "This is a fault of the pipeline, not of your data: report it with the output of `fb-qbo trace`")


# All others stay objects: Decimals, dates, sets, and texts that may be missing.
_DTYPES = {"source_id": "int64", "uncoded_lines": "int64", "outcome": "str", "entity": "str", "currency": "str"}


def staged_schema() -> pa.DataFrameSchema:
    """The schema of intended documents, one row each; every check is named as the sentence that a person reads."""
    is_decimal = pa.Check(lambda value: isinstance(value, Decimal), element_wise=True, name="exact_number")
    is_date = pa.Check(lambda value: isinstance(value, dt.date), element_wise=True, name="is_a_date")
    is_currency = pa.Check(lambda value: _CURRENCY.fullmatch(value) is not None, element_wise=True, name="currency_of_three_letters")
    return pa.DataFrameSchema(
        {
            "source_id": pa.Column(int, pa.Check.gt(0), unique=True, description="FreshBooks id"),
            "outcome": pa.Column(str, pa.Check.eq(Outcome.DOCUMENT.value), description="document"),
            "entity": pa.Column(str, pa.Check.isin([entity.value for entity in Entity]), description="QuickBooks transaction type"),
            "document_date": pa.Column(object, is_date, description="date of the document"),
            "number": pa.Column(
                object,
                pa.Check(lambda value: value is None or 1 <= len(value) <= 21, element_wise=True, name="number_of_21_characters"),
                nullable=True,
                description="QuickBooks DocNumber",
            ),
            "currency": pa.Column(str, is_currency, description="ISO 4217"),
            "amount": pa.Column(object, is_decimal, description="as FreshBooks has it"),
            "total": pa.Column(object, is_decimal, description="what QuickBooks has to return"),
            "tax": pa.Column(object, is_decimal, description="tax within the total"),
            "composed": pa.Column(object, is_decimal, description="lines plus tax, as QuickBooks adds them up"),
            "customer": pa.Column(object, nullable=True, description="symbolic reference of the customer"),
            "tax_codes": pa.Column(object, description="ids of the tax codes on the lines"),
            "uncoded_lines": pa.Column(int, pa.Check.ge(0), description="lines with an amount and without a tax code"),
            "accounts": pa.Column(object, description="ids of the accounts"),
        },
        checks=[
            pa.Check(_total_is_amount, name="total_is_freshbooks_amount"),
            pa.Check(lambda df: df["total"] == df["composed"], name="lines_and_tax_make_the_total"),
        ],
        strict=True,
        name="staged documents",
    )


def _total_is_amount(frame: pd.DataFrame) -> pd.Series:
    """Row by row: a value that is no number fails its own row, and not the check of all rows."""
    pairs = zip(frame["total"], frame["amount"], strict=True)
    return pd.Series([isinstance(amount, Decimal) and total == abs(round_half_up(amount)) for total, amount in pairs], index=frame.index)


def with_company(schema: pa.DataFrameSchema, company: Company, integration: Integration) -> pa.DataFrameSchema:
    """The schema with the checks that need the company's lists and the customer mode."""
    codes = {"TAX", "NON"} if company.is_us else {code.id for code in company.tax_codes if code.active}
    accounts = {account.id for account in company.accounts if account.active}
    keys = _CUSTOMER_KEYS[integration.sales.customer if integration.sales else "original"]

    def customer_fits(value: Any) -> bool:
        return value is None or str(value).removeprefix("@customer/").startswith(keys)

    coded = company.has_purchase_tax  # outside the US QuickBooks refuses a line without a code, on sales and on bills
    return schema.update_columns(
        {
            "uncoded_lines": {
                "checks": [pa.Check(lambda lines: not (coded and lines), element_wise=True, name="a_tax_code_on_every_line")]
            },
            "tax_codes": {"checks": [pa.Check(lambda used: used <= codes, element_wise=True, name="known_tax_codes")]},
            "accounts": {"checks": [pa.Check(lambda used: used <= accounts, element_wise=True, name="known_accounts")]},
            "customer": {"checks": [pa.Check(customer_fits, element_wise=True, name="customer_mode")]},
        }
    )


def validate_staged(rows: Sequence[Json], company: Company, integration: Integration) -> list[Json]:
    """`rows` with those intended documents held that fail the schema; order and other rows are kept."""
    documents = [row for row in rows if row["outcome"] == Outcome.DOCUMENT.value]
    if not documents:
        return list(rows)
    frame = pd.DataFrame([_columns(row) for row in documents], dtype=object).astype(_DTYPES)
    failed: dict[int, list[str]] = {}
    try:
        with_company(staged_schema(), company, integration).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        for case in errors.failure_cases.itertuples():
            affected = frame["source_id"] if pd.isna(case.index) else [frame.loc[case.index, "source_id"]]
            for source_id in affected:
                names = failed.setdefault(int(source_id), [])
                if str(case.check) not in names:
                    names.append(str(case.check))
    return [_held(row, failed[row["source_id"]]) if row["source_id"] in failed else row for row in rows]


def _held(row: Json, checks: Sequence[str]) -> Json:
    code, remedy = next((_PROBLEMS[name] for name in checks if name in _PROBLEMS), _OTHERWISE)
    problem = {"code": code.value, "reason": f"It does not pass: {', '.join(checks).replace('_', ' ')}", "remedy": remedy}
    return row | {"outcome": Outcome.HELD.value, "problems": [problem]}


def _columns(row: Json) -> Json:
    body = row["document"]["body"]
    lines = [(line, set(_references(line))) for line in body["Line"]]
    used = set(_references(body | {"Line": ()})).union(*(references for _, references in lines))
    kept = {n: row[n] for n in ("source_id", "outcome", "entity", "document_date", "number", "currency", "amount", "total", "tax")}
    return kept | {
        "composed": _composed(row["entity"], body),
        "customer": (body.get("CustomerRef") or {}).get("value"),
        "tax_codes": frozenset(id_ for name, id_ in used if name == _TAX_CODE),
        "uncoded_lines": 0 if row["entity"] == Entity.PAYMENT.value else sum(1 for line, found in lines if _lacks_code(line, found)),
        "accounts": frozenset(id_ for name, id_ in used if name != _TAX_CODE),
    }


def _composed(entity: str, body: Json) -> Decimal:
    """Lines plus tax. A payment's total is an input and not the sum of its links."""
    if entity == Entity.PAYMENT.value:
        return parse_decimal(body["TotalAmt"])
    tax = body.get("TxnTaxDetail") or {}
    lines = sum((parse_decimal(line.get("Amount", 0)) for line in body["Line"]), ZERO)
    return lines + parse_decimal(tax.get("TotalTax", 0))


def _lacks_code(line: Json, references: Iterable[tuple[str, str]]) -> bool:
    return "Amount" in line and all(name != _TAX_CODE for name, _ in references)


def _references(value: Any) -> Iterator[tuple[str, str]]:
    """The tax codes and accounts that a request body refers to, at any depth: (name of the reference, id)."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in _REFERENCES and isinstance(inner, dict):
                yield key, str(inner.get("value"))
            elif isinstance(inner, _CONTAINERS):
                yield from _references(inner)
    else:
        for inner in value:
            if isinstance(inner, _CONTAINERS):
                yield from _references(inner)
