"""What a tie-out comes to, in sentences: whether both sides agree, what is held besides, and what follows from it.

Held documents explain a gap, so they are no difference; but a gap that is explained is a gap all the same, and "agree" alone
would hide it.
"""

from fb_qbo_pipeline.ledger.exceptions import IGNORED
from fb_qbo_pipeline.money import ZERO
from fb_qbo_pipeline.review.reconcile import Compared, Reconciliation
from fb_qbo_pipeline.review.words import Amount, added, counted


def conclusion(result: Reconciliation) -> str:
    """The one sentence."""
    held = held_words(result)
    if not result.documents and not result.findings:
        return "There is nothing to compare: no document in scope in FreshBooks, none of ours in QuickBooks."
    if result.agrees:
        return f"FreshBooks and QuickBooks agree, but for what is held back: {held}." if held else "FreshBooks and QuickBooks agree."
    differing, money = len(_differing(result)), _difference(result)
    differ = f"{counted(differing, 'document')} {_differ(differing)}{f', {money} apart' if money else ''}"
    return f"FreshBooks and QuickBooks do NOT agree: {differ}." + (f" Held back besides: {held}." if held else "")


def held_words(result: Reconciliation) -> str:
    """`6 documents, 1,853.95 CAD (2 of them ignored)`; '' where none is held."""
    held = result.held
    if not held:
        return ""
    ignored = sum(one.status == IGNORED for one in held)
    money = added(Amount(line.held_money, line.currency) for line in result.totals if line.held_documents)
    of_them = "ignored" if ignored == len(held) else f"{ignored:,} of them ignored"
    return f"{counted(len(held), 'document')}, {money}" + (f" ({of_them})" if ignored else "")


def short(result: Reconciliation) -> str:
    """The conclusion in a cell: `agrees`, `agrees, 6 held`, `1 differs, 6 held`."""
    differing = len(_differing(result))
    state = "agrees" if result.agrees else f"{differing:,} {_differ(differing)}"
    return state + (f", {len(result.held):,} held" if result.held else "")


def notes(result: Reconciliation) -> list[str]:
    """What a person should know besides the sentence: where held documents are told, and which exceptions are differences."""
    told = []
    if result.held:
        told.append("fb-qbo exceptions names each one, the reason, and what to do")
        booked = added(Amount(line.held_booked, line.currency) for line in result.totals if line.held_booked)
        if booked:
            told.append(f"of what is held, {booked} stands in QuickBooks in an earlier version")
    changed = [one for one in result.documents if one.code and not one.held]
    if changed:
        told.append(
            f"fb-qbo exceptions lists {counted(len(changed), 'document')} more ({added(map(_amount, changed))}): "
            "changed in QuickBooks by hand, which counts as a difference until it is undone or ignored"
        )
    return told


def why_strict(result: Reconciliation) -> str:
    """Why `--strict` ends as it does."""
    if not result.agrees:
        return "exit status 3 with --strict: something differs"
    if result.held:
        return "exit status 0 with --strict: a held document is no difference; fb-qbo exceptions --strict is 3 while one is open"
    return "exit status 0 with --strict: nothing differs"


def _differ(number: int) -> str:
    return "differs" if number == 1 else "differ"


def _differing(result: Reconciliation) -> set[tuple[str, int]]:
    return {(one.source, one.source_id) for one in result.findings}


def _amount(one: Compared) -> Amount:
    return Amount(one.freshbooks, one.currency)


def _difference(result: Reconciliation) -> str:
    """How far apart the two sides are, kinds added without their signs: what is too much does not make up for what is missing."""
    return added(Amount(abs(line.difference), line.currency) for line in result.lines if line.difference != ZERO)
