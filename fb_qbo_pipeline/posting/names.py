"""Customers, vendors and items that documents need: found, or created one at a time.

QuickBooks refuses concurrent writes of names, and customers, vendors and employees share one set of them. A request is
linked to a QuickBooks id once; from then on it is recognised by its FreshBooks key, whatever it is called on either side.
"""

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from fb_qbo_pipeline.http import Backoff
from fb_qbo_pipeline.ledger.ledger import Ledger, PostingTurn
from fb_qbo_pipeline.ledger.outbox import new_request_id
from fb_qbo_pipeline.ledger.posted import Link
from fb_qbo_pipeline.mapping.documents import Code, Document, ItemRequest, Json, PartyRequest, Problem
from fb_qbo_pipeline.mapping.party_decisions import Parties, Use, decide_party
from fb_qbo_pipeline.posting.mirror import CompanyMirror
from fb_qbo_pipeline.posting.plain_names import is_about_characters, plainer_item, plainer_party
from fb_qbo_pipeline.quickbooks.client import Done, QuickBooksClient, Refused, Unknown
from fb_qbo_pipeline.quickbooks.company import Company, Party, fold
from fb_qbo_pipeline.quickbooks.faults import Reaction, may_be_busy
from fb_qbo_pipeline.quickbooks.lists import parse_item, parse_party, readable
from fb_qbo_pipeline.quickbooks.query import ACTIVE_OR_NOT, Select, compare

log = logging.getLogger(__name__)

_Request = TypeVar("_Request", PartyRequest, ItemRequest)
_Found = TypeVar("_Found")

_ATTEMPTS = 7
_ATTEMPTS_UNSURE = 5  # where QuickBooks may only be busy with another name, but says so in words that we do not know: some 8 seconds
_LOOKS = (1.0, 2.0, 3.0, 4.0)  # seconds between looks for a name that QuickBooks says is taken: its lists may lag
_NAME_OF = {"Customer": "DisplayName", "Vendor": "DisplayName", "Item": "Name"}


class Unanswered(Problem):
    """QuickBooks gave no usable answer about a name: no fault of the document, which is left to the next run."""


@dataclass(frozen=True, slots=True)
class IllegalName:
    """QuickBooks refused the characters of a name; `problem` holds where no plainer name helps."""

    problem: Problem


class Names:
    """Resolves the symbolic references `customer/…`, `vendor/…` and `item/…` of documents, creating what is missing.

    `created` counts what was created, by customer, vendor and item.
    """

    def __init__(
        self,
        client: QuickBooksClient,
        ledger: Ledger,
        turn: PostingTurn,
        mirror: CompanyMirror,
        company: Company,
        *,
        sleep: Callable[[float], None] = time.sleep,
        backoff: Backoff | None = None,
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._turn = turn
        self._mirror = mirror
        self._home = company.preferences.home_currency.upper() if company.preferences.multicurrency else ""
        self._parties = Parties(map(self._in_currency, company.parties))
        self._items = {item.id: item for item in company.items}
        self._sleep = sleep
        self._backoff = backoff or Backoff()
        self._answers: dict[str, str | Problem] = {}
        self._expected: dict[tuple[str, str], str] = {}
        with ledger.begin() as tx:
            self._links = {kind: tx.links.all(kind) for kind in ("Customer", "Vendor", "Item")}
        self._users = {kind: _users(links.values()) for kind, links in self._links.items()}
        self.created: Counter[str] = Counter()

    def id_of(self, reference: str) -> str | None:
        """The QuickBooks id of a reference that `ensure` has been through; None where there is none."""
        answer = self._answers.get(reference)
        return answer if isinstance(answer, str) else None

    def expect(self, document: Document, standing: Json) -> None:
        """Learn from a transaction that stands in QuickBooks who its customer or vendor is: used rather than a new one."""
        for party in document.parties:
            party_id = (standing.get(f"{party.kind}Ref") or {}).get("value")
            if party_id is not None:
                self._expected.setdefault((party.kind, party.key), str(party_id))

    def ensure(self, document: Document) -> Problem | None:
        """See that everything a document needs exists; the problem where something cannot be had (`Unanswered`: not now)."""
        for party in document.parties:
            problem = self._answer(f"{party.kind.lower()}/{party.key}", self._party, party)
            if problem is not None:
                return problem
        for item in document.items:
            problem = self._answer(f"item/{item.key}", self._item, item)
            if problem is not None:
                return problem
        return None

    def _answer(self, reference: str, find: Callable[[_Request], str | Problem], request: _Request) -> Problem | None:
        if reference not in self._answers:
            self._answers[reference] = find(request)
        answer = self._answers[reference]
        return answer if isinstance(answer, Problem) else None

    def _party(self, request: PartyRequest) -> str | Problem:
        link = self._links[request.kind].get(request.key)
        if link is not None:
            party = self._parties.get(request.kind, link.qbo_id)
            if party is not None and not party.active:
                return _inactive(request.kind, link.name)
            return link.qbo_id
        users = self._users[request.kind]
        while True:
            decision = decide_party(request, self._parties, users)
            if isinstance(decision, Use):
                return self._link(request.kind, request.key, decision.id, request.name, created=False)
            expected = self._parties.get(request.kind, self._expected.get((request.kind, request.key), ""))
            if expected is not None and expected.active and expected.id not in users:
                return self._link(request.kind, request.key, expected.id, request.name, created=False)
            created = self._create(request.kind, decision.body, decision.display_name)
            if isinstance(created, IllegalName) and (plainer := plainer_party(request)) is not None:
                request = plainer
                continue
            if isinstance(created, Problem | IllegalName):
                return created if isinstance(created, Problem) else created.problem
            if created is not None:
                return self._accept(request, created)
            self._learn_name(decision.display_name)

    def _in_currency(self, party: Party) -> Party:
        """A record without a currency was made before multicurrency was switched on: it keeps the home currency."""
        return party if party.currency else replace(party, currency=self._home)

    def _accept(self, request: PartyRequest, entity: Json) -> str | Problem:
        party = parse_party(entity, request.kind)
        if request.currency is not None and party.currency and party.currency != request.currency:
            return Problem(  # integrators measured that QuickBooks may drop a vendor's currency without saying so
                Code.CURRENCY_OFF,
                f"QuickBooks made the {request.kind.lower()} in {party.currency} although {request.currency} was asked for",
                f"Create the {request.kind.lower()} in QuickBooks with the currency {request.currency}, then run: fb-qbo exceptions retry",
            )
        self._parties.add(replace(party, currency=party.currency or request.currency or ""))
        self._mirror.merge(request.kind, [entity])
        self.created[request.kind.lower()] += 1
        return self._link(request.kind, request.key, party.id, party.display_name, created=True)

    def _learn_name(self, name: str) -> None:
        """QuickBooks says that a name is taken which the mirror does not know: find whose it is, or note it as taken."""
        owners = self._patiently(lambda: self._owners(name))
        for party in owners:
            self._parties.add(party)
        if not any(fold(party.display_name) == fold(name) for party in owners):
            self._parties.add(Party(name, "Unknown", name, "", "", "", "", "", active=False))

    def _owners(self, name: str) -> list[Party]:
        return [
            self._in_currency(party)
            for kind in ("Customer", "Vendor", "Employee")
            for party, _ in readable(
                partial(parse_party, kind=kind), self._client.query(Select(kind, (compare("DisplayName", "=", name), ACTIVE_OR_NOT)))
            )
        ]

    def _patiently(self, look: Callable[[], _Found]) -> _Found:
        """What a look finds, repeated while it finds nothing: what was just created may not show in queries yet."""
        for wait in _LOOKS:
            if found := look():
                return found
            self._sleep(wait)
        return look()

    def _item(self, request: ItemRequest) -> str | Problem:
        if request.id is not None:
            return request.id
        link = self._links["Item"].get(request.key)
        if link is not None:
            item = self._items.get(link.qbo_id)
            return _inactive("item", link.name) if item is not None and not item.active else link.qbo_id
        body = request.body
        created = self._create("Item", body, str(body["Name"]))
        if isinstance(created, IllegalName) and (plainer := plainer_item(body)) is not None:
            body = plainer
            created = self._create("Item", body, str(body["Name"]))
        name = str(body["Name"])
        if isinstance(created, Problem | IllegalName):
            return created if isinstance(created, Problem) else created.problem
        if created is None:
            rows = self._patiently(lambda: self._client.query(Select("Item", (compare("Name", "=", name), ACTIVE_OR_NOT))))
            usable = [row for item, row in readable(parse_item, rows) if item.active and item.type != "Category"]
            if not usable:
                return Problem(
                    Code.UNMAPPED_PRODUCT,
                    f"QuickBooks does not allow an item named “{name}”: a category or an inactive item has the name",
                    "Rename the product in FreshBooks, or the category in QuickBooks, then run: fb-qbo exceptions retry",
                )
            other = _other_sku(request, usable[0])
            if other is not None:
                return other
            return self._link("Item", request.key, parse_item(usable[0]).id, name, created=False)
        item = parse_item(created)
        self._items[item.id] = item
        self._mirror.merge("Item", [created])
        self.created["item"] += 1
        return self._link("Item", request.key, item.id, item.name, created=True)

    def _link(self, kind: str, key: str, qbo_id: str, name: str, *, created: bool) -> str:
        link = Link(kind, key, qbo_id, name, created)
        with self._ledger.begin() as tx:
            tx.links.save(link)
        self._links[kind][key] = link
        self._users[kind][qbo_id].add(key)
        return qbo_id

    def _create(self, entity: str, body: Json, name: str) -> Json | Problem | IllegalName | None:
        """Create a list member; None where QuickBooks says that its name is taken."""
        request_id = new_request_id()
        lost, refused = False, None
        for attempt in range(1, _ATTEMPTS + 1):
            self._turn.confirm()
            answer = self._client.write(entity, body, request_id=request_id)
            if isinstance(answer, Done) and _can_be_read(entity, answer.entity):
                return answer.entity
            if isinstance(answer, Refused):
                if answer.reaction is Reaction.DUPLICATE_NAME:
                    return self._patiently(lambda: self._find(entity, name)) if lost else None
                if is_about_characters(answer.fault):
                    return IllegalName(refusal(answer))
                if not (may_be_busy(answer.fault) or answer.reaction is Reaction.DUPLICATE_REQUEST):
                    return refusal(answer)
                refused = answer
                if attempt >= _ATTEMPTS_UNSURE and answer.reaction is not Reaction.NAME_BUSY:
                    break
                request_id = new_request_id()
            self._sleep(self._backoff.delay(attempt))
            if isinstance(answer, Done) or (isinstance(answer, Unknown) and not answer.not_sent):
                lost = True
                found = self._find(entity, name)
                if found is not None:
                    return found
                if attempt > 2:  # the identical request did not help: its id may be spent on a fault
                    request_id = new_request_id()
        if refused is not None:
            return refusal(refused)
        return Unanswered(Code.REFUSED, f"QuickBooks gave no usable answer when the {entity.lower()} was to be created", "")

    def _find(self, entity: str, name: str) -> Json | None:
        """The active list member of exactly this name: ours, whose creation was not answered."""
        rows = self._client.query(Select(entity, (compare(_NAME_OF[entity], "=", name),)))
        named = (row for row in rows if fold(str(row.get(_NAME_OF[entity]))) == fold(name))
        return next((row for row in named if _can_be_read(entity, row)), None)


def _can_be_read(entity: str, row: Json) -> bool:
    """Whether an answer is a member of this list; one that is odd tells nothing, and the name is looked for."""
    parse = parse_item if entity == "Item" else partial(parse_party, kind=entity)
    return next(iter(readable(parse, [row])), None) is not None


def _users(links: Iterable[Link]) -> defaultdict[str, set[str]]:
    """The keys that are linked to a QuickBooks record, by its id."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for link in links:
        found[link.qbo_id].add(link.key)
    return found


def _other_sku(request: ItemRequest, row: Json) -> Problem | None:
    """The problem where an item has the wanted name, but is another product: products are matched by their SKUs."""
    sku = str(request.body.get("Sku") or "")
    if not request.key.startswith("sku/") or fold(parse_item(row).sku) == fold(sku):
        return None
    return Problem(
        Code.UNMAPPED_PRODUCT,
        f"QuickBooks has an item “{parse_item(row).name}” already, but not with the SKU “{sku}”",
        f"enter the SKU {sku} on that item in QuickBooks, or rename one of the two, then run: fb-qbo exceptions retry",
    )


def _inactive(kind: str, name: str) -> Problem:
    return Problem(
        Code.INACTIVE_REFERENCE,
        f"The {kind.lower()} “{name}” was made inactive in QuickBooks",
        f"Make the {kind.lower()} active again in QuickBooks, then run: fb-qbo exceptions retry",
    )


_REACTIONS = {
    Reaction.CLOSED_PERIOD: (Code.CLOSED_PERIOD, "Open the period in QuickBooks, or change the date in FreshBooks"),
    Reaction.INACTIVE_REFERENCE: (Code.INACTIVE_REFERENCE, "Make it active again in QuickBooks, or map to another"),
    Reaction.DUPLICATE_NUMBER: (Code.DUPLICATE_NUMBER, "Change one of the two numbers"),
    Reaction.LOCKED: (Code.REFUSED, "Undo the deposit or the bank match in QuickBooks first"),
    Reaction.SUSPENDED: (Code.REFUSED, "Renew the QuickBooks subscription"),
    Reaction.GONE: (Code.CHANGED_IN_QUICKBOOKS, "It was deleted in QuickBooks: restore it there, or ignore this"),
}


def refusal(answer: Refused) -> Problem:
    """A refusal by QuickBooks as a problem, with QuickBooks' own words."""
    code, remedy = _REACTIONS.get(answer.reaction, (Code.REFUSED, "Correct what QuickBooks names"))
    return Problem(code, f"QuickBooks refused it: {answer.fault.words}", f"{remedy}, then run: fb-qbo exceptions retry")
