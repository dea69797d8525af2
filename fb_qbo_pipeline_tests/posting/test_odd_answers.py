"""An answer to a write that cannot be believed is no answer: the document is looked up before anything is sent again."""

import contextlib
from decimal import Decimal
from typing import Any

import pytest

from fb_qbo_pipeline.errors import PipelineError
from fb_qbo_pipeline.sandbox.freshbooks.payloads import Line
from fb_qbo_pipeline_tests.pipeline import hostile
from fb_qbo_pipeline_tests.pipeline.hostile import Change, refused, twist, with_fields, without_fields
from fb_qbo_pipeline_tests.pipeline.world import World, day, line

D = Decimal
KINDS = ("invoice", "payment", "bill")

# Of an answer to one document or to a batch.
ODD: dict[str, Change] = {
    "a total in words": with_fields(TotalAmt="much"),
    "a total that is text and no number": with_fields(TotalAmt="NaN"),
    "a total that is no JSON number": hostile.as_text('"TotalAmt": ', '"TotalAmt": NaN, "Old": '),
    "a total that is a list": with_fields(TotalAmt=[1]),
    "a total beyond all bounds": with_fields(TotalAmt=D("1e27")),
    "a total with an endless exponent": hostile.as_text('"TotalAmt": ', '"TotalAmt": 1e999999999, "Old": '),
    "another total": with_fields(TotalAmt=D("999.99")),
    "another tax": with_fields(TxnTaxDetail={"TotalTax": D("77.77")}),
    "another number": with_fields(DocNumber="OTHER"),
    "another currency": with_fields(CurrencyRef={"value": "XXX"}),
    "no total": without_fields("TotalAmt"),
    "no memo": without_fields("PrivateNote"),
    "another memo": with_fields(PrivateNote="fb:OTHER/invoice/1"),
    "lines that are nothing": with_fields(Line=[None]),
    "lines that are text": with_fields(Line="none"),
    "links that are nothing": with_fields(Line=[{"Amount": 1, "LinkedTxn": [None]}]),
    "a tax that is text": with_fields(TxnTaxDetail="none"),
    "a currency that is a list": with_fields(CurrencyRef=[]),
    "a number that is an object": with_fields(DocNumber={"value": "1"}),
    "a token that is a list": with_fields(SyncToken=[0]),
    "times that are text": with_fields(MetaData="now"),
    "no id": without_fields("Id"),
    "an id that is an object": with_fields(Id={"value": "1"}),
    "an id that is true": with_fields(Id=True),
    "another type": hostile.of_another_type,
    "nested without end": hostile.deep,
    "a validation fault": refused("2050", "String length is either shorter or longer than supported by specification"),
    "a fault of a reference": refused("2500", "Invalid Reference Id"),
    "a fault of the tax": refused("6000", "A business validation error has occurred", "error while calculating tax"),
    "a fault of a closed period": refused("6210", "Account Period Closed"),
    "an unknown fault": refused("987654"),
}
OF_BATCHES: dict[str, Change] = {
    "swapped": hostile.rotated,
    "twice": hostile.repeated,
    "half of it": hostile.halved,
    "to others": hostile.renamed,
    "no list": lambda status, _body: (status, {"BatchItemResponse": "none"}),
    "of nothing": lambda status, body: (status, {"BatchItemResponse": [None] * len(body["BatchItemResponse"])}),
}


class _Books:
    """A month of invoices, payments and expenses, which stands when everything stands once."""

    def __init__(self, world: World, documents: int) -> None:
        self.world = world
        client = world.client()
        self.invoices = [world.invoice("100.00", client=client, on=day(3 + n)) for n in range(documents)]
        self.payments = [world.payment(invoice, "60.00", on=day(12)) for invoice in self.invoices]
        self.expenses = [world.expense("56.50", on=day(3 + n)) for n in range(documents)]

    def sync(self) -> None:
        """With whatever errors a person may read, and then once more without trouble."""
        with contextlib.suppress(PipelineError):
            self.world.sync()
        self.world.sync()

    def assert_stands(self, owed: str = "53.00") -> None:
        count = len(self.invoices)
        assert self.world.count() == {"Invoice": count, "Payment": count, "Bill": count}
        assert (self.world.held(), self.world.unfinished()) == ([], 0)
        assert self.world.balances()["Accounts Receivable (A/R)"] == count * D(owed)
        assert self.world.balances()["Accounts Payable (A/P)"] == count * D("-56.50")
        with self.world.ledger.begin() as tx:
            for source, ids in (("invoice", self.invoices), ("payment", self.payments), ("expense", self.expenses)):
                for source_id, posted in tx.posted.by_ids(source, ids).items():
                    standing = self.world.document(source, source_id)
                    assert (posted.qbo_id, posted.total) == (standing["Id"], standing["TotalAmt"])


def _paths(documents: int) -> tuple[str, ...]:
    return ("/batch?",) if documents > 1 else tuple(f"/{kind}?" for kind in KINDS)


@pytest.mark.parametrize("documents", [1, 3])
@pytest.mark.parametrize("odd", ODD)
def test_a_creation_with_an_odd_answer_stands_once_and_is_known(world: World, odd: str, documents: int) -> None:
    books = _Books(world, documents)
    twisted = [twist(world, path, ODD[odd], count=3) for path in _paths(documents)]
    books.sync()
    assert all(twisted)
    books.assert_stands()


@pytest.mark.parametrize("odd", OF_BATCHES)
def test_a_batch_whose_items_are_mixed_up_is_carried_out_once(world: World, odd: str) -> None:
    books = _Books(world, 3)
    assert twist(world, "/batch?", OF_BATCHES[odd], count=3) == []
    books.sync()
    books.assert_stands()


@pytest.mark.parametrize("documents", [1, 3])
@pytest.mark.parametrize("odd", [name for name in ODD if "fault" not in name])
def test_a_change_with_an_odd_answer_is_carried_out_once(world: World, odd: str, documents: int) -> None:
    books = _Books(world, documents)
    world.sync()
    for invoice in books.invoices:
        world.freshbooks.edit_invoice(invoice, lines=[line("200.00")])
    twist(world, "/batch?" if documents > 1 else "/invoice?", ODD[odd], count=3)
    books.sync()
    books.assert_stands(owed="166.00")


@pytest.mark.parametrize(
    "odd", [*OF_BATCHES, "no id", "an id that is an object", "another type", "nested without end", "lines that are nothing"]
)
def test_what_goes_with_an_odd_answer_is_gone_and_known_to_be(world: World, odd: str) -> None:
    books = _Books(world, 3)
    world.sync()
    for source, ids in (("payment", books.payments), ("expense", books.expenses)):
        for source_id in ids:
            world.freshbooks.delete(source, source_id)
    twist(world, "/batch?", (ODD | OF_BATCHES)[odd], count=3)
    books.sync()
    assert (world.held(), world.unfinished()) == ([], 0)
    assert "Bill" not in world.count()
    assert world.balances()["Accounts Receivable (A/R)"] == 3 * D("113.00")


@pytest.mark.parametrize("documents", [1, 3])
def test_an_id_that_another_document_has_is_not_recorded(world: World, documents: int) -> None:
    books = _Books(world, documents)
    other = world.invoice("5.00", on=day(2))
    with world.runtime():
        pass
    world.sync(day(1), day(2))
    taken = world.document("invoice", other)["Id"]
    twist(world, "/batch?" if documents > 1 else "/invoice?", hostile.one_id_for_all(taken), count=3)
    books.sync()
    with world.ledger.begin() as tx:
        recorded = {source_id: posted.qbo_id for source_id, posted in tx.posted.by_ids("invoice", [other, *books.invoices]).items()}
    assert recorded == {source_id: world.document("invoice", source_id)["Id"] for source_id in (other, *books.invoices)}
    assert not world.held()


def test_a_total_that_is_odd_in_every_look_is_not_sent_again(world: World) -> None:
    """What is found but cannot be read is neither carried out nor missing: it waits for an answer that can be."""
    world.invoice("100.00")
    healthy = world.sandboxes.quickbooks.app
    twist(world, "/invoice?", with_fields(TotalAmt="much"), count=None)

    def spoilt(status: int, body: Any) -> tuple[int, Any]:
        for row in (body or {}).get("QueryResponse", {}).get("Invoice", []):
            row["TotalAmt"] = "much"
        return status, body

    twist(world, "/query?", spoilt, count=None)
    with pytest.raises(PipelineError, match="is unknown"):
        world.sync()
    assert (world.count(), world.unfinished()) == ({"Invoice": 1}, 1)
    world.sandboxes.quickbooks.app = healthy
    world.sync()
    assert (world.count(), world.unfinished(), world.held()) == ({"Invoice": 1}, 0, [])


def test_an_answer_that_is_only_written_otherwise_costs_no_look_up(world: World) -> None:
    world.invoice("100.00")
    twist(world, "/invoice?", hostile.pretty, count=None)
    with world.runtime() as runtime:
        runtime.mirror.refresh()
    world.sync()
    assert (world.count(), world.held()) == ({"Invoice": 1}, [])


@pytest.mark.parametrize(("entity", "field"), [("customer", {"Id": ["1"]}), ("vendor", {"DisplayName": {}}), ("item", {"Type": 5})])
def test_a_name_whose_creation_is_answered_oddly_is_looked_for_and_made_once(world: World, entity: str, field: dict[str, Any]) -> None:
    twist(world, f"POST /v3/company/{world.quickbooks.realm_id}/{entity}", with_fields(**field))
    world.freshbooks.add_item("Sticker sheet", "2.50")
    world.freshbooks.add_invoice(world.client(), lines=[Line("Sticker sheet", 2, "2.50", ())], date=day(5))
    world.expense()
    world.settings["sales"]["products"] |= {"create": True}
    world.sync()
    assert not world.held()
    assert world.count() == {"Invoice": 1, "Bill": 1}
    names = [row.get("DisplayName") or row.get("Name") for kind in ("Customer", "Vendor", "Item") for row in world.quickbooks.rows(kind)]
    assert len(names) == len(set(names))
