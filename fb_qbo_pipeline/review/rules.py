"""The checks that finance reads, one row each: its sentence, how bad a failure is, what to do then, and how it is found.

A check stands on the asset whose step has just computed what it is about. None is about a single document: an evaluation is
an event of Dagster's, 10 to 50 ms, so documents are rows of a table in it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from fb_qbo_pipeline.ledger.suspects import Among
from fb_qbo_pipeline.review import findings
from fb_qbo_pipeline.review.findings import Books, Finding


@dataclass(frozen=True)
class Rule:
    """A check: its name, the sentence that a controller reads, what to do if it fails, how it is found and where to look for it.

    A failure is a warning where documents wait for a person; an error says that the books are not what they should be.
    """

    name: str
    sentence: str
    next: str
    find: Callable[[Books], list[Finding]]
    among: frozenset[Among]
    is_error: bool = False


_HELD = frozenset({Among.HELD})
_SETTINGS = "correct integration.yaml or the documents, as the table says; the next look tries them again"

NOTHING_IS_HELD = Rule(
    "no_document_is_held",
    "No document is held back: neither by its mapping nor by QuickBooks. What a person ignores does not count.",
    "work through the table, or ignore a document with a reason: fb-qbo exceptions",
    findings.held,
    _HELD,
)
SALES_ARE_MAPPED = Rule(
    "taxes_and_products_are_mapped",
    "Every tax on an invoice is mapped to a QuickBooks tax code of the same rate, and every product to an item.",
    _SETTINGS,
    findings.unmapped_sales,
    _HELD,
)
DEPOSITS_ARE_MAPPED = Rule(
    "payments_have_an_account",
    "Every payment has an account of QuickBooks to go to; applied credits, too.",
    _SETTINGS,
    findings.unmapped_payments,
    _HELD,
)
EXPENSES_ARE_MAPPED = Rule(
    "taxes_and_categories_are_mapped",
    "Every tax on an expense is mapped to a QuickBooks tax code of the same rate, and every category to an account of the right type.",
    _SETTINGS,
    findings.unmapped_expenses,
    _HELD,
)
PAYMENTS_ARE_LINKED = Rule(
    "payments_settle_their_invoices",
    "Every payment in QuickBooks is linked to its invoice, in full.",
    "apply the amounts in QuickBooks, as the table says",
    findings.unlinked_payments,
    frozenset({Among.UNLINKED}),
)
CLEARING_IS_EXPLAINED = Rule(
    "clearing_accounts_are_explained",
    "What FreshBooks received by each method is on its clearing account, or held.",
    "materialize the day again; compare the payments in the table with the account in QuickBooks",
    findings.unexplained_clearing,
    frozenset({Among.MISSING, Among.UNEQUAL}),
    is_error=True,
)
ALL_POSTED_OR_HELD = Rule(
    "every_document_is_posted_or_held",
    "Every document in scope stands in QuickBooks, or is held with a reason.",
    "materialize the day again; if it stays: fb-qbo trace NUMBER",
    findings.neither_posted_nor_held,
    frozenset({Among.MISSING}),
    is_error=True,
)
BALANCES_ARE_EQUAL = Rule(
    "open_balances_are_equal",
    "Every invoice is open in QuickBooks by what is open in FreshBooks, but for payments that are held or come later.",
    "look for payments that were made in QuickBooks alone; then: fb-qbo reconcile",
    findings.unequal_balances,
    frozenset({Among.UNBALANCED}),
    is_error=True,
)
NUMBERS_ARE_UNIQUE = Rule(
    "numbers_are_unique",
    "No two documents have the same number.",
    "renumber one of them in FreshBooks",
    findings.duplicate_numbers,
    frozenset({Among.HELD, Among.SAME_NUMBER}),
)
NOTHING_IN_A_CLOSED_PERIOD = Rule(
    "nothing_is_new_in_a_closed_period",
    "Nothing is new or changed in a period that is closed in QuickBooks.",
    "reopen the period in QuickBooks for the sync, or date the document later in FreshBooks, or ignore it with a reason",
    findings.in_closed_period,
    _HELD,
)
NO_FALLBACK = Rule(
    "no_fallback_was_used",
    "No document was posted on the default product or the default vendor.",
    "name what is missing, as the table says; posted documents follow",
    findings.fallbacks,
    frozenset({Among.FALLBACK}),
)
# The tie-out decides whether both sides agree; this rule names the documents whose totals differ.
BOTH_SIDES_AGREE = Rule(
    "freshbooks_and_quickbooks_agree",
    "FreshBooks in scope, less what is held, equals QuickBooks as it was last seen: to the cent, for sales, payments and expenses.",
    "fb-qbo reconcile reads both sides anew and names every document.",
    findings.unequal_totals,
    frozenset({Among.UNEQUAL}),
    is_error=True,
)

STAGED = {"invoice": (SALES_ARE_MAPPED,), "payment": (DEPOSITS_ARE_MAPPED,), "expense": (EXPENSES_ARE_MAPPED,)}
POSTED: dict[str, tuple[Rule, ...]] = {"invoice": (), "payment": (PAYMENTS_ARE_LINKED, CLEARING_IS_EXPLAINED), "expense": ()}
RECONCILED = (
    BOTH_SIDES_AGREE,
    NOTHING_IS_HELD,
    ALL_POSTED_OR_HELD,
    BALANCES_ARE_EQUAL,
    NUMBERS_ARE_UNIQUE,
    NOTHING_IN_A_CLOSED_PERIOD,
    NO_FALLBACK,
)
EVERY_RULE = (*STAGED["invoice"], *STAGED["payment"], *STAGED["expense"], *POSTED["payment"], *RECONCILED)
