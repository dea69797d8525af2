"""Verdicts on a whole company: the documents that the database leads to are all that the rules would have found."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, text

from fb_qbo_pipeline.ledger.ledger import Ledger
from fb_qbo_pipeline.pipeline.steps import scope_of
from fb_qbo_pipeline.review.books import SOURCES, default_item_of, read_books
from fb_qbo_pipeline.review.rules import EVERY_RULE, NOTHING_IS_HELD, STAGED
from fb_qbo_pipeline.review.verdicts import Scope, Tally, Verdict, judge_company
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline.sandbox.sample import build_sample
from fb_qbo_pipeline_tests.pipeline.world import START, TODAY, World, day

# What may happen to a row of the ledger, whether it ever does or not: `:id` is a document's, `:other` another one's.
DISTURBANCES = (
    "UPDATE fb_qbo.posted_document SET total = total + 0.01 WHERE source_id = :id",
    "UPDATE fb_qbo.posted_document SET currency = 'USD' WHERE source_id = :id",
    "UPDATE fb_qbo.posted_document SET state = 'voided' WHERE source_id = :id",
    "UPDATE fb_qbo.posted_document SET state = 'posted' WHERE source_id = :id",
    "UPDATE fb_qbo.posted_document SET entity = 'VendorCredit' WHERE source_id = :id AND source = 'expense'",
    "DELETE FROM fb_qbo.posted_document WHERE source_id = :id",
    """UPDATE fb_qbo.posted_document SET state = 'posted', number = CASE WHEN source_id = :id THEN 'FB31' ELSE 'fb31' END
       WHERE source_id IN (:id, :other) AND source = 'invoice'""",
    *(
        f"""UPDATE fb_qbo.staged_document SET outcome = 'held', problems = '[{{"code": "{code}", "reason": "r", "remedy": "m"}}]'
            WHERE source_id = :id AND source = '{source}'"""
        for source, code in (("invoice", "unmapped_tax"), ("payment", "credit_without_account"), ("expense", "unmapped_category"))
    ),
    "UPDATE fb_qbo.staged_document SET amount = amount + 0.004 WHERE source_id = :id",
    "UPDATE fb_qbo.staged_document SET amount = amount - 0.006, total = total - 1 WHERE source_id = :id",
    "UPDATE fb_qbo.staged_document SET balance = balance + 1 WHERE source_id = :id",
    "UPDATE fb_qbo.staged_document SET outcome = 'out_of_scope' WHERE source_id = :id",
    "UPDATE fb_qbo.staged_document SET outcome = 'document' WHERE source_id = :id AND jsonb_typeof(document) = 'object'",
    """UPDATE fb_qbo.staged_document SET document = jsonb_set(document, '{body,Line}', '[]')
       WHERE source_id = :id AND source = 'payment' AND jsonb_typeof(document) = 'object'""",
    """UPDATE fb_qbo.staged_document SET document = jsonb_set(document, '{body,Line,0,LinkedTxn}', '[]')
       WHERE source_id = :id AND source = 'payment' AND document #> '{body,Line,0}' IS NOT NULL""",
    """UPDATE fb_qbo.staged_document
       SET document = jsonb_set(document, '{body,Line,0,SalesItemLineDetail,ItemRef,value}', to_jsonb(CAST(:item AS text)))
       WHERE source_id = :id AND source = 'invoice' AND jsonb_typeof(document) = 'object'""",
    "UPDATE fb_qbo.raw_record SET state = 'deleted' WHERE source_id = :id AND resource = 'payment'",
    """UPDATE fb_qbo.raw_record SET payload = jsonb_set(payload, '{amount,amount}', '"much"')
       WHERE source_id = :id AND resource = 'payment'""",
    """UPDATE fb_qbo.raw_record SET payload = jsonb_set(payload, '{amount,amount}', '"5"')
       WHERE source_id = :id AND resource = 'payment'""",
    """UPDATE fb_qbo.raw_record SET payload = jsonb_set(payload, '{vendor}', '" "') WHERE source_id = :id AND resource = 'expense'""",
    """UPDATE fb_qbo.raw_record SET payload = jsonb_set(payload, '{vendor}', '"Élan"') WHERE source_id = :id AND resource = 'expense'""",
    "UPDATE fb_qbo.exception SET status = 'ignored' WHERE source_id = :id AND status = 'open'",
    """INSERT INTO fb_qbo.exception (integration, source, source_id, number, party, document_date, amount, currency, code, reason, remedy,
       status, stage) SELECT integration, source, source_id, label, party, document_date, amount, currency, 'closed_period', 'closed',
       'open it', 'open', 'posting' FROM fb_qbo.staged_document WHERE source_id = :id ON CONFLICT DO NOTHING""",
)


def whole(ledger: Ledger, scope: Scope) -> dict[str, Tally]:
    """What the rules find in the books of the whole company, read as a whole."""
    with ledger.begin() as tx:
        books = read_books(tx, scope.first, scope.today, SOURCES, scope.default_item)
    return {rule.name: Tally().add(rule.find(books)) for rule in EVERY_RULE}


def found(verdicts: Sequence[tuple[str, Tally]]) -> dict[str, Any]:
    return {name: (tally.documents, dict(tally.amounts)) for name, tally in verdicts}


def assert_same(ledger: Ledger, scope: Scope) -> set[str]:
    """The two agree; the rules that have found something."""
    narrowed: dict[str, Verdict] = judge_company(EVERY_RULE, scope)
    for rules in (STAGED["invoice"], STAGED["payment"], STAGED["expense"]):
        assert {name: narrowed[name].found for name in (rule.name for rule in rules)} == {
            name: verdict.found for name, verdict in judge_company(rules, scope).items()
        }
    expected = whole(ledger, scope)
    assert found([(name, verdict.found) for name, verdict in narrowed.items()]) == found(list(expected.items()))
    return {name for name, tally in expected.items() if tally.documents}


def test_whatever_happens_to_a_ledger_the_narrowed_look_finds_what_the_rules_find(make_world: Callable[..., World]) -> None:
    sample = build_sample("ca", TODAY)
    settings = sample.integration | {"start_date": START}
    world = make_world(settings=settings, freshbooks=sample.freshbooks, quickbooks=QuickBooks(sample.quickbooks_country))
    world.sync(START, TODAY)
    with world.runtime() as runtime:
        default = default_item_of(runtime.integration, runtime.mirror.company())
        scope = replace(scope_of(runtime, SOURCES, default), piece=7)
    assert default is not None
    chance = random.Random(11)
    with world.engine.begin() as connection:
        ids = {source: _standing(connection, source) for source in SOURCES}
    seen = assert_same(world.ledger, scope)
    for _round in range(5):
        with world.engine.begin() as connection:
            for disturbance in DISTURBANCES:
                source = next((source for source in SOURCES if f"= '{source}'" in disturbance), chance.choice(SOURCES))
                document, other = chance.sample(ids[source], 2)
                disturb(connection, disturbance, document, other, default)
        seen |= assert_same(world.ledger, scope)
    assert seen == {rule.name for rule in EVERY_RULE}


def _standing(connection: Connection, source: str) -> list[int]:
    statement = text("SELECT source_id FROM fb_qbo.posted_document WHERE source = :source ORDER BY source_id")
    return list(connection.execute(statement, {"source": source}).scalars())


def disturb(connection: Connection, statement: str, document: int, other: int, item: str) -> None:
    values = {name: value for name, value in (("id", document), ("other", other), ("item", item)) if f":{name}" in statement}
    connection.execute(text(statement), values)


def test_a_document_that_is_held_and_not_staged_any_more_counts(world: World) -> None:
    invoice = world.invoice("40.00", on=day(6), taxes=(("Unheard of", "3"),))
    world.sync()
    with world.ledger.begin() as tx:
        tx.staging.drop("invoice", {invoice})
    with world.runtime() as runtime:
        verdict = judge_company((NOTHING_IS_HELD,), scope_of(runtime, SOURCES))[NOTHING_IS_HELD.name]
    assert (verdict.passed, verdict.found.documents) == (False, 1)


def test_a_verdict_names_some_documents_and_counts_all(world: World) -> None:
    client = world.client()
    for _ in range(53):
        world.invoice("1.00", on=day(6), taxes=(("Unheard of", "3"),), client=client)
    world.sync()
    with world.runtime() as runtime:
        verdict = judge_company((NOTHING_IS_HELD,), scope_of(runtime, ("invoice",)))[NOTHING_IS_HELD.name]
    assert (verdict.found.documents, len(verdict.found.shown)) == (53, 50)
    assert dict(verdict.found.amounts) == {"CAD": 53 * verdict.found.shown[0].amount}
