"""Customers, vendors and items: found where they are, created once where they are not, never mistaken for one another."""

from decimal import Decimal
from typing import Any

import pytest
from starlette.responses import JSONResponse

from fb_qbo_pipeline.errors import Unreachable
from fb_qbo_pipeline.mapping.documents import Document, Entity, PartyRequest, Source
from fb_qbo_pipeline.posting.names import Names
from fb_qbo_pipeline.sandbox.freshbooks.payloads import Line
from fb_qbo_pipeline_tests.pipeline.world import World, day


def _party(world: World, kind: str, name: str, email: str = "", **details: Any) -> str:
    address = {"PrimaryEmailAddr": {"Address": email}} if email else {}
    currency = world.quickbooks.currency_ref("CAD")
    return str(world.quickbooks.add(kind, DisplayName=name, CurrencyRef=currency, Balance=0, **address, **details)["Id"])


def _client(world: World, first: str, last: str, email: str) -> int:
    return int(world.freshbooks.add_client("", first, last, email)["id"])


def _customer_of(world: World, invoice: int) -> str:
    return str(world.document("invoice", invoice)["CustomerRef"]["value"])


def test_an_existing_customer_is_recognised_by_name_and_e_mail(world: World) -> None:
    there = _party(world, "Customer", "jane  doe", "JANE@example.com")
    invoice = world.invoice(client=_client(world, "Jane", "Doe", "jane@example.com"))
    counts = world.sync()
    assert _customer_of(world, invoice) == there
    assert counts.created["customer"] == 0


def test_a_namesake_with_another_e_mail_is_another_customer(world: World) -> None:
    there = _party(world, "Customer", "Jane Doe", "other@example.com")
    client = _client(world, "Jane", "Doe", "jane@example.com")
    invoice = world.invoice(client=client)
    world.sync()
    assert _customer_of(world, invoice) != there
    assert [row["DisplayName"] for row in world.quickbooks.rows("Customer")] == ["Jane Doe", f"Jane Doe ({client})"]


def test_two_clients_of_one_name_are_two_customers(world: World) -> None:
    first, second = _client(world, "Jane", "Doe", "one@example.com"), _client(world, "Jane", "Doe", "two@example.com")
    invoices = [world.invoice(client=first), world.invoice(client=second)]
    world.sync()
    assert [row["DisplayName"] for row in world.quickbooks.rows("Customer")] == ["Jane Doe", f"Jane Doe ({second})"]
    assert len({_customer_of(world, invoice) for invoice in invoices}) == 2


def test_a_customer_renamed_in_quickbooks_is_found_again(world: World) -> None:
    client = _client(world, "Jane", "Doe", "jane@example.com")
    first = world.invoice(client=client)
    world.sync()
    world.quickbooks.edit("Customer", _customer_of(world, first), DisplayName="Doe Holdings")
    second = world.invoice(client=client)
    world.sync(fresh=True)
    assert _customer_of(world, second) == _customer_of(world, first)


def test_a_client_renamed_in_freshbooks_keeps_its_customer(world: World) -> None:
    client = _client(world, "Jane", "Doe", "jane@example.com")
    first = world.invoice(client=client)
    world.follow()
    world.freshbooks.edit("client", client, lname="Roe")
    second = world.invoice(client=client)
    world.follow()
    assert _customer_of(world, second) == _customer_of(world, first)
    assert len(world.quickbooks.rows("Customer")) == 1


def test_a_customer_that_quickbooks_gives_no_answer_about_is_tried_again_by_the_next_sync(world: World) -> None:
    known = world.client("Acme Ltd")
    world.invoice(client=known)
    world.follow()
    invoices = [world.invoice(client=known), world.invoice(client=_client(world, "Jane", "Doe", "jane@example.com"))]
    world.fail(path="/customer?", status=503, count=20)
    with pytest.raises(Unreachable, match="no usable answer when the customer was to be created; 1 documents"):
        world.follow()
    assert [len(world.documents("invoice", invoice)) for invoice in invoices] == [1, 0]
    assert world.held() == []
    world.faults.faults.clear()
    world.follow()
    assert world.document("invoice", invoices[1])


@pytest.mark.parametrize("kind", ["Vendor", "Employee"])
def test_a_name_that_a_vendor_or_an_employee_has_is_made_distinct(world: World, kind: str) -> None:
    _party(world, kind, "Jane Doe")
    client = _client(world, "Jane", "Doe", "jane@example.com")
    world.invoice(client=client)
    world.sync()
    assert [row["DisplayName"] for row in world.quickbooks.rows("Customer")] == [f"Jane Doe ({client})"]
    assert not world.held()


def test_a_vendor_that_has_a_customers_name_is_made_distinct(world: World) -> None:
    world.invoice(client=_client(world, "Serano", "Bakery", "serano@example.com"))
    world.expense(vendor="Serano Bakery")
    world.sync()
    assert [row["DisplayName"] for row in world.quickbooks.rows("Vendor")] == ["Serano Bakery (Vendor)"]


def test_a_customer_added_since_the_lists_were_read_is_found(world: World) -> None:
    world.sync()
    there = _party(world, "Customer", "Jane Doe", "jane@example.com")
    invoice = world.invoice(client=_client(world, "Jane", "Doe", "jane@example.com"))
    world.sync()
    assert _customer_of(world, invoice) == there


def test_an_item_added_since_the_lists_were_read_is_found(world: World) -> None:
    world.sync()
    accounts = {"IncomeAccountRef": {"value": world.quickbooks.named("Account", "Services")["Id"], "name": "Services"}}
    world.quickbooks.add("Item", Name="Design", FullyQualifiedName="Design", Type="Service", Taxable=True, UnitPrice=0, **accounts)
    world.invoice()
    counts = world.sync()
    assert counts.created["item"] == 0
    assert not world.held()


def test_an_item_of_the_name_with_another_sku_is_another_product(world: World) -> None:
    world.settings["sales"]["products"]["match_by"] = "sku"
    world.look()  # the lists are read before somebody adds the item
    accounts = {"IncomeAccountRef": {"value": world.quickbooks.named("Account", "Services")["Id"], "name": "Services"}}
    world.quickbooks.add(
        "Item", Name="Design", FullyQualifiedName="Design", Sku="D-9", Type="Service", Taxable=True, UnitPrice=0, **accounts
    )
    invoice = world.invoice()
    world.sync()
    assert world.codes() == ["unmapped_product"]
    assert world.documents("invoice", invoice) == []


def test_an_inactive_customer_is_never_used_and_the_document_is_held(world: World) -> None:
    client = _client(world, "Jane", "Doe", "jane@example.com")
    first = world.invoice(client=client)
    world.sync()
    customer = _customer_of(world, first)
    world.quickbooks.deactivate("Customer", customer)
    second = world.invoice(client=client)
    world.sync(fresh=True)
    assert world.codes() == ["inactive_reference"]
    assert world.documents("invoice", second) == []
    world.quickbooks.edit("Customer", customer, Active=True, DisplayName="Jane Doe")
    world.sync(fresh=True)
    assert _customer_of(world, second) == customer
    assert not world.held()


def test_an_inactive_customer_of_the_name_is_not_used(world: World) -> None:
    there = _party(world, "Customer", "Jane Doe", "jane@example.com")
    world.quickbooks.deactivate("Customer", there)
    invoice = world.invoice(client=_client(world, "Jane", "Doe", "jane@example.com"))
    world.sync()
    assert _customer_of(world, invoice) != there


@pytest.mark.parametrize("dialect", ["html", "cut", "json"])
def test_a_customer_whose_creation_was_not_answered_is_not_made_twice(world: World, dialect: str) -> None:
    world.quickbooks.honours_request_id = False
    world.fail(path="/customer?", when="after", status=502, dialect=dialect)
    invoice = world.invoice()
    world.sync()
    assert world.faults.struck == 1
    assert len(world.quickbooks.rows("Customer")) == 1
    assert _customer_of(world, invoice) == world.quickbooks.rows("Customer")[0]["Id"]


def test_a_name_that_quickbooks_refuses_holds_its_document_only(world: World) -> None:
    world.fail(path="/vendor?", when="before", status=400, dialect="json", code="6190", count=None)
    invoice, expense = world.invoice(), world.expense()
    world.sync()
    assert [(row["code"], row["reason"]) for row in world.held()] == [
        ("refused", "QuickBooks refused it: System Failure Error: the request could not be processed.")
    ]
    assert len(world.documents("invoice", invoice)) == 1
    world.faults.faults.clear()
    world.sync()
    assert len(world.documents("expense", expense)) == 1
    assert not world.held()


BUSY = {
    "en": "Business Validation Error: You can only add or edit one name at a time. Please try again.",
    "fr": "Erreur de validation : Vous ne pouvez ajouter ou modifier qu'un seul nom à la fois. Veuillez réessayer.",
    "es": "Error de validación: solo puede agregar o modificar un nombre a la vez.",
}


class Turning:
    """Stands before QuickBooks and refuses the first `times` requests to `path` with a 6000 in `words`."""

    def __init__(self, world: World, path: str, words: str, times: int) -> None:
        assert world.sandboxes.quickbooks.app is not None
        self._app, self._path, self._words, self.times, self.seen = world.sandboxes.quickbooks.app, path, words, times, 0
        world.sandboxes.quickbooks.app = self

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"].endswith(self._path):
            self.seen += 1
            if self.times > 0:
                self.times -= 1
                error = {"Message": "Une erreur", "Detail": self._words, "code": "6000", "element": ""}
                await JSONResponse({"Fault": {"Error": [error], "type": "ValidationFault"}}, 400)(scope, receive, send)
                return
        await self._app(scope, receive, send)


@pytest.mark.parametrize("language", sorted(BUSY))
def test_another_name_that_is_being_written_is_waited_for_in_every_language(world: World, language: str) -> None:
    customers, vendors = Turning(world, "/customer", BUSY[language], 3), Turning(world, "/vendor", BUSY[language], 2)
    invoice, expense = world.invoice(), world.expense()
    world.sync()
    assert not world.held()
    assert (customers.seen, vendors.seen) == (4, 3)
    assert [len(world.quickbooks.rows(kind)) for kind in ("Customer", "Vendor")] == [1, 1]
    assert world.document("invoice", invoice)["TotalAmt"] > 0
    assert world.document("expense", expense)["TotalAmt"] > 0


def test_a_name_that_goes_on_being_refused_holds_its_documents_with_quickbooks_words(world: World) -> None:
    customers = Turning(world, "/customer", BUSY["fr"], 1000)
    world.invoice()
    expense = world.expense()
    world.sync()
    assert [row["code"] for row in world.held()] == ["refused"]
    assert "Vous ne pouvez ajouter" in world.held()[0]["reason"]
    assert 3 <= customers.seen <= 7
    assert world.document("expense", expense)["TotalAmt"] > 0


def test_a_category_is_no_product(world: World) -> None:
    world.freshbooks.add_invoice(world.client(), lines=[Line("Products", 1, "5.00")], date=day(5))
    world.sync()
    assert world.codes() == ["unmapped_product"]


def test_one_generic_customer_is_found_again_though_renamed(world: World) -> None:
    world.settings["sales"] |= {"customer": "generic", "generic_customer": "FreshBooks Sales"}
    first = world.invoice()
    world.sync()
    world.quickbooks.edit("Customer", _customer_of(world, first), DisplayName="All of FreshBooks")
    second = world.invoice(client=world.client("Beta Inc"))
    world.sync(fresh=True)
    assert _customer_of(world, second) == _customer_of(world, first)


def test_a_customer_from_before_multicurrency_keeps_the_home_currency(world: World) -> None:
    world.quickbooks.multicurrency = True
    there = str(world.quickbooks.add("Customer", DisplayName="Jane Doe", Balance=0)["Id"])  # without a CurrencyRef
    party = PartyRequest("Customer", "client/1/CAD", "Jane Doe", "", {}, " (1)", currency="CAD")
    needing = Document(Source.INVOICE, 1, Entity.INVOICE, day(5), None, "CAD", Decimal(0), Decimal(0), {}, parties=(party,))
    with world.runtime() as runtime, runtime.ledger.posting_lock() as turn:
        runtime.mirror.refresh()
        names = Names(runtime.quickbooks, runtime.ledger, turn, runtime.mirror, runtime.mirror.company())
        assert names.ensure(needing) is None
        assert names.id_of("customer/client/1/CAD") == there
