"""A company that speaks another language: QuickBooks' codes stay what they are, and its sentences are none that we know."""

import json
from decimal import Decimal
from typing import Any

from fb_qbo_pipeline_tests.pipeline.world import World, day, line


class Abroad:
    """Stands before QuickBooks and says every fault in other words."""

    def __init__(self, world: World) -> None:
        assert world.sandboxes.quickbooks.app is not None
        self._app = world.sandboxes.quickbooks.app
        self.said: list[str] = []
        world.sandboxes.quickbooks.app = self

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        sent: list[Any] = []

        async def keep(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, keep if scope["type"] == "http" else send)
        if not sent:
            return
        body = b"".join(message.get("body", b"") for message in sent)
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        if isinstance(answer, dict):
            self._translate(answer)
            body = json.dumps(answer).encode()
        start = next(message for message in sent if message["type"] == "http.response.start")
        start["headers"] = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
        await send(start)
        await send({"type": "http.response.body", "body": body})

    def _translate(self, value: Any) -> None:
        if isinstance(value, list):
            for inner in value:
                self._translate(inner)
        elif isinstance(value, dict):
            for error in value["Fault"]["Error"] if "Fault" in value else ():
                self.said.append(str(error["code"]))
                error |= {"Message": "Une erreur s'est produite", "Detail": "L'opération a été refusée."}
            for inner in value.values():
                self._translate(inner)


def test_a_document_that_somebody_has_deleted_there_is_gone_in_every_language(world: World) -> None:
    invoice = world.invoice(number="31")
    expense = world.expense()
    world.sync()
    abroad = Abroad(world)
    for source, entity, number in (("invoice", "Invoice", invoice), ("expense", "Bill", expense)):
        world.quickbooks.remove(entity, world.document(source, number)["Id"])
        world.freshbooks.delete(source, number)
    world.quickbooks.deleted.clear()  # as if the change feed could not tell any more
    world.follow()
    assert not world.held()
    assert "610" in abroad.said


def test_a_new_document_whose_tax_amounts_are_refused_is_sent_without_them_in_every_language(world: World) -> None:
    Abroad(world)
    world.quickbooks.tax_amounts = "refused"
    lines = [line("0.52")] * 3  # whose tax both sides round differently
    invoice = world.freshbooks.add_invoice(world.client(), lines=lines, date=day(5))
    world.sync()
    assert not world.held()
    assert world.document("invoice", invoice["id"])["TotalAmt"] == Decimal(invoice["amount"]["amount"])
