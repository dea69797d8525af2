"""The preflight: settings, both accounts and every document of the period, before anything is posted.

Nothing is written to either side. Each step goes as far as it can, so that one problem does not hide the others.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from fb_qbo_pipeline.errors import RemoteRefusal
from fb_qbo_pipeline.freshbooks.reader import FreshBooksReader
from fb_qbo_pipeline.freshbooks.records import Item, TaxDefinition, Unreadable, VisState
from fb_qbo_pipeline.freshbooks.unreadable import salvage
from fb_qbo_pipeline.ledger.versions import old_version, server_version
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import Json
from fb_qbo_pipeline.mapping.findings import Finding
from fb_qbo_pipeline.mapping.preflight import configuration_problems
from fb_qbo_pipeline.mapping.preflight_records import duplicate_products, misspelt_methods, similar_products
from fb_qbo_pipeline.mapping.text import legal_name
from fb_qbo_pipeline.mapping.unreadable import REMEDY
from fb_qbo_pipeline.mapping.usage import EXAMPLES, Concerned, Usage
from fb_qbo_pipeline.pipeline.accounts import freshbooks_business
from fb_qbo_pipeline.pipeline.check_report import CheckFinding, CheckReport, Severity, Step
from fb_qbo_pipeline.pipeline.clock import told
from fb_qbo_pipeline.pipeline.rehearsal import Rehearsal, Tick, rehearse
from fb_qbo_pipeline.pipeline.runtime import Runtime
from fb_qbo_pipeline.quickbooks.company import Company, fold
from fb_qbo_pipeline.review.words import called, counted
from fb_qbo_pipeline.settings.models import Integration

_TEXTS = 3  # different reasons, or remedies, told in a finding


def check(runtime: Runtime, tick: Tick = lambda _what, _done, _all: None) -> CheckReport:
    """Check one integration. `tick` hears of the progress of the longest part, reading every document."""
    integration = runtime.integration
    report = CheckReport([_settings(integration), *_database(runtime)])
    unreadable: list[Unreadable] = []
    reader = FreshBooksReader(runtime.reader.client, lambda bad, payload: unreadable.append(salvage(bad.resource, payload, bad)))
    taxes = report.attempt("FreshBooks", "freshbooks", lambda: _freshbooks(reader))
    company = report.attempt("QuickBooks", "quickbooks", lambda: _quickbooks(runtime))
    off = runtime.service_clock.off()
    if off is not None:
        report.steps.append(_clock(off))
    names = len(report.steps)
    if company is not None:
        report.steps.append(_names(integration, company, taxes or [], Usage()))
    if company is None or taxes is None:
        return report
    context = report.attempt("FreshBooks' lists", "freshbooks", lambda: _lists(integration, company, reader, unreadable))
    if context is not None:
        rehearsal = report.attempt("Documents", "freshbooks", lambda: _documents(runtime, context, tick))
        if rehearsal is not None:  # now it is known which documents each finding is about
            report.steps[names] = _names(integration, company, taxes, rehearsal.usage)
    if unreadable:
        words = f"{counted(len(unreadable), 'member')} of FreshBooks' lists cannot be read"
        report.steps.append(Step("Records", words, tuple(_unreadable(unreadable))))
    return report


def _settings(integration: Integration) -> Step:
    sections = {"sales": integration.sales, "payments": integration.payments, "expenses": integration.expenses}
    on = ", ".join(name for name, section in sections.items() if section is not None)
    return Step("Settings", f"{integration.name}: {on} from {integration.start_date.isoformat()}")


def _database(runtime: Runtime) -> list[Step]:
    """Told where the server should be updated; a server that is too old has been refused before."""
    with runtime.ledger.engine.connect() as connection:
        old = old_version(server_version(connection))
    return [] if old is None else [Step("Database", old.message, (CheckFinding(Severity.WARNING, "database", old.message, old.remedy),))]


def _clock(off: dt.timedelta) -> Step:
    """The clock of this machine against those of the services, where it is off."""
    message = f"this machine's clock is {told(off)} FreshBooks' and QuickBooks': it decides which day is today"
    finding = CheckFinding(
        Severity.ERROR, "clock", message, "set the clock, and let the machine keep it by a time service (NTP)", exit_status=1
    )
    return Step("Clock", f"{told(off)} the services'", (finding,))


def _freshbooks(reader: FreshBooksReader) -> tuple[list[TaxDefinition], Step]:
    """The taxes set up in FreshBooks: what the settings are compared with. An app without that scope can sync all the same."""
    business = freshbooks_business(reader)
    detail = f"{business.name or 'an account without a name'} ({business.account_id}), {business.currency or 'currency unknown'}"
    try:
        return [tax for tax, _ in reader.taxes()], Step("FreshBooks", detail)
    except RemoteRefusal as refusal:
        message = f"the taxes of the settings cannot be compared with FreshBooks' rates: {refusal.message}"
        return [], Step("FreshBooks", detail, (CheckFinding(Severity.WARNING, "freshbooks", message, refusal.remedy),))


def _quickbooks(runtime: Runtime) -> tuple[Company, Step]:
    """The company, read in full: somebody may have changed it a minute ago."""
    runtime.mirror.refresh()
    company = runtime.mirror.company()
    closed = company.preferences.closed_until
    odd = tuple(
        CheckFinding(
            Severity.WARNING,
            "unreadable",
            f"QuickBooks' {told}: what needs it is held as if it were not there",
            "open it in QuickBooks, correct it and save it",
        )
        for told in company.unreadable
    )
    more = f", books closed until {closed.isoformat()}" if closed is not None else ""
    return company, Step(
        "QuickBooks", f"{company.name} ({company.realm_id}), {company.country}, {company.preferences.home_currency}{more}", odd
    )


def _names(integration: Integration, company: Company, taxes: Sequence[TaxDefinition], usage: Usage) -> Step:
    found = configuration_problems(integration, company, taxes, usage.taxes)
    findings = tuple(_concerning(_finding(one), usage.by_setting.get(one.key)) for one in found)
    return Step("Settings against QuickBooks", "every name, tax and feature fits" if not findings else _counted(findings), findings)


def _concerning(finding: CheckFinding, concerned: Concerned | None) -> CheckFinding:
    if concerned is None:
        return finding
    amount = dict(sorted(concerned.amount.items()))
    return replace(finding, documents=concerned.documents, amount=amount, examples=tuple(concerned.examples))


def _lists(integration: Integration, company: Company, reader: FreshBooksReader, unreadable: Sequence[Unreadable]) -> tuple[Context, Step]:
    context = Context(
        integration=integration,
        company=company,
        clients={client.id: client for client, _ in reader.clients()},
        items=[item for item, _ in reader.items()],
        categories={category.id: category for category, _ in reader.categories()},
        unreadable=unreadable,
    )
    findings: tuple[CheckFinding, ...] = ()
    if integration.sales is not None:
        findings = tuple(
            map(_finding, [*duplicate_products(context.items), *similar_products(context.items), *look_alike_products(context.items)])
        )
    categories = counted(len(context.categories), "expense category", "expense categories")
    counts = f"{counted(len(context.clients), 'client')}, {counted(len(context.items), 'product')}, {categories}"
    return context, Step("FreshBooks' lists", counts, findings)


def look_alike_products(items: Iterable[Item]) -> list[Finding]:
    """Active FreshBooks products with different names that QuickBooks' rules for names (100 characters, no colon) make equal.

    They become different items, told apart by a code that is appended: nothing is wrong with them but the look.
    """
    alike: dict[str, dict[str, str]] = defaultdict(dict)
    for item in items:
        if item.vis_state is VisState.ACTIVE:
            alike[fold(legal_name(item.name))].setdefault(fold(item.name), item.name)
    return [
        Finding(
            "sales.products",
            f"the FreshBooks products {' and '.join(f'“{name}”' for name in names.values())} have the same name by QuickBooks' rules "
            "(100 characters, no colon): their items are told apart by a code at the end",
            "shorten or change one of the names in FreshBooks if you want another item name",
            fatal=False,
        )
        for names in alike.values()
        if len(names) > 1
    ]


def _documents(runtime: Runtime, context: Context, tick: Tick) -> tuple[Rehearsal, Step]:
    rehearsal = rehearse(runtime, context, tick)
    payments = runtime.integration.payments
    methods = misspelt_methods(payments, rehearsal.usage.methods) if payments is not None else []
    findings = (*held_documents(rehearsal.held), *map(_finding, methods))
    period = f"from {runtime.integration.start_date.isoformat()} to {runtime.today.isoformat()}"
    in_scope = f"{counted(rehearsal.documents, 'document')} in scope {period}"
    return rehearsal, Step("Documents", f"{in_scope}, {len(rehearsal.held):,} would be held", findings)


def held_documents(rows: Iterable[Json]) -> list[CheckFinding]:
    """One finding for each code, the most frequent first. A row counts under its first problem, as it would be held."""
    by_code: dict[str, list[Json]] = defaultdict(list)
    for row in rows:
        by_code[row["problems"][0]["code"]].append(row)
    findings = []
    for code, group in sorted(by_code.items(), key=lambda pair: -len(pair[1])):
        amounts: dict[str, Decimal] = defaultdict(Decimal)
        for row in group:
            amounts[row["currency"]] += row["amount"]
        first = [row["problems"][0] for row in group]
        findings.append(
            CheckFinding(
                severity=Severity.WARNING,
                key=code,
                message=_most_frequent(problem["reason"] for problem in first),
                remedy=_most_frequent(problem["remedy"] for problem in first),
                documents=len(group),
                amount=dict(sorted(amounts.items())),
                examples=tuple(called(row["source"], row["label"], row["source_id"], row["party"]) for row in group[:EXAMPLES]),
                holds=True,
            )
        )
    return findings


def _unreadable(records: Sequence[Unreadable]) -> list[CheckFinding]:
    """Members of FreshBooks' lists (clients, products, categories, taxes) that cannot be understood: what names them is held."""
    names = {id(one): f"{one.resource} {one.id}" if one.id > 0 else f"{one.resource} without an id" for one in records}
    message = _most_frequent(f"FreshBooks {names[id(one)]}: {one.why}" for one in records)
    return [CheckFinding(Severity.WARNING, "unreadable", message, REMEDY, examples=tuple(names.values())[:EXAMPLES])]


def _finding(finding: Finding) -> CheckFinding:
    return CheckFinding(Severity.ERROR if finding.fatal else Severity.WARNING, finding.key, finding.message, finding.remedy)


def _counted(findings: Sequence[CheckFinding]) -> str:
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    return f"{errors} to correct, {len(findings) - errors} to look at"


def _most_frequent(texts: Iterable[str]) -> str:
    """The different texts, the most frequent first; the rest is counted."""
    occurring = Counter(texts)
    told = [text for text, _ in occurring.most_common(_TEXTS)]
    return "; ".join(told) + (f"; and {counted(len(occurring) - _TEXTS, 'other')}" if len(occurring) > _TEXTS else "")
