"""What in the settings does not fit the QuickBooks company, before a single document is mapped.

Fatal: nothing can be posted rightly until it is changed, such as a name that QuickBooks does not have. Not fatal: the
documents concerned are held, each with its own reason; everything else is posted.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from fb_qbo_pipeline.freshbooks.records import TaxDefinition
from fb_qbo_pipeline.mapping.findings import Finding
from fb_qbo_pipeline.mapping.item_creation import account_uses, setting_of
from fb_qbo_pipeline.mapping.preflight_taxes import tax_findings
from fb_qbo_pipeline.mapping.references import DEPOSIT, EXPENSE_LINE, AccountUse
from fb_qbo_pipeline.mapping.taxes import Side
from fb_qbo_pipeline.mapping.usage import Group
from fb_qbo_pipeline.quickbooks.company import Company
from fb_qbo_pipeline.settings.mistakes import closest
from fb_qbo_pipeline.settings.models import Expenses, Integration, Payments, Sales

__all__ = ["Finding", "configuration_problems"]


def configuration_problems(
    integration: Integration,
    company: Company,
    taxes: Sequence[TaxDefinition] = (),
    used: Mapping[Side, Mapping[Group, dt.date]] = MappingProxyType({}),
) -> list[Finding]:
    """Everything in the settings that will make documents fail.

    `taxes` are FreshBooks' taxes and `used` those of its documents (`Usage.taxes`), to compare rates with.
    """
    findings: list[Finding] = []
    if integration.sales is not None:
        findings.extend(_sales(integration.sales, company))
    if integration.payments is not None:
        findings.extend(_payments(integration.payments, company))
    if integration.expenses is not None:
        findings.extend(_expenses(integration.expenses, company))
    findings.extend(tax_findings(integration, company, taxes, used))
    return findings


def _sales(sales: Sales, company: Company) -> Iterator[Finding]:
    yield from _numbers(sales, company)
    yield from _placement(sales, "sales", company)
    items = {
        "sales.discount_product": sales.discount_product,
        "sales.rounding_product": sales.rounding_product,
        "sales.products.default_product": sales.products.default_product,
    }
    for key, name in items.items():
        if name is not None:
            yield from _item(key, name, company)
    yield from _item_accounts(sales, "sales.products", company)


def _payments(payments: Payments, company: Company) -> Iterator[Finding]:
    accounts = {"payments.deposit_account": payments.deposit_account}
    accounts.update({f"payments.by_method.{method}": name for method, name in payments.by_method.items()})
    if payments.credit_account is not None:
        accounts["payments.credit_account"] = payments.credit_account
    for key, name in accounts.items():
        yield from _account(key, name, DEPOSIT, company)
    if company.preferences.auto_apply_credit:
        yield Finding(
            "payments",
            "QuickBooks applies credits automatically, so it may pay an invoice before its FreshBooks payment arrives",
            "switch off “Automatically apply credits” in QuickBooks (Account and settings › Advanced › Automation)",
            fatal=False,
        )


def _expenses(expenses: Expenses, company: Company) -> Iterator[Finding]:
    yield from _placement(expenses, "expenses", company)
    for category, name in expenses.categories.items():
        yield from _account(f"expenses.categories.{category}", name, EXPENSE_LINE, company)
    yield from _item_accounts(expenses, "expenses.products", company)
    if expenses.lines == "product" and expenses.products.create and expenses.products.expense_account is None:
        yield Finding(
            "expenses.products.expense_account",
            "items for expenses cannot be created without an expense account",
            "set expenses.products.expense_account to an expense account",
            fatal=True,
        )


def _numbers(sales: Sales, company: Company) -> Iterator[Finding]:
    custom = company.preferences.custom_numbers
    switch = "“Custom transaction numbers” in QuickBooks (Account and settings › Sales)"
    if sales.number_prefix and not custom:
        message = "a number prefix needs QuickBooks' custom transaction numbers, which are switched off"
        yield Finding("sales.number_prefix", message, f"switch on {switch}, or set sales.auto_number: true", fatal=True)
    elif sales.auto_number and custom:
        message = "QuickBooks does not number documents while its custom transaction numbers are switched on"
        yield Finding("sales.auto_number", message, f"switch off {switch}, or set sales.auto_number: false", fatal=True)
    elif not sales.auto_number and not custom:
        message = "FreshBooks' numbers may collide with QuickBooks' own: custom transaction numbers are switched off"
        yield Finding("sales.number_prefix", message, f"switch on {switch}, or set sales.auto_number: true", fatal=False)


def _placement(section: Sales | Expenses, name: str, company: Company) -> Iterator[Finding]:
    preferences = company.preferences
    features = (
        ("class", section.class_, company.classes, preferences.class_per_transaction or preferences.class_per_line, "Track classes"),
        ("location", section.location, company.locations, preferences.locations, "Track locations"),
    )
    for kind, wanted, members, on, switch in features:
        key = f"{name}.{kind}"
        if wanted is None:
            continue
        if not on:
            remedy = f"switch on “{switch}” in QuickBooks (Account and settings › Advanced › Categories), or remove {key}"
            yield Finding(key, f"a {kind} is set, but QuickBooks does not track them", remedy, fatal=True)
            continue
        member = company.class_named(wanted) if kind == "class" else company.location(wanted)
        if member is None:
            yield _missing(key, kind, wanted, [one.full_name for one in members if one.active])
        elif not member.active:
            yield _inactive(key, kind, wanted)


def _item(key: str, name: str, company: Company) -> Iterator[Finding]:
    item = company.item(name)
    if item is None:
        yield _missing(key, "item", name, [one.full_name for one in company.items if one.active and one.type != "Category"])
    elif not item.active:
        yield _inactive(key, "item", name)


def _account(
    key: str, name: str, use: AccountUse, company: Company, *, used: bool = True, type_is_fatal: bool = False
) -> Iterator[Finding]:
    account = company.account(name)
    if account is None:
        yield _missing(key, "account", name, [one.full_name for one in company.accounts if one.active], fatal=used)
    elif not account.active:
        yield _inactive(key, "account", name)
    elif not use.takes(account.type) and used:
        message = f"the account “{name}” is of type {account.type} and cannot be used for {use.words}"
        yield Finding(key, message, f"name an account {use.wanted}", fatal=type_is_fatal)


def _item_accounts(section: Sales | Expenses, setting: str, company: Company) -> Iterator[Finding]:
    products = section.products
    for account_key, (name, use) in account_uses(products).items():
        yield from _account(setting_of(account_key, setting), name, use, company, used=products.create, type_is_fatal=True)


def _missing(key: str, kind: str, name: str, existing: Iterable[str], *, fatal: bool = True) -> Finding:
    meant = closest(name, existing)
    remedy = f"name an existing {kind} there, or create it in QuickBooks"
    return Finding(key, f"QuickBooks has no {kind} “{name}”", f"did you mean “{meant}”? Or {remedy}" if meant else remedy, fatal)


def _inactive(key: str, kind: str, name: str) -> Finding:
    message = f"the {kind} “{name}” is inactive in QuickBooks: documents that need it are held"
    return Finding(key, message, f"make it active in QuickBooks, or name another {kind}", fatal=False)
